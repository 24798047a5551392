/**
 * The syntax tree that the parser hands on. Every node carries its span.
 *
 * Owns: node types only. A tree may hold `ErrorExpression`s where the parser recovered; later
 * stages treat them as already reported and stay silent about them.
 */
import type { Expression, NumberLiteral, StringLiteral, TypeExpression } from "./ast-expressions.ts";
import type { SourceFile, Span } from "./source.ts";

export type * from "./ast-expressions.ts";

export interface Identifier {
  readonly name: string;
  readonly span: Span;
}

/** `attention.output.dense`: a member's path, which is also its checkpoint name. */
export interface DottedName {
  readonly parts: readonly Identifier[];
  readonly span: Span;
}

// ---------------------------------------------------------------- file and declarations

export interface SourceUnit {
  readonly file: SourceFile;
  /** `language 1` at the top of a file: the version of the grammar it was written for. */
  readonly language: NumberLiteral | undefined;
  readonly imports: readonly ImportDeclaration[];
  readonly declarations: readonly Declaration[];
}

/** `import { A, B as C } from "../encoders/ast.oss"` */
export interface ImportDeclaration {
  readonly kind: "import";
  readonly names: readonly { readonly name: Identifier; readonly alias: Identifier | undefined }[];
  readonly from: StringLiteral;
  readonly span: Span;
}

export const blockKinds = [
  "block",
  "encoder",
  "policy",
  "connector",
  "decoder",
  "adapter",
  "frontend",
  "model",
] as const;
export type BlockKind = (typeof blockKinds)[number];

export type Declaration = BlockDeclaration | LetDeclaration;

/** A block of any kind with a body, or (`value` set) a variant: `model Small = Captioner(keep: 50%)`. */
export interface BlockDeclaration {
  readonly kind: "block";
  readonly blockKind: BlockKind;
  readonly name: Identifier;
  readonly parameters: readonly StaticParameter[];
  readonly members: readonly Member[];
  readonly value: Expression | undefined;
  /** `model X extends Y(depth: 6) { … }`: what the members add to, or replace in. */
  readonly base: Expression | undefined;
  /** The text of the `///` lines before it, without the slashes; empty when there are none. */
  readonly doc: string;
  readonly span: Span;
}

/** `let pi = 3.14` at the top of a file or in a block's body: a compile-time constant. */
export interface LetDeclaration {
  readonly kind: "let";
  readonly name: Identifier;
  readonly value: Expression;
  readonly doc: string;
  readonly span: Span;
}

/** A compile-time parameter: `keep: ratio = 70%`. */
export interface StaticParameter {
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly initial: Expression | undefined;
  readonly doc: string;
  readonly span: Span;
}

// ---------------------------------------------------------------- members of a block

export type Member =
  | LetDeclaration
  | ParameterMember
  | BindingMember
  | ConditionalMember
  | RequireMember
  | ForwardMember
  | HandlerMember
  | CarryMember
  | InputMember
  | EntryMember
  | WeightsMember
  | FrozenMember
  | StoredMember
  | SweepMember
  | BudgetMember
  | GenerateMember;

/** `param weight: f32[out, in] = normal(0.02)`: a learned tensor. */
export interface ParameterMember {
  readonly kind: "parameter";
  readonly name: DottedName;
  readonly type: TypeExpression;
  readonly initial: Expression | undefined;
  readonly doc: string;
  readonly span: Span;
}

/** `attention.query = Linear(d, d)`: a sub-block, or a list of them. */
export interface BindingMember {
  readonly kind: "binding";
  readonly name: DottedName;
  readonly value: Expression;
  readonly doc: string;
  readonly span: Span;
}

/** `if biased { … } else { … }` around members, decided at compile time. */
export interface ConditionalMember {
  readonly kind: "conditional";
  readonly condition: Expression;
  readonly consequent: readonly Member[];
  readonly alternate: readonly Member[];
  readonly span: Span;
}

/** `require d % heads == 0, "heads must divide the width"` */
export interface RequireMember {
  readonly kind: "require";
  readonly condition: Expression;
  readonly message: StringLiteral | undefined;
  readonly span: Span;
}

/** `forward(x: f32[*b, in]) -> f32[*b, out] = …` */
export interface ForwardMember {
  readonly kind: "forward";
  readonly parameters: readonly TensorParameter[];
  /** Whether the parameters end in `...`: other named arguments are accepted and ignored. */
  readonly open: boolean;
  readonly results: readonly ResultDeclaration[];
  /** `where K <= N, N % 2 == 0`: what must hold of the sizes. */
  readonly where: readonly Expression[];
  readonly body: Body;
  readonly doc: string;
  readonly span: Span;
}

/**
 * `on tokens[at](x: f32[B, N, d], extra: int) -> f32[B, M, d] { … }`: what a policy does at a site.
 * The expression in brackets lists the numbers of the sites at which it acts; without, all.
 */
export interface HandlerMember {
  readonly kind: "handler";
  readonly site: Identifier;
  readonly at: Expression | undefined;
  readonly parameters: readonly TensorParameter[];
  readonly open: boolean;
  readonly results: readonly ResultDeclaration[];
  readonly where: readonly Expression[];
  readonly body: Body;
  readonly doc: string;
  readonly span: Span;
}

/** `carry origin: i64[B, N] = …`: what a policy remembers from one site to the next. */
export interface CarryMember {
  readonly kind: "carry";
  readonly name: Identifier;
  readonly type: TypeExpression | undefined;
  readonly initial: Expression;
  readonly doc: string;
  readonly span: Span;
}

/** `input audio: waveform[T] @ 16kHz` */
export interface InputMember {
  readonly kind: "input";
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly doc: string;
  readonly span: Span;
}

/**
 * `entry classify(audio) -> logits: f32[1, labels] = …`; arguments name the model's inputs.
 * `entry step(token) continues prefill …` starts from the state that another entry left.
 */
export interface EntryMember {
  readonly kind: "entry";
  readonly name: Identifier;
  readonly inputs: readonly Identifier[];
  readonly continues: Identifier | undefined;
  readonly results: readonly ResultDeclaration[];
  readonly body: Body;
  readonly doc: string;
  readonly span: Span;
}

/** `weights { "module.v.blocks.*" -> "encoder.blocks.*" }`: how a checkpoint calls things. */
export interface WeightsMember {
  readonly kind: "weights";
  readonly renames: readonly WeightRename[];
  readonly span: Span;
}

/** Names in a checkpoint that fit `from` are the model's `to`; each `*` stands for the same text in both. */
export interface WeightRename {
  readonly from: StringLiteral;
  readonly to: StringLiteral;
  readonly span: Span;
}

/** `frozen { "encoder", "decoder.backbone.embeddings" }`: what a training run leaves as it is. */
export interface FrozenMember {
  readonly kind: "frozen";
  /** Paths of parts or learned tensors; `*` stands for any text. */
  readonly patterns: readonly StringLiteral[];
  readonly span: Span;
}

/** `stored { as: int8, group: 64 }`: how the learned matrices of a block, and of those below it, are stored. */
export interface StoredMember {
  readonly kind: "stored";
  readonly options: readonly NamedValue[];
  readonly span: Span;
}

/** `sweep { keep: [50%, 70%, 100%], rank: [8, 64] }`: the variants worth comparing. */
export interface SweepMember {
  readonly kind: "sweep";
  readonly axes: readonly NamedValue[];
  readonly span: Span;
}

/** `budget { macs(seconds: 10) <= 32G, params <= 220M }` */
export interface BudgetMember {
  readonly kind: "budget";
  readonly limits: readonly Expression[];
  readonly span: Span;
}

/** `generate text from prefill then step { stop: ["<|endoftext|>"], limit: 64 }` */
export interface GenerateMember {
  readonly kind: "generate";
  readonly name: Identifier;
  readonly first: Identifier;
  readonly next: Identifier;
  readonly options: readonly NamedValue[];
  readonly span: Span;
}

export interface NamedValue {
  readonly name: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

/** A parameter of `forward` or of a handler: a tensor, or a compile-time value. */
export interface TensorParameter {
  readonly name: Identifier;
  readonly type: TypeExpression;
  readonly initial: Expression | undefined;
  readonly span: Span;
}

/** `logits: f32[B, C]` or just `f32[B, C]` after `->`. */
export interface ResultDeclaration {
  readonly name: Identifier | undefined;
  readonly type: TypeExpression;
  readonly span: Span;
}

// ---------------------------------------------------------------- bodies and statements

/** Statements and the expression they end in. `= expression` parses to a body without statements. */
export interface Body {
  readonly statements: readonly Statement[];
  readonly result: Expression;
  readonly span: Span;
}

export type Statement = LetStatement | AssignStatement | ForStatement | IfStatement | RequireMember;

/** `let x = …` or `let (a, b) = …` */
export interface LetStatement {
  readonly kind: "let";
  readonly names: readonly Identifier[];
  readonly type: TypeExpression | undefined;
  readonly value: Expression;
  readonly span: Span;
}

/** `x = …` or `(x, y) = …`: gives a name that `let` (or a carry) introduced a new value. */
export interface AssignStatement {
  readonly kind: "assign";
  readonly names: readonly Identifier[];
  readonly value: Expression;
  readonly span: Span;
}

/** `for layer in layers { … }` or `for i, layer in layers { … }`, unrolled at compile time. */
export interface ForStatement {
  readonly kind: "for";
  readonly index: Identifier | undefined;
  readonly variable: Identifier;
  readonly iterable: Expression;
  readonly statements: readonly Statement[];
  readonly span: Span;
}

export interface IfStatement {
  readonly kind: "if";
  readonly condition: Expression;
  readonly consequent: readonly Statement[];
  readonly alternate: readonly Statement[];
  readonly span: Span;
}
