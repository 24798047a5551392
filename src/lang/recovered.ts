/**
 * What got lost where the parser recovered from errors in a file.
 *
 * Owns: the names that the syntax tree no longer holds, and the declarations that have a part
 * missing. Whatever misses them later is silent about it: the cause is reported already.
 */
import type { BlockDeclaration, SourceUnit } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Span } from "./source.ts";
import type { Comment } from "./tokenize.ts";

export interface Recovered {
  /** Words of the text that are in no node of the tree. */
  readonly lostNames: ReadonlySet<string>;
  /** Where the errors are. */
  readonly faults: readonly number[];
}

/** `undefined` for a file without errors. */
export function recoveredFrom(
  unit: SourceUnit,
  diagnostics: readonly Diagnostic[],
  comments: readonly Comment[],
): Recovered | undefined {
  if (diagnostics.length === 0) return undefined;
  const kept = new Set<number>();
  collectNames(unit, kept);
  const { text } = unit.file;
  const lostNames = new Set<string>();
  let comment = 0;
  for (const match of text.matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)) {
    while ((comments[comment]?.span.end ?? text.length) <= match.index) comment++;
    const isComment = (comments[comment]?.span.start ?? text.length) <= match.index;
    if (!isComment && !kept.has(match.index)) lostNames.add(match[0]);
  }
  // A declaration's own name may be kept where its use was lost, and the other way round.
  return { lostNames, faults: diagnostics.flatMap(({ primary }) => (primary ? [primary.span.start] : [])) };
}

/** Offsets of all names in the tree. */
function collectNames(unit: SourceUnit, offsets: Set<number>): void {
  const waiting: unknown[] = [...unit.imports, ...unit.declarations];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null || node === unit.file) continue;
    if (isNamed(node)) offsets.add(node.span.start);
    for (const part of Object.values(node)) if (typeof part === "object") waiting.push(part);
  }
}

function isNamed(node: object): node is { readonly name: string; readonly span: Span } {
  return "name" in node && typeof node.name === "string" && "span" in node;
}

/** Whether an error in the text lies inside a place or on the line where it begins. */
export function isBesideFault(span: Span, recovered: Recovered | undefined): boolean {
  if (recovered === undefined) return false;
  const { line } = span.file.position(span.start);
  return recovered.faults.some(
    (offset) => (offset >= span.start && offset < span.end) || span.file.position(offset).line === line,
  );
}

export function isBrokenBy(recovered: Recovered | undefined, declaration: BlockDeclaration): boolean {
  const { start, end } = declaration.span;
  return recovered?.faults.some((offset) => offset >= start && offset <= end) === true;
}
