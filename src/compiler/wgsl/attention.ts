/**
 * Finding attention in a graph: by the kinds of its nodes and what they do, not by their names.
 *
 * A product (queries and keys), elementwise steps, a softmax along the product's last axis, and a second
 * product that sums over that axis.
 */
import { Dim } from "../../lang/dims.ts";
import { sameShape } from "../../lang/types.ts";
import type { Node, Value } from "../graph.ts";
import type { Contraction, Fold, Index, Scalar } from "../ops/lowering.ts";
import { accumulator, add, div, exp, folded, max, sub, x } from "../ops/scalar.ts";
import { contextOf } from "./reader.ts";

export interface Attention {
  readonly scores: Node;
  readonly steps: readonly Node[];
  readonly row: Node;
  readonly weighted: Node;
}

/** Registers of one invocation: a query, and a row of the result. */
const widest = 256;

export function attentionAt(
  weighted: Node,
  consumers: (value: Value) => readonly Node[],
  isOutput: (value: Value) => boolean,
): Attention | undefined {
  const second = contractionOf(weighted);
  const [weights, values] = weighted.operands;
  if (second === undefined || weights?.source.kind !== "result" || values === undefined) return undefined;
  const row = weights.source.node;
  const [given] = row.operands;
  if (!isSoftmax(row) || given === undefined || isOutput(weights)) return undefined;
  const steps: Node[] = [];
  let value = given;
  while (value.source.kind === "result" && value.source.node.op.lowering.kind === "map") {
    const step = value.source.node;
    if (consumers(value).length !== 1 || isOutput(value)) return undefined;
    const main = step.operands.find(
      (operand) =>
        operand.source.kind === "result" &&
        ["map", "contract"].includes(operand.source.node.op.lowering.kind) &&
        sameShape(operand.type.shape, value.type.shape),
    );
    if (main === undefined) return undefined;
    steps.unshift(step);
    value = main;
  }
  if (value.source.kind !== "result" || isOutput(value) || consumers(value).length !== 1) return undefined;
  const scores = value.source.node;
  const first = contractionOf(scores);
  if (first === undefined || first.bias !== undefined || second.bias !== undefined) return undefined;
  const rank = value.type.shape.length;
  const [result] = weighted.results;
  if (
    rank < 2 ||
    result?.type.shape.length !== rank ||
    first.reduce.length !== 1 ||
    second.reduce.length !== 1
  )
    return undefined;
  // Scores: queries by the last axis but one, keys by the last. Then: rows as they are, summed over the keys.
  const isPlain =
    !uses(first.left, rank - 1) &&
    uses(first.left, rank - 2) &&
    uses(first.right, rank - 1) &&
    !uses(first.right, rank - 2) &&
    uses(second.left, rank - 2) &&
    uses(second.right, rank - 1) &&
    !uses(second.right, rank - 2) &&
    !uses(second.left, rank - 1) &&
    second.left.every(
      (index, axis) => index.kind === "coordinate" && index.axis === (axis === rank - 1 ? rank : axis),
    );
  const depth = first.reduce[0]?.constant;
  const width = result.type.shape.at(-1)?.constant;
  const isNarrow = [depth, width].every((size) => size !== undefined && size % 4 === 0 && size <= widest);
  const sameBatch = sameShape(result.type.shape.slice(0, -1), value.type.shape.slice(0, -1));
  return isPlain && isNarrow && sameBatch && second.reduce[0]?.equals(value.type.shape.at(-1) ?? Dim.of(0))
    ? { scores, steps, row, weighted }
    : undefined;
}

function contractionOf(node: Node): Contraction | undefined {
  const { lowering } = node.op;
  if (lowering.kind !== "contract") return undefined;
  const axes = lowering.axes(contextOf(node));
  return axes.padded ? undefined : axes;
}

function uses(indices: readonly Index[], axis: number): boolean {
  const found = (index: Index): boolean => {
    if (index.kind === "coordinate") return index.axis === axis;
    if (index.kind === "constant") return false;
    return index.kind === "element" ? index.at.some(found) : found(index.a) || found(index.b);
  };
  return indices.some(found);
}

const shifted = exp(sub(x, folded(0)));
const softmaxCombines: readonly Scalar[] = [max(accumulator, x), add(accumulator, shifted)];

/** Whether a row is exp(x - max x) over its sum, along the last axis. */
function isSoftmax(node: Node): boolean {
  const { lowering } = node.op;
  const [given] = node.operands;
  if (lowering.kind !== "row" || given === undefined || node.operands.length !== 1) return false;
  const context = contextOf(node);
  return (
    lowering.axis(context) === given.type.shape.length - 1 &&
    lowering.folds.length === 2 &&
    lowering.folds.every((fold, at) => isFold(fold, softmaxCombines[at])) &&
    same(lowering.expression(context), div(shifted, folded(1)))
  );
}

function isFold({ combine, finish }: Fold, wanted: Scalar | undefined): boolean {
  return (
    finish.kind === "accumulator" &&
    wanted !== undefined &&
    (same(combine, wanted) || same(combine, turned(wanted)))
  );
}

/** The same with its operands the other way round. */
function turned(scalar: Scalar): Scalar {
  return scalar.kind === "binary" ? { ...scalar, a: scalar.b, b: scalar.a } : scalar;
}

const same = (a: Scalar, b: Scalar): boolean => JSON.stringify(a) === JSON.stringify(b);
