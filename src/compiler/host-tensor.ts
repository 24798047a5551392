/**
 * Tensors in ordinary memory.
 *
 * A leaf: the interpreter, the weight readers and the runtime share it, and it imports only types.
 * `f32` data may be held as Float32Array (read from a file) or Float64Array (computed): the
 * reference keeps every intermediate in f64, so that it is an oracle and not one more rounding.
 * `i64` is held as Float64Array of exact integers (|v| <= 2^53): shapes, indices and ids fit, and
 * arithmetic stays in one number type.
 */
import type { DType } from "../lang/types.ts";

export type TensorData = Float32Array | Float64Array | Int32Array | Uint8Array;

export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Row-major and contiguous; its length is the product of the shape. */
  readonly data: TensorData;
}

/** What a checkpoint says of one tensor without reading it. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Named tensors that are read one at a time, so that a checkpoint never sits in memory whole. */
export interface WeightSource {
  /** What to call it in messages: a file name, `random, seed 7`. */
  readonly label: string;
  names(): readonly string[];
  info(name: string): TensorInfo | undefined;
  read(name: string): Promise<HostTensor>;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Zeroed storage in the type that computed values of `dtype` use. */
export function allocate(
  dtype: DType,
  shape: readonly number[],
): { dtype: DType; shape: readonly number[]; data: TensorData } {
  const count = elementCount(shape);
  if (dtype === "bool") return { dtype, shape, data: new Uint8Array(count) };
  if (dtype === "i32") return { dtype, shape, data: new Int32Array(count) };
  return { dtype, shape, data: new Float64Array(count) };
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}
