/**
 * A product whose sums are split between the invocations of a workgroup: for few rows, where columns
 * alone would leave a device idle.
 *
 * Each slice sums every so-many-th term; the parts are added up through workgroup memory, always in the
 * same order, or by subgroups, where a device has them. Invocations next to each other read what lies
 * next to each other: neighbouring columns, or neighbouring terms where a column's terms lie together.
 */
import { KernelWriter, typeText } from "../kernel-writer.ts";
import type { Kernel } from "./kernel.ts";
import type { ProductBlock } from "./product-block.ts";
import { type Product, ProductFrame } from "./product-frame.ts";
import { rowFolds } from "./rows.ts";

export interface SplitShape {
  readonly rows: number;
  readonly columns: number;
  /** Invocations along the columns, and along the sum. */
  readonly across: number;
  readonly slices: number;
  /** Whether subgroups add the parts up: of kernels whose workgroup has one sum for each column. */
  readonly subgroups?: boolean;
}

/** Workgroup memory that a split product takes, in bytes. */
export function splitBytes({ rows, columns, across, slices }: SplitShape, block: ProductBlock): number {
  const held = rows * (columns / block.columnLanes);
  return held * across * slices * (block.columnLanes === 4 || block.depthLanes === 4 ? 16 : 4);
}

export function splitProduct(product: Product, given: ProductBlock, shape: SplitShape): Kernel | undefined {
  const { axes, batch, rows, columns, group } = product;
  const { across, slices } = shape;
  const block = { ...given, rows: shape.rows, columns: shape.columns };
  const [depth] = axes.contraction.reduce;
  if (depth === undefined || axes.contraction.reduce.length !== 1 || axes.contraction.padded)
    return undefined;
  const workgroup = across * slices;
  const writer = new KernelWriter([workgroup, 1, 1]);
  const named = (text: string, prefix: string): string =>
    writer.named({ text, type: "i32", lanes: 1, depth: 0 }, prefix).text;
  const byDepth = block.depthLanes === 4;
  const slice = named(byDepth ? `(local % ${slices})` : `(local / ${across})`, "slice");
  const at = named(byDepth ? `(local / ${slices})` : `(local % ${across})`, "across");
  const first = named(`group.y * ${block.rows}`, "m");
  const start = named(`(group.x * ${across} + ${at}) * ${block.columns}`, "n");
  const frame = new ProductFrame(product, block, writer);
  const { lanes, step } = frame;

  const areRowsWhole = rows.divideExactly(block.rows) !== undefined;
  const rowParts = Array.from({ length: block.rows }, (_, r) =>
    frame.row(r === 0 ? first : `${first} + ${r}`, areRowsWhole || r === 0),
  );
  const isWhole = columns.divideExactly(block.columns * across) !== undefined;
  const columnParts = Array.from({ length: block.columns / block.columnLanes }, (_, c) =>
    frame.column(c === 0 ? start : `${start} + ${c * block.columnLanes}`, isWhole),
  );
  const { prologue } = group;
  const folded = rowParts.map(({ at: row }) =>
    prologue === undefined ? [] : rowFolds(frame.reader, prologue, row),
  );
  const sums = frame.sums(rowParts, columnParts);
  writer.range(
    "k",
    step === 1 ? slice : `${slice} * ${step}`,
    writer.size(depth),
    depth,
    step * slices,
    (position, loop) => frame.accumulate(sums, rowParts, columnParts, [position], loop, folded),
    step,
  );

  const type = typeText("f32", lanes);
  const held = columnParts.length;
  const isBySubgroups = shape.subgroups === true && across === 1;
  const parts = writer.shared(type, block.rows * held * workgroup, splitBytes(shape, block));
  const partAt = (r: number, c: number, of: string): string =>
    `${parts}[${(r * held + c) * workgroup} + ${of} * ${across} + ${at}]`;
  if (isBySubgroups) {
    // Which invocations make a subgroup is the device's choice: the first of each leaves its sum in its own place.
    writer.require("subgroups");
    const lead = named("subgroupMin(local)", "lead");
    rowParts.forEach((_, r) => {
      columnParts.forEach((_column, c) => {
        const sum = writer.variable("sum", "f32", `subgroupAdd(${sums[r]?.[c]})`, lanes);
        writer.block("if (lane == 0)", false, () => writer.line(`${partAt(r, c, lead)} = ${sum};`));
      });
    });
  } else {
    rowParts.forEach((_, r) => {
      columnParts.forEach((_column, c) => {
        writer.line(`${partAt(r, c, slice)} = ${sums[r]?.[c]};`);
      });
    });
  }
  writer.line("workgroupBarrier();");
  // Every subgroup adds what all left: places that none left anything in are 0.
  const wholes = rowParts.map((_, r) =>
    columnParts.map((_column, c) => {
      if (!isBySubgroups) return undefined;
      const sum = writer.variable("total", "f32", `${type}()`, lanes);
      const s = writer.fresh("s");
      writer.block(`for (var ${s} = lane; ${s} < ${slices}; ${s} += lanes)`, true, () => {
        writer.line(`${sum} += ${partAt(r, c, s)};`);
      });
      writer.line(`${sum} = subgroupAdd(${sum});`);
      return sum;
    }),
  );
  // Rows and columns are finished by one slice each, those that there are by turns.
  rowParts.forEach((row, r) => {
    columnParts.forEach((column, c) => {
      const conditions = [
        `(${slice} == ${(r * held + c) % slices})`,
        ...(isWhole ? [] : [`(${column.text} < ${writer.size(columns)})`]),
        ...(r === 0 || areRowsWhole ? [] : [`(${row.text} < ${writer.size(rows)})`]),
      ];
      frame.guarded(conditions, () => {
        const whole = wholes[r]?.[c];
        if (whole !== undefined) {
          frame.store(whole, row, column);
          return;
        }
        const sum = writer.variable("total", "f32", partAt(r, c, "0"), lanes);
        const s = writer.fresh("s");
        writer.block(`for (var ${s} = 1; ${s} < ${slices}; ${s} += 1)`, true, () => {
          writer.line(`${sum} += ${partAt(r, c, s)};`);
        });
        frame.store(sum, row, column);
      });
    });
  });

  const rowGroups = rows.ceilDivide(block.rows);
  const columnGroups = columns.ceilDivide(block.columns * across);
  const wholeRows = rowGroups.mul(block.rows);
  const wholeColumns = columnGroups.mul(block.columns * across);
  writer.runs(batch.mul(rowGroups).mul(columnGroups).mul(workgroup));
  return {
    writer,
    label: `contract ${block.rows}x${block.columns} in ${slices} slices${isBySubgroups ? " by subgroups" : ""}${prologue === undefined ? "" : " of normalised"}`,
    workgroups: [columnGroups, rowGroups, batch],
    ...frame.work(wholeRows, wholeColumns),
  };
}
