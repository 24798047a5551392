/**
 * From "this token does not fit" to words a person can act on.
 *
 * Owns: the names of what was expected and found, and the common slips that are worth a hint of
 * their own. Looks only at the tokens around the error; one slip, one entry.
 */
import type { Span } from "./source.ts";
import type { SyntaxAdvice } from "./syntax-messages.ts";
import {
  Arrow,
  BinaryOperator,
  Colon,
  Equals,
  isToken,
  Kind,
  LeftBracket,
  Name,
  NumberToken,
  Opener,
  reservedWords,
  StringToken,
  startsOperand,
  Then,
  type Token,
  tokenEnd,
} from "./tokens.ts";

export interface SyntaxContext {
  /** A noun phrase. */
  readonly expected: string;
  readonly found: Token;
  readonly next: Token;
  readonly previous: Token;
  /** The grammar rule that failed. */
  readonly rule: string;
  /** Whether what is missing was due on the previous line. */
  readonly atLineEnd: boolean;
}

/** Rules whose failure at a line's middle means that the line before did not end well. */
const lineRules: ReadonlySet<string> = new Set(["topLevel", "member", "statement"]);

type Slip = (context: SyntaxContext, span: Span) => SyntaxAdvice | undefined;

/** Expected, found, and advice: what `expectedSyntax` takes. */
export function explainSyntaxError(context: SyntaxContext, span: Span): [string, string, SyntaxAdvice] {
  let advice: SyntaxAdvice = {};
  for (const slip of slips) {
    const recognised = slip(context, span);
    if (recognised !== undefined) {
      advice = recognised;
      break;
    }
  }
  const { expected, rule, found, previous, atLineEnd } = context;
  const isLeftover =
    lineRules.has(rule) && found.startLine === previous.startLine && !isToken(previous, Opener);
  return [
    isLeftover ? "an operator or a new line" : expected,
    atLineEnd ? "the end of the line" : describe(found),
    advice,
  ];
}

function describe(token: Token): string {
  if (Number.isNaN(token.startOffset)) return "the end of the file";
  if (isToken(token, StringToken)) return "a string";
  if (isToken(token, NumberToken)) return `the number \`${shorten(token.image)}\``;
  return reservedWords.has(token.image) ? `the keyword \`${token.image}\`` : `\`${shorten(token.image)}\``;
}

function shorten(image: string): string {
  return image.length > 40 ? `${image.slice(0, 40)}…` : image;
}

const adjacent = (left: Token, right: Token) => tokenEnd(left) === right.startOffset;
const expects = (context: SyntaxContext, text: string) => context.expected.includes(text);

const lineStarters: Readonly<Record<string, string>> = {
  return: "a body needs no `return`: its last line is its result",
  def: "a block is written `block Name(…) { … }`, what it computes `forward(…) -> … = …`",
  fn: "what a block computes is written `forward(…) -> … = …`",
  func: "what a block computes is written `forward(…) -> … = …`",
  function: "what a block computes is written `forward(…) -> … = …`",
  class: "a block is written `block Name(…) { … }`",
  const: "a value is named with `let`",
  var: "a value is named with `let`",
  val: "a value is named with `let`",
  elif: "write `else if`",
  while: "everything unrolls while compiling: write `for i in 0..n { … }`",
};

const wordOperators: Readonly<Record<string, string>> = { and: "&&", or: "||", not: "!" };

const slips: readonly Slip[] = [
  // `forward = (x) …` and other uses of a reserved word as a name
  (context) =>
    context.expected.startsWith("a name") && reservedWords.has(context.found.image)
      ? { hint: `\`${context.found.image}\` is a keyword: choose another name` }
      : undefined,
  // `f(x = 3)`
  ({ found, previous, expected }, span) =>
    isToken(found, Equals) && isToken(previous, Name) && expected.includes("end of the list")
      ? { hint: "a named argument is written with `:`", edits: [{ span, replacement: ":" }] }
      : undefined,
  // `param w = f32[3]`, `(x = int)`
  (context, span) =>
    isToken(context.found, Equals) && expects(context, "`:`")
      ? { hint: "a type follows `:`, a value follows `=`", edits: [{ span, replacement: ":" }] }
      : undefined,
  // `dense: Linear(d, d)`
  ({ found, next, rule }, { file }) =>
    rule === "member" && isToken(found, Name) && isToken(next, Colon)
      ? {
          hint: `a part is written \`${found.image} = …\`, a learned tensor \`param ${found.image}: …\``,
          edits: [{ span: file.span(next.startOffset, tokenEnd(next)), replacement: " =" }],
        }
      : undefined,
  // `let x: = …`, `let x = = …`
  ({ found, expected, previous }) =>
    isToken(found, Colon) && expected.includes("`=`") && isToken(previous, Name)
      ? { hint: "a value follows `=`" }
      : undefined,
  // `forward(x: f32[n]) f32[n]`, `): f32[n]`
  ({ found, expected, atLineEnd }) =>
    !atLineEnd && expected.includes("`->`") && (isToken(found, Colon) || isToken(found, Name))
      ? { hint: "what it results in is written after `->`" }
      : undefined,
  // `7%2`
  ({ found, previous }) =>
    isToken(previous, NumberToken) && previous.image.endsWith("%") && startsOperand(found)
      ? { hint: "`7%` is seven hundredths; for the remainder put a space before `%`" }
      : undefined,
  // `70 %`
  ({ previous }) =>
    previous.image === "%" ? { hint: "a percentage is written without a space, as in `70%`" } : undefined,
  // `if a then { … }` around members or statements
  ({ found, expected }) =>
    expected.includes("`{`") && isToken(found, Then)
      ? { hint: "`if … then … else …` chooses a value; members and statements go into `{ … }`" }
      : undefined,
  // `a and b`
  ({ found }, span) => {
    const operator = wordOperators[found.image];
    if (operator === undefined) return undefined;
    return { hint: `write \`${operator}\``, edits: [{ span, replacement: operator }] };
  },
  // `return x`, where `return` was read as a name
  ({ found, previous }) => {
    const hint = lineStarters[found.image] ?? lineStarters[previous.image];
    return hint === undefined ? undefined : { hint };
  },
  // `/* … */`
  ({ found, next }) =>
    found.image === "/" && next.image === "*" && adjacent(found, next)
      ? { hint: "a comment is written `// …`, on each of its lines" }
      : undefined,
  // `x ** 2`
  ({ found, previous }) =>
    found.image === "*" && previous.image === "*" && adjacent(previous, found)
      ? { hint: "there is no `**`: multiply, or call `pow`" }
      : undefined,
  // `x == = y`, `a < > b`
  ({ found, previous }) =>
    isToken(found, BinaryOperator) && isToken(previous, BinaryOperator)
      ? { hint: `one operand is missing between \`${previous.image}\` and \`${found.image}\`` }
      : undefined,
  // `-> [1, V]`
  ({ expected, previous, found }) =>
    expected === "a type" && isToken(previous, LeftBracket) && isToken(found, NumberToken)
      ? { hint: "a tensor's type begins with its element type, as in `f32[1, n]`" }
      : undefined,
  // a declaration inside a block
  ({ found, next, rule }) =>
    rule === "member" && isToken(found, Kind) && isToken(next, Name)
      ? { hint: "declarations stand at the top of the file; is a `}` missing before this?" }
      : undefined,
  ({ found, rule }) =>
    rule === "member" && isToken(found, Name)
      ? { hint: `a part is written \`${found.image} = …\`; what a block computes goes into \`forward\`` }
      : undefined,
  ({ found, expected }) =>
    isToken(found, Arrow) && expected.includes("body") ? { hint: "one `->` is enough" } : undefined,
];
