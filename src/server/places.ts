/**
 * Places in the editor's terms.
 *
 * Owns: going from spans to ranges and from positions to offsets. Both count UTF-16 units; the editor's
 * lines and columns start at 0, ours at 1.
 */
import type { Position, Range } from "vscode-languageserver";
import type { SourceFile, Span } from "../lang/source.ts";

export function rangeOf({ file, start, end }: Span): Range {
  return { start: positionOf(file, start), end: positionOf(file, end) };
}

export function positionOf(file: SourceFile, offset: number): Position {
  const { line, column } = file.position(offset);
  return { line: line - 1, character: column - 1 };
}

export function offsetOf(file: SourceFile, { line, character }: Position): number {
  return file.offset({ line: line + 1, column: character + 1 });
}

/** The whole text, whatever follows its last line. */
export function wholeRange(file: SourceFile): Range {
  return rangeOf(file.span(0, file.text.length));
}
