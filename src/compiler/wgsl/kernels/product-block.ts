/**
 * The block of rows and columns of a product that one invocation holds.
 *
 * Owns: which reads come four at a time, along the columns or along the sum, and how many rows and
 * columns a block has by default.
 */
import { Dim } from "../../../lang/dims.ts";
import type { Node, Value } from "../../graph.ts";
import type { Index } from "../../ops/lowering.ts";
import { KernelWriter, type Lanes } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { Reader } from "../reader.ts";
import type { KernelContext } from "./kernel.ts";
import { type Axes, extentOf, sizesOf } from "./product-axes.ts";

export interface ProductBlock {
  readonly rows: number;
  readonly columns: number;
  /** 4: neighbouring columns are read at once. */
  readonly columnLanes: Lanes;
  /** 4: neighbouring terms of the sum are read at once, of both operands. */
  readonly depthLanes: Lanes;
  /** 4: neighbouring terms of the sum are read at once, of the left operand alone. */
  readonly leftLanes: Lanes;
}

export function blockOf(
  root: Node,
  axes: Axes,
  rows: Dim,
  columns: Dim,
  context: KernelContext,
): ProductBlock {
  const { tuning } = context;
  const { contraction } = axes;
  const depth = contraction.reduce.at(-1) ?? Dim.of(1);
  const isDeep = depth.constant !== 1 && depth.divideExactly(4) !== undefined;
  const probe = (value: Value, indices: readonly Index[], along: "column" | "depth"): boolean =>
    !contraction.padded && readsFour(root, axes, value, indices, along, context);
  const byColumn =
    columns.constant !== 1 &&
    columns.divideExactly(4) !== undefined &&
    probe(axes.right, contraction.right, "column");
  const leftDeep = isDeep && probe(axes.left, contraction.left, "depth");
  const rightDeep = isDeep && probe(axes.right, contraction.right, "depth");
  const mostRows = rows.constant ?? Number.POSITIVE_INFINITY;
  const mostColumns = columns.constant ?? Number.POSITIVE_INFINITY;
  const held = Math.max(1, Math.min(tuning.rows, mostRows, Math.max(1, context.typical(rows))));
  if (byColumn) {
    const wide = Math.max(4, Math.min(tuning.columns, mostColumns));
    return { rows: held, columns: wide, columnLanes: 4, depthLanes: 1, leftLanes: leftDeep ? 4 : 1 };
  }
  const few = Math.max(1, Math.min(mostRows === 1 ? 1 : 4, mostColumns));
  if (leftDeep && rightDeep) {
    return { rows: Math.min(held, 8), columns: few, columnLanes: 1, depthLanes: 4, leftLanes: 4 };
  }
  // Each read is guarded: a smaller block keeps the kernel short.
  if (contraction.padded) {
    return {
      rows: Math.min(held, 4),
      columns: Math.min(few, 2),
      columnLanes: 1,
      depthLanes: 1,
      leftLanes: 1,
    };
  }
  return { rows: Math.min(held, 8), columns: few, columnLanes: 1, depthLanes: 1, leftLanes: 1 };
}

/** Whether four elements in a row, along the columns or along the sum, are one read. */
function readsFour(
  root: Node,
  axes: Axes,
  value: Value,
  indices: readonly Index[],
  along: "column" | "depth",
  { buffers }: KernelContext,
): boolean {
  const named = (name: string, list: readonly number[], step: number) =>
    unflattened(Position.name(name, extentOf(axes, list), step), sizesOf(axes, list));
  const batch = named("batch", axes.batch, 1);
  const rows = named("row", axes.rows, 1);
  const columns = named("column", axes.columns, 4);
  const { reduce } = axes.contraction;
  const inner = reduce.map((size, at) => Position.name(`k${at}`, size, at === reduce.length - 1 ? 4 : 1));
  const all = axes.shape.map((_, axis) => {
    const [inBatch, inRows] = [axes.batch.indexOf(axis), axes.rows.indexOf(axis)];
    if (inBatch >= 0) return batch[inBatch] ?? Position.of(0);
    if (inRows >= 0) return rows[inRows] ?? Position.of(0);
    return columns[axes.columns.indexOf(axis)] ?? Position.of(0);
  });
  // A writer of its own, which is thrown away: reading tells how the reads came out.
  const writer = new KernelWriter([1, 1, 1]);
  const reader = new Reader(writer, buffers);
  const at = indices.map((index) => reader.index(index, [...all, ...inner], root));
  const name = along === "column" ? "column" : `k${reduce.length - 1}`;
  const before = writer.loads;
  reader.read(value, at, name);
  const after = writer.loads;
  return after.four > before.four && after.one - before.one <= after.four - before.four;
}
