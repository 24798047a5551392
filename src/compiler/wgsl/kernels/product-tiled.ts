/**
 * A product whose workgroup brings tiles of both operands into the memory that it shares: for devices
 * where that memory is faster than what lies behind it.
 *
 * A tile is read as the operands are elsewhere, so that what is computed on the way, and views, are
 * computed once for each element of a tile. Past the end of the sum, both tiles hold zeros.
 */
import { internalFault } from "../../fault.ts";
import { KernelWriter, type Term } from "../kernel-writer.ts";
import type { Position } from "../position.ts";
import { widened } from "../scalar-text.ts";
import type { Kernel } from "./kernel.ts";
import type { ProductBlock } from "./product-block.ts";
import { type Product, ProductFrame } from "./product-frame.ts";

export interface TiledShape {
  /** Rows and columns of an invocation. */
  readonly rows: number;
  readonly columns: number;
  /** Invocations along the columns, and along the rows. */
  readonly across: number;
  readonly down: number;
}

/** Terms of the sum in a tile. */
const tileDepth = 16;
const quads = tileDepth / 4;
/** One more than a row of a tile needs, so that rows begin in different banks. */
const pitch = quads + 1;

export function tiledBytes(
  { rows, columns, across, down }: TiledShape,
  { columnLanes }: ProductBlock,
): number {
  const left = rows * down * pitch;
  const right = columnLanes === 4 ? (tileDepth * columns * across) / 4 : columns * across * pitch;
  return 16 * (left + right);
}

/** Undefined where operands are not read in fours. */
export function tiledProduct(product: Product, given: ProductBlock, shape: TiledShape): Kernel | undefined {
  const { axes, batch, rows, columns, group } = product;
  const { across, down } = shape;
  const byColumn = given.columnLanes === 4;
  const [depth] = axes.contraction.reduce;
  const fits =
    depth !== undefined &&
    axes.contraction.reduce.length === 1 &&
    !axes.contraction.padded &&
    depth.divideExactly(4) !== undefined &&
    depth.constant !== 1 &&
    (byColumn || given.depthLanes === 4) &&
    group.norm === undefined &&
    group.prologue === undefined;
  if (!fits) return undefined;
  const block: ProductBlock = { ...given, rows: shape.rows, columns: shape.columns };
  const workgroup = across * down;
  const writer = new KernelWriter([workgroup, 1, 1]);
  const named = (text: string, prefix: string): string =>
    writer.named({ text, type: "i32", lanes: 1, depth: 0 }, prefix).text;
  const x = named(`(local % ${across})`, "across");
  const y = named(`(local / ${across})`, "down");
  const [tileRows, tileColumns] = [block.rows * down, block.columns * across];
  const firstRow = named(`group.y * ${tileRows}`, "m");
  const firstColumn = named(`group.x * ${tileColumns}`, "n");
  const frame = new ProductFrame(product, block, writer);
  const leftTile = writer.shared("vec4<f32>", tileRows * pitch, 16 * tileRows * pitch);
  const rightSize = byColumn ? (tileDepth * tileColumns) / 4 : tileColumns * pitch;
  const rightTile = writer.shared("vec4<f32>", rightSize, 16 * rightSize);

  /** The elements of a tile that this invocation brings, each by its number. */
  const shares = (count: number, bring: (number: string, isSure: boolean) => void): void => {
    for (let turn = 0; turn * workgroup < count; turn++) {
      const number = turn === 0 ? "local" : named(`(local + ${turn * workgroup})`, "item");
      bring(number, (turn + 1) * workgroup <= count);
    }
  };
  interface Share {
    readonly number: string;
    readonly isSure: boolean;
    readonly at: readonly Position[];
    readonly along: string | undefined;
    /** Where in the tile along the sum. */
    readonly k: string;
    /** Where in the tile it is kept. */
    readonly kept: string;
  }
  const areRowsWhole = rows.divideExactly(tileRows) !== undefined;
  const areColumnsWhole = columns.divideExactly(tileColumns) !== undefined;
  const leftShares: Share[] = [];
  shares(tileRows * quads, (number, isSure) => {
    const r = named(`(${number} / ${quads})`, "r");
    const row = frame.row(`${firstRow} + ${isSure ? r : `min(${r}, ${tileRows - 1})`}`, areRowsWhole);
    const k = named(`(${number} % ${quads} * 4)`, "t");
    leftShares.push({
      number,
      isSure,
      at: row.at,
      along: undefined,
      k,
      kept: `${r} * ${pitch} + ${number} % ${quads}`,
    });
  });
  const rightShares: Share[] = [];
  shares(byColumn ? rightSize : tileColumns * quads, (number, isSure) => {
    const wide = byColumn ? tileColumns / 4 : quads;
    const c = named(byColumn ? `(${number} % ${wide} * 4)` : `(${number} / ${wide})`, "c");
    const inTile = isSure || byColumn ? c : `min(${c}, ${tileColumns - 1})`;
    const column = frame.column(`${firstColumn} + ${inTile}`, areColumnsWhole);
    const k = named(byColumn ? `(${number} / ${wide})` : `(${number} % ${wide} * 4)`, "t");
    const kept = byColumn ? number : `${c} * ${pitch} + ${number} % ${quads}`;
    rightShares.push({ number, isSure, at: column.at, along: column.along, k, kept });
  });
  const anyRow = leftShares[0]?.at ?? [];
  const anyColumn = rightShares[0]?.at ?? [];

  const rowTexts = Array.from({ length: block.rows }, (_, r) =>
    named(`(${y} * ${block.rows} + ${r})`, "own"),
  );
  const columnCount = block.columns / block.columnLanes;
  const columnTexts = Array.from({ length: columnCount }, (_, c) =>
    named(
      c === 0 ? `(${x} * ${block.columnLanes})` : `((${x} + ${c * across}) * ${block.columnLanes})`,
      "own",
    ),
  );
  const sums = frame.sums(rowTexts, columnTexts);

  const isDepthWhole = depth.divideExactly(tileDepth) !== undefined;
  const size = writer.size(depth);
  /** A position along the sum, a multiple of `step`, held inside; and whether it was inside. */
  const term = (
    start: string,
    k: string,
    step: 1 | 4,
  ): { position: Position; isInside: string | undefined } => {
    const text = `${start} + ${k}`;
    const held = isDepthWhole ? text : `min(${text}, ${writer.size(depth.sub(step))})`;
    const position = writer.coordinate("k", held, depth, step);
    return { position, isInside: isDepthWhole ? undefined : `${text} < ${size}` };
  };
  const bring = (
    tile: string,
    share: Share,
    value: (position: Position) => Term,
    step: 1 | 4,
    start: string,
  ): void => {
    const put = (): void => {
      const { position, isInside } = term(start, share.k, step);
      const { text } = widened(value(position), 4);
      const kept = isInside === undefined ? text : `select(vec4<f32>(), ${text}, ${isInside})`;
      writer.line(`${tile}[${share.kept}] = ${kept};`);
    };
    if (share.isSure) put();
    else
      writer.block(
        `if (${share.number} < ${tile === leftTile ? tileRows * quads : byColumn ? rightSize : tileColumns * quads})`,
        true,
        put,
      );
  };
  writer.loop("tile", depth, tileDepth, (_, start) => {
    for (const share of leftShares) {
      bring(
        leftTile,
        share,
        (position) => frame.left(share.at, anyColumn, [position], position.names()[0]),
        4,
        start,
      );
    }
    for (const share of rightShares) {
      bring(
        rightTile,
        share,
        (position) => frame.right(anyRow, share.at, [position], byColumn ? share.along : position.names()[0]),
        byColumn ? 1 : 4,
        start,
      );
    }
    writer.line("workgroupBarrier();");
    const q = writer.fresh("q");
    writer.block(`for (var ${q} = 0; ${q} < ${quads}; ${q} += 1)`, true, () => {
      const left = rowTexts.map((row) => {
        const name = writer.fresh("a");
        writer.line(`let ${name} = ${leftTile}[${row} * ${pitch} + ${q}];`);
        return name;
      });
      for (let shift = 0; shift < (byColumn ? 4 : 1); shift++) {
        columnTexts.forEach((column, c) => {
          const name = writer.fresh("b");
          const index = byColumn
            ? `(${q} * 4 + ${shift}) * ${tileColumns / 4} + (${column} >> 2u)`
            : `${column} * ${pitch} + ${q}`;
          writer.line(`let ${name} = ${rightTile}[${index}];`);
          left.forEach((a, r) => {
            const sum = sums[r]?.[c];
            const by = byColumn ? `vec4<f32>(${a}.${"xyzw"[shift]})` : a;
            writer.line(`${sum} = fma(${by}, ${name}, ${sum});`);
          });
        });
      }
    });
    writer.line("workgroupBarrier();");
  });

  const rowParts = rowTexts.map((text) => frame.row(`${firstRow} + ${text}`, areRowsWhole));
  const columnParts = columnTexts.map((text) => frame.column(`${firstColumn} + ${text}`, areColumnsWhole));
  rowParts.forEach((row, r) => {
    columnParts.forEach((column, c) => {
      const conditions = [
        ...(areRowsWhole ? [] : [`(${row.text} < ${writer.size(rows)})`]),
        ...(areColumnsWhole ? [] : [`(${column.text} < ${writer.size(columns)})`]),
      ];
      const sum = sums[r]?.[c];
      if (sum === undefined) throw internalFault("a sum of a tile is missing");
      frame.guarded(conditions, () => frame.store(sum, row, column));
    });
  });

  const rowGroups = rows.ceilDivide(tileRows);
  const columnGroups = columns.ceilDivide(tileColumns);
  writer.runs(batch.mul(rowGroups).mul(columnGroups).mul(workgroup));
  return {
    writer,
    label: `contract ${tileRows}x${tileColumns} tiled, ${block.rows}x${block.columns}`,
    workgroups: [columnGroups, rowGroups, batch],
    ...frame.work(rowGroups.mul(tileRows), columnGroups.mul(tileColumns)),
  };
}
