/**
 * Text to canonical text.
 *
 * Owns: the promise that formatting is safe. A text with mistakes is left alone, and what comes out
 * was read back and means the same, comments included.
 */
import type { Diagnostic } from "./diagnostic.ts";
import { parse } from "./parse.ts";
import { printUnit } from "./print.ts";
import { SourceFile } from "./source.ts";

export interface Formatted {
  /** `undefined` when the text has mistakes. */
  readonly text: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** @throws Error when the formatter itself is at fault: nothing may be written then */
export function format(file: SourceFile): Formatted {
  const { unit, comments, diagnostics } = parse(file);
  if (diagnostics.some(({ severity }) => severity === "error")) return { text: undefined, diagnostics };
  const text = printUnit(unit, comments);
  const again = parse(new SourceFile(file.path, text));
  const isSafe =
    again.diagnostics.length === diagnostics.length &&
    again.comments.length === comments.length &&
    sameTree(unit, again.unit);
  if (!isSafe) throw new Error(`the formatted text of ${file.path} would not mean the same`);
  return { text, diagnostics };
}

const places: ReadonlySet<string> = new Set(["span", "operatorSpan", "file"]);

/** Whether two syntax trees differ in nothing but their places in the text. */
export function sameTree(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return left === right;
  }
  const entries = (tree: object) => Object.entries(tree).filter(([key]) => !places.has(key));
  const others = new Map(entries(right));
  const own = entries(left);
  return own.length === others.size && own.every(([key, value]) => sameTree(value, others.get(key)));
}
