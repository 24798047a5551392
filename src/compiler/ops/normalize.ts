/**
 * Ops on whole rows: softmax, log_softmax, layer_norm, rms_norm.
 *
 * Owns: what they mean and how a row becomes a few folds and one expression.
 */
import { allocate, type HostTensor, rowMajorStrides } from "../host-tensor.ts";
import { float, int, type OnnxContext } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { layerNormAccounting, rmsNormAccounting, softmaxAccounting } from "./accounting.ts";
import { numberOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { floats } from "./element-types.ts";
import type { Fold } from "./lowering.ts";
import type { OpDefinition, ReferenceContext } from "./op.ts";
import { between, normal, sample } from "./samples.ts";
import { accumulator, add, count, div, exp, folded, max, mul, operand, sub, unary, x } from "./scalar.ts";
import { accumulated, transcendental } from "./tolerances.ts";

/** Runs `rewrite` on each row of `x` along `axis`; it fills the second row from the first. */
function eachRow(
  input: HostTensor,
  axis: number,
  context: ReferenceContext,
  rewrite: (from: Float64Array, to: Float64Array) => void,
): HostTensor[] {
  const [result] = context.results;
  if (!result) return [];
  const out = allocate(result.dtype, result.shape);
  const size = input.shape[axis] ?? 1;
  const strides = rowMajorStrides(input.shape);
  const stride = strides[axis] ?? 1;
  const [from, to] = [new Float64Array(size), new Float64Array(size)];
  walk(
    input.shape.map((n, place) => (place === axis ? 1 : n)),
    [strides],
    (_, [base = 0]) => {
      for (let i = 0; i < size; i++) from[i] = input.data[base + i * stride] ?? 0;
      rewrite(from, to);
      for (let i = 0; i < size; i++) out.data[base + i * stride] = to[i] ?? 0;
    },
  );
  return [out];
}

const greatest: Fold = {
  initial: Number.NEGATIVE_INFINITY,
  combine: max(accumulator, x),
  finish: accumulator,
};
/** The largest is taken off first, so that no exponential overflows. */
const shifted = sub(x, folded(0));
const sumOfExponentials: Fold = { initial: 0, combine: add(accumulator, exp(shifted)), finish: accumulator };

function softmaxOp(
  row: Pick<OpDefinition, "name" | "summary" | "source"> & { onnx: string; logarithm: boolean },
): OpDefinition {
  const { onnx, logarithm } = row;
  return defineOp({
    name: row.name,
    summary: row.summary,
    source: row.source,
    signature: "x: *s -> *s",
    ...(!logarithm && { accounting: softmaxAccounting }),
    attributes: {
      axis: { kind: "integer", doc: "the dimension of a row; negative counts from the end", default: -1 },
    },
    types: floats,
    solve: (match, attributes) => {
      resolveAxis(numberOf(attributes, "axis"), match.shape(0).length);
      return {};
    },
    reference: ([input], context) => {
      if (!input) return [];
      const axis = resolveAxis(numberOf(context.attributes, "axis"), input.shape.length);
      return eachRow(input, axis, context, (from, to) => {
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < from.length; i++) largest = Math.max(largest, from[i] ?? 0);
        let total = 0;
        for (let i = 0; i < from.length; i++) {
          to[i] = Math.exp((from[i] ?? 0) - largest);
          total += to[i] ?? 0;
        }
        const logTotal = Math.log(total);
        for (let i = 0; i < from.length; i++) {
          to[i] = logarithm ? (from[i] ?? 0) - largest - logTotal : (to[i] ?? 0) / total;
        }
      });
    },
    lowering: {
      kind: "row",
      axis: ({ operands, attributes }) =>
        resolveAxis(numberOf(attributes, "axis"), operands[0]?.shape.length ?? 0),
      folds: [greatest, sumOfExponentials],
      expression: () => (logarithm ? sub(shifted, unary("log", folded(1))) : div(exp(shifted), folded(1))),
    },
    onnx: (context) => {
      const axis = resolveAxis(numberOf(context.attributes, "axis"), context.operands[0]?.shape.length ?? 0);
      return [context.node(onnx, context.inputs, { axis: int(axis) })];
    },
    tolerance: transcendental,
    samples: [
      sample([between(-9, 9, 3, 7)], { axis: -1 }),
      sample([normal(2, 5, 3)], { axis: 1 }),
      sample([between(80, 120, 1, 11)], { axis: 1 }),
      sample([normal(4, 1)], { axis: -1 }),
      sample([normal(0, 3)], { axis: -1 }),
    ],
  });
}

export const softmax: OpDefinition = softmaxOp({
  name: "softmax",
  summary: "Exponentials along a dimension, scaled to sum to 1.",
  source: "ONNX Softmax-13",
  onnx: "Softmax",
  logarithm: false,
});

export const logSoftmax: OpDefinition = softmaxOp({
  name: "log_softmax",
  summary: "The logarithm of softmax, without leaving logarithms.",
  source: "ONNX LogSoftmax-13",
  onnx: "LogSoftmax",
  logarithm: true,
});

const epsilon = { kind: "real", doc: "added under the square root" } as const;
const average = (of: Fold["combine"]): Fold => ({
  initial: 0,
  combine: add(accumulator, of),
  finish: div(accumulator, count),
});
const centered = sub(x, folded(0));

function lastAxis({
  operands,
}: {
  readonly operands: readonly { readonly shape: readonly unknown[] }[];
}): number {
  return (operands[0]?.shape.length ?? 1) - 1;
}

/** The weight's place is always filled in ONNX: ones where the program gives none. */
function weightOrOnes(context: OnnxContext): string {
  const [, weight] = context.inputs;
  if (weight !== undefined) return weight;
  const type = context.operands[0];
  const one = context.constant(type?.dtype ?? "f32", [1], []);
  return context.node("Expand", [one, context.dims(type?.shape.slice(-1) ?? [])]);
}

export const layerNorm: OpDefinition = defineOp({
  name: "layer_norm",
  summary: "Rows of the last dimension with mean 0 and variance 1, then scaled and shifted.",
  source: "arXiv:1607.06450, equation 3; ONNX LayerNormalization-17",
  signature: "x: *b d, weight?: d, bias?: d -> *b d",
  accounting: layerNormAccounting,
  attributes: { epsilon: { ...epsilon, default: 1e-5 } },
  roles: ["activation", "weight", "weight"],
  types: floats,
  reference: (operands, context) => {
    const [input, weight, bias] = operands;
    if (!input) return [];
    const small = numberOf(context.attributes, "epsilon");
    return eachRow(input, lastAxis({ operands }), context, (from, to) => {
      let mean = 0;
      for (let i = 0; i < from.length; i++) mean += (from[i] ?? 0) / from.length;
      let variance = 0;
      for (let i = 0; i < from.length; i++) variance += ((from[i] ?? 0) - mean) ** 2 / from.length;
      const scale = 1 / Math.sqrt(variance + small);
      for (let i = 0; i < from.length; i++) {
        to[i] = ((from[i] ?? 0) - mean) * scale * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
      }
    });
  },
  lowering: {
    kind: "row",
    axis: lastAxis,
    folds: [average(x), average(mul(centered, centered))],
    expression: ({ operands, attributes }) => {
      const scaled = mul(centered, unary("rsqrt", add(folded(1), numberOf(attributes, "epsilon"))));
      const weighted = operands.length > 1 ? mul(scaled, operand(1)) : scaled;
      return operands.length > 2 ? add(weighted, operand(2)) : weighted;
    },
  },
  onnx: (context) => {
    const [input = "", , bias] = context.inputs;
    const inputs = [input, weightOrOnes(context), ...(bias === undefined ? [] : [bias])];
    const attributes = { axis: int(-1), epsilon: float(numberOf(context.attributes, "epsilon")) };
    return [context.node("LayerNormalization", inputs, attributes)];
  },
  tolerance: accumulated,
  samples: [
    sample([normal(3, 7), normal(7), normal(7)], { epsilon: 1e-5 }),
    sample([normal(2, 1, 13), normal(13)], { epsilon: 1e-6 }),
    sample([between(10, 20, 5, 8)], { epsilon: 1e-12 }),
    sample([normal(2, 1), normal(1), normal(1)], { epsilon: 1e-5 }),
    sample([normal(0, 3), normal(3), normal(3)], { epsilon: 1e-5 }),
  ],
});

export const rmsNorm: OpDefinition = defineOp({
  name: "rms_norm",
  summary: "Rows of the last dimension divided by their root mean square, then scaled.",
  source: "arXiv:1910.07467, equation 4; ONNX RMSNormalization-23, written out below opset 23",
  signature: "x: *b d, weight?: d -> *b d",
  accounting: rmsNormAccounting,
  attributes: { epsilon: { ...epsilon, default: 1e-5 } },
  roles: ["activation", "weight"],
  types: floats,
  reference: (operands, context) => {
    const [input, weight] = operands;
    if (!input) return [];
    const small = numberOf(context.attributes, "epsilon");
    return eachRow(input, lastAxis({ operands }), context, (from, to) => {
      let square = 0;
      for (let i = 0; i < from.length; i++) square += (from[i] ?? 0) ** 2 / from.length;
      const scale = 1 / Math.sqrt(square + small);
      for (let i = 0; i < from.length; i++) to[i] = (from[i] ?? 0) * scale * (weight?.data[i] ?? 1);
    });
  },
  lowering: {
    kind: "row",
    axis: lastAxis,
    folds: [average(mul(x, x))],
    expression: ({ operands, attributes }) => {
      const scaled = mul(x, unary("rsqrt", add(folded(0), numberOf(attributes, "epsilon"))));
      return operands.length > 1 ? mul(scaled, operand(1)) : scaled;
    },
  },
  onnx: (context) => {
    const [input = "", weight] = context.inputs;
    const dtype = context.operands[0]?.dtype ?? "f32";
    // Pow, not a product with itself: the form that onnxruntime recognises and runs as one.
    const square = context.node("Pow", [input, context.constant(dtype, [2], [])]);
    const mean = context.node("ReduceMean", [square, context.constant("i64", [-1])], { keepdims: int(1) });
    const small = context.constant(dtype, [numberOf(context.attributes, "epsilon")], []);
    const root = context.node("Sqrt", [context.node("Add", [mean, small])]);
    const scaled = context.node("Div", [input, root]);
    return [weight === undefined ? scaled : context.node("Mul", [scaled, weight])];
  },
  tolerance: accumulated,
  samples: [
    sample([normal(3, 7), normal(7)], { epsilon: 1e-5 }),
    sample([normal(2, 1, 13)], { epsilon: 1e-6 }),
    sample([between(-30, 30, 1, 5), normal(5)], { epsilon: 1e-5 }),
    sample([normal(0, 3), normal(3)], { epsilon: 1e-5 }),
  ],
});

export const rowOps: readonly OpDefinition[] = [softmax, logSoftmax, layerNorm, rmsNorm];
