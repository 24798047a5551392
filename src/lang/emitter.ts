/**
 * What evaluation of a program produces, as an interface.
 *
 * Owns: the seam between the language, which decides what happens, and the compiler, which records
 * it as a graph. `check` evaluates with an emitter that records nothing.
 */
import type { BlockDeclaration } from "./ast.ts";
import type { Attributes, OpSignature, Requirement } from "./catalog.ts";
import type { Dim } from "./dims.ts";
import type { Span } from "./source.ts";
import type { DType, TensorType } from "./types.ts";

/** The emitter's own name of a value; opaque to the language. */
export type Handle = object;

/** How a learned tensor starts when no checkpoint is given. */
export type Initializer =
  | { readonly kind: "zeros" }
  | { readonly kind: "ones" }
  | { readonly kind: "normal"; readonly mean: number; readonly std: number }
  /** Normal, redrawn outside two standard deviations (timm's trunc_normal_). */
  | { readonly kind: "truncated-normal"; readonly std: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "value"; readonly value: Handle };

/** Where a value comes from: the path of the block instance that made it, and the text. */
export interface Origin {
  /** `encoder.layer.3.attention` */
  readonly path: string;
  readonly span: Span;
  /** The innermost of the blocks at work. */
  readonly frame?: BlockFrame | undefined;
}

/** One of the blocks at work, as far as those who read a graph need to know. */
export interface BlockFrame {
  readonly declaration: BlockDeclaration;
  readonly path: string | undefined;
  readonly outer: BlockFrame | undefined;
}

export interface Emitter {
  /** `sampleRate` in samples a second, for a waveform. */
  input(name: string, type: TensorType, origin: Origin, sampleRate: number | undefined): Handle;
  /** An input that carries the recurrent state called `name` from an earlier call. */
  state(name: string, type: TensorType, origin: Origin): Handle;
  /** Asked once for each path; the same path gives the same handle. */
  parameter(path: string, type: TensorType, initial: Initializer, origin: Origin): Handle;
  /** A scalar or a small list of numbers known while compiling. */
  constant(values: readonly number[], type: TensorType, origin: Origin): Handle;
  /** The value of a dimension expression as an integer scalar of `dtype`. */
  dimension(dim: Dim, dtype: DType, origin: Origin): Handle;
  op(
    op: OpSignature,
    operands: readonly Handle[],
    attributes: Attributes,
    results: readonly TensorType[],
    origin: Origin,
  ): readonly Handle[];
  /** Makes a value known by a path, so that a user can ask for it: a block's result, a `let`. */
  name(path: string, value: Handle): void;
  require(requirement: Requirement, origin: Origin): void;
}
