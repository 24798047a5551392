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
  for (const { text, offset } of probedTexts(file, cursor)) {
    const probed = new SourceFile(file.path, text);
    const { unit } = parsedFile(probed);
    let scope: NameScope | undefined;
    const names = readNames(unit, {
      name: probeName,
      found: (found) => {
        scope ??= found;
      },
    });
    if (scope !== undefined) return { names, scope, nodes: nodesAt(unit, offset), offset };
  }
  return undefined;
}

interface ProbedText {
  readonly text: string;
  /** Where the name begins. */
  readonly offset: number;
}

/** The likeliest first: each is tried when the name got lost in those before it. */
function* probedTexts(file: SourceFile, { start, end, place }: Cursor): Iterable<ProbedText> {
  const before = file.text.slice(0, start);
  const after = file.text.slice(end);
  const lead = leadFor(place.kind);
  const offset = start + lead.length;
  yield { text: `${before}${lead}${probeName}${after}`, offset };
  // What follows may read as a part of what is half-typed.
  yield { text: `${before}${lead}${probeName}\n`, offset };
  // A `for` or an `if` waits for its braces.
  yield { text: `${before}${lead}${probeName} {}${after}`, offset };
  // A line that makes no sense: what is in sight there is known all the same.
  const lineStart = start - (file.position(start).column - 1);
  const instead = `${before.slice(0, lineStart)}let zzzValue = `;
  const rest = after.slice(/^[^\r\n]*/.exec(after)?.[0].length ?? 0);
  yield { text: `${instead}${probeName}${rest}`, offset: instead.length };
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
