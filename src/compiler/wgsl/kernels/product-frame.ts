/**
 * What the kernels of a product have in common, however they share out the work.
 *
 * Owns: coordinates of rows and columns, reading operands (a row that is normalised as it is read
 * included), adding to the sums that an invocation holds, and what ends a sum: the bias, what
 * follows it, and its place.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import type { Index } from "../../ops/lowering.ts";
import type { Group, Tail } from "../fusion.ts";
import type { KernelWriter, Lanes, Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { type At, Reader, sharedScale } from "../reader.ts";
import { widened } from "../scalar-text.ts";
import type { Kernel, KernelContext } from "./kernel.ts";
import { type Axes, axesOf, extentOf, sizesOf } from "./product-axes.ts";
import type { ProductBlock } from "./product-block.ts";
import { rowElement } from "./rows.ts";
import { finish } from "./tail.ts";

/** A product, and how many rows and columns it has. */
export interface Product {
  readonly group: Group;
  readonly context: KernelContext;
  readonly axes: Axes;
  readonly tail: Tail;
  readonly batch: Dim;
  readonly rows: Dim;
  readonly columns: Dim;
}

export function productAt(group: Group, context: KernelContext): Product {
  const [tail] = group.tails;
  if (tail === undefined) throw internalFault(`${group.root.op.name} has no result`);
  const axes = axesOf(group.root);
  const [batch, rows, columns] = [axes.batch, axes.rows, axes.columns].map((list) => extentOf(axes, list));
  if (batch === undefined || rows === undefined || columns === undefined)
    throw internalFault(`${group.root.op.name} has no extents`);
  return { group, context, axes, tail, batch, rows, columns };
}

/** Columns that are read together, or one. */
export interface ColumnPart {
  /** The first of them, as the kernel computes it; not held to the number of columns. */
  readonly text: string;
  /** The name along which they are taken, for four of them. */
  readonly along: string | undefined;
  readonly at: At;
}

export interface RowPart {
  readonly text: string;
  readonly at: At;
}

export class ProductFrame {
  readonly product: Product;
  readonly block: ProductBlock;
  readonly writer: KernelWriter;
  readonly reader: Reader;
  readonly #root: Node;
  readonly #layerAt: At;

  constructor(product: Product, block: ProductBlock, writer: KernelWriter) {
    this.product = product;
    this.block = block;
    this.writer = writer;
    this.reader = new Reader(writer, product.context.buffers);
    this.#root = product.group.root;
    const { axes, batch } = product;
    this.#layerAt = unflattened(writer.coordinate("layer", "group.z", batch), sizesOf(axes, axes.batch));
  }

  /** Elements that a sum holds at once. */
  get lanes(): Lanes {
    return this.block.columnLanes === 4 || this.block.depthLanes === 4 ? 4 : 1;
  }

  /** Terms of the sum that a turn of its innermost loop takes. */
  get step(): Lanes {
    return this.block.depthLanes === 4 || this.block.leftLanes === 4 ? 4 : 1;
  }

  // ---------------------------------------------------------------- coordinates

  /** The row that a text says; past the last, the last. */
  row(text: string, isInside: boolean): RowPart {
    const { axes, rows } = this.product;
    const held = isInside ? text : `min(${text}, ${this.writer.size(rows.sub(1))})`;
    const position = this.writer.coordinate("row", held, rows);
    return { text, at: unflattened(position, sizesOf(axes, axes.rows)) };
  }

  /** The columns that begin at a text, a multiple of `columnLanes`; past the last, the last ones. */
  column(text: string, isInside: boolean): ColumnPart {
    const { axes, columns } = this.product;
    const { columnLanes } = this.block;
    const held = isInside ? text : `min(${text}, ${this.writer.size(columns.sub(columnLanes))})`;
    const position = this.writer.coordinate("col", held, columns, columnLanes);
    return {
      text,
      along: columnLanes === 4 ? position.names()[0] : undefined,
      at: unflattened(position, sizesOf(axes, axes.columns)),
    };
  }

  /** Coordinates of the result. */
  place(row: At, column: At): Position[] {
    const { axes } = this.product;
    return axes.shape.map((_, axis) => {
      const inBatch = axes.batch.indexOf(axis);
      if (inBatch >= 0) return this.#layerAt[inBatch] ?? Position.of(0);
      const inRows = axes.rows.indexOf(axis);
      if (inRows >= 0) return row[inRows] ?? Position.of(0);
      return column[axes.columns.indexOf(axis)] ?? Position.of(0);
    });
  }

  // ---------------------------------------------------------------- operands

  /** Of the left operand; `other` is some column, which it does not depend on. */
  left(row: At, other: At, inner: At, along: string | undefined, folded: readonly Term[] = []): Term {
    const { axes, group } = this.product;
    const all = [...this.place(row, other), ...inner];
    if (group.prologue === undefined) return this.#read(axes.left, axes.contraction.left, all, along);
    const at = axes.contraction.left.map((index) => this.reader.index(index, all, this.#root));
    return this.writer.named(rowElement(this.reader, group.prologue, at, folded, along), "x");
  }

  /** Of the right operand; `other` is some row. */
  right(other: At, column: At, inner: At, along: string | undefined): Term {
    const { axes } = this.product;
    return this.#read(axes.right, axes.contraction.right, [...this.place(other, column), ...inner], along);
  }

  #read(value: Value, indices: readonly Index[], all: At, along: string | undefined): Term {
    const { reader, writer } = this;
    const at = indices.map((index) => reader.index(index, all, this.#root));
    const condition = this.product.axes.contraction.padded
      ? reader.inside(value, indices, all, this.#root)
      : undefined;
    if (condition === undefined) return writer.named(reader.read(value, at, along), "x");
    return writer.copied(reader.guarded(value, at, condition), "x");
  }

  // ---------------------------------------------------------------- sums

  sums(rows: readonly unknown[], columns: readonly unknown[]): readonly (readonly string[])[] {
    const initial = this.lanes === 4 ? "vec4<f32>()" : "0.0f";
    return rows.map(() => columns.map(() => this.writer.variable("sum", "f32", initial, this.lanes)));
  }

  /** Loops over the axes that are summed over, the last in steps; `body` knows the name of the innermost. */
  loops(body: (inner: readonly Position[], loop: string | undefined) => void): void {
    const { writer, step } = this;
    const { axes, context } = this.product;
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
  }

  /**
   * One turn of the innermost loop, which `loop` names: what every row and column adds to its sum.
   * Registers hold the left operand's part; the right operand's is read once for all rows.
   */
  accumulate(
    sums: readonly (readonly string[])[],
    rows: readonly RowPart[],
    columns: readonly ColumnPart[],
    inner: readonly Position[],
    loop: string | undefined,
    folded: readonly (readonly Term[])[],
  ): void {
    const { block, writer, lanes, step } = this;
    const anyColumn = columns[0]?.at ?? [];
    const anyRow = rows[0]?.at ?? [];
    const leftAlong = step === 4 ? loop : undefined;
    const leftTerms = rows.map(({ at }, r) => this.left(at, anyColumn, inner, leftAlong, folded[r]));
    if (block.depthLanes === 4) {
      columns.forEach((column, c) => {
        const b = widened(this.right(anyRow, column.at, inner, loop), 4);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          writer.line(`${sum} = fma(${widened(a, 4).text}, ${b.text}, ${sum});`);
        });
      });
      return;
    }
    for (let shift = 0; shift < step; shift++) {
      const shifted = inner.map((position) =>
        loop === undefined || shift === 0 ? position : position.substituted(loop, shift),
      );
      columns.forEach((column, c) => {
        const b = widened(this.right(anyRow, column.at, shifted, column.along), lanes);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          const part: Term = a.lanes === 4 ? { ...a, text: `${a.text}.${"xyzw"[shift]}`, lanes: 1 } : a;
          writer.line(`${sum} = fma(${widened(part, lanes).text}, ${b.text}, ${sum});`);
        });
      });
    }
  }

  // ---------------------------------------------------------------- ends

  /** What a sum comes to, with the bias. */
  summed(sum: string, at: At, along: string | undefined): Term {
    const { axes } = this.product;
    let text = this.block.depthLanes === 4 ? `((${sum}.x + ${sum}.y) + (${sum}.z + ${sum}.w))` : sum;
    if (axes.contraction.bias !== undefined && axes.bias !== undefined) {
      const indices = axes.contraction.bias.map((index) => this.reader.index(index, at, this.#root));
      const bias = widened(this.reader.read(axes.bias, indices, along), along === undefined ? 1 : 4);
      text = `(${text} + ${bias.text})`;
    }
    return { text, type: "f32", lanes: along === undefined ? 1 : 4, depth: this.writer.depth };
  }

  /** Stores what a sum comes to. */
  store(sum: string, row: RowPart, column: ColumnPart): void {
    const { tail, context } = this.product;
    const at = this.place(row.at, column.at);
    const { along } = column;
    finish(this.reader, tail, at, this.summed(sum, at, along), context.target, along);
  }

  /** The multiply-adds of so many rows and columns, and those of rows and columns that there are not. */
  work(wholeRows: Dim, wholeColumns: Dim): Pick<Kernel, "executed" | "overhead"> {
    const { axes, batch, rows, columns } = this.product;
    const depth = batch.mul(productDims(axes.contraction.reduce));
    return {
      executed: depth.mul(wholeRows).mul(wholeColumns),
      overhead: [
        { reason: "rows that fill the last block", macs: depth.mul(wholeRows.sub(rows)).mul(columns) },
        {
          reason: "columns that fill the last block",
          macs: depth.mul(wholeRows).mul(wholeColumns.sub(columns)),
        },
      ],
    };
  }

  guarded(conditions: readonly string[], body: () => void): void {
    this.writer.block(conditions.length === 0 ? "" : `if (${conditions.join(" & ")})`, true, body);
  }
}
