/**
 * Tensor types: an element type and a shape of symbolic dimensions.
 *
 * Owns: their data, equality and printing. Inference is the ops' (catalog.ts) and the evaluator's.
 */
import type { Dim } from "./dims.ts";

export const dtypes = ["f32", "f16", "bf16", "i64", "i32", "bool"] as const;
export type DType = (typeof dtypes)[number];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export function isDType(name: string): name is DType {
  return (dtypes as readonly string[]).includes(name);
}

export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16" || dtype === "bf16";
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => b[axis]?.equals(dim) === true);
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** The same for equal types and no others; shorter to make than `printType`. */
export function typeKey({ dtype, shape }: TensorType): string {
  let key: string = dtype;
  for (const dim of shape) key += `,${dim.key}`;
  return key;
}

export function printShape(shape: readonly Dim[]): string {
  return `[${shape.map(String).join(", ")}]`;
}

export function printType(type: TensorType): string {
  return `${type.dtype}${printShape(type.shape)}`;
}
