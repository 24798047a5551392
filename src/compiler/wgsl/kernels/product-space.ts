/**
 * The kernels that a product may have besides its default one, for a device to choose from by measuring.
 *
 * What suits a processor that runs shaders in software (many rows, no memory shared, few invocations in
 * a workgroup) is not what suits a GPU (tiles in workgroup memory; the sum split where there are few
 * rows): both are here. Which of them is best, no rule says.
 */
import type { Kernel, WhichOthers } from "./kernel.ts";
import type { ProductBlock } from "./product-block.ts";
import type { Product } from "./product-frame.ts";
import { heldProduct } from "./product-held.ts";
import { type SplitShape, splitBytes, splitProduct } from "./product-split.ts";
import { type TiledShape, tiledBytes, tiledProduct } from "./product-tiled.ts";

/** Workgroup memory that every device has, in bytes. */
const mostShared = 16384;
/** How a kernel is called that reads the terms of its left operand one by one. */
const termByTerm = "term by term";

/** Fewer rows than that leave a device idle, or a tile empty. */
const fewRows = 64;
const rowsOfTile = 32;

interface HeldShape {
  readonly rows: number;
  readonly columns: number;
  /** That of the default kernel when absent. */
  readonly workgroup?: number;
  /** The terms of the left operand are read one by one, where they could be read in fours. */
  readonly isSingle?: true;
}

/** Reads in fours suit drivers that do four lanes at once; with more lanes, four terms of many rows are too much to hold. */
const heldShapes: readonly HeldShape[] = [
  { rows: 16, columns: 8, isSingle: true },
  { rows: 16, columns: 8, workgroup: 16, isSingle: true },
  { rows: 8, columns: 8, workgroup: 32, isSingle: true },
  { rows: 16, columns: 8, workgroup: 16 },
  { rows: 8, columns: 8, workgroup: 32 },
  { rows: 8, columns: 8, workgroup: 64 },
  { rows: 4, columns: 4, workgroup: 64 },
];

/** The runtime knows which drivers it suits, by what it is called. */
const isKnown = ({ workgroup, isSingle }: HeldShape): boolean => isSingle === true && workgroup === undefined;

const tiledShapes: readonly TiledShape[] = [
  { rows: 4, columns: 4, across: 16, down: 16 },
  { rows: 8, columns: 8, across: 8, down: 8 },
  { rows: 8, columns: 8, across: 8, down: 16 },
  { rows: 4, columns: 4, across: 16, down: 8 },
];

/** Where columns lie together, and where the terms of a column do. */
const splitByColumn: readonly SplitShape[] = [
  { rows: 1, columns: 4, across: 16, slices: 16 },
  { rows: 1, columns: 8, across: 8, slices: 16 },
  { rows: 4, columns: 4, across: 16, slices: 8 },
  { rows: 8, columns: 4, across: 16, slices: 8 },
];
const splitByDepth: readonly SplitShape[] = [
  { rows: 1, columns: 1, across: 1, slices: 64 },
  { rows: 1, columns: 1, across: 1, slices: 64, subgroups: true },
  { rows: 1, columns: 4, across: 1, slices: 64, subgroups: true },
  { rows: 1, columns: 4, across: 4, slices: 32 },
  { rows: 4, columns: 4, across: 4, slices: 16 },
];

/** @param block the default kernel's */
export function otherProducts(
  product: Product,
  block: ProductBlock,
  workgroup: number,
  which: WhichOthers,
): readonly Kernel[] {
  const { rows, columns, group, context } = product;
  const typical = context.typical(rows);
  const most = (count: number, size: number | undefined): number => Math.min(count, size ?? count);
  const found: (Kernel | undefined)[] = [];
  const seen = new Set<string>([`${block.rows} ${block.columns} ${workgroup} ${block.leftLanes}`]);
  for (const shape of which === "all" ? heldShapes : heldShapes.filter(isKnown)) {
    // Rows that are normalised have their workgroup's size from their columns.
    const isNormalised = group.norm !== undefined;
    const isSingle = shape.isSingle === true;
    // Where columns come one by one, both operands are read along the sum.
    if (isSingle && (block.leftLanes === 1 || block.columnLanes === 1)) continue;
    const own: ProductBlock = {
      ...block,
      leftLanes: isSingle ? 1 : block.leftLanes,
      rows: Math.min(most(shape.rows, rows.constant), Math.max(1, typical)),
      columns: isNormalised ? block.columns : Math.min(block.columns, shape.columns),
    };
    const invocations = isNormalised ? workgroup : (shape.workgroup ?? workgroup);
    // Fours of few rows are not too much to hold.
    if (isSingle && own.rows < 8) continue;
    const key = `${own.rows} ${own.columns} ${invocations} ${own.leftLanes}`;
    if (seen.has(key)) continue;
    seen.add(key);
    found.push(heldProduct(product, own, invocations, isSingle ? [termByTerm] : []));
  }
  if (group.norm !== undefined || which === "known") return known(found);
  if (typical >= rowsOfTile) {
    for (const shape of tiledShapes) {
      const isDeep = block.columnLanes === 1;
      // Sums along the depth are four each.
      const own = isDeep ? { ...shape, rows: 4, columns: 4 } : shape;
      const key = JSON.stringify(own);
      if (seen.has(key) || tiledBytes(own, block) > mostShared) continue;
      seen.add(key);
      found.push(tiledProduct(product, block, own));
    }
  }
  if (typical <= fewRows) {
    for (const shape of block.columnLanes === 4 ? splitByColumn : splitByDepth) {
      const isFit = shape.rows <= typical && shape.rows <= (rows.constant ?? shape.rows);
      const isBusy = shape.rows * 8 >= Math.min(typical, 8);
      const isNarrow = shape.columns <= (columns.constant ?? shape.columns);
      if (isFit && isBusy && isNarrow && splitBytes(shape, block) <= mostShared)
        found.push(splitProduct(product, block, shape));
    }
  }
  return known(found);
}

const known = (kernels: readonly (Kernel | undefined)[]): readonly Kernel[] =>
  kernels.filter((kernel) => kernel !== undefined);
