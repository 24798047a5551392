/**
 * The token types, in the order in which the lexer tries them, and the lexer.
 *
 * Owns: what a token looks like. Whether a number or a string is well formed is literals.ts; what
 * becomes of comments and of unknown characters is tokenize.ts. Every token lies on one line, and
 * every character belongs to some token, right or wrong, so the lexer itself never fails.
 */
import { createToken, createTokenInstance, type IToken, Lexer, type TokenType } from "chevrotain";

export type Token = IToken;
export type { TokenType };

const abstract = (name: string, ...categories: TokenType[]) =>
  createToken({ name, pattern: Lexer.NA, categories });

/** Any word at all: what may stand after a `.`. */
export const Word = abstract("Word");
/** A word that may name something: an identifier, or a keyword that is one only in its place. */
export const Name = abstract("Name", Word);
/** `block`, `encoder`, …: what a declaration begins with. */
export const Kind = abstract("Kind", Word);
/** One that can only begin a declaration, and names nothing. */
export const DeclarationKind = abstract("DeclarationKind", Kind);
export const BinaryOperator = abstract("BinaryOperator");
export const PrefixOperator = abstract("PrefixOperator");
export const PipeOperator = abstract("PipeOperator");
export const Opener = abstract("Opener");
export const Closer = abstract("Closer");

// ASCII is what the language allows. Other letters are taken in too, so that a name holding one
// is a single token with a single complaint.
const Identifier = createToken({
  name: "Identifier",
  pattern:
    /[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u1fff\u3040-\ud7ff][A-Za-z0-9_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u1fff\u3040-\ud7ff]*/,
  categories: Name,
});

// Rules of the grammar have names in lower case; tokens must differ from them.
const word = (image: string, ...categories: TokenType[]) =>
  createToken({
    name: `Keyword_${image}`,
    label: `\`${image}\``,
    pattern: image,
    longer_alt: Identifier,
    categories,
  });
const sign = (name: string, image: string, ...categories: TokenType[]) =>
  createToken({ name, label: `\`${image}\``, pattern: image, categories });

export const Import = word("import", Word);
export const Let = word("let", Word);
export const Param = word("param", Word);
export const Forward = word("forward", Word);
export const For = word("for", Word);
export const In = word("in", Word);
export const If = word("if", Word);
export const Then = word("then", Word);
export const Else = word("else", Word);
export const With = word("with", Word, PipeOperator);
export const Require = word("require", Word);
export const True = word("true", Word);
export const False = word("false", Word);

export const Input = word("input", Name);
export const Entry = word("entry", Name);
export const On = word("on", Name);
export const Carry = word("carry", Name);
export const Site = word("site", Name);
export const From = word("from", Name);
export const As = word("as", Name);
export const Language = word("language", Name);
export const Extends = word("extends", Name);
export const Continues = word("continues", Name);
export const Where = word("where", Name);
export const Weights = word("weights", Name);
export const Frozen = word("frozen", Name);
export const Stored = word("stored", Name);
export const Sweep = word("sweep", Name);
export const Budget = word("budget", Name);
export const Generate = word("generate", Name);
const kindWords = [
  "block",
  "encoder",
  "policy",
  "connector",
  "decoder",
  "adapter",
  "frontend",
  "model",
] as const;
const kinds = kindWords.map((image) => word(image, Kind, Name));

/** The words that can never name anything, except after a `.`. */
export const reservedWords: ReadonlySet<string> = new Set(
  [Import, Let, Param, Forward, For, In, If, Then, Else, With, Require, True, False].map(({ PATTERN }) =>
    String(PATTERN),
  ),
);

// Digits with whatever clings to them, right or wrong: literals.ts tells which.
export const NumberToken = createToken({
  name: "Number",
  label: "a number",
  pattern: /(?:\d[\d_]*(?:\.\d[\d_]*)*|\.\d+)(?:[eE][+-]\d+)?(?:[A-Za-z_\u00b5\u03bc][A-Za-z0-9_]*|%)?/,
});

/** Scanned by hand: a regular expression needs stack for every escape of a long string. */
function scanString(text: string, offset: number): [string] | null {
  if (text[offset] !== '"') return null;
  let end = offset + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === 10 || code === 13) break;
    end += 1;
    if (code === 34) break;
    const next = text.charCodeAt(end);
    if (code === 92 && end < text.length && next !== 10 && next !== 13) end += 1;
  }
  return [text.slice(offset, end)];
}
/** From `"` to the closing `"`, or to the end of the line where there is none. */
export const StringToken = createToken({
  name: "String",
  label: "a string",
  pattern: { exec: scanString },
  start_chars_hint: ['"'],
  line_breaks: false,
});

export const Arrow = sign("Arrow", "->");
export const Ellipsis = sign("Ellipsis", "...");
export const Colon = sign("Colon", ":");
export const Comma = sign("Comma", ",");
export const Dot = sign("Dot", ".");
export const Equals = sign("Equals", "=");
export const Bar = sign("Bar", "|");
export const LeftParen = sign("LeftParen", "(", Opener);
export const RightParen = sign("RightParen", ")", Closer);
export const LeftBracket = sign("LeftBracket", "[", Opener);
export const RightBracket = sign("RightBracket", "]", Closer);
export const LeftBrace = sign("LeftBrace", "{", Opener);
export const RightBrace = sign("RightBrace", "}", Closer);
export const At = sign("At", "@", BinaryOperator);
export const Star = sign("Star", "*", BinaryOperator);
const Minus = sign("Minus", "-", BinaryOperator, PrefixOperator);
const Not = sign("Not", "!", PrefixOperator);
const Pipe = sign("Pipe", "|>", PipeOperator);
const longOperators = ["&&", "||", "==", "!=", "<=", ">=", ".."].map((s) => sign(s, s, BinaryOperator));
const shortOperators = ["+", "/", "%", "<", ">"].map((s) => sign(s, s, BinaryOperator));

const Whitespace = createToken({
  name: "Whitespace",
  pattern: /[ \t\r\n\f\v\u00a0\ufeff]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
const Comment = createToken({ name: "Comment", pattern: /\/\/[^\r\n]*/, group: "comments" });
/** Slips of the pen that are worth a token: `# comment`, `'text'` and `=>`. */
export const HashComment = createToken({ name: "HashComment", pattern: /#[^\r\n]*/ });
export const SingleQuoted = createToken({ name: "SingleQuoted", pattern: /'[^'\r\n]*'?/ });
export const FatArrow = sign("FatArrow", "=>");
/** What no other token takes. A surrogate pair stays whole. */
export const Unknown = createToken({
  name: "Unknown",
  pattern: /[\u0080-\uffff]+|[$&;?\\^`~]/,
});

const controlCodes = Array.from({ length: 128 }, (_, code) => code).filter(
  (code) => (code < 32 && !(code >= 9 && code <= 13)) || code === 127,
);
export const ControlCharacters = createToken({
  name: "ControlCharacters",
  pattern: {
    exec: (text, offset): [string] | null => {
      let end = offset;
      while (controlCodes.includes(text.charCodeAt(end))) end += 1;
      return end === offset ? null : [text.slice(offset, end)];
    },
  },
  start_chars_hint: controlCodes,
  line_breaks: false,
});

const allTokens: TokenType[] = [
  Whitespace,
  Comment,
  ...[Word, Name, Kind, DeclarationKind, BinaryOperator, PrefixOperator, PipeOperator, Opener, Closer],
  // `input` before `in`, `forward` before `for`: the first keyword that fits decides.
  ...[Input, Forward, Import, Let, Param, For, In, If, Then, Else, With, Require, True, False],
  ...[Entry, On, Carry, Site, From, As],
  ...[Language, Extends, Continues, Where, Weights, Frozen, Stored, Sweep, Budget, Generate],
  ...kinds,
  Identifier,
  ...[Ellipsis, NumberToken, StringToken, Arrow, FatArrow, Pipe],
  ...longOperators,
  ...[Colon, Comma, Dot, Equals, Bar, At, Star, Minus, Not],
  ...shortOperators,
  ...[LeftParen, RightParen, LeftBracket, RightBracket, LeftBrace, RightBrace],
  ...[HashComment, SingleQuoted, Unknown, ControlCharacters],
];

export const vocabulary: readonly TokenType[] = allTokens;

/** Validation takes longer than many a file to read: a test does it. */
const lexer = new Lexer(allTokens, { positionTracking: "onlyStart", skipValidations: true });

export function lex(text: string): { tokens: Token[]; comments: Token[] } {
  const { tokens, groups } = lexer.tokenize(text);
  const { comments = [] } = groups;
  return { tokens, comments };
}

/** Whether a token is of a type, or of a type in that category. */
export function isToken(token: Token, type: TokenType): boolean {
  return token.tokenTypeIdx === type.tokenTypeIdx || type.categoryMatchesMap?.[token.tokenTypeIdx] === true;
}

export function isOneOf(token: Token | undefined, ...types: readonly TokenType[]): boolean {
  return token !== undefined && types.some((type) => isToken(token, type));
}

/** Whether an expression can begin with a token, prefix operators aside. */
export function startsOperand(token: Token): boolean {
  return isOneOf(token, Name, NumberToken, StringToken, LeftParen, LeftBracket, If, True, False);
}

/** The offset just after a token. */
export function tokenEnd(token: Token): number {
  return token.startOffset + token.image.length;
}

export function isFirstOnLine(token: Token, previous: Token | undefined): boolean {
  return previous?.startLine !== token.startLine;
}

/** A closer that nobody wrote, right after `previous`; it takes no room in the text. */
export function virtualToken(type: TokenType, previous: Token): Token {
  const offset = tokenEnd(previous);
  const line = previous.startLine ?? 1;
  const token = createTokenInstance(type, "", offset, offset - 1, line, line, 0, 0);
  token.isInsertedInRecovery = true;
  return token;
}
