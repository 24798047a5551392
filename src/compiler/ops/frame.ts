/**
 * frame: overlapping windows, where spectrograms start.
 */
import { Dim } from "../../lang/dims.ts";
import { allocate, rowMajorStrides } from "../host-tensor.ts";
import { int } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { numberOf } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { anything } from "./element-types.ts";
import { addIndex, at, constant, mulIndex } from "./indices.ts";
import { computed, refuse } from "./match.ts";
import type { OpDefinition } from "./op.ts";
import { normal, sample } from "./samples.ts";
import { exact } from "./tolerances.ts";

export const frame: OpDefinition = defineOp({
  name: "frame",
  summary: "Overlapping windows of the last dimension; an incomplete last window is left out.",
  source: "Kaldi feature-window with snip-edges; torch.Tensor.unfold",
  signature: "x: *b n -> *b f size",
  attributes: {
    size: { kind: "integer", doc: "the length of a window" },
    step: { kind: "integer", doc: "from the start of one window to the next" },
  },
  types: anything,
  solve: (match, attributes) => {
    const [size, step] = [numberOf(attributes, "size"), numberOf(attributes, "step")];
    if (size < 1 || step < 1)
      refuse({ message: `\`size\` is ${size} and \`step\` is ${step}; both must be 1 or more` });
    const n = match.sourcedDim("n");
    match.atMost(computed(size), n, "one window fits");
    return { f: computed(n.dim.sub(size).floorDivide(step).add(1)), size: computed(size) };
  },
  reference: ([x], { attributes, results }) => {
    const [result] = results;
    if (!x || !result) return [];
    const out = allocate(result.dtype, result.shape);
    const own = rowMajorStrides(x.shape);
    const strides = [...own.slice(0, -1), numberOf(attributes, "step"), 1];
    walk(out.shape, [strides], (position, [offset = 0]) => {
      out.data[position] = x.data[offset] ?? 0;
    });
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes }) => {
      const last = (operands[0]?.shape.length ?? 1) - 1;
      const start = mulIndex(at(last), constant(numberOf(attributes, "step")));
      const lead = Array.from({ length: last }, (_, axis) => at(axis));
      return [{ operand: 0, at: [...lead, addIndex(start, at(last + 1))] }];
    },
  },
  onnx: (context) => {
    const literal = (value: number, shape: number[] = []) => context.constant("i64", [value], shape);
    const ramp = (end: string) => context.node("Range", [literal(0), end, literal(1)]);
    const shape = context.results[0]?.shape ?? [];
    const frames = shape[shape.length - 2] ?? Dim.of(1);
    const starts = context.node("Mul", [
      ramp(context.dim(frames)),
      literal(numberOf(context.attributes, "step")),
    ]);
    const column = context.node("Unsqueeze", [starts, context.constant("i64", [1])]);
    const positions = context.node("Add", [column, ramp(literal(numberOf(context.attributes, "size")))]);
    return [context.node("Gather", [context.inputs[0] ?? "", positions], { axis: int(shape.length - 2) })];
  },
  tolerance: exact,
  samples: [
    sample([normal(2, 17)], { size: 5, step: 3 }),
    sample([normal(11)], { size: 4, step: 4 }),
    sample([normal(3, 7)], { size: 7, step: 2 }),
    sample([normal(0, 5)], { size: 2, step: 1 }),
  ],
});
