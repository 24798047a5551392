/**
 * The comments of a file, handed out in order to the parts of its syntax tree.
 *
 * Owns: which comments stand before a part and which at the end of its line, where empty lines are,
 * and what becomes of a doc comment that documents nothing. Their layout is print.ts.
 */
import type { SourceFile } from "./source.ts";
import type { Comment } from "./tokenize.ts";
import { lex, type Token, tokenEnd } from "./tokens.ts";

/** The places of a pair of brackets: where the opening one ends, and where the closing one starts. */
export interface Brackets {
  readonly inside: number;
  readonly close: number;
}

const closers: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

export class CommentQueue {
  readonly #text: string;
  readonly #comments: readonly Comment[];
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(file: SourceFile, comments: readonly Comment[]) {
    this.#text = file.text;
    this.#comments = comments;
    this.#tokens = comments.length === 0 ? [] : lex(file.text).tokens;
  }

  /** The comments that begin before an offset and were not handed out yet. */
  before(offset: number): Comment[] {
    const from = this.#next;
    while ((this.#comments[this.#next]?.span.start ?? offset) < offset) this.#next += 1;
    return this.#comments.slice(from, this.#next);
  }

  /** The first of those, left where it is. */
  firstBefore(offset: number): Comment | undefined {
    const comment = this.#comments[this.#next];
    return comment !== undefined && comment.span.start < offset ? comment : undefined;
  }

  /** The comment that ends the line which a part ends on; `comma` allows one to lie between. */
  trailing(end: number, comma: boolean): Comment | undefined {
    const comment = this.#comments[this.#next];
    if (comment === undefined || comment.span.start < end) return undefined;
    const between = this.#text.slice(end, comment.span.start);
    if (!(comma ? /^[^\S\r\n]*,?[^\S\r\n]*$/ : /^[^\S\r\n]*$/).test(between)) return undefined;
    this.#next += 1;
    return comment;
  }

  /** Whether the line before the one with `offset` is empty. */
  blankBefore(offset: number): boolean {
    let lines = 0;
    for (let at = offset - 1; at >= 0 && /\s/.test(this.#text.charAt(at)); at--) {
      if (this.#text[at] === "\n" || (this.#text[at] === "\r" && this.#text[at + 1] !== "\n")) lines += 1;
    }
    return lines > 1;
  }

  /** Whether only spaces lie between an offset and the line end before it. */
  startsLine(offset: number): boolean {
    let at = offset - 1;
    while (at >= 0 && /[^\S\r\n]/.test(this.#text.charAt(at))) at -= 1;
    return at >= 0 && /[\r\n]/.test(this.#text.charAt(at));
  }

  /**
   * The text of a comment that stands before a part, or at the end of a line. A doc comment whose
   * token it would no longer stand before becomes a plain one: it described nothing, and still does.
   */
  textBefore(comment: Comment, start: number): string {
    return this.#isNextTo(comment, start) ? comment.text : withoutDoc(comment.text);
  }

  textAtEnd(comment: Comment): string {
    return this.followedBy(comment.span.end, ",") ? withoutDoc(comment.text) : comment.text;
  }

  /** The first brackets after an offset, with what they enclose. Only asked for where comments are. */
  brackets(from: number, open: string): Brackets | undefined {
    let index = this.#tokenFrom(from);
    while (index < this.#tokens.length && this.#tokens[index]?.image !== open) index += 1;
    const opener = this.#tokens[index];
    const close = closers[open];
    if (opener === undefined) return undefined;
    for (let depth = 0; index < this.#tokens.length; index++) {
      const token = this.#tokens[index];
      if (token?.image === open) depth += 1;
      if (token?.image === close) depth -= 1;
      if (token !== undefined && depth === 0) return { inside: tokenEnd(opener), close: token.startOffset };
    }
    return undefined;
  }

  /** Whether the next token from an offset on is this one. */
  followedBy(from: number, image: string): boolean {
    return this.#tokens[this.#tokenFrom(from)]?.image === image;
  }

  /** Where the token right before an offset starts, if it is this one; else beyond the text. */
  tokenBefore(offset: number, image: string): number {
    const token = this.#tokens[this.#tokenFrom(offset) - 1];
    return token?.image === image ? token.startOffset : this.#text.length;
  }

  /** Where the next such token starts; where there is none, or no comment, the offset itself. */
  nextToken(from: number, image: string): number {
    for (let index = this.#tokenFrom(from); index < this.#tokens.length; index++) {
      const token = this.#tokens[index];
      if (token?.image === image) return token.startOffset;
    }
    return from;
  }

  #tokenFrom(offset: number): number {
    let low = 0;
    let high = this.#tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#tokens[middle]?.startOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** No token lies between a comment and a later offset. */
  #isNextTo(comment: Comment, offset: number): boolean {
    return (
      comment.span.start < offset && this.#tokens[this.#tokenFrom(comment.span.end)]?.startOffset === offset
    );
  }
}

function withoutDoc(text: string): string {
  return /^\/\/\/(?!\/)/.test(text) ? text.slice(1) : text;
}
