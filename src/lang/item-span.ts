/**
 * Where one item of a list stands in the text.
 *
 * Owns: finding it without the syntax tree, which a value no longer has.
 */
import type { Span } from "./source.ts";

/** The place of one item of a written list, or of the whole when it can't be told. */
export function itemSpan(span: Span, index: number): Span {
  const text = span.file.text.slice(span.start, span.end);
  if (!/^\[(?:[^[\](){}"]|"[^",[\]]*")*\]$/.test(text)) return span;
  let start = span.start + 1;
  const items = text.slice(1, -1).split(",");
  for (const [i, item] of items.entries()) {
    const leading = item.length - item.trimStart().length;
    if (i === index && item.trim() !== "") {
      return { ...span, start: start + leading, end: start + item.trimEnd().length };
    }
    start += item.length + 1;
  }
  return span;
}
