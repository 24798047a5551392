/**
 * What expressions evaluate to while a program is laid out.
 *
 * Owns: the union of values and their names in messages. Static values are known now; tensors are
 * handles of the emitter with a type; `unknown` stands for what only an instantiation will tell
 * (a parameter while a block is checked alone) and `error` for what was already reported. Both
 * absorb whatever touches them, so that one cause gives one diagnostic.
 */
import type { BlockDeclaration } from "./ast.ts";
import type { OpSignature } from "./catalog.ts";
import type { Dim, RealFactor } from "./dims.ts";
import type { Handle, Initializer } from "./emitter.ts";
import type { Instance } from "./instance.ts";
import type { ModuleScope } from "./program.ts";
import type { Derivation, Written } from "./scope.ts";
import type { Span } from "./source.ts";
import type { DType, TensorType } from "./types.ts";

export type Unit = "Hz" | "s" | "B";

/** Why a dimension has the size it has, for messages. */
export interface DimOrigin {
  readonly span: Span;
  /** What the text there calls it, when it is a name. */
  readonly name: string | undefined;
  /** The op that computed it there. */
  readonly op: string | undefined;
  /** What the text there was computed from. */
  readonly from?: Derivation | undefined;
}

export interface TensorValue {
  readonly kind: "tensor";
  readonly type: TensorType;
  /** One for each dimension. */
  readonly origins: readonly (DimOrigin | undefined)[];
  readonly handle: Handle;
}

/** A block and its arguments, not yet given a place. */
export interface Template {
  readonly kind: "template";
  readonly declaration: BlockDeclaration;
  readonly module: ModuleScope;
  readonly arguments: ReadonlyMap<string, StaticArgument>;
  /** Whether it was called to set its arguments: a bare name was not. */
  readonly configured: boolean;
  /** Installed by `with`, innermost first. */
  readonly extensions: readonly Extension[];
  readonly span: Span;
}

export interface StaticArgument {
  readonly value: Value;
  readonly span: Span;
  /** Where the value was first written, when the argument is a name that passes it on, or was computed. */
  readonly source?: Written;
}

export interface Extension {
  readonly template: Template;
  readonly span: Span;
  /** Whether its arguments are written out: they depend on no parameter. */
  readonly isFixed: boolean;
}

/** `A |> B` between blocks: one block that applies its parts in turn. */
export interface Composition {
  readonly kind: "composition";
  readonly parts: readonly Value[];
  readonly span: Span;
}

/** An op or a function of the language, as a value: `activation: gelu`. */
export interface FunctionValue {
  readonly kind: "function";
  readonly name: string;
  readonly op: OpSignature | undefined;
}

/** The first parts of dotted members: `attention` in `attention.output.dense`. */
export interface NamespaceValue {
  readonly kind: "namespace";
  readonly path: string;
  readonly names: readonly string[];
  /** What the name stands for besides what it contains, if anything. */
  readonly self: () => Value | undefined;
  readonly get: (name: string) => Value | undefined;
}

export type Value =
  | { readonly kind: "int"; readonly dim: Dim }
  /** An integer over an integer that need not divide until an integer is asked for. */
  | { readonly kind: "quotient"; readonly numerator: Dim; readonly denominator: Dim }
  | { readonly kind: "real"; readonly value: number }
  /** A real factor times a dimension; `factor` is a name when the real is still open. */
  | { readonly kind: "scaled"; readonly factor: RealFactor; readonly dim: Dim }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "quantity"; readonly unit: Unit; readonly value: number }
  | { readonly kind: "dtype"; readonly dtype: DType }
  /** A way to store weights that is no element type. */
  | { readonly kind: "storage"; readonly storage: "int8" }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "range"; readonly from: Dim; readonly to: Dim }
  | { readonly kind: "tuple"; readonly items: readonly Value[] }
  | { readonly kind: "initializer"; readonly initializer: Initializer }
  | NamespaceValue
  | { readonly kind: "instance"; readonly instance: Instance }
  | { readonly kind: "chain"; readonly parts: readonly Value[] }
  | Template
  | Composition
  | FunctionValue
  | TensorValue
  /** A comparison of open dimensions: `require` turns it into a guard, nothing else takes it. */
  | {
      readonly kind: "condition";
      readonly condition: "equal" | "at-most";
      readonly left: Dim;
      readonly right: Dim;
    }
  | { readonly kind: "none" }
  | { readonly kind: "unknown" }
  | { readonly kind: "error" };

export const errorValue: Value = { kind: "error" };
export const unknownValue: Value = { kind: "unknown" };
export const noneValue: Value = { kind: "none" };

export function intValue(dim: Dim): Value {
  return { kind: "int", dim };
}

/** Values that say nothing more: already reported, or not known before instantiation. */
export function isSilent(value: Value): boolean {
  return value.kind === "error" || value.kind === "unknown";
}

/** A value's kind as a reader of a message would call it. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case "int":
      return `the integer ${cut(value.dim)}`;
    case "quotient":
      return `${part(value.numerator)} / ${part(value.denominator)}`;
    case "real":
      return `the number ${value.value}`;
    case "scaled":
      return value.dim.constant === 1 ? `the number ${value.factor}` : `${value.factor} * ${part(value.dim)}`;
    case "bool":
      return String(value.value);
    case "string":
      return `the string ${JSON.stringify(value.value)}`;
    case "quantity":
      return describeQuantity(value.unit, value.value);
    case "dtype":
      return `the element type ${value.dtype}`;
    case "storage":
      return `the storage type ${value.storage}`;
    case "list":
      return "a list";
    case "range":
      return "a range";
    case "tuple":
      return `${value.items.length} values`;
    case "initializer":
      return "an initialiser";
    case "namespace":
      return `the group of members \`${value.path}\``;
    case "instance":
      return `the ${value.instance.declaration.blockKind} ${value.instance.declaration.name.name}`;
    case "template":
      return `the ${value.declaration.blockKind} ${value.declaration.name.name}`;
    case "chain":
    case "composition":
      return "a composition of blocks";
    case "function":
      return `the function ${value.name}`;
    case "tensor":
      return `the tensor ${value.type.dtype}[${value.type.shape.map(cut).join(", ")}]`;
    case "condition":
      return `the condition ${cut(value.left)} ${value.condition === "equal" ? "==" : "<="} ${cut(value.right)}`;
    case "none":
      return "none";
    case "unknown":
    case "error":
      return "an unknown value";
  }
}

function describeQuantity(unit: Unit, value: number): string {
  const short = (number: number): number => Number(number.toPrecision(12));
  if (unit === "s" && value < 1) return `the duration ${short(value * 1000)}ms`;
  if (unit === "s") return `the duration ${short(value)}s`;
  if (unit === "Hz") return `the frequency ${value < 1000 ? `${value}Hz` : `${short(value / 1000)}kHz`}`;
  return `the size ${short(value)}B`;
}

/** In an expression. */
function part(dim: Dim): string {
  const text = cut(dim);
  return /^[\w.]+$/.test(text) ? text : `(${text})`;
}

function cut(dim: Dim): string {
  const text = String(dim);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
