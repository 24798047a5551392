/**
 * Text to the tokens that the grammar reads.
 *
 * Owns: everything that is wrong with single tokens (unknown characters, numbers, units, strings),
 * and the sorting of comments: all of them for a formatter, doc comments by the token they stand
 * before. The tokens it returns are sound and balanced (delimiters.ts).
 */
import { balance } from "./delimiters.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { readNumber, readString, units } from "./literals.ts";
import type { SourceFile, Span } from "./source.ts";
import { suggest } from "./suggest.ts";
import {
  badEscape,
  badNumber,
  badUnit,
  type SyntaxAdvice,
  syntaxError,
  unknownCharacter,
  unterminatedString,
} from "./syntax-messages.ts";
import {
  Arrow,
  Closer,
  ControlCharacters,
  DeclarationKind,
  FatArrow,
  HashComment,
  isToken,
  Kind,
  lex,
  Name,
  NumberToken,
  SingleQuoted,
  StringToken,
  type Token,
  type TokenType,
  tokenEnd,
  Unknown,
  Word,
} from "./tokens.ts";

/** A comment with its slashes. */
export interface Comment {
  readonly text: string;
  readonly span: Span;
}

export interface TokenStream {
  readonly file: SourceFile;
  readonly tokens: readonly Token[];
  /** The text of the `///` lines before the token that starts at an offset. */
  readonly docs: ReadonlyMap<number, string>;
  readonly comments: readonly Comment[];
  /** Tokens right after something that was reported and left out; `undefined` is the end. */
  readonly afterOmission: ReadonlySet<Token | undefined>;
  /** Brackets lie too deep for a recursive descent: do not parse. */
  readonly tooDeep: boolean;
}

/** Answers whether to go on. */
export type Report = (diagnostic: Diagnostic) => boolean;

export function tokenize(file: SourceFile, report: Report): TokenStream {
  const { tokens: lexed, comments } = lex(file.text);
  const unterminated = new Set<Token>();
  const afterOmission = new Set<Token | undefined>();
  const sound: Token[] = [];
  let omitted = false;
  let goOn = true;
  const reportOrStop: Report = (diagnostic) => {
    goOn = report(diagnostic);
    return goOn;
  };
  for (const token of lexed) {
    const isKept = isSound(token, sound.at(-1), file, reportOrStop, unterminated);
    if (isKept) sound.push(token);
    if (isKept && omitted) afterOmission.add(token);
    omitted = !isKept;
    if (!goOn) break;
  }
  if (omitted) afterOmission.add(undefined);
  markDeclarations(sound);
  const { tokens, tooDeep } = balance(sound, file, (token) => unterminated.has(token), report);
  return {
    file,
    tokens,
    afterOmission,
    tooDeep,
    docs: collectDocs(comments, sound),
    comments: comments.map((comment) => ({
      text: comment.image,
      span: file.span(comment.startOffset, tokenEnd(comment)),
    })),
  };
}

/** `block Name` at the beginning of a line is no end of what stands before it. */
function markDeclarations(tokens: readonly Token[]): void {
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    if (token.startColumn !== 1 || next === undefined || !isToken(token, Kind)) continue;
    if (!isToken(next, Name) || next.startLine !== token.startLine) continue;
    token.tokenType = DeclarationKind;
    token.tokenTypeIdx = DeclarationKind.tokenTypeIdx ?? token.tokenTypeIdx;
  }
}

/** Reports what is wrong with a token; `false` when the grammar is better off without it. */
function isSound(
  token: Token,
  previous: Token | undefined,
  file: SourceFile,
  report: Report,
  unterminated: Set<Token>,
): boolean {
  const start = token.startOffset;
  const span = file.span(start, tokenEnd(token));
  switch (token.tokenType) {
    case NumberToken:
      return checkNumber(token, previous, span, report);
    case StringToken: {
      const { terminated, badEscapes } = readString(token.image);
      for (const bad of badEscapes) report(badEscape(file.span(start + bad.start, start + bad.end)));
      if (!terminated) {
        unterminated.add(token);
        report(unterminatedString(span));
      }
      return true;
    }
    case Unknown:
    case ControlCharacters:
      report(unknownCharacter(span, `\`${excerpt(token.image)}\``, lookAlike(token.image, span)));
      return false;
    case HashComment:
      report(unknownCharacter(file.span(start, start + 1), "`#`", { hint: "a comment begins with `//`" }));
      return false;
    case SingleQuoted:
      report(unknownCharacter(span, "A single quote", { hint: 'a string is written in double quotes, "…"' }));
      retype(token, StringToken);
      return true;
    case FatArrow:
      report(
        syntaxError(span, "Results are written after `->`, not after `=>`.", "`->` expected", {
          hint: "write `->`",
          edits: [{ span, replacement: "->" }],
        }),
      );
      retype(token, Arrow);
      return true;
    default:
      if (isToken(token, Name) && !/^\w+$/.test(token.image)) {
        report(
          unknownCharacter(span, `The name \`${excerpt(token.image)}\``, {
            hint: "a name is made of the letters a to z and A to Z, digits and `_`",
          }),
        );
      }
      return true;
  }
}

/** Lets the grammar take a token for what was meant. */
function retype(token: Token, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx ?? token.tokenTypeIdx;
}

function checkNumber(token: Token, previous: Token | undefined, span: Span, report: Report): boolean {
  const { image } = token;
  // `layers.0` reaches the lexer as `layers` and `.0`.
  const isMember =
    image.startsWith(".") &&
    previous !== undefined &&
    tokenEnd(previous) === token.startOffset &&
    (isToken(previous, Word) || isToken(previous, Closer));
  if (isMember) {
    const replacement = `[${image.slice(1)}]`;
    report(
      syntaxError(span, `\`${image}\` is not a member: members have names.`, "a number after `.`", {
        hint: `an item of a list is taken with \`${replacement}\``,
        edits: [{ span, replacement }],
      }),
    );
    return false;
  }
  const { problem } = readNumber(image);
  if (problem?.kind === "bad-number") report(badNumber(span, problem.reason, problem.replacement));
  if (problem?.kind === "bad-unit") {
    const place = span.file.span(span.start + problem.start, span.end);
    const micro = /^[\u00b5\u03bc]s$/.test(problem.unit) ? ["us"] : suggest(problem.unit, units);
    report(badUnit(place, problem.unit, micro, units));
  }
  return true;
}

const lookAlikes: Readonly<Record<string, string>> = {
  "\u00d7": "*",
  "\u2212": "-",
  "\u2013": "-",
  "\u2014": "-",
  "\u2264": "<=",
  "\u2265": ">=",
  "\u2260": "!=",
  "\u2192": "->",
  "\u2026": "...",
  "\u201c": '"',
  "\u201d": '"',
  "&": "&&",
};

function lookAlike(image: string, span: Span): SyntaxAdvice {
  if (image === ";") return { hint: "statements need no `;`", edits: [{ span, replacement: "" }] };
  if (image === "?") return { hint: "a choice is written `if a then b else c`" };
  const replacement = lookAlikes[image];
  if (replacement === undefined) return {};
  return { hint: `did you mean \`${replacement}\`?`, edits: [{ span, replacement }] };
}

function excerpt(image: string): string {
  const characters = [...image.slice(0, 40)];
  const shown = characters.slice(0, 12).join("");
  const code = image.charCodeAt(0);
  if (code < 32 || code === 127) return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return characters.length > 12 ? `${shown}…` : shown;
}

/** Gives each run of `///` lines to the token that follows it. */
function collectDocs(comments: readonly Token[], tokens: readonly Token[]): ReadonlyMap<number, string> {
  const docs = new Map<number, string>();
  let next = 0;
  for (const { image, startOffset } of comments) {
    if (!image.startsWith("///") || image.startsWith("////")) continue;
    while (next < tokens.length && (tokens[next]?.startOffset ?? 0) < startOffset) next += 1;
    const owner = tokens[next];
    if (owner === undefined) break;
    const line = image.slice(3).replace(/^ /, "").trimEnd();
    const before = docs.get(owner.startOffset);
    docs.set(owner.startOffset, before === undefined ? line : `${before}\n${line}`);
  }
  return docs;
}
