/**
 * Layout of text in lines of a limited width.
 *
 * Owns: a small algebra of documents and the algorithm that chooses where to break them, after
 * Wadler's "A prettier printer": a group is laid out flat when it fits in the line and broken when
 * it does not. Knows nothing of the language; what may break, and which way, is print.ts.
 */

/** `breaks`: holds something that can't be laid out flat. */
export type Document =
  | string
  | { readonly kind: "concat"; readonly parts: readonly Document[]; readonly breaks: boolean }
  | { readonly kind: "line"; readonly flat: string; readonly blank: boolean; readonly breaks: boolean }
  | { readonly kind: "indent"; readonly by: number; readonly content: Document; readonly breaks: boolean }
  | { readonly kind: "group"; readonly content: Document; readonly breaks: boolean }
  | Fill
  | Choice
  | {
      readonly kind: "following";
      readonly choice: Document;
      readonly options: readonly Document[];
      readonly breaks: boolean;
    }
  | { readonly kind: "if-broken"; readonly broken: string; readonly breaks: false }
  | { readonly kind: "line-end"; readonly text: string; readonly breaks: true };

interface Choice {
  readonly kind: "choice";
  readonly options: readonly Option[];
  readonly breaks: boolean;
}

interface Fill {
  readonly kind: "fill";
  readonly items: readonly Document[];
  /** The first item that is still to be laid out. */
  readonly from: number;
  readonly breaks: boolean;
}

/**
 * One way to lay out the same thing. It is taken when it `fits`: with all of its lines and its
 * groups flat, or with the line that it begins on.
 */
export interface Option {
  readonly content: Document;
  readonly fits: "all-lines" | "first-line";
}

/** Whether a document can't be laid out flat. */
export function breaksLayout(document: Document): boolean {
  return typeof document !== "string" && document.breaks;
}

export function concat(...parts: readonly Document[]): Document {
  return series(parts);
}

/** As `concat`, of any number: a call takes only so many arguments. */
export function series(parts: readonly Document[]): Document {
  return { kind: "concat", parts, breaks: parts.some(breaksLayout) };
}

/** A space when flat, a new line when broken. */
export const line: Document = { kind: "line", flat: " ", blank: false, breaks: false };
/** Nothing when flat. */
export const softLine: Document = { kind: "line", flat: "", blank: false, breaks: false };
/** Always a new line. */
export const hardLine: Document = { kind: "line", flat: "", blank: false, breaks: true };
/** Always a new line, after an empty one. */
export const blankLine: Document = { kind: "line", flat: "", blank: true, breaks: true };
/** As `line`, with an empty line before it when broken. */
export const spacedLine: Document = { kind: "line", flat: " ", blank: true, breaks: false };

export function indent(content: Document, by = 2): Document {
  return { kind: "indent", by, content, breaks: breaksLayout(content) };
}

/** Breaks all of its own lines, or none. */
export function group(content: Document): Document {
  return { kind: "group", content, breaks: breaksLayout(content) };
}

/** As many items on a line as fit, with a space between them. */
export function fill(items: readonly Document[]): Document {
  return { kind: "fill", items, from: 0, breaks: items.some(breaksLayout) };
}

/** The first option that fits, else the last. */
export function choice(...options: readonly Option[]): Document {
  return { kind: "choice", options, breaks: options.every(({ content }) => breaksLayout(content)) };
}

/** What stands behind a choice and depends on it: one document for each of the options that it has. */
export function following(made: Document, ...options: readonly Document[]): Document {
  return { kind: "following", choice: made, options, breaks: options.every(breaksLayout) };
}

/** Text only where the enclosing group is broken: a last comma. */
export function ifBroken(broken: string): Document {
  return { kind: "if-broken", broken, breaks: false };
}

/** Text that goes to the end of the line it is on: a comment. Nothing else fits behind it. */
export function lineEnd(text: string): Document {
  return { kind: "line-end", text, breaks: true };
}

export function join(separator: Document, parts: readonly Document[]): Document {
  return series(parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part])));
}

/** The columns of a document in one line; `limit + 1` when it takes more or can't be flat. */
export function flatWidth(document: Document, limit: number): number {
  if (breaksLayout(document)) return limit + 1;
  const measure = new Measure(limit, 0, "all-lines", []);
  return measure.run({ indent: 0, flat: true, document }) ?? limit + 1;
}

interface Command {
  readonly indent: number;
  readonly flat: boolean;
  readonly document: Document;
}

/** The text of a document, without spaces at line ends. `width`: columns of a line. */
export function layOut(document: Document, width: number): string {
  return new Layout(width).run(document);
}

class Layout {
  readonly #width: number;
  readonly #lines: string[] = [];
  readonly #stack: Command[] = [];
  #line = "";
  #lineEnds: string[] = [];
  readonly #chosen = new Map<Document, number>();

  constructor(width: number) {
    this.#width = width;
  }

  run(document: Document): string {
    this.#stack.push({ indent: 0, flat: false, document });
    for (let command = this.#stack.pop(); command !== undefined; command = this.#stack.pop()) {
      this.#print(command);
    }
    this.#endLine(0);
    return this.#lines.join("\n");
  }

  #print({ indent: margin, flat, document }: Command): void {
    if (typeof document === "string") {
      this.#line += document;
      return;
    }
    const push = (content: Document, isFlat: boolean, by = 0) =>
      this.#stack.push({ indent: margin + by, flat: isFlat, document: content });
    switch (document.kind) {
      case "concat":
        for (let i = document.parts.length - 1; i >= 0; i--) push(document.parts[i] ?? "", flat);
        break;
      case "indent":
        push(document.content, flat, document.by);
        break;
      case "line":
        if (flat && !document.breaks) this.#line += document.flat;
        else this.#newLine(margin, document.blank);
        break;
      case "group":
        push(document.content, flat || this.#fits({ indent: margin, flat: true, document }));
        break;
      case "choice":
        this.#choose(document, margin, flat);
        break;
      case "following":
        push(document.options[this.#chosen.get(document.choice) ?? 0] ?? "", flat);
        break;
      case "fill":
        this.#fill(document, margin, flat);
        break;
      case "if-broken":
        if (!flat) this.#line += document.broken;
        break;
      case "line-end":
        this.#lineEnds.push(document.text);
        break;
    }
  }

  #choose(document: Choice, margin: number, flat: boolean): void {
    const { options } = document;
    const found = options.findIndex(({ content, fits }, index) => {
      if (flat) return true;
      return this.#fits({ indent: margin, flat: index === 0, document: content }, fits);
    });
    const index = found < 0 ? options.length - 1 : found;
    this.#chosen.set(document, index);
    const content = options[index]?.content ?? "";
    this.#stack.push({ indent: margin, flat: flat || found === 0, document: content });
  }

  #fill(document: Fill, margin: number, flat: boolean): void {
    const { items, from } = document;
    const item = items[from];
    const next = items[from + 1];
    if (item === undefined) return;
    const isFlat = flat || this.#fitsAlone(item);
    if (next !== undefined) {
      const together = flat || (isFlat && this.#fitsAlone(concat(item, " ", next)));
      this.#stack.push({ indent: margin, flat, document: { ...document, from: from + 1 } });
      this.#stack.push({ indent: margin, flat: together, document: line });
    }
    this.#stack.push({ indent: margin, flat: isFlat, document: item });
  }

  /** Whether an item of a fill fits flat; one column is kept for the comma after the last. */
  #fitsAlone(document: Document): boolean {
    const room = this.#width - this.#line.length - 1;
    return flatWidth(document, room) <= room;
  }

  #fits(command: Command, policy: Option["fits"] = "all-lines"): boolean {
    if (command.flat && breaksLayout(command.document)) return false;
    const room = this.#width - this.#line.length;
    return new Measure(room, this.#width, policy, this.#stack).run(command) !== undefined;
  }

  #newLine(margin: number, blank: boolean): void {
    this.#endLine(margin);
    if (blank && this.#lines.at(-1) !== "") this.#lines.push("");
    this.#line = " ".repeat(margin);
  }

  #endLine(margin: number): void {
    const [first, ...others] = this.#lineEnds;
    this.#lineEnds = [];
    this.#lines.push(`${this.#line}${first === undefined ? "" : ` ${first}`}`.trimEnd());
    for (const text of others) this.#lines.push(" ".repeat(margin) + text);
    this.#line = "";
  }
}

/** Finds out whether something fits, without printing it. */
class Measure {
  #room: number;
  readonly #start: number;
  readonly #width: number;
  readonly #policy: Option["fits"];
  readonly #rest: readonly Command[];

  /** `room`: columns left on the line; `width`: of the lines after it; `rest`: what follows, last first. */
  constructor(room: number, width: number, policy: Option["fits"], rest: readonly Command[]) {
    this.#room = room;
    this.#start = room;
    this.#width = width;
    this.#policy = policy;
    this.#rest = rest;
  }

  /** The columns that were used of the first line that was not finished; `undefined` when it does not fit. */
  run(first: Command): number | undefined {
    const stack: Command[] = [first];
    let rest = this.#rest.length;
    while (this.#room >= 0) {
      let command = stack.pop();
      if (command === undefined) {
        rest -= 1;
        command = this.#rest[rest];
      }
      // What comes after is taken to break as soon as it can.
      const isRest = rest < this.#rest.length;
      if (command === undefined || this.#step(command, stack, isRest)) return this.#start - this.#room;
    }
    return undefined;
  }

  /** Whether it is known to fit now. */
  #step({ indent: margin, flat, document }: Command, stack: Command[], isRest: boolean): boolean {
    if (typeof document === "string") {
      this.#room -= document.length;
      return false;
    }
    const push = (content: Document, isFlat: boolean, by = 0) =>
      stack.push({ indent: margin + by, flat: isFlat, document: content });
    const inheritsBreak = isRest || this.#policy === "first-line";
    switch (document.kind) {
      case "concat":
        for (let i = document.parts.length - 1; i >= 0; i--) push(document.parts[i] ?? "", flat);
        return false;
      case "indent":
        push(document.content, flat, document.by);
        return false;
      case "line":
        if (flat && !document.breaks) {
          this.#room -= document.flat.length;
          return false;
        }
        if (inheritsBreak) return true;
        this.#room = this.#width - margin;
        return false;
      case "group":
        push(document.content, document.breaks ? false : flat || !inheritsBreak);
        return false;
      case "choice": {
        const isFlat = (flat || !inheritsBreak) && !document.breaks;
        const option = isFlat ? document.options[0] : document.options.at(-1);
        push(option?.content ?? "", isFlat);
        return false;
      }
      case "fill":
        for (let i = document.items.length - 1; i >= document.from; i--) {
          push(document.items[i] ?? "", flat);
          if (i > document.from) push(line, flat);
        }
        return false;
      case "following":
        push(document.options[0] ?? "", flat);
        return false;
      case "if-broken":
        if (!flat) this.#room -= document.broken.length;
        return false;
      case "line-end":
        return false;
    }
  }
}
