/**
 * Source text and places in it.
 *
 * Owns: files as text with a line index, and spans. Knows nothing of the language; imports nothing.
 */

/** A half-open range of UTF-16 offsets in one source file. */
export interface Span {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** A place as people count it: both line and column start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export class SourceFile {
  /** Shown to the user; also the identity of the module that the text holds. */
  readonly path: string;
  readonly text: string;
  readonly #lineStarts: readonly number[];

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const starts = [0];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // CR LF counts as one line end: the LF that follows closes the line.
      if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
    }
    this.#lineStarts = starts;
  }

  get lineCount(): number {
    return this.#lineStarts.length;
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /** The offset of a place; one beyond its line or the text is moved to the nearest that exists. */
  offset({ line, column }: Position): number {
    if (line < 1) return 0;
    const start = this.#lineStarts[line - 1];
    if (start === undefined) return this.text.length;
    return start + Math.max(0, Math.min(column - 1, this.line(line).length));
  }

  /** The text of a line (1-based) without its line end. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    const end = this.#lineStarts[number] ?? this.text.length;
    return this.text.slice(start, end).replace(/[\r\n]+$/, "");
  }

  span(start: number, end: number): Span {
    const last = this.text.length;
    const from = Math.max(0, Math.min(start, last));
    return { file: this, start: from, end: Math.max(from, Math.min(end, last)) };
  }
}

/** The smallest span that covers both; they must lie in one file. */
export function coverSpans(a: Span, b: Span): Span {
  return { file: a.file, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
