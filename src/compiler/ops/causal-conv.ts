/**
 * causal_conv: a short convolution over time, one filter a channel, that sees only the past.
 *
 * Owns: its meaning with and without the columns that an earlier call left, and how the new ones are
 * kept: the last `k` columns of the input, oldest first, zeros where there were none.
 */
import { Dim } from "../../lang/dims.ts";
import { allocate, type HostTensor } from "../host-tensor.ts";
import { int, ints, type OnnxContext } from "../onnx/context.ts";
import { elementsOf } from "./cost.ts";
import { defineOp } from "./define.ts";
import { floats } from "./element-types.ts";
import {
  add as addTo,
  below,
  choose,
  coordinate,
  integer,
  type LoopProgram,
  type LoopStatement,
  type LoopTerm,
  minus,
  name,
  operandAt,
  plus,
  result as resultAt,
  same,
  store,
  sum as sumOf,
  times,
  when,
} from "./loops.ts";
import type { LoweringContext } from "./lowering.ts";
import { computed, refuse } from "./match.ts";
import type { OpDefinition, ReferenceContext } from "./op.ts";
import { emitReshape } from "./reshape.ts";
import { normal, sample } from "./samples.ts";
import { accumulated } from "./tolerances.ts";

function reference(
  operands: readonly HostTensor[],
  { results, meter }: ReferenceContext,
): readonly HostTensor[] {
  const [x, weight, bias, state] = operands;
  const [result, kept] = results;
  if (!x || !weight || !bias || !result || !kept) return [];
  const [batch = 0, length = 0, channels = 0] = x.shape;
  const width = weight.shape[1] ?? 1;
  const out = allocate(result.dtype, result.shape);
  const columns = allocate(kept.dtype, kept.shape);
  // One channel of one sequence: the columns before it, then its own.
  const line = new Float64Array(width + length);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const row = (b * channels + c) * width;
      const first = b * length * channels + c;
      for (let j = 0; j < width; j++) line[j] = state?.data[row + j] ?? 0;
      for (let t = 0; t < length; t++) line[width + t] = x.data[first + t * channels] ?? 0;
      for (let t = 0; t < length; t++) {
        let sum = bias.data[c] ?? 0;
        for (let j = 0; j < width; j++) {
          sum = meter.mac(sum, weight.data[c * width + j] ?? 0, line[t + 1 + j] ?? 0);
        }
        out.data[first + t * channels] = sum;
      }
      columns.data.set(line.subarray(length), row);
    }
  }
  return [out, columns];
}

/** The columns that filters look back on, then one product for every filter. */
function emit(context: OnnxContext): readonly string[] {
  const [x = "", weight = "", bias = "", state] = context.inputs;
  const length = context.operands[0]?.shape[1] ?? Dim.of(1);
  const [channels = 1, width = 1] = (context.operands[1]?.shape ?? []).map((size) => size.constant);
  const vector = (...values: number[]) => context.constant("i64", values);
  const cut = (from: string, start: number, stop: string) =>
    context.node("Slice", [from, vector(start), stop, vector(2)]);
  const turned = (input: string) => context.node("Transpose", [input], { perm: ints([0, 2, 1]) });
  // [b, c, l], with k - 1 columns more in front when there is a state.
  const own = turned(x);
  const seen =
    state === undefined ? own : context.node("Concat", [cut(state, 1, vector(width)), own], { axis: int(2) });
  const last =
    state !== undefined && length.constant === 1
      ? seen
      : cut(seen, -width, context.dims([length.add(width)]));
  if (state !== undefined && length.constant === 1) {
    const products = context.node("Mul", [seen, weight]);
    const sum = context.node("ReduceSum", [products, vector(2)], { keepdims: int(0) });
    return [context.node("Unsqueeze", [context.node("Add", [sum, bias]), vector(1)]), last];
  }
  const filters = context.node("Unsqueeze", [weight, vector(1)]);
  const pads = ints([state === undefined ? width - 1 : 0, 0]);
  const out = turned(context.node("Conv", [seen, filters, bias], { group: int(channels), pads }));
  if (state !== undefined) return [out, last];
  const missing = Dim.max(Dim.of(width).sub(length), 0);
  const none = Dim.of(0);
  return [out, context.node("Pad", [last, context.dims([none, none, missing, none, none, none])])];
}

/**
 * A step in one node of onnxruntime's: it keeps as many columns as its filters look back on, so a tap
 * of zeros in front of each makes it keep the oldest too. Sequences run faster as a convolution.
 */
function emitOrt(context: OnnxContext): readonly string[] {
  const [x = "", weight = "", bias = "", state] = context.inputs;
  const [batch = Dim.of(1), length] = context.operands[0]?.shape ?? [];
  const [channels = Dim.of(1)] = context.operands[1]?.shape ?? [];
  const dtype = context.operands[0]?.dtype ?? "f32";
  if (state === undefined || length?.constant !== 1 || dtype !== "f32") return emit(context);
  const pads = context.constant("i64", [0, 1, 0, 0]);
  const filters = context.node("Unsqueeze", [
    context.node("Pad", [weight, pads]),
    context.constant("i64", [1]),
  ]);
  const column = emitReshape(context, x, [batch, channels, Dim.of(1)]);
  const [y = "", columns = ""] = context.ownNodes(
    "CausalConvWithState",
    [column, filters, bias, state],
    2,
    {},
  );
  return [emitReshape(context, y, [batch, Dim.of(1), channels]), columns];
}

/** The sum at every place; the last places also store what the next call looks back on. */
function loops({ operands }: LoweringContext): LoopProgram {
  const [batch = Dim.of(1), length = Dim.of(1), channels = Dim.of(1)] = operands[0]?.shape ?? [];
  const width = operands[1]?.shape[1] ?? Dim.of(1);
  const [b, t, c] = [coordinate(0), coordinate(1), coordinate(2)];
  const j = name("j");
  const zero = integer(Dim.of(0));
  const earlier = (column: LoopTerm): LoopTerm =>
    operands.length > 3 ? operandAt(3, b, c, column) : { kind: "number", value: 0 };
  /** Column `place` of what came before, followed by the input. */
  const line = (place: LoopTerm): LoopTerm =>
    choose(below(place, integer(width)), earlier(place), operandAt(0, b, minus(place, integer(width)), c));
  const each = (from: LoopTerm, to: LoopTerm, body: readonly LoopStatement[]): LoopStatement => ({
    kind: "loop",
    name: "j",
    from,
    to,
    isFree: false,
    body,
  });
  const place = plus(t, integer(Dim.of(1)));
  return {
    scratch: [],
    stages: [
      {
        name: "convolution",
        grid: [batch, length, channels],
        wide: 2,
        macs: batch.mul(length).mul(channels).mul(width),
        body: [
          sumOf("y"),
          addTo("y", operandAt(2, c)),
          each(zero, integer(width), [addTo("y", times(operandAt(1, c, j), line(plus(place, j))))]),
          store(resultAt(0), [b, t, c], name("y")),
          when(below(integer(length.sub(width).sub(1)), t), [
            store(resultAt(1), [b, c, minus(t, integer(length.sub(width)))], operandAt(0, b, t, c)),
          ]),
          // Of a sequence shorter than the filter, columns of the past are still seen.
          ...(Dim.provablyAtMost(width, length)
            ? []
            : [
                when(same(t, zero), [
                  each(zero, integer(Dim.max(width.sub(length), 0)), [
                    store(resultAt(1), [b, c, j], earlier(plus(j, integer(length)))),
                  ]),
                ]),
              ]),
        ],
      },
    ],
  };
}

export const causalConv: OpDefinition = defineOp({
  name: "causal_conv",
  summary:
    "A convolution over time with one filter a channel, which sees only the past; its state is what it saw last.",
  source: "arXiv:2405.21060, section 7; Conv1d of PyTorch with groups = channels, padded on the left",
  signature: "x: b l c, weight: c k, bias: c, state?: b c k -> b l c, b c k",
  roles: ["activation", "weight", "weight", "state"],
  states: [{ name: "conv_state", operand: "state", result: 1 }],
  types: (operands, attributes) => floats(operands, attributes).flatMap((dtype) => [dtype, dtype]),
  solve: (match) => {
    match.atMost(computed(1), match.sourcedDim("l"), "there is at least one step");
    for (const name of ["c", "k"]) {
      if (match.dim(name).constant !== undefined) continue;
      refuse({ message: `the weight's sizes must be numbers, and \`${name}\` is ${match.dim(name)}` });
    }
    return {};
  },
  accounting: { family: "convolution" },
  macs: ({ operands, results }) => elementsOf(results[0]).mul(operands[1]?.shape[1] ?? Dim.of(1)),
  scalar: ({ results }) => elementsOf(results[0]),
  reference,
  lowering: { kind: "kernel", reason: "it also keeps the last columns", loops },
  onnx: emit,
  ort: emitOrt,
  tolerance: accumulated,
  samples: [
    sample([normal(2, 11, 5), normal(5, 4), normal(5)]),
    sample([normal(2, 1, 5), normal(5, 4), normal(5), normal(2, 5, 4)]),
    sample([normal(1, 1, 3), normal(3, 4), normal(3)]),
    sample([normal(2, 3, 7), normal(7, 4), normal(7), normal(2, 7, 4)]),
    sample([normal(1, 2, 3), normal(3, 3), normal(3), normal(1, 3, 3)]),
    sample([normal(3, 7, 1), normal(1, 1), normal(1)]),
    sample([normal(0, 5, 2), normal(2, 4), normal(2), normal(0, 2, 4)]),
  ],
});
