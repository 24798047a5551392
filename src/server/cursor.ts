/**
 * What may be written at a place of a text, as far as the tokens before it tell.
 *
 * Owns: reading half-typed text, for which there is no syntax tree yet: which bracket the cursor is in,
 * and what the last token waits for.
 */
import type { SourceFile } from "../lang/source.ts";
import * as tokens from "../lang/tokens.ts";
import { isDType } from "../lang/types.ts";

export type Place =
  /** In a comment, in a string, or where something gets a new name. */
  | { readonly kind: "nothing" }
  | { readonly kind: "import-path"; readonly start: number; readonly end: number; readonly written: string }
  | { readonly kind: "import-name" }
  | { readonly kind: "member" }
  | { readonly kind: "site" }
  | { readonly kind: "type"; readonly isTensor: boolean }
  | { readonly kind: "input" }
  | { readonly kind: "entry" }
  | { readonly kind: "top" }
  | { readonly kind: "members"; readonly blockKind: string }
  | { readonly kind: "statement" }
  | { readonly kind: "expression"; readonly startsArgument: boolean };

export interface Cursor {
  readonly place: Place;
  /** The word that the cursor is in or at the end of. */
  readonly start: number;
  readonly end: number;
}

type Surrounding =
  | "top"
  | "import"
  | "members"
  | "body"
  | "parameters"
  | "signature"
  | "results"
  | "inputs"
  | "pattern"
  | "call"
  | "list"
  | "shape"
  | "plan";

interface Level {
  readonly surrounding: Surrounding;
  readonly blockKind: string;
  /** The keyword that began what is being written. */
  head: tokens.Token | undefined;
  /** How many parentheses have opened since. */
  groups: number;
}

export function cursorAt(file: SourceFile, offset: number): Cursor {
  const { text } = file;
  const before = /[A-Za-z_][A-Za-z0-9_]*$/.exec(text.slice(Math.max(0, offset - 100), offset))?.[0] ?? "";
  const after = /^[A-Za-z0-9_]*/.exec(text.slice(offset, offset + 100))?.[0] ?? "";
  const start = offset - before.length;
  const end = before === "" && /^[0-9]/.test(after) ? offset : offset + after.length;
  const lineStart = offset - (file.position(offset).column - 1);
  const line = text.slice(lineStart, offset);
  const place = inString(line, lineStart, file, offset) ?? placeAt(text.slice(0, start), line, file, start);
  return { place, start, end };
}

/** In a string or a comment: the path of an import, or nothing. */
function inString(line: string, lineStart: number, file: SourceFile, offset: number): Place | undefined {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, (found) => " ".repeat(found.length));
  if (bare.includes("//")) return { kind: "nothing" };
  const quote = bare.indexOf('"');
  if (quote < 0) return undefined;
  if (!/\bfrom\s*$/.test(bare.slice(0, quote))) return { kind: "nothing" };
  const rest = /^[^"\r\n]*/.exec(file.text.slice(offset))?.[0] ?? "";
  const start = lineStart + quote + 1;
  return { kind: "import-path", start, end: offset + rest.length, written: file.text.slice(start, offset) };
}

const headTokens = [
  ...[tokens.Forward, tokens.Entry, tokens.On, tokens.If, tokens.Else, tokens.For, tokens.Import],
  ...[
    tokens.Weights,
    tokens.Frozen,
    tokens.Stored,
    tokens.Sweep,
    tokens.Budget,
    tokens.Generate,
    tokens.Input,
    tokens.Param,
    tokens.Carry,
  ],
  ...[tokens.Let, tokens.Kind],
];

function placeAt(before: string, line: string, file: SourceFile, start: number): Place {
  const { tokens: found } = tokens.lex(before);
  const levels: Level[] = [level("top", "")];
  for (const [i, token] of found.entries()) {
    const inner = levels.at(-1) ?? level("top", "");
    if (tokens.isToken(token, tokens.Opener)) {
      levels.push(level(surroundingOf(token, found[i - 1], inner), blockKindOf(inner)));
      if (token.image === "(") inner.groups += 1;
    } else if (tokens.isToken(token, tokens.Closer)) {
      if (levels.length > 1) levels.pop();
      const outer = levels.at(-1);
      if (token.image === "}" && outer !== undefined) outer.head = undefined;
    } else if (isHead(token, found[i - 1], inner)) {
      inner.head = token;
      inner.groups = 0;
    }
  }
  const last = found.at(-1);
  const isFirst = last === undefined || file.position(start).line !== last.startLine;
  if (/^\s*\d[\w.]*$/.test(line)) return { kind: "nothing" };
  return placeAfter(last, levels.at(-1) ?? level("top", ""), isFirst);
}

function level(surrounding: Surrounding, blockKind: string): Level {
  return { surrounding, blockKind, head: undefined, groups: 0 };
}

/** Many keywords are names elsewhere: they begin something only as the first of their line. */
function isHead(token: tokens.Token, previous: tokens.Token | undefined, { surrounding }: Level): boolean {
  if (!tokens.isOneOf(token, ...headTokens)) return false;
  if (surrounding !== "top" && surrounding !== "members" && surrounding !== "body") return false;
  const isElseIf = previous !== undefined && tokens.isToken(previous, tokens.Else);
  const isAfterBrace = previous?.image === "{" || previous?.image === "}";
  return tokens.isFirstOnLine(token, previous) || isElseIf || isAfterBrace;
}

function blockKindOf({ head, blockKind, surrounding }: Level): string {
  return surrounding === "top" ? (head?.image ?? "") : blockKind;
}

function surroundingOf(
  opener: tokens.Token,
  previous: tokens.Token | undefined,
  { head, surrounding, groups }: Level,
): Surrounding {
  const isHeadOf = (...types: readonly tokens.TokenType[]): boolean => tokens.isOneOf(head, ...types);
  switch (opener.image) {
    case "{":
      if (isHeadOf(tokens.Import)) return "import";
      if (isHeadOf(tokens.Forward, tokens.Entry, tokens.On, tokens.For)) return "body";
      if (
        isHeadOf(tokens.Weights, tokens.Frozen, tokens.Stored, tokens.Sweep, tokens.Budget, tokens.Generate)
      )
        return "plan";
      if (isHeadOf(tokens.If, tokens.Else)) return surrounding === "members" ? "members" : "body";
      return surrounding === "top" ? "members" : "body";
    case "(":
      if (previous?.image === "->") return "results";
      if (previous?.image === "let") return "pattern";
      if (groups === 0 && isHeadOf(tokens.Forward, tokens.On)) return "signature";
      if (groups === 0 && isHeadOf(tokens.Entry)) return "inputs";
      if (groups === 0 && surrounding === "top" && isHeadOf(tokens.Kind)) return "parameters";
      return "call";
    default:
      return previous !== undefined && isTensorName(previous.image) ? "shape" : "list";
  }
}

function isTensorName(word: string): boolean {
  return isDType(word) || word === "waveform" || word === "tokens";
}

function placeAfter(last: tokens.Token | undefined, inner: Level, isFirst: boolean): Place {
  const { surrounding, head, blockKind } = inner;
  const isLast = (...types: readonly tokens.TokenType[]): boolean => tokens.isOneOf(last, ...types);
  if (isLast(tokens.Dot)) return { kind: "member" };
  if (surrounding === "import") {
    return isLast(tokens.As) ? { kind: "nothing" } : { kind: "import-name" };
  }
  if (isLast(tokens.Site)) return { kind: "site" };
  if (isLast(tokens.On) && surrounding === "members") return { kind: "site" };
  if (isLast(tokens.Continues)) return { kind: "entry" };
  if (isLast(tokens.Arrow)) return { kind: "type", isTensor: true };
  if (isLast(tokens.Colon)) return afterColon(inner);
  const isOpen = isLast(tokens.Comma, tokens.LeftParen);
  switch (surrounding) {
    case "parameters":
    case "signature":
    case "pattern":
      if (isOpen) return { kind: "nothing" };
      break;
    case "results":
      if (isOpen) return { kind: "type", isTensor: true };
      break;
    case "inputs":
      return { kind: "input" };
    case "call":
      return { kind: "expression", startsArgument: isOpen };
    default:
      break;
  }
  const isContinued = isLast(tokens.BinaryOperator, tokens.PipeOperator, tokens.Equals, tokens.Comma);
  const isBlockStart = last?.image === "{" || last?.image === "}";
  if ((isFirst && !isContinued) || isBlockStart) {
    if (surrounding === "top") return { kind: "top" };
    if (surrounding === "members") return { kind: "members", blockKind };
    if (surrounding === "body") return { kind: "statement" };
  }
  const isNaming = isLast(tokens.Let, tokens.Param, tokens.As, tokens.For, tokens.From, tokens.Import);
  const namesByHead = last === head && isLast(tokens.Kind, tokens.Input, tokens.Entry, tokens.Carry);
  if (isNaming || namesByHead) return { kind: "nothing" };
  if (surrounding === "top" && head === undefined) return { kind: "nothing" };
  return { kind: "expression", startsArgument: false };
}

function afterColon({ surrounding, head }: Level): Place {
  switch (surrounding) {
    case "parameters":
      return { kind: "type", isTensor: false };
    case "signature":
    case "results":
      return { kind: "type", isTensor: true };
    case "members":
    case "body":
    case "top":
      return tokens.isOneOf(head, tokens.Input, tokens.Param, tokens.Carry, tokens.Let, tokens.Entry)
        ? { kind: "type", isTensor: true }
        : { kind: "expression", startsArgument: false };
    default:
      return { kind: "expression", startsArgument: false };
  }
}
