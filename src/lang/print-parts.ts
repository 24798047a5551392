/**
 * What the printers of expressions, types and declarations share: comments in their places, and lists
 * in brackets.
 *
 * Owns: slots. A slot is a part that may stand on lines of its own; comments before and inside it
 * are laid out above it, and one at the end of its last line stays there.
 */
import type { CommentQueue } from "./comment-queue.ts";
import {
  blankLine,
  breaksLayout,
  concat,
  type Document,
  fill,
  flatWidth,
  group,
  hardLine,
  ifBroken,
  indent,
  line,
  lineEnd,
  series,
  softLine,
  spacedLine,
} from "./layout-document.ts";
import type { Span } from "./source.ts";

/** Which comments are a part's own, and where they go. */
export interface SlotOptions {
  /** At the end of its line: none, one right behind it, or also one behind a comma. */
  readonly lineEnd: "none" | "adjacent" | "comma";
  /** Those inside of it go above it, or are left for the part after it. */
  readonly inside?: "above" | "later";
  /** What is printed first is an operator: a doc comment before it can describe nothing. */
  readonly isOperand?: boolean;
}

export interface ListItem {
  readonly span: Span;
  readonly print: () => Document;
}

export interface ListOptions {
  /** How a list that does not fit is broken: one item a line, as many as fit, or what suits the items. */
  readonly style: "lines" | "fill" | "auto";
  /** Where to look for the brackets. */
  readonly from: number;
  /** Spaces inside the brackets of a list in one line. */
  readonly padded?: boolean;
  /** Breaks even when it fits. */
  readonly broken?: boolean;
  /** Stands after the items, without a comma behind it. */
  readonly tail?: string;
  /** A comma behind a single item even in one line: a tuple of one. */
  readonly lastComma?: boolean;
}

/** Longer items are not put side by side. */
const widestFilled = 40;

export abstract class PartPrinter {
  protected readonly comments: CommentQueue;

  constructor(comments: CommentQueue) {
    this.comments = comments;
  }

  /** A part with its comments. */
  protected slot(span: Span, options: SlotOptions, print: () => Document): Document {
    const before = this.comments.before(span.start);
    const printed = print();
    const inside = options.inside === "later" ? [] : this.comments.before(span.end);
    const lead: Document[] = [];
    for (const [index, comment] of before.entries()) {
      const next = before[index + 1]?.span.start ?? span.start;
      const isLast = index === before.length - 1;
      const blank = !(isLast && inside.length > 0) && this.comments.blankBefore(next);
      const follows = options.isOperand === true ? Number.NaN : span.start;
      lead.push(this.comments.textBefore(comment, follows), blank ? blankLine : hardLine);
    }
    // Comments in the middle of what has no line breaks of its own go above it.
    for (const comment of inside) lead.push(this.comments.textBefore(comment, Number.NaN), hardLine);
    const { lineEnd: ends } = options;
    const end = ends === "none" ? undefined : this.comments.trailing(span.end, ends === "comma");
    if (lead.length === 0 && end === undefined) return printed;
    return concat(series(lead), printed, end === undefined ? "" : lineEnd(this.comments.textAtEnd(end)));
  }

  /** Where a part begins with its comments: what an empty line would stand before. */
  protected startOf(span: Span): number {
    return this.comments.firstBefore(span.start)?.span.start ?? span.start;
  }

  /** Comments before a closing bracket, each on its own line; an empty text when there are none. */
  protected dangling(close: number | undefined, follows: boolean): Document {
    const found = close === undefined ? [] : this.comments.before(close);
    if (found.length === 0) return "";
    return series(
      found.flatMap((comment, index) => {
        const isSpaced = (follows || index > 0) && this.comments.blankBefore(comment.span.start);
        return [isSpaced ? blankLine : hardLine, comment.text];
      }),
    );
  }

  /** The comment on the line of an opening bracket stays there. */
  protected afterOpener(inside: number | undefined): Document {
    const comment = inside === undefined ? undefined : this.comments.trailing(inside, false);
    return comment === undefined ? "" : lineEnd(this.comments.textAtEnd(comment));
  }

  protected list(brackets: "()" | "[]" | "{}", items: readonly ListItem[], options: ListOptions): Document {
    const open = brackets.charAt(0);
    const close = brackets.charAt(1);
    const places = this.comments.brackets(options.from, open);
    const opener = this.afterOpener(places?.inside);
    const blanks: boolean[] = [];
    const printed = items.map((item) => {
      blanks.push(this.comments.blankBefore(this.startOf(item.span)));
      return this.slot(item.span, { lineEnd: "comma" }, item.print);
    });
    const hasTail = options.tail !== undefined;
    const parts = [...printed, ...(options.tail === undefined ? [] : [options.tail])];
    const dangling = this.dangling(places?.close, false);
    if (parts.length === 0) {
      if (opener === "" && dangling === "") return brackets;
      return concat(open, opener, indent(dangling), hardLine, close);
    }
    const edge = options.padded === true ? line : softLine;
    const lastComma = options.lastComma === true ? "," : hasTail ? "" : ifBroken(",");
    const isFilled =
      options.style === "fill" ||
      (options.style === "auto" && printed.every((item) => flatWidth(item, widestFilled) <= widestFilled));
    const withCommas = parts.map((part, index) => (index < parts.length - 1 ? concat(part, ",") : part));
    const content =
      isFilled && !withCommas.some(breaksLayout) ? fill(withCommas) : this.#lines(withCommas, blanks);
    const forced = options.broken === true ? hardLine : edge;
    return group(concat(open, opener, indent(concat(forced, content, lastComma, dangling)), edge, close));
  }

  #lines(parts: readonly Document[], blanks: readonly boolean[]): Document {
    return series(
      parts.flatMap((part, index) => {
        if (index === 0) return [part];
        return [blanks[index] === true ? spacedLine : line, part];
      }),
    );
  }
}
