/**
 * What is in sight at the cursor.
 *
 * Owns: writing a name there that nobody else has and reading the text again. With the name, a text that
 * waits for one has a syntax tree; where it has none all the same, what follows the cursor is left out.
 */
import type { CallExpression } from "../lang/ast.ts";
import { SourceFile } from "../lang/source.ts";
import type { Cursor } from "./cursor.ts";
import { readNames } from "./name-reader.ts";
import type { NameScope } from "./name-scope.ts";
import type { FileNames } from "./names.ts";
import { parsedFile } from "./readings.ts";
import { isCall, type Node, nodesAt } from "./tree.ts";

export interface Probe {
  readonly names: FileNames;
  readonly scope: NameScope | undefined;
  /** What the name stands in, the outermost first. */
  readonly nodes: readonly Node[];
  /** Where the name begins. */
  readonly offset: number;
}

const probeName = "zzzProbe_zzz";

export function probeAt(file: SourceFile, cursor: Cursor): Probe | undefined {
  const { start, end, place } = cursor;
  const before = file.text.slice(0, start);
  const after = file.text.slice(end);
  const lead = leadFor(place.kind);
  // Once as if the text ended there: what follows may read as a part of what is half-typed.
  for (const text of [`${before}${lead}${probeName}${after}`, `${before}${lead}${probeName}\n`]) {
    const probed = new SourceFile(file.path, text);
    const { unit } = parsedFile(probed);
    let scope: NameScope | undefined;
    const names = readNames(unit, {
      name: probeName,
      found: (found) => {
        scope ??= found;
      },
    });
    const offset = start + lead.length;
    const nodes = nodesAt(unit, offset);
    if (scope !== undefined) return { names, scope, nodes, offset };
  }
  return undefined;
}

/** What makes a whole of a name alone: members and statements are no expressions. */
function leadFor(kind: Cursor["place"]["kind"]): string {
  if (kind === "members") return "zzzMember = ";
  return kind === "statement" ? "let zzzValue = " : "";
}

/** The call whose parentheses hold the probe, innermost. */
export function callAround({ nodes, offset }: Probe): CallExpression | undefined {
  return nodes.filter(isCall).findLast(({ callee, span }) => callee.span.end < offset && offset < span.end);
}
