/**
 * What the axes of a sum of products are.
 *
 * Owns: which coordinates are rows (the left operand's alone), columns (the right's alone) and batch
 * (both).
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import type { Contraction, Index } from "../../ops/lowering.ts";
import { readsAxis } from "../nodes.ts";
import { contextOf } from "../reader.ts";

export interface Axes {
  readonly contraction: Contraction;
  readonly left: Value;
  readonly right: Value;
  readonly bias: Value | undefined;
  /** Axes of the result. */
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly shape: readonly Dim[];
  readonly result: Value;
}

export function axesOf(root: Node): Axes {
  const { lowering } = root.op;
  const [left, right, bias] = root.operands;
  const [result] = root.results;
  if (lowering.kind !== "contract" || left === undefined || right === undefined || result === undefined)
    throw internalFault(`${root.op.name} is no contraction`);
  const contraction = lowering.axes(contextOf(root));
  const { shape } = result.type;
  const uses = (indices: readonly Index[], axis: number) => indices.some((index) => readsAxis(index, axis));
  const places = shape.map((_, axis) => axis);
  const inLeft = (axis: number) => uses(contraction.left, axis);
  const inRight = (axis: number) => uses(contraction.right, axis);
  return {
    contraction,
    left,
    right,
    bias,
    batch: places.filter((axis) => inLeft(axis) && inRight(axis)),
    rows: places.filter((axis) => !inRight(axis)),
    columns: places.filter((axis) => inRight(axis) && !inLeft(axis)),
    shape,
    result,
  };
}

export function sizesOf({ shape }: Axes, list: readonly number[]): readonly Dim[] {
  return list.map((axis) => shape[axis] ?? Dim.of(1));
}

/** How many coordinates there are along the axes together. */
export function extentOf(axes: Axes, list: readonly number[]): Dim {
  return productDims(sizesOf(axes, list));
}
