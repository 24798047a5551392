/**
 * The machinery under the grammar: spans, lists, and going on after an error.
 *
 * Owns: how a failed rule becomes one diagnostic and where reading resumes. A *slot* is a place
 * that can fail alone: an argument, a statement, a member, a declaration. The token stream is
 * balanced (delimiters.ts), so a slot resumes at its separator or at the closer of its group and
 * never loses its place. Chevrotain's own recovery is off: it knows neither lines nor slots.
 */
import {
  EmbeddedActionsParser,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  isRecognitionException,
  NoViableAltException,
  type ParserMethod,
  type TokenType,
  tokenLabel,
} from "chevrotain";
import { deepestNesting } from "./delimiters.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { SourceFile, type Span } from "./source.ts";
import { explainSyntaxError } from "./syntax-advice.ts";
import { expectedSyntax, missingComma, nestingTooDeep } from "./syntax-messages.ts";
import type { TokenStream } from "./tokenize.ts";
import {
  Closer,
  Comma,
  isFirstOnLine,
  isToken,
  Opener,
  startsOperand,
  type Token,
  tokenEnd,
  vocabulary,
} from "./tokens.ts";

export type Rule<T> = ParserMethod<[], T>;
/** Whether reading can resume at a token that lies directly in the slot's group. */
export type ResumesAt = (tokens: readonly Token[], index: number, slotStart: Token) => boolean;

/** Ends the parse: it went too deep, or enough was reported. */
export class ParseAbandoned extends Error {}

// The grammar states what it expected in words; these only pass the words on.
const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => tokenLabel(expected),
  buildNoViableAltMessage: ({ ruleName }) => `a ${ruleName}`,
  buildEarlyExitMessage: ({ ruleName }) => `a ${ruleName}`,
  buildNotAllInputParsedMessage: () => "the end of the file",
};

const noStream: TokenStream = {
  file: new SourceFile("", ""),
  tokens: [],
  docs: new Map(),
  comments: [],
  afterOmission: new Set(),
  tooDeep: false,
};

export abstract class RecoveringParser extends EmbeddedActionsParser {
  /** How many errors the grammar has reported. */
  protected reported = 0;
  /** The height of the tree of the expression that was read last. */
  protected height = 0;
  #stream = noStream;
  #report: (diagnostic: Diagnostic) => boolean = () => true;
  #depth = 0;
  #lastReported: Token | undefined;

  constructor(validate: boolean) {
    super([...vocabulary], {
      recoveryEnabled: false,
      maxLookahead: 2,
      errorMessageProvider: expectations,
      skipValidations: !validate,
    });
  }

  /** `report` answers whether to go on. */
  protected begin(stream: TokenStream, report: (diagnostic: Diagnostic) => boolean): void {
    this.#stream = stream;
    this.#report = report;
    this.#depth = 0;
    this.#lastReported = undefined;
    this.height = 0;
    this.reported = 0;
    this.input = [...stream.tokens];
  }

  // -------------------------------------------------------------- places

  protected next(distance = 1): Token {
    return this.LA(distance);
  }

  protected nextIs(type: TokenType, distance = 1): boolean {
    return isToken(this.LA(distance), type);
  }

  /** Whether the token at `distance` stands on the same line as the one before it. */
  protected continuesLine(distance = 1): boolean {
    return this.LA(distance).startLine === this.LA(distance - 1).startLine;
  }

  protected atEnd(): boolean {
    return Number.isNaN(this.LA(1).startOffset);
  }

  /** From `first` to the token that was consumed last. */
  protected spanFrom(first: Token): Span {
    const start = this.startOf(first);
    return this.#stream.file.span(start, Math.max(start, this.#lastEnd()));
  }

  protected spanOf(token: Token): Span {
    const start = this.startOf(token);
    return this.#stream.file.span(start, start + token.image.length);
  }

  protected spanBetween(start: number, end: number): Span {
    return this.#stream.file.span(start, end);
  }

  protected startOf(token: Token): number {
    return Number.isNaN(token.startOffset) ? this.#lastEnd() : token.startOffset;
  }

  protected docBefore(token: Token): string {
    return this.#stream.docs.get(token.startOffset) ?? "";
  }

  protected get file(): SourceFile {
    return this.#stream.file;
  }

  #lastEnd(): number {
    const last = this.LA(0);
    return Number.isNaN(last.startOffset) ? 0 : tokenEnd(last);
  }

  // -------------------------------------------------------------- depth

  /** Call on the way down. Slots restore the depth after a failure. */
  protected descend(): void {
    if (this.RECORDING_PHASE) return;
    this.#depth += 1;
    if (this.#depth > deepestNesting) this.abandonTooDeep(this.LA(1));
  }

  protected ascend(): void {
    this.#depth -= 1;
  }

  /** Raises the height of the expression being built over that of its parts. */
  protected grow(height: number, at: Token): void {
    this.height = height + 1;
    if (this.height > deepestNesting && !this.RECORDING_PHASE) this.abandonTooDeep(at);
  }

  protected abandonTooDeep(at: Token): never {
    this.#report(nestingTooDeep(this.spanOf(at), deepestNesting));
    throw new ParseAbandoned();
  }

  // -------------------------------------------------------------- failing

  /** Chevrotain has it, and its types don't say so. */
  declare protected readonly getHumanReadableRuleStack: () => string[];

  /** In the place of chevrotain's own, which searches the grammar for all that could stand here: nobody asks. */
  protected raiseNoAltException(_occurrence: number, expected: string | undefined): never {
    this.#raise(expected);
  }

  protected raiseEarlyExitException(
    _occurrence: number,
    _kind: unknown,
    expected: string | undefined,
  ): never {
    this.#raise(expected);
  }

  #raise(expected: string | undefined): never {
    const ruleStack = this.getHumanReadableRuleStack();
    const message = expected ?? `a ${ruleStack.at(-1)}`;
    const failure = new NoViableAltException(message, this.LA(1), this.LA(0));
    failure.context = { ruleStack, ruleOccurrenceStack: [] };
    throw failure;
  }

  // -------------------------------------------------------------- reporting

  protected report(diagnostic: Diagnostic): void {
    if (!this.#report(diagnostic)) throw new ParseAbandoned();
  }

  /**
   * Reports at the next token, or (`atLineEnd`) at the end of the line before it; unless the tokens
   * around were repaired, or just complained about.
   */
  protected reportHere(make: (span: Span) => Diagnostic, atLineEnd = false): void {
    const found = this.LA(1);
    const previous = this.LA(0);
    if (found.isInsertedInRecovery === true || previous.isInsertedInRecovery === true) return;
    if (found === this.#lastReported || this.#isAfterOmission(found)) return;
    this.#lastReported = found;
    this.reported += 1;
    const isAtEnd = atLineEnd || Number.isNaN(found.startOffset);
    const end = this.#lastEnd();
    this.report(make(isAtEnd ? this.#stream.file.span(Math.max(0, end - 1), end) : this.spanOf(found)));
  }

  #isAfterOmission(token: Token): boolean {
    return this.#stream.afterOmission.has(Number.isNaN(token.startOffset) ? undefined : token);
  }

  /** `anchor` begins what is being read: itself on a new line, it is no missing end of the last one. */
  protected reportExpected(expected: string, rule = "", anchor?: Token): void {
    const found = this.LA(1);
    const previous = this.LA(0);
    const atLineEnd =
      anchor !== undefined &&
      anchor !== found &&
      !Number.isNaN(previous.startOffset) &&
      !Number.isNaN(found.startOffset) &&
      isFirstOnLine(found, previous);
    const context = { expected, found, next: this.LA(2), previous, rule, atLineEnd };
    this.reportHere((span) => expectedSyntax(span, ...explainSyntaxError(context, span)), atLineEnd);
  }

  // -------------------------------------------------------------- recovery

  /**
   * Reads a part that may fail alone: then reports, skips to where reading resumes, and goes on.
   * `anchor` is the first token of the statement that the part belongs to, if not its own.
   */
  protected slot<T>(parse: () => T, resumesAt: ResumesAt, fallback: (span: Span) => T, anchor?: Token): T {
    const first = this.LA(1);
    const depth = this.#depth;
    try {
      return parse();
    } catch (error) {
      const failure = asFailure(error);
      if (failure === undefined) throw error;
      this.errors = [];
      this.#depth = depth;
      this.reportExpected(failure.message, failure.context.ruleStack.at(-1), anchor ?? first);
      this.resume(anchor ?? first, resumesAt);
      return fallback(this.spanFrom(first));
    }
  }

  /** Skips from inside a slot that began at `first` to where reading resumes. */
  protected resume(first: Token, resumesAt: ResumesAt): void {
    const { tokens } = this.#stream;
    const found = this.LA(1);
    const at = this.#indexOf(found);
    let index = this.#indexOf(first);
    for (let depth = 0; index < tokens.length; index++) {
      const token = tokens[index];
      if (token === undefined) break;
      if (depth === 0 && isToken(token, Closer)) break;
      if (depth === 0 && index >= at && token !== first && resumesAt(tokens, index, first)) break;
      if (isToken(token, Opener)) depth += 1;
      else if (isToken(token, Closer)) depth -= 1;
    }
    const target = tokens[index];
    while (!this.atEnd() && this.LA(1) !== target) this.SKIP_TOKEN();
  }

  #indexOf(token: Token): number {
    const { tokens } = this.#stream;
    if (Number.isNaN(token.startOffset)) return tokens.length;
    let low = 0;
    let high = tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tokens[middle]?.startOffset ?? 0) < token.startOffset) low = middle + 1;
      else high = middle;
    }
    // A closer that nobody wrote shares its offset with the token after it.
    while (low < tokens.length && tokens[low] !== token) low += 1;
    return low;
  }

  // -------------------------------------------------------------- repetition and choice

  /** OR with the choice made by hand: three stack frames less on each level of nesting. */
  protected choose<T>(index: number, choice: () => number, alternatives: readonly (() => T)[]): T {
    const chosen = alternatives[choice()];
    if (chosen !== undefined && !this.RECORDING_PHASE) return chosen();
    return this.or(
      index,
      alternatives.map((ALT) => ({ ALT })),
    );
  }

  /** MANY with the decision made by hand: three stack frames less on each level of nesting. */
  protected repeat(index: number, more: () => boolean, part: () => void): void {
    if (this.RECORDING_PHASE) this.many(index, part);
    else while (more()) part();
  }

  // -------------------------------------------------------------- lists

  /**
   * `item, item,` up to the closer, which is left for the caller. `index` tells lists of one rule
   * apart; `stop` ends the list at another token too.
   */
  protected items<T>(
    index: number,
    item: Rule<T>,
    what: string,
    fallback: (span: Span) => T | undefined,
    stop?: TokenType,
  ): T[] {
    const items: T[] = [];
    if (this.RECORDING_PHASE) {
      // What the grammar is to the lookahead; the loop below reads the same and survives errors.
      this.many(index, () => {
        items.push(this.subrule(index, item));
        this.option(index, () => this.consume(index, Comma));
      });
      return items;
    }
    let complained = false;
    let tallest = 0;
    while (!this.atEnd() && !this.nextIs(Closer) && !(stop !== undefined && this.nextIs(stop))) {
      if (this.nextIs(Comma)) {
        this.reportExpected(`${what} before this comma`);
        this.SKIP_TOKEN();
        continue;
      }
      const first = this.LA(1);
      this.height = 0;
      const value = this.slot<T | undefined>(() => this.subrule(index, item), atComma, fallback);
      tallest = Math.max(tallest, this.height);
      if (value !== undefined) items.push(value);
      if (this.nextIs(Comma)) {
        this.SKIP_TOKEN();
      } else if (!this.atEnd() && !this.nextIs(Closer) && !(stop !== undefined && this.nextIs(stop))) {
        if (!complained) this.#reportMissingComma(what);
        complained = true;
        if (!startsOperand(this.LA(1)) || this.LA(1) === first) {
          this.resume(this.LA(1) === first ? first : this.LA(1), atComma);
          if (this.nextIs(Comma)) this.SKIP_TOKEN();
        }
      }
    }
    this.height = tallest;
    return items;
  }

  #reportMissingComma(what: string): void {
    const found = this.LA(1);
    const plural = `${what.replace(/^an? /, "")}s`;
    if (startsOperand(found)) this.reportHere((span) => missingComma(span, `two ${plural}`));
    else this.reportExpected("`,` or the end of the list");
  }

  /**
   * Parts without a separator (statements, members, declarations), as long as `more` says so.
   * Each goes to `into` as soon as it is read, so that it survives if the parse is abandoned.
   */
  protected sequence<T>(
    index: number,
    part: Rule<T>,
    more: () => boolean,
    resumesAt: ResumesAt,
    into: T[],
  ): void {
    if (this.RECORDING_PHASE) {
      this.many(index, () => into.push(this.subrule(index, part)));
      return;
    }
    while (!this.atEnd() && more()) {
      const first = this.LA(1);
      const value = this.slot<T | undefined>(
        () => this.subrule(index, part),
        resumesAt,
        () => undefined,
      );
      if (value !== undefined) into.push(value);
      if (this.LA(1) === first) this.SKIP_TOKEN();
    }
  }
}

/** Chevrotain's report of a rule that does not match; `undefined` for any other error. */
function asFailure(error: unknown): IRecognitionException | undefined {
  if (!(error instanceof Error) || !isRecognitionException(error)) return undefined;
  return "context" in error ? (error as IRecognitionException) : undefined;
}

const atComma: ResumesAt = (tokens, index) => {
  const token = tokens[index];
  return token !== undefined && isToken(token, Comma);
};

/** Resumes at a line that is indented no deeper than the slot, or that starts with a telling token. */
export function atLineOf(tells: (tokens: readonly Token[], index: number) => boolean): ResumesAt {
  return (tokens, index, slotStart) => {
    const token = tokens[index];
    if (token === undefined || !isFirstOnLine(token, tokens[index - 1])) return false;
    return (token.startColumn ?? 1) <= (slotStart.startColumn ?? 1) || tells(tokens, index);
  };
}
