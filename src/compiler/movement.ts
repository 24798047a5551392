/**
 * Moving elements without arithmetic, fast.
 *
 * Owns: running a view whose one piece reads its operand at affine indices (transposes, slices,
 * broadcasts) as a strided copy that keeps the operand's storage type: a transposed Float32Array
 * stays one. Anything else is left to the op's reference.
 */
import type { TensorType } from "../lang/types.ts";
import { elementCount, type HostTensor, rowMajorStrides, type TensorData } from "./host-tensor.ts";
import type { Index, Lowering, LoweringContext } from "./ops/lowering.ts";
import { walk } from "./walk.ts";

/** The moved tensor, or `undefined` when the lowering is not such a view. Types must be bound. */
export function move(
  lowering: Lowering,
  operands: readonly HostTensor[],
  context: LoweringContext,
): HostTensor | undefined {
  if (lowering.kind !== "view") return undefined;
  const [piece, ...others] = lowering.pieces(context);
  const [result] = context.results;
  const shape = result && boundShape(result);
  if (!piece || !result || !shape || others.length > 0 || (piece.when?.length ?? 0) > 0) return undefined;
  const source = operands[piece.operand];
  if (source === undefined || source.dtype !== result.dtype) return undefined;
  const path = affineSum(piece.at, rowMajorStrides(source.shape), shape.length);
  if (path === undefined) return undefined;
  const data = emptyLike(source.data, elementCount(shape));
  copy(source.data, data, shape, path);
  return { dtype: result.dtype, shape, data };
}

/** An offset as a function of the result's coordinates: `start` + the sum of stride times coordinate. */
interface Path {
  readonly start: number;
  readonly strides: readonly number[];
}

/** Planes of the last two axes are copied by `copyPlane`; only the axes before them pay for the odometer. */
function copy(from: TensorData, to: TensorData, shape: readonly number[], path: Path): void {
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const [rowStride, columnStride] = [path.strides.at(-2) ?? 0, path.strides.at(-1) ?? 0];
  walk(shape.slice(0, -2), [path.strides.slice(0, -2)], (plane, [offset = 0]) => {
    copyPlane(from, path.start + offset, rowStride, columnStride, to, plane * rows * columns, rows, columns);
  });
}

/** In square tiles, so that a transpose uses every cache line that it touches while it is there. */
function copyPlane(
  from: TensorData,
  read: number,
  rowStride: number,
  columnStride: number,
  to: TensorData,
  write: number,
  rows: number,
  columns: number,
): void {
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const width = Math.min(tile, columns - left);
      for (let row = top; row < bottom; row++) {
        let source = read + row * rowStride + left * columnStride;
        let target = write + row * columns + left;
        for (const end = target + width; target < end; target++) {
          to[target] = from[source] ?? 0;
          source += columnStride;
        }
      }
    }
  }
}

const tile = 32;

function affineSum(at: readonly Index[], operandStrides: readonly number[], rank: number): Path | undefined {
  let start = 0;
  const strides = new Array<number>(rank).fill(0);
  for (const [axis, index] of at.entries()) {
    const path = affine(index, rank);
    if (path === undefined) return undefined;
    const step = operandStrides[axis] ?? 1;
    start += path.start * step;
    for (const [k, stride] of path.strides.entries()) strides[k] = (strides[k] ?? 0) + stride * step;
  }
  return { start, strides };
}

function affine(index: Index, rank: number): Path | undefined {
  const still = new Array<number>(rank).fill(0);
  switch (index.kind) {
    case "coordinate":
      return { start: 0, strides: still.with(index.axis, 1) };
    case "constant":
      return index.value.constant === undefined ? undefined : { start: index.value.constant, strides: still };
    case "add":
    case "mul": {
      const a = affine(index.a, rank);
      const b = affine(index.b, rank);
      if (a === undefined || b === undefined) return undefined;
      if (index.kind === "add") {
        return {
          start: a.start + b.start,
          strides: a.strides.map((stride, axis) => stride + (b.strides[axis] ?? 0)),
        };
      }
      if (b.strides.every((stride) => stride === 0)) return scale(a, b.start);
      return a.strides.every((stride) => stride === 0) ? scale(b, a.start) : undefined;
    }
    case "element":
    case "div":
    case "mod":
      return undefined;
  }
}

function scale(path: Path, by: number): Path {
  return { start: path.start * by, strides: path.strides.map((stride) => stride * by) };
}

function boundShape(type: TensorType): readonly number[] | undefined {
  const shape = type.shape.map((dim) => dim.constant);
  return shape.every((size) => size !== undefined) ? shape : undefined;
}

function emptyLike(data: TensorData, count: number): TensorData {
  if (data instanceof Float32Array) return new Float32Array(count);
  if (data instanceof Int32Array) return new Int32Array(count);
  if (data instanceof Uint8Array) return new Uint8Array(count);
  return new Float64Array(count);
}
