/**
 * What fusion asks of nodes: by their lowering, never by their op.
 */
import type { Node } from "../graph.ts";
import type { Index, Scalar } from "../ops/lowering.ts";
import { joinOf } from "./joins.ts";
import { contextOf } from "./reader.ts";

export interface Product {
  readonly left: readonly Index[];
  readonly right: readonly Index[];
  /** Axes that are summed over, and those of the result. */
  readonly reduce: number;
  readonly rank: number;
}

export function productOf(node: Node): Product | undefined {
  const { lowering } = node.op;
  const [result] = node.results;
  if (lowering.kind !== "contract" || result === undefined) return undefined;
  const { left, right, reduce, padded } = lowering.axes(contextOf(node));
  return padded ? undefined : { left, right, reduce: reduce.length, rank: result.type.shape.length };
}

/** A row along the last axis whose reductions can be put together from parts. */
export function isLastAxisRow(node: Node): boolean {
  const { lowering } = node.op;
  const rank = node.operands[0]?.type.shape.length ?? 0;
  return (
    lowering.kind === "row" &&
    lowering.axis(contextOf(node)) === rank - 1 &&
    lowering.folds.every(({ combine }) => joinOf(combine) !== undefined)
  );
}

/** Computed element by element, so that it may be done where it is read. */
export const isLight = (node: Node): boolean => ["map", "view", "source"].includes(node.op.lowering.kind);

export function readsAxis(index: Index, axis: number): boolean {
  if (index.kind === "coordinate") return index.axis === axis;
  if (index.kind === "constant") return false;
  if (index.kind === "element") return index.at.some((part) => readsAxis(part, axis));
  return readsAxis(index.a, axis) || readsAxis(index.b, axis);
}

/** Operations of an expression; what takes a device many is counted so. */
export function arithmetic(scalar: Scalar): number {
  switch (scalar.kind) {
    case "unary":
      return (
        arithmetic(scalar.x) + (["neg", "abs", "not", "floor", "ceil", "round"].includes(scalar.fn) ? 1 : 8)
      );
    case "binary":
      return arithmetic(scalar.a) + arithmetic(scalar.b) + (scalar.fn === "pow" ? 8 : 1);
    case "select":
      return 1 + arithmetic(scalar.condition) + arithmetic(scalar.whenTrue) + arithmetic(scalar.whenFalse);
    case "cast":
      return arithmetic(scalar.x);
    case "hash-uniform":
      return 8 + arithmetic(scalar.x);
    default:
      return 0;
  }
}
