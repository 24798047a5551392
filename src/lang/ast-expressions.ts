/**
 * The syntax tree below declarations: types and expressions.
 *
 * Owns: node types only, like ast.ts, through which the other stages see them.
 */
import type { Identifier } from "./ast.ts";
import type { Span } from "./source.ts";

// ---------------------------------------------------------------- types

export type TypeExpression =
  | TensorTypeExpression
  | NamedTypeExpression
  | UnionTypeExpression
  | ListTypeExpression;

/** `f32[B, N, d]`, `waveform[T] @ 16kHz`, `tokens[P]`. */
export interface TensorTypeExpression {
  readonly kind: "tensor-type";
  readonly name: Identifier;
  readonly dims: readonly DimExpression[];
  readonly rate: Expression | undefined;
  readonly span: Span;
}

/** One place of a shape: an expression, or `*b`, any number of leading dimensions. */
export type DimExpression =
  | { readonly kind: "dim"; readonly value: Expression; readonly span: Span }
  | { readonly kind: "variadic-dim"; readonly name: Identifier; readonly span: Span };

/** `int`, `ratio`, `block`, `policy`, … */
export interface NamedTypeExpression {
  readonly kind: "named-type";
  readonly name: Identifier;
  readonly span: Span;
}

/** `"score" | "original"` */
export interface UnionTypeExpression {
  readonly kind: "union-type";
  readonly options: readonly StringLiteral[];
  readonly span: Span;
}

/** `[int]` */
export interface ListTypeExpression {
  readonly kind: "list-type";
  readonly element: TypeExpression;
  readonly span: Span;
}

// ---------------------------------------------------------------- expressions

export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | NameExpression
  | ListExpression
  | ComprehensionExpression
  | RangeExpression
  | TupleExpression
  | CallExpression
  | IndexExpression
  | MemberExpression
  | UnaryExpression
  | BinaryExpression
  | ConditionalExpression
  | PipeExpression
  | WithExpression
  | SiteExpression
  | ErrorExpression;

/** `3`, `0.5`, `1e-6`, `16kHz`, `25ms`, `70%`, `128MiB`, `32G`. `text` is the digits, without the unit. */
export interface NumberLiteral {
  readonly kind: "number";
  readonly text: string;
  readonly unit: string | undefined;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly span: Span;
}

export interface NameExpression {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}

export interface ListExpression {
  readonly kind: "list";
  readonly items: readonly Expression[];
  readonly span: Span;
}

/** `[Layer(d) for i in 0..depth]`, optionally `if condition` */
export interface ComprehensionExpression {
  readonly kind: "comprehension";
  readonly element: Expression;
  readonly variable: Identifier;
  readonly iterable: Expression;
  readonly condition: Expression | undefined;
  readonly span: Span;
}

/** `0..depth`, without its end. */
export interface RangeExpression {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
  readonly span: Span;
}

export interface TupleExpression {
  readonly kind: "tuple";
  readonly items: readonly Expression[];
  readonly span: Span;
}

export interface Argument {
  readonly name: Identifier | undefined;
  readonly value: Expression;
  readonly span: Span;
}

export interface CallExpression {
  readonly kind: "call";
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

export type IndexItem =
  | { readonly kind: "at"; readonly value: Expression; readonly span: Span }
  | {
      readonly kind: "slice";
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
      readonly span: Span;
    }
  | { readonly kind: "ellipsis"; readonly span: Span };

/** `x[:, 1:, ..., 0]` on a tensor, `layers[3]` on a list. */
export interface IndexExpression {
  readonly kind: "index";
  readonly object: Expression;
  readonly items: readonly IndexItem[];
  readonly span: Span;
}

export interface MemberExpression {
  readonly kind: "member";
  readonly object: Expression;
  readonly name: Identifier;
  readonly span: Span;
}

export type UnaryOperator = "-" | "!";
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "@"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "&&"
  | "||";

export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: UnaryOperator;
  readonly operand: Expression;
  readonly span: Span;
}

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** `if condition then a else b`, decided at compile time. */
export interface ConditionalExpression {
  readonly kind: "conditional-expression";
  readonly condition: Expression;
  readonly consequent: Expression;
  readonly alternate: Expression;
  readonly span: Span;
}

/** `x |> f |> g`: applies blocks to a value, or composes blocks. */
export interface PipeExpression {
  readonly kind: "pipe";
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** `Encoder() with TopK(keep: 70%)` */
export interface WithExpression {
  readonly kind: "with";
  readonly subject: Expression;
  readonly extension: Expression;
  readonly span: Span;
}

/** `site tokens(x, attention: p, extra: 2)`: `x`, unless an installed policy answers to the name. */
export interface SiteExpression {
  readonly kind: "site";
  readonly name: Identifier;
  readonly subject: Expression;
  readonly fields: readonly Argument[];
  readonly span: Span;
}

/** Where the parser gave up and went on; already reported. */
export interface ErrorExpression {
  readonly kind: "error";
  readonly span: Span;
}
