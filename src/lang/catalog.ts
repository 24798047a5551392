/**
 * What the language needs to know of the primitive ops.
 *
 * Owns: the interface only. `compiler/ops` satisfies it and the pipeline hands it in, so that the
 * language can be tested with a catalogue of three ops and never imports the compiler.
 */
import type { Dim } from "./dims.ts";
import type { TensorType } from "./types.ts";

/** `integer` is a number known while compiling; `dim` may hold symbols that are bound later. */
export type AttributeKind = "integer" | "integers" | "dim" | "dims" | "real" | "boolean" | "string" | "dtype";

export type AttributeValue = Dim | number | boolean | string | readonly Dim[] | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface AttributeSpec {
  readonly kind: AttributeKind;
  readonly doc: string;
  readonly default?: AttributeValue;
  /** For `string`: what is allowed. */
  readonly options?: readonly string[];
}

export interface OperandSpec {
  readonly name: string;
  /** The last operand of an op may take any number of values (`concat(a, b, c)`). */
  readonly repeated: boolean;
  readonly optional: boolean;
}

/** Where a result's dimension came from: an operand's axis, or (`undefined`) the call itself. */
export interface DimSource {
  readonly operand: number;
  readonly axis: number;
}

export interface InferredResult {
  readonly type: TensorType;
  readonly sources: readonly (DimSource | undefined)[];
}

/**
 * A condition on dimensions that holds only for some bindings: checked when inputs are bound.
 * Read it from left to right: left equals right, left is at most right, left divides right.
 */
export interface Requirement {
  readonly kind: "equal" | "at-most" | "divides";
  readonly left: Dim;
  readonly right: Dim;
  readonly reason: string;
}

export type Inference =
  | {
      readonly ok: true;
      readonly results: readonly InferredResult[];
      readonly requirements: readonly Requirement[];
    }
  | { readonly ok: false; readonly problem: OpProblem };

/** Why an op refuses its operands. The language turns it into a diagnostic with places. */
export interface OpProblem {
  readonly message: string;
  /** The operands whose shapes clash, the one that set the expectation first. */
  readonly operands: readonly DimSource[];
  readonly expected?: Dim;
  readonly found?: Dim;
  readonly hint?: string;
}

/**
 * Recurrent state of an op: an optional operand, absent at the start of a sequence (zeros), and the
 * result that takes its place. A program never names it; entries that continue another pass it on.
 */
export interface StateSpec {
  /** Last part of the state's name: `conv_state`. */
  readonly name: string;
  /** The optional operand that takes it; such operands come last in the signature. */
  readonly operand: string;
  /** Which result is the new state. */
  readonly result: number;
}

export interface OpSignature {
  readonly name: string;
  readonly summary: string;
  /** As it is written in the reference: `x: *b m k, w: *c k n -> *d m n`. */
  readonly signature: string;
  readonly operands: readonly OperandSpec[];
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  readonly states: readonly StateSpec[];
  infer(operands: readonly TensorType[], attributes: Attributes): Inference;
}

export interface OpCatalog {
  find(name: string): OpSignature | undefined;
  names(): readonly string[];
}
