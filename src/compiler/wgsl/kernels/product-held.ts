/**
 * A product whose invocations share nothing: each holds a block of rows and columns in registers.
 *
 * All invocations of a workgroup have the same rows, so that reads of the left operand are uniform.
 * This suits devices that run shaders in software, and any product of few columns.
 */
import { internalFault } from "../../fault.ts";
import { KernelWriter } from "../kernel-writer.ts";
import type { Kernel } from "./kernel.ts";
import { normaliseBlock } from "./norm.ts";
import type { ProductBlock } from "./product-block.ts";
import { type Product, ProductFrame } from "./product-frame.ts";
import { rowFolds } from "./rows.ts";

/** @param notes what tells it from others of the same shape */
export function heldProduct(
  product: Product,
  block: ProductBlock,
  most: number,
  notes: readonly string[] = [],
): Kernel {
  const { batch, rows, columns, group, context, tail } = product;
  const { prologue, norm } = group;
  // A workgroup that normalises rows holds all their columns.
  const workgroup =
    norm !== undefined && columns.constant !== undefined
      ? columns.constant / block.columns
      : columns.constant === undefined
        ? most
        : Math.max(1, Math.min(most, Math.ceil(columns.constant / block.columns)));
  const writer = new KernelWriter([workgroup, 1, 1]);
  const first = writer.named({ text: `group.y * ${block.rows}`, type: "i32", lanes: 1, depth: 0 }, "m").text;
  const frame = new ProductFrame(product, block, writer);
  const { reader } = frame;

  const areRowsWhole = rows.divideExactly(block.rows) !== undefined;
  const rowParts = Array.from({ length: block.rows }, (_, r) =>
    frame.row(r === 0 ? first : `${first} + ${r}`, areRowsWhole || r === 0),
  );
  const start = writer.named(
    { text: `(group.x * ${workgroup} + local) * ${block.columns}`, type: "i32", lanes: 1, depth: 0 },
    "n",
  ).text;
  if (norm === undefined) writer.line(`if (${start} >= ${writer.size(columns)}) { return; }`);
  const isWhole = columns.divideExactly(block.columns) !== undefined;
  const columnParts = Array.from({ length: block.columns / block.columnLanes }, (_, c) =>
    frame.column(c === 0 ? start : `${start} + ${c * block.columnLanes}`, isWhole || c === 0),
  );

  const folded = rowParts.map(({ at }) => (prologue === undefined ? [] : rowFolds(reader, prologue, at)));
  const sums = frame.sums(rowParts, columnParts);
  frame.loops(columnParts, (inner, loop, located) =>
    frame.accumulate(sums, rowParts, columnParts, inner, loop, folded, located),
  );

  const inRows = (r: number): string[] =>
    r === 0 || areRowsWhole ? [] : [`(${first} + ${r} < ${writer.size(rows)})`];
  if (norm !== undefined) {
    if (block.columnLanes !== 4) throw internalFault("rows are normalised in fours", group.root.provenance);
    normaliseBlock(
      reader,
      {
        rows: block.rows,
        workgroup,
        columns: columnParts.map(({ along }) => along),
        at: (r, c) => frame.place(rowParts[r]?.at ?? [], columnParts[c]?.at ?? []),
        summed: (r, c, at, along) => frame.summed(sums[r]?.[c] ?? "", at, along),
        guarded: (r, end) => frame.guarded(inRows(r), end),
      },
      tail,
      norm,
      context.target,
    );
  } else {
    rowParts.forEach((row, r) => {
      columnParts.forEach((column, c) => {
        const inColumns = c === 0 || isWhole ? [] : [`(${column.text} < ${writer.size(columns)})`];
        frame.guarded([...inRows(r), ...inColumns], () => frame.store(sums[r]?.[c] ?? "", row, column));
      });
    });
  }

  const rowGroups = rows.ceilDivide(block.rows);
  const wholeRows = rowGroups.mul(block.rows);
  const wholeColumns = columns.ceilDivide(block.columns).mul(block.columns);
  writer.runs(batch.mul(rowGroups).mul(columns.ceilDivide(block.columns)));
  return {
    writer,
    label: [
      `contract ${block.rows}x${block.columns}${prologue === undefined ? "" : " of normalised"}`,
      ...(norm === undefined ? [] : ["normalised"]),
      ...notes,
      ...(most === context.tuning.productWorkgroup ? [] : [`${workgroup} invocations`]),
    ].join(", "),
    workgroups: [columns.ceilDivide(block.columns * workgroup), rowGroups, batch],
    ...frame.work(wholeRows, wholeColumns),
  };
}
