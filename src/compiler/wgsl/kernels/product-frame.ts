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
import { type At, positionIn } from "../coordinates.ts";
import type { Group, Tail } from "../groups.ts";
import type { KernelWriter, Lanes, Located, Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { Reader, sharedScale } from "../reader.ts";
import { widened } from "../scalar-text.ts";
import { multiplyAdd } from "./half-products.ts";
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

/** A part of the right operand, and the term of the sum or the column with which it begins. */
interface FirstOfPart {
  readonly first: number;
  readonly located: Located;
}

interface Parted {
  readonly by: "depth" | "column";
  readonly parts: readonly FirstOfPart[];
}

const huge = Dim.of(2 ** 31);

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

  /** Of the right operand; `other` is some row, `located` where a part of it is, when that is known. */
  right(other: At, column: At, inner: At, along: string | undefined, located?: Located): Term {
    const { axes } = this.product;
    if (located !== undefined) {
      const all = [...this.place(other, column), ...inner];
      const indices = axes.contraction.right.map((index) => this.reader.index(index, all, this.#root));
      const at = this.reader.behind(axes.right, indices)?.at ?? indices;
      return this.writer.named(this.reader.fetch(located, positionIn(located, at), along), "x");
    }
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

  /**
   * Loops over the axes that are summed over, the last in steps; `body` knows the name of the innermost, and
   * where the right operand is, when that is one part of several.
   */
  loops(
    columns: readonly ColumnPart[],
    body: (inner: readonly Position[], loop: string | undefined, right: Located | undefined) => void,
  ): void {
    const { writer, step } = this;
    const { axes, context } = this.product;
    const nest = (rest: readonly Dim[], inner: readonly Position[]): void => {
      const [size, ...others] = rest;
      if (size === undefined) {
        body(inner, undefined, undefined);
        return;
      }
      if (others.length > 0) {
        writer.loop("k", size, 1, (position) => nest(others, [...inner, position]));
        return;
      }
      const parted = inner.length > 0 ? undefined : this.#parted(columns, size);
      if (parted !== undefined) {
        this.#partLoops(parted, size, columns, (position, name, located) => body([position], name, located));
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
        writer.loop("k", size, step, (position, name) => body([...inner, position], name, undefined));
        return;
      }
      writer.loop("g", size.ceilDivide(shared), 1, (block) => {
        writer.loop("k", Dim.of(shared), step, (position, name) =>
          body([...inner, block.times(shared).add(position)], name, undefined),
        );
      });
    };
    nest(axes.contraction.reduce, []);
  }

  /** Each part by itself, so that no read has to find out in which part it is. */
  #partLoops(
    { by, parts }: Parted,
    size: Dim,
    columns: readonly ColumnPart[],
    body: (position: Position, name: string, right: Located) => void,
  ): void {
    const { writer, step } = this;
    const end = writer.size(size);
    const loop = (part: FirstOfPart, from: string, to: string): void =>
      writer.range("k", from, to, size, step, (position, name) => body(position, name, part.located));
    if (by === "depth") {
      parts.forEach((part, at) => {
        loop(part, `${part.first}`, at + 1 < parts.length ? `${parts[at + 1]?.first}` : end);
      });
      return;
    }
    const start = columns[0]?.text ?? "0";
    const rest = (at: number): void => {
      const [part, next] = [parts[at], parts[at + 1]];
      if (part === undefined) return;
      if (next === undefined) loop(part, "0", end);
      else {
        writer.either(
          `${start} < ${next.first}`,
          () => loop(part, "0", end),
          () => rest(at + 1),
        );
      }
    };
    rest(0);
  }

  /** How the parts of the right operand divide the sum or the columns, when they do. */
  #parted(columns: readonly ColumnPart[], size: Dim): Parted | undefined {
    const { axes } = this.product;
    const depth = Position.name("depth", size, this.step);
    const all = [...this.place([], columns[0]?.at ?? []), depth];
    const indices = axes.contraction.right.map((index) => this.reader.index(index, all, this.#root));
    const behind = this.reader.behind(axes.right, indices);
    const { located, at = [] } = behind ?? {};
    const parts = located?.parts ?? [];
    const isPlain = located?.rows === undefined && !axes.contraction.padded;
    if (located === undefined || parts.length < 2 || !isPlain) return undefined;
    const flat = positionIn(located, at);
    const names = { depth: "depth", column: columns[0]?.at.flatMap((position) => position.names())[0] };
    for (const by of ["depth", "column"] as const) {
      const name = names[by];
      const stride = flat.coefficientOf(name ?? "")?.constant;
      if (name === undefined || stride === undefined) continue;
      const rest = flat.add(Position.name(name, huge).times(-stride));
      const firsts = parts.map(({ first }) => first / stride);
      const block = by === "depth" ? this.step : this.block.columns;
      const isDivided = firsts.every((first) => Number.isInteger(first) && first % block === 0);
      if (!rest.isBelow(Dim.of(stride)) || !isDivided) continue;
      return {
        by,
        parts: parts.map((part, index) => ({
          first: firsts[index] ?? 0,
          located: {
            ...located,
            place: part.place,
            parts: [{ ...part, first: 0 }],
            offset: located.offset.sub(part.first),
          },
        })),
      };
    }
    return undefined;
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
    located?: Located,
  ): void {
    const { block, writer, lanes, step, product } = this;
    const add = multiplyAdd(writer, lanes, product.axes.right, product.context);
    const anyColumn = columns[0]?.at ?? [];
    const anyRow = rows[0]?.at ?? [];
    const leftAlong = step === 4 ? loop : undefined;
    const leftTerms = rows.map(({ at }, r) => this.left(at, anyColumn, inner, leftAlong, folded[r]));
    if (block.depthLanes === 4) {
      columns.forEach((column, c) => {
        const b = widened(this.right(anyRow, column.at, inner, loop, located), 4);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          add(sum, a, b);
        });
      });
      return;
    }
    for (let shift = 0; shift < step; shift++) {
      const shifted = inner.map((position) =>
        loop === undefined || shift === 0 ? position : position.substituted(loop, shift),
      );
      columns.forEach((column, c) => {
        const b = widened(this.right(anyRow, column.at, shifted, column.along, located), lanes);
        leftTerms.forEach((a, r) => {
          const sum = sums[r]?.[c];
          const part: Term = a.lanes === 4 ? { ...a, text: `${a.text}.${"xyzw"[shift]}`, lanes: 1 } : a;
          add(sum, part, b);
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
