/**
 * Sums of products: matrix products and convolutions, by one kernel.
 *
 * Owns: which coordinates are rows (the left operand's alone), columns (the right's alone) and batch
 * (both), and the block of rows and columns that one invocation holds in registers. All invocations of a
 * workgroup share their rows, so that reads of the left operand are uniform; no memory is shared.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import type { Contraction, Index } from "../../ops/lowering.ts";
import type { At } from "../coordinates.ts";
import { KernelWriter, type Lanes, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { contextOf, Reader, sharedScale } from "../reader.ts";
import { widened } from "../scalar-text.ts";
import { type Kernel, type KernelContext, type KernelMaker, mostWorkgroups } from "./kernel.ts";
import { type Block, normaliseBlock } from "./norm.ts";
import { rowElement, rowFolds } from "./rows.ts";
import { finish } from "./tail.ts";

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
  const uses = (indices: readonly Index[], axis: number) => indices.some((index) => reads(index, axis));
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

function reads(index: Index, axis: number): boolean {
  if (index.kind === "coordinate") return index.axis === axis;
  if (index.kind === "constant") return false;
  if (index.kind === "element") return index.at.some((part) => reads(part, axis));
  return reads(index.a, axis) || reads(index.b, axis);
}

export const contractKernel: KernelMaker = (group, context): readonly Kernel[] => {
  const { root, tails } = group;
  const [tail] = tails;
  if (tail === undefined) throw internalFault(`${root.op.name} has no result`);
  const axes = axesOf(root);
  const extent = (list: readonly number[]) => productDims(list.map((axis) => axes.shape[axis] ?? Dim.of(1)));
  const [batch, rows, columns] = [extent(axes.batch), extent(axes.rows), extent(axes.columns)];
  if ([batch, rows, columns].some((size) => size.constant === 0)) return [];
  // What is normalised as it is read is read where it was.
  const left = group.prologue?.operands[0] ?? axes.left;
  const plan = planOf(root, { ...axes, left }, rows, columns, context);
  const { tuning } = context;
  // A workgroup that normalises rows holds all their columns.
  const workgroup =
    group.norm !== undefined && columns.constant !== undefined
      ? columns.constant / plan.columns
      : columns.constant === undefined
        ? tuning.productWorkgroup
        : Math.max(1, Math.min(tuning.productWorkgroup, Math.ceil(columns.constant / plan.columns)));
  const writer = new KernelWriter([workgroup, 1, 1]);
  const reader = new Reader(writer, context.buffers);

  const columnGroups = columns.ceilDivide(plan.columns * workgroup);
  const rowGroups = rows.ceilDivide(plan.rows);
  const layers = batch;

  // Rows, the same for the whole workgroup.
  const rowBase = `${writer.named({ text: `group.y * ${plan.rows}`, type: "i32", lanes: 1, depth: 0 }, "m").text}`;
  const layer = writer.coordinate("layer", "group.z", batch);
  const layerAt = unflattened(
    layer,
    axes.batch.map((axis) => axes.shape[axis] ?? Dim.of(1)),
  );
  const lastRow = writer.size(rows.sub(1));
  const rowAt = Array.from({ length: plan.rows }, (_, r) => {
    const isWhole = rows.divideExactly(plan.rows) !== undefined;
    const text = r === 0 ? rowBase : `${rowBase} + ${r}`;
    const position = writer.coordinate("row", isWhole || r === 0 ? text : `min(${text}, ${lastRow})`, rows);
    return unflattened(
      position,
      axes.rows.map((axis) => axes.shape[axis] ?? Dim.of(1)),
    );
  });

  // Columns, those of this invocation.
  const start = writer.named(
    { text: `(group.x * ${workgroup} + local) * ${plan.columns}`, type: "i32", lanes: 1, depth: 0 },
    "n",
  ).text;
  if (group.norm === undefined) writer.line(`if (${start} >= ${writer.size(columns)}) { return; }`);
  const isWhole = columns.divideExactly(plan.columns) !== undefined;
  const columnAt = Array.from({ length: plan.columns / plan.columnLanes }, (_, c) => {
    const text = c === 0 ? start : `${start} + ${c * plan.columnLanes}`;
    const last = writer.size(columns.sub(plan.columnLanes));
    const position = writer.coordinate(
      "col",
      isWhole || c === 0 ? text : `min(${text}, ${last})`,
      columns,
      plan.columnLanes,
    );
    return {
      text,
      name: position.names()[0],
      at: unflattened(
        position,
        axes.columns.map((axis) => axes.shape[axis] ?? Dim.of(1)),
      ),
    };
  });

  const place = (row: At, column: At): Position[] =>
    axes.shape.map((_, axis) => {
      const inBatch = axes.batch.indexOf(axis);
      if (inBatch >= 0) return layerAt[inBatch] ?? Position.of(0);
      const inRows = axes.rows.indexOf(axis);
      if (inRows >= 0) return row[inRows] ?? Position.of(0);
      return column[axes.columns.indexOf(axis)] ?? Position.of(0);
    });

  const { prologue } = group;
  const folded = rowAt.map((row) => (prologue === undefined ? [] : rowFolds(reader, prologue, row)));

  const lanes: Lanes = plan.columnLanes === 4 || plan.depthLanes === 4 ? 4 : 1;
  const sums = rowAt.map(() =>
    columnAt.map(() => writer.variable("sum", "f32", lanes === 4 ? "vec4<f32>()" : "0.0f", lanes)),
  );
  const anyColumn = columnAt[0]?.at ?? [];
  const anyRow = rowAt[0] ?? [];
  const step = plan.depthLanes === 4 || plan.leftLanes === 4 ? 4 : 1;

  const body = (inner: readonly Position[], loop: string | undefined): void => {
    const leftAt = (row: At) => [...place(row, anyColumn), ...inner];
    const rightAt = (column: At, shift: number) => [
      ...place(anyRow, column),
      ...inner.map((position) =>
        loop === undefined || shift === 0 ? position : position.substituted(loop, shift),
      ),
    ];
    const read = (value: Value, indices: readonly Index[], all: At, along: string | undefined): Term => {
      const at = indices.map((index) => reader.index(index, all, root));
      const condition = axes.contraction.padded ? reader.inside(value, indices, all, root) : undefined;
      if (condition === undefined) return writer.named(reader.read(value, at, along), "x");
      return writer.copied(reader.guarded(value, at, condition), "x");
    };
    const leftAlong = step === 4 ? loop : undefined;
    const leftTerms = rowAt.map((row, r) => {
      if (prologue === undefined) return read(axes.left, axes.contraction.left, leftAt(row), leftAlong);
      const at = axes.contraction.left.map((index) => reader.index(index, leftAt(row), root));
      return writer.named(rowElement(reader, prologue, at, folded[r] ?? [], leftAlong), "x");
    });
    if (plan.depthLanes === 4) {
      columnAt.forEach((column, c) => {
        const b = widened(read(axes.right, axes.contraction.right, rightAt(column.at, 0), loop), 4);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          writer.line(`${sum} = fma(${widened(a, 4).text}, ${b.text}, ${sum});`);
        });
      });
      return;
    }
    for (let shift = 0; shift < step; shift++) {
      columnAt.forEach((column, c) => {
        const along = plan.columnLanes === 4 ? column.name : undefined;
        const b = widened(read(axes.right, axes.contraction.right, rightAt(column.at, shift), along), lanes);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          const part: Term = a.lanes === 4 ? { ...a, text: `${a.text}.${"xyzw"[shift]}`, lanes: 1 } : a;
          writer.line(`${sum} = fma(${widened(part, lanes).text}, ${b.text}, ${sum});`);
        });
      });
    }
  };

  const nest = (rest: readonly Dim[], inner: readonly Position[]): void => {
    const [size, ...others] = rest;
    if (size === undefined) {
      body(inner, undefined);
      return;
    }
    if (others.length > 0) {
      writer.loop("k", size, 1, (position) => nest(others, [...inner, position]));
      return;
    }
    // Scales are read once for all terms that share them.
    const shared = sharedScale(axes.right, context.buffers) ?? 1;
    const isBlocked =
      shared > step &&
      shared % step === 0 &&
      size.constant !== shared &&
      size.divideExactly(shared) !== undefined;
    if (!isBlocked) {
      writer.loop("k", size, step, (position, name) => body([...inner, position], name));
      return;
    }
    writer.loop("g", size.ceilDivide(shared), 1, (block) => {
      writer.loop("k", Dim.of(shared), step, (position, name) =>
        body([...inner, block.times(shared).add(position)], name),
      );
    });
  };
  nest(axes.contraction.reduce, []);

  const summed = (r: number, c: number, at: At, along: string | undefined): Term => {
    const name = sums[r]?.[c] ?? "";
    let text = plan.depthLanes === 4 ? `((${name}.x + ${name}.y) + (${name}.z + ${name}.w))` : name;
    if (axes.contraction.bias !== undefined && axes.bias !== undefined) {
      const indices = axes.contraction.bias.map((index) => reader.index(index, at, root));
      text = `(${text} + ${widened(reader.read(axes.bias, indices, along), along === undefined ? 1 : 4).text})`;
    }
    return { text, type: "f32", lanes: along === undefined ? 1 : 4, depth: writer.depth };
  };
  const inRows = (r: number): string[] =>
    r === 0 || rows.divideExactly(plan.rows) !== undefined
      ? []
      : [`(${rowBase} + ${r} < ${writer.size(rows)})`];
  const guarded = (conditions: readonly string[], end: () => void): void =>
    writer.block(conditions.length === 0 ? "" : `if (${conditions.join(" & ")})`, true, end);

  const block: Block = {
    rows: plan.rows,
    workgroup,
    columns: columnAt.map(({ name }) => name),
    at: (r, c) => place(rowAt[r] ?? [], columnAt[c]?.at ?? []),
    summed,
    guarded: (r, end) => guarded(inRows(r), end),
  };
  if (group.norm !== undefined) {
    if (plan.columnLanes !== 4) throw internalFault("rows are normalised in fours", root.provenance);
    normaliseBlock(reader, block, tail, group.norm, context.target);
  } else {
    rowAt.forEach((_, r) => {
      columnAt.forEach((column, c) => {
        const inColumns = c === 0 || isWhole ? [] : [`(${column.text} < ${writer.size(columns)})`];
        guarded([...inRows(r), ...inColumns], () => {
          const at = block.at(r, c);
          const along = plan.columnLanes === 4 ? column.name : undefined;
          finish(reader, tail, at, summed(r, c, at, along), context.target, along);
        });
      });
    });
  }

  const wholeRows = rowGroups.mul(plan.rows);
  const wholeColumns = columns.ceilDivide(plan.columns).mul(plan.columns);
  const depth = batch.mul(productDims(axes.contraction.reduce));
  writer.runs(batch.mul(rowGroups).mul(columns.ceilDivide(plan.columns)));
  if (!Dim.provablyAtMost(Dim.min(rowGroups, 1), mostWorkgroups))
    throw internalFault("a product has too many rows");
  return [
    {
      writer,
      label: `contract ${plan.rows}x${plan.columns}${prologue === undefined ? "" : " of normalised"}${group.norm === undefined ? "" : ", normalised"}`,
      workgroups: [columnGroups, rowGroups, layers],
      executed: depth.mul(wholeRows).mul(wholeColumns),
      overhead: [
        { reason: "rows that fill the last block", macs: depth.mul(wholeRows.sub(rows)).mul(columns) },
        {
          reason: "columns that fill the last block",
          macs: depth.mul(wholeRows).mul(wholeColumns.sub(columns)),
        },
      ],
    },
  ];
};

interface Plan {
  readonly rows: number;
  readonly columns: number;
  /** 4: neighbouring columns are read at once. */
  readonly columnLanes: Lanes;
  /** 4: neighbouring terms of the sum are read at once, of both operands. */
  readonly depthLanes: Lanes;
  /** 4: neighbouring terms of the sum are read at once, of the left operand alone. */
  readonly leftLanes: Lanes;
}

function planOf(root: Node, axes: Axes, rows: Dim, columns: Dim, context: KernelContext): Plan {
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
  const extent = (list: readonly number[]) => productDims(list.map((axis) => axes.shape[axis] ?? Dim.of(1)));
  const sizes = (list: readonly number[]) => list.map((axis) => axes.shape[axis] ?? Dim.of(1));
  const named = (name: string, list: readonly number[], step: number) =>
    unflattened(Position.name(name, extent(list), step), sizes(list));
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
