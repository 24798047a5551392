/**
 * A cursor over the text of a graph.
 *
 * Owns: reading names, strings, numbers and dimensions, and saying where a reading failed. What the
 * lines mean is graph-parse.ts.
 */
import { DiagnosticError } from "../lang/diagnostic.ts";
import { type Dim, parseDim } from "../lang/dims.ts";
import type { SourceFile } from "../lang/source.ts";
import { dtypes, isDType, type TensorType } from "../lang/types.ts";
import { plainName } from "./graph-text.ts";

export class GraphScanner {
  readonly #file: SourceFile;
  #position = 0;

  constructor(file: SourceFile) {
    this.#file = file;
  }

  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    this.#skipBlank();
    return this.#position >= this.#file.text.length;
  }

  /** Takes `text` if it comes next; a word only where the word ends there. */
  take(text: string): boolean {
    this.#skipSpaces();
    if (!this.#file.text.startsWith(text, this.#position)) return false;
    const after = this.#file.text[this.#position + text.length] ?? "";
    if (/\w$/.test(text) && /\w/.test(after)) return false;
    this.#position += text.length;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`\`${text}\``);
  }

  /** A name as it stands or in quotes. */
  name(what: string): string {
    this.#skipSpaces();
    if (this.#file.text[this.#position] === '"') return this.string(what);
    return this.match(plainName, what);
  }

  string(what: string): string {
    this.#skipSpaces();
    const start = this.#position;
    const text = this.match('"(?:[^"\\\\\\n]|\\\\.)*"', what);
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "string") return value;
    } catch {
      // The pattern admits escapes that JSON does not have; both end in the same message.
    }
    throw this.fail(`${text} is not a string`, start);
  }

  number(what: string): number {
    const text = this.match("-?inf|nan|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?", what);
    if (text === "inf") return Number.POSITIVE_INFINITY;
    return text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text);
  }

  /** Text up to the first of `stops` outside brackets, as a dimension. */
  dim(stops: readonly string[]): Dim {
    this.#skipSpaces();
    const start = this.#position;
    const { text } = this.#file;
    let depth = 0;
    let end = start;
    for (; end < text.length && text[end] !== "\n"; end++) {
      const here = text[end] ?? "";
      if (depth === 0 && stops.some((stop) => text.startsWith(stop, end))) break;
      if (here === "(" || here === "[") depth++;
      if (here === ")" || here === "]") depth--;
    }
    this.#position = end;
    const source = text.slice(start, end).trim();
    const dim = source === "" ? undefined : parseDim(source);
    if (dim === undefined) throw this.fail(`\`${source}\` is not a dimension`, start);
    return dim;
  }

  type(): TensorType {
    this.#skipSpaces();
    const start = this.#position;
    const dtype = this.match("[a-z]+\\d*", "an element type");
    if (!isDType(dtype)) {
      throw this.fail(
        `there is no element type \`${dtype}\``,
        start,
        this.#position,
        `The element types are ${dtypes.join(", ")}.`,
      );
    }
    this.expect("[");
    return { dtype, shape: this.list("]", () => this.dim([",", "]"])) };
  }

  /** Items between commas up to `close`, which is taken. */
  list<Item>(close: string, item: () => Item): Item[] {
    const items: Item[] = [];
    if (this.take(close)) return items;
    do items.push(item());
    while (this.take(","));
    this.expect(close);
    return items;
  }

  match(pattern: string, what: string): string {
    this.#skipSpaces();
    const expression = new RegExp(pattern, "y");
    expression.lastIndex = this.#position;
    const found = expression.exec(this.#file.text)?.[0];
    if (found === undefined) throw this.unexpected(what);
    this.#position += found.length;
    return found;
  }

  /** The comment at the end of a line, without its marks, or the empty string; then the line's end. */
  endOfLine(): string {
    const comment = this.take("//") ? this.match("[^\\r\\n]*", "a comment").trim() : "";
    this.#skipSpaces();
    const { text } = this.#file;
    if (this.#position < text.length && !/[\r\n]/.test(text[this.#position] ?? ""))
      throw this.unexpected("the end of the line");
    return comment;
  }

  unexpected(expected: string): DiagnosticError {
    this.#skipSpaces();
    const start = this.#position;
    const found = /^[^\s,()]+|^[^\s]/.exec(this.#file.text.slice(start, start + 40))?.[0];
    this.#position += found?.length ?? 0;
    return this.fail(
      `expected ${expected}, found ${found === undefined ? "the end of the line" : `\`${found}\``}`,
      start,
    );
  }

  /** An error about the text from `start` to `end`, or to here. */
  fail(message: string, start: number, end = this.#position, hint?: string): DiagnosticError {
    return new DiagnosticError([
      {
        code: "graph-text",
        severity: "error",
        message,
        primary: { span: this.#file.span(start, end), text: "here" },
        related: [],
        notes: [],
        ...(hint !== undefined && { hint }),
        edits: [],
      },
    ]);
  }

  #skipSpaces(): void {
    while (/[ \t]/.test(this.#file.text[this.#position] ?? "")) this.#position++;
  }

  /** Spaces, empty lines and lines that only hold a comment. */
  #skipBlank(): void {
    const blank = /(?:\s|\/\/[^\n]*)*/y;
    blank.lastIndex = this.#position;
    this.#position += blank.exec(this.#file.text)?.[0].length ?? 0;
  }
}
