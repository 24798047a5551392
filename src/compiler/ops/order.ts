/**
 * Ordering and running totals: top_k, sort, cumsum.
 *
 * Owns: the order of equal values, which is that of their indices, on every target.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import { allocate, type HostTensor, rowMajorStrides } from "../host-tensor.ts";
import { int, type OnnxContext } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { dimOf, flagOf, numberOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { numbers, ordering } from "./element-types.ts";
import type { Lowering, LoweringContext } from "./lowering.ts";
import { computed } from "./match.ts";
import type { OpDefinition, ReferenceContext } from "./op.ts";
import { emitReshape } from "./reshape.ts";
import { normal, sample, wholes } from "./samples.ts";
import { accumulator, add, x } from "./scalar.ts";
import { accumulated, exact } from "./tolerances.ts";

/** Orders each row of the last dimension and keeps as many from the front as the results hold. */
function ordered(
  operands: readonly HostTensor[],
  { results }: ReferenceContext,
  descending: boolean,
): HostTensor[] {
  const [input] = operands;
  if (!input) return [];
  const outs = results.map((result) => allocate(result.dtype, result.shape));
  const [values, indices] = outs;
  const size = input.shape.at(-1) ?? 1;
  const kept = results[0]?.shape.at(-1) ?? 0;
  const order = new Array<number>(size);
  for (let row = 0; row * size < input.data.length; row++) {
    const line = input.data.subarray(row * size, (row + 1) * size);
    for (let i = 0; i < size; i++) order[i] = i;
    const sign = descending ? -1 : 1;
    order.sort((a, b) => sign * ((line[a] ?? 0) - (line[b] ?? 0)) || a - b);
    for (let i = 0; i < kept; i++) {
      const from = order[i] ?? 0;
      if (values) values.data[row * kept + i] = line[from] ?? 0;
      if (indices) indices.data[row * kept + i] = from;
    }
  }
  return outs;
}

function orderLowering(descending: (context: LoweringContext) => boolean): Lowering {
  return {
    kind: "select",
    axis: ({ operands }) => (operands[0]?.shape.length ?? 1) - 1,
    descending,
    results: ["values", "indices"],
  };
}

function emitTopK(context: OnnxContext, count: Dim, largest: boolean): readonly string[] {
  const [x = ""] = context.inputs;
  const shape = context.operands[0]?.shape ?? [];
  const lead = shape.slice(0, -1);
  const rows = productDims(lead);
  const take = (from: string) =>
    context.nodes("TopK", [from, context.dims([count])], 2, {
      axis: int(-1),
      largest: int(largest ? 1 : 0),
      sorted: int(1),
    });
  if (Dim.provablyAtMost(Dim.of(1), rows)) return take(x);
  // onnxruntime's TopK divides by the number of rows: where there may be none, one is added and cut off.
  const length = shape.at(-1) ?? Dim.of(1);
  const zero = context.constant(context.operands[0]?.dtype ?? "f32", [0], []);
  const spare = context.node("Expand", [zero, context.dims([Dim.of(1), length])]);
  const flat = emitReshape(context, x, [rows, length]);
  const first = [context.constant("i64", [0]), context.dims([rows]), context.constant("i64", [0])];
  return take(context.node("Concat", [flat, spare], { axis: int(0) })).map((result) =>
    emitReshape(context, context.node("Slice", [result, ...first]), [...lead, count]),
  );
}

export const topK: OpDefinition = defineOp({
  name: "top_k",
  summary: "The k largest (or smallest) of each row and where they are, in order, equal ones by index.",
  source: "ONNX TopK-11 with sorted = 1",
  signature: "x: *b n -> values: *b k, indices: *b k",
  attributes: {
    k: { kind: "dim", doc: "how many" },
    largest: { kind: "boolean", doc: "the largest first, or the smallest", default: true },
  },
  types: ordering,
  solve: (match, attributes) => {
    const k = computed(dimOf(attributes, "k"));
    match.atMost(computed(0), k, "`k` is not negative");
    match.atMost(k, match.sourcedDim("n"), "`k` is at most the length of a row");
    return { k };
  },
  reference: (operands, context) => ordered(operands, context, flagOf(context.attributes, "largest")),
  lowering: orderLowering(({ attributes }) => flagOf(attributes, "largest")),
  onnx: (context) => emitTopK(context, dimOf(context.attributes, "k"), flagOf(context.attributes, "largest")),
  tolerance: exact,
  samples: [
    sample([normal(3, 11)], { k: Dim.of(4), largest: true }),
    sample([wholes(0, 3, 2, 1, 13)], { k: Dim.of(13), largest: true }),
    sample([normal(7)], { k: Dim.of(1), largest: false }),
    sample([normal(2, 5)], { k: Dim.of(0), largest: true }),
    sample([normal(0, 5)], { k: Dim.of(2), largest: true }),
    // As long as a vocabulary, which devices order in stretches.
    sample([normal(2, 2500)], { k: Dim.of(40), largest: true }),
    sample([wholes(0, 300, 5003)], { k: Dim.of(3), largest: false }),
  ],
});

export const sort: OpDefinition = defineOp({
  name: "sort",
  summary: "Each row in ascending (or descending) order and where its elements were, equal ones by index.",
  source: "ONNX TopK-11 of all; numpy.sort with kind = stable",
  signature: "x: *b n -> values: *b n, indices: *b n",
  attributes: { descending: { kind: "boolean", doc: "the largest first", default: false } },
  types: ordering,
  reference: (operands, context) => ordered(operands, context, flagOf(context.attributes, "descending")),
  lowering: orderLowering(({ attributes }) => flagOf(attributes, "descending")),
  onnx: (context) => {
    const count = context.operands[0]?.shape.at(-1) ?? Dim.of(1);
    return emitTopK(context, count, flagOf(context.attributes, "descending"));
  },
  tolerance: exact,
  samples: [
    sample([normal(3, 7)], { descending: false }),
    sample([wholes(0, 4, 2, 13)], { descending: true }),
    sample([wholes(0, 4, 17)], { descending: false }),
    sample([normal(3, 1)], { descending: false }),
    sample([normal(0, 3)], { descending: true }),
  ],
});

export const cumsum: OpDefinition = defineOp({
  name: "cumsum",
  summary: "Running sums along a dimension, each element included.",
  source: "ONNX CumSum-14",
  signature: "x: *s -> *s",
  attributes: {
    axis: { kind: "integer", doc: "the dimension to sum along; negative counts from the end", default: -1 },
  },
  types: numbers,
  solve: (match, attributes) => {
    resolveAxis(numberOf(attributes, "axis"), match.shape(0).length);
    return {};
  },
  reference: ([input], { attributes, results }) => {
    const [result] = results;
    if (!input || !result) return [];
    const out = allocate(result.dtype, result.shape);
    const axis = resolveAxis(numberOf(attributes, "axis"), input.shape.length);
    const stride = rowMajorStrides(input.shape)[axis] ?? 1;
    walk(input.shape, [], (position, _, coordinates) => {
      const before = coordinates[axis] === 0 ? 0 : (out.data[position - stride] ?? 0);
      out.data[position] = before + (input.data[position] ?? 0);
    });
    return [out];
  },
  lowering: {
    kind: "scan",
    axis: ({ operands, attributes }) =>
      resolveAxis(numberOf(attributes, "axis"), operands[0]?.shape.length ?? 0),
    initial: 0,
    combine: add(accumulator, x),
  },
  onnx: (context) => {
    const axis = resolveAxis(numberOf(context.attributes, "axis"), context.operands[0]?.shape.length ?? 0);
    return [context.node("CumSum", [context.inputs[0] ?? "", context.constant("i64", [axis], [])])];
  },
  tolerance: accumulated,
  samples: [
    sample([normal(3, 7)], { axis: -1 }),
    sample([normal(2, 5, 3)], { axis: 1 }),
    sample([wholes(-9, 9, 11)], { axis: 0 }),
    sample([normal(3, 0)], { axis: 1 }),
  ],
});

export const orderOps: readonly OpDefinition[] = [topK, sort, cumsum];
