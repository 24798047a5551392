/**
 * What is left of numbers that are stored in fewer bits: round_int8, round_f16.
 *
 * Owns: the rounding, which is the meaning of a weight that is stored so, on every target; and the codes
 * and scales of a row. Which weights are stored how is storage.ts's, how a target lays them out its own.
 */
import { allocate, type TensorData } from "../host-tensor.ts";
import type { OnnxContext } from "../onnx/context.ts";
import { numberOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { floats } from "./element-types.ts";
import type { Fold } from "./lowering.ts";
import type { OpDefinition, Tolerance } from "./op.ts";
import { between, given, normal, sample } from "./samples.ts";
import { accumulator, div, folded, max, mul, unary, x } from "./scalar.ts";
import { roundToEven } from "./special.ts";
import { rounded } from "./tolerances.ts";

/** Codes are symmetric: -128 is left out, so that what is stored of -x is the negative of what is stored of x. */
const largestCode = 127;
/** A row of zeros is stored with this scale and codes of zero. */
const leastScale = 1e-30;

/** `depth` elements, `inner` apart, share a scale; a tensor is `outer` × depth × inner of them, in its own order. */
export interface Rows {
  readonly outer: number;
  readonly depth: number;
  readonly inner: number;
}

export interface Coded {
  readonly codes: Int8Array;
  /** One for each row: outer × inner. */
  readonly scales: Float64Array;
}

/** The code c of x in a row with the scale s is round(x / s), s = max |x| / 127 of the row; c s stands for x. */
export function encodeRows(data: TensorData, { outer, depth, inner }: Rows): Coded {
  const codes = new Int8Array(data.length);
  const scales = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * depth * inner + i;
      let largest = 0;
      for (let d = 0; d < depth; d++) largest = Math.max(largest, Math.abs(data[start + d * inner] ?? 0));
      const scale = Math.max(largest / largestCode, leastScale);
      scales[o * inner + i] = scale;
      for (let d = 0; d < depth; d++) {
        const place = start + d * inner;
        const code = roundToEven((data[place] ?? 0) / scale);
        codes[place] = Math.min(Math.max(code, -largestCode), largestCode);
      }
    }
  }
  return { codes, scales };
}

export function rowsAlong(shape: readonly number[], axis: number): Rows {
  const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);
  return {
    outer: product(shape.slice(0, axis)),
    depth: shape[axis] ?? 1,
    inner: product(shape.slice(axis + 1)),
  };
}

const scale: Fold = {
  initial: 0,
  combine: max(accumulator, unary("abs", x)),
  finish: max(div(accumulator, largestCode), leastScale),
};

const axisOf = (context: Pick<OnnxContext, "attributes" | "operands">): number =>
  resolveAxis(numberOf(context.attributes, "axis"), context.operands[0]?.shape.length ?? 0);

export const roundInt8: OpDefinition = defineOp({
  name: "round_int8",
  summary: "What is left of rows that are stored as whole numbers from -127 to 127 times one scale a row.",
  source:
    "arXiv:1712.05877, equation 1 with a zero point of 0; ONNX QuantizeLinear-21 and DequantizeLinear-21",
  signature: "x: *s -> *s",
  attributes: {
    axis: { kind: "integer", doc: "the dimension of a row; negative counts from the end", default: -1 },
  },
  types: floats,
  solve: (match, attributes) => {
    resolveAxis(numberOf(attributes, "axis"), match.shape(0).length);
    return {};
  },
  reference: ([input], { attributes, results }) => {
    const [result] = results;
    if (!input || !result) return [];
    const rows = rowsAlong(input.shape, resolveAxis(numberOf(attributes, "axis"), input.shape.length));
    const out = allocate(result.dtype, result.shape);
    decodeRows(encodeRows(input.data, rows), rows, out.data);
    return [out];
  },
  lowering: {
    kind: "row",
    axis: axisOf,
    folds: [scale],
    expression: () => mul(unary("round", div(x, folded(0))), folded(0)),
  },
  onnx: (context) => {
    const [input = ""] = context.inputs;
    const dtype = context.operands[0]?.dtype ?? "f32";
    const one = (value: number) => context.constant(dtype, [value], []);
    const largest = context.node("ReduceMax", [
      context.node("Abs", [input]),
      context.constant("i64", [axisOf(context)]),
    ]);
    const step = context.node("Max", [context.node("Div", [largest, one(largestCode)]), one(leastScale)]);
    return [context.node("Mul", [context.node("Round", [context.node("Div", [input, step])]), step])];
  },
  tolerance: rounded,
  stores: "int8",
  samples: [
    sample([normal(3, 7)], { axis: -1 }),
    sample([normal(2, 5, 3)], { axis: 1 }),
    sample([between(-9, 9, 4, 8)], { axis: 0 }),
    sample([given("f32", [2, 3], [0, 0, 0, 1, -2, 0.5])], { axis: 1 }),
    sample([normal(0, 3)], { axis: -1 }),
  ],
});

function decodeRows({ codes, scales }: Coded, { depth, inner }: Rows, to: TensorData): void {
  const block = depth * inner;
  for (let i = 0; i < codes.length; i++) {
    to[i] = (codes[i] ?? 0) * (scales[Math.floor(i / block) * inner + (i % inner)] ?? 0);
  }
}

/** Devices may take either of the two that x lies between. */
const neighbour: Tolerance = { absolute: 2 ** -24, relative: 2 ** -10 };

export const roundF16: OpDefinition = defineOp({
  name: "round_f16",
  summary: "The nearest number of IEEE binary16, as an f32.",
  source: "IEEE 754-2019, section 3.6; ONNX Cast-13, there and back",
  signature: "x: *s -> *s",
  types: floats,
  lowering: { kind: "map", expression: () => unary("half", x) },
  onnx: (context) => {
    const [input = ""] = context.inputs;
    const dtype = context.operands[0]?.dtype ?? "f32";
    return [context.cast(context.cast(input, dtype, "f16"), "f16", dtype)];
  },
  tolerance: neighbour,
  stores: "f16",
  samples: [
    sample([normal(3, 7)]),
    sample([between(-1000, 1000, 5)]),
    sample([given("f32", [4], [1 / 3, -65504, 1 + 3 * 2 ** -12, 0])]),
  ],
});

export const storedOps: readonly OpDefinition[] = [roundInt8, roundF16];
