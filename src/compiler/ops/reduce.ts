/**
 * Reductions over axes: sum, mean, max, min; and argmax.
 *
 * Owns: the family and its axes. Sums add in the order of the elements.
 */
import { allocate, rowMajorStrides } from "../host-tensor.ts";
import { int } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { meanAccounting } from "./accounting.ts";
import { type AnyAttributes, flagOf, numberOf, numbersOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { type ElementTypeRule, floats, indexOfNumber, numbers } from "./element-types.ts";
import type { Fold } from "./lowering.ts";
import { computed, type Match, refuse } from "./match.ts";
import type { Accounting, OpDefinition, Tolerance } from "./op.ts";
import { normal, sample, wholes } from "./samples.ts";
import { accumulator, add, count, div, max, min, x } from "./scalar.ts";
import { accumulated, exact } from "./tolerances.ts";

interface ReductionRow {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly onnx: string;
  readonly fold: Fold;
  readonly combine: (total: number, value: number) => number;
  readonly finish: (total: number, count: number) => number;
  readonly types: ElementTypeRule;
  readonly tolerance: Tolerance;
  /** A sum of nothing is 0; the rest refuse dimensions that are known to be empty. */
  readonly ofNothing: boolean;
  readonly accounting?: Accounting;
}

/** Ascending, each once. */
function axesOf(attributes: AnyAttributes, rank: number): readonly number[] {
  const axes = numbersOf(attributes, "axes").map((axis) => resolveAxis(axis, rank, "axes"));
  return [...new Set(axes)].sort((a, b) => a - b);
}

function reducedShape(match: Match, axes: readonly number[], keep: boolean) {
  return match.shape(0).flatMap((dim, axis) => (axes.includes(axis) ? (keep ? [computed(1)] : []) : [dim]));
}

function refuseEmpty(match: Match, axes: readonly number[], name: string): void {
  for (const axis of axes) {
    if (match.shape(0)[axis]?.dim.constant === 0) {
      refuse({ message: `\`${name}\` of nothing: dimension ${axis} is 0`, operands: [{ operand: 0, axis }] });
    }
  }
}

function reduction(row: ReductionRow): OpDefinition {
  return defineOp({
    name: row.name,
    summary: row.summary,
    source: row.source,
    signature: "x: *s -> *r",
    attributes: {
      axes: {
        kind: "integers",
        doc: "the dimensions to reduce; negative ones count from the end",
        default: [-1],
      },
      keep: { kind: "boolean", doc: "whether they stay, with size 1", default: false },
    },
    types: row.types,
    ...(row.accounting && { accounting: row.accounting }),
    solve: (match, attributes) => {
      const axes = axesOf(attributes, match.shape(0).length);
      if (!row.ofNothing) refuseEmpty(match, axes, row.name);
      return { r: reducedShape(match, axes, flagOf(attributes, "keep")) };
    },
    reference: ([value], { attributes, results }) => {
      const [result] = results;
      if (!value || !result) return [];
      const out = allocate(result.dtype, result.shape);
      const axes = axesOf(attributes, value.shape.length);
      // A stride of 0 along the reduced axes leads every element to its total.
      const kept = value.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
      const strides = rowMajorStrides(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
      const size = axes.reduce((product, axis) => product * (value.shape[axis] ?? 1), 1);
      out.data.fill(row.fold.initial);
      walk(value.shape, [strides], (position, [to = 0]) => {
        out.data[to] = row.combine(out.data[to] ?? 0, value.data[position] ?? 0);
      });
      for (let i = 0; i < out.data.length; i++) out.data[i] = row.finish(out.data[i] ?? 0, size);
      return [out];
    },
    lowering: {
      kind: "fold",
      axes: ({ operands, attributes }) => axesOf(attributes, operands[0]?.shape.length ?? 0),
      fold: row.fold,
    },
    onnx: (context) => {
      const axes = axesOf(context.attributes, context.operands[0]?.shape.length ?? 0);
      const [input = ""] = context.inputs;
      if (axes.length === 0) return [context.node("Identity", [input])];
      const keepdims = int(flagOf(context.attributes, "keep") ? 1 : 0);
      return [context.node(row.onnx, [input, context.constant("i64", axes)], { keepdims })];
    },
    tolerance: row.tolerance,
    samples: [
      sample([normal(3, 7)], { axes: [-1], keep: false }),
      sample([normal(2, 5, 3)], { axes: [0, 2], keep: true }),
      sample([normal(4, 1, 3)], { axes: [0, 1, 2], keep: false }),
      sample([normal(0, 3)], { axes: [1], keep: false }),
      ...(row.types === numbers ? [sample([wholes(-9, 9, 5, 3)], { axes: [0], keep: true })] : []),
      ...(row.ofNothing ? [sample([normal(3, 0)], { axes: [1], keep: false })] : []),
    ],
  });
}

const same = (total: number) => total;

export const reductions: readonly OpDefinition[] = [
  {
    name: "sum",
    summary: "The sum over dimensions.",
    source: "ONNX ReduceSum-13",
    onnx: "ReduceSum",
    fold: { initial: 0, combine: add(accumulator, x), finish: accumulator },
    combine: (total: number, value: number) => total + value,
    finish: same,
    types: numbers,
    tolerance: accumulated,
    ofNothing: true,
  },
  {
    name: "mean",
    accounting: meanAccounting,
    summary: "The arithmetic mean over dimensions.",
    source: "ONNX ReduceMean-18",
    onnx: "ReduceMean",
    fold: { initial: 0, combine: add(accumulator, x), finish: div(accumulator, count) },
    combine: (total: number, value: number) => total + value,
    finish: (total: number, size: number) => total / size,
    types: floats,
    tolerance: accumulated,
    ofNothing: false,
  },
  {
    name: "max",
    summary: "The largest over dimensions.",
    source: "ONNX ReduceMax-18",
    onnx: "ReduceMax",
    fold: { initial: Number.NEGATIVE_INFINITY, combine: max(accumulator, x), finish: accumulator },
    combine: Math.max,
    finish: same,
    types: numbers,
    tolerance: exact,
    ofNothing: false,
  },
  {
    name: "min",
    summary: "The smallest over dimensions.",
    source: "ONNX ReduceMin-18",
    onnx: "ReduceMin",
    fold: { initial: Number.POSITIVE_INFINITY, combine: min(accumulator, x), finish: accumulator },
    combine: Math.min,
    finish: same,
    types: numbers,
    tolerance: exact,
    ofNothing: false,
  },
].map(reduction);

export const argmax: OpDefinition = defineOp({
  name: "argmax",
  summary: "Where along a dimension the largest is; the first of equals.",
  source: "ONNX ArgMax-13 with select_last_index = 0",
  signature: "x: *s -> *r",
  attributes: {
    axis: { kind: "integer", doc: "the dimension to search; negative counts from the end", default: -1 },
  },
  types: indexOfNumber,
  solve: (match, attributes) => {
    const axis = resolveAxis(numberOf(attributes, "axis"), match.shape(0).length);
    refuseEmpty(match, [axis], "argmax");
    return { r: reducedShape(match, [axis], false) };
  },
  reference: ([value], { attributes, results }) => {
    const [result] = results;
    if (!value || !result) return [];
    const out = allocate("i64", result.shape);
    const axis = resolveAxis(numberOf(attributes, "axis"), value.shape.length);
    const own = rowMajorStrides(value.shape);
    const stride = own[axis] ?? 1;
    walk(result.shape, [own.filter((_, place) => place !== axis)], (position, [base = 0]) => {
      let best = 0;
      for (let i = 1; i < (value.shape[axis] ?? 0); i++) {
        if ((value.data[base + i * stride] ?? 0) > (value.data[base + best * stride] ?? 0)) best = i;
      }
      out.data[position] = best;
    });
    return [out];
  },
  lowering: {
    kind: "select",
    axis: ({ operands, attributes }) =>
      resolveAxis(numberOf(attributes, "axis"), operands[0]?.shape.length ?? 0),
    descending: () => true,
    results: ["indices"],
  },
  onnx: (context) => {
    const axis = resolveAxis(numberOf(context.attributes, "axis"), context.operands[0]?.shape.length ?? 0);
    return [
      context.node("ArgMax", context.inputs, {
        axis: int(axis),
        keepdims: int(0),
        select_last_index: int(0),
      }),
    ];
  },
  tolerance: exact,
  samples: [
    sample([normal(3, 7)], { axis: -1 }),
    sample([normal(2, 5, 3)], { axis: 1 }),
    sample([wholes(0, 2, 11)], { axis: 0 }),
    sample([normal(0, 3)], { axis: 1 }),
    // Long enough to be walked by several.
    sample([wholes(0, 50, 2, 1031)], { axis: 1 }),
    sample([wholes(0, 40, 257, 2)], { axis: 0 }),
  ],
});

export const reduceOps: readonly OpDefinition[] = [...reductions, argmax];
