/**
 * What an op's ONNX lowering may use. Types only; emit.ts implements it.
 */
import type { Attributes } from "../../lang/catalog.ts";
import type { Dim } from "../../lang/dims.ts";
import type { DType, TensorType } from "../../lang/types.ts";

export type OnnxAttribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly values: readonly number[] }
  | { readonly kind: "floats"; readonly values: readonly number[] };

/**
 * The operators to write with. `portable`: those of the standard, which every runtime has. `ort`:
 * onnxruntime's own too, where an op has a lowering with them.
 */
export type OnnxProfile = "portable" | "ort";

export interface OnnxContext {
  /** Names of the operands' tensors. */
  readonly inputs: readonly string[];
  readonly operands: readonly TensorType[];
  readonly results: readonly TensorType[];
  readonly attributes: Attributes;
  /** Adds a node of the default domain; an empty input name stands for an absent optional input. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  nodes(
    opType: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): readonly string[];
  /** The same in onnxruntime's own domain, `com.microsoft`: for lowerings of the `ort` profile alone. */
  ownNodes(
    opType: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): readonly string[];
  /** A small constant, deduplicated. `shape` defaults to a vector, `[]` makes a scalar. */
  constant(dtype: DType, values: readonly number[], shape?: readonly number[]): string;
  /** A vector of i64 with the values of the dimensions: a constant when they are numbers, else computed from the inputs' shapes. */
  dims(dims: readonly Dim[]): string;
  /** The same for one dimension, as a scalar. */
  dim(dim: Dim): string;
  /** The tensor of `name` as `to`; the same name when nothing changes. */
  cast(name: string, from: DType, to: DType): string;
}

export const int = (value: number): OnnxAttribute => ({ kind: "int", value });
export const float = (value: number): OnnxAttribute => ({ kind: "float", value });
export const string = (value: string): OnnxAttribute => ({ kind: "string", value });
export const ints = (values: readonly number[]): OnnxAttribute => ({ kind: "ints", values });
