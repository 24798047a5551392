/**
 * conv1d and conv2d: cross-correlation with strides, padding and groups.
 *
 * Owns: both, as one convolution over any number of spatial dimensions. Products with padding are
 * executed and counted, as the accounting has it.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import type { HostTensor } from "../host-tensor.ts";
import { elementCount, rowMajorStrides } from "../host-tensor.ts";
import { int, ints } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { doubles, multiplyAdd } from "./arithmetic.ts";
import { type AnyAttributes, numberOf, numbersOf } from "./attributes.ts";
import { elementsOf } from "./cost.ts";
import { defineOp } from "./define.ts";
import { floats } from "./element-types.ts";
import { addIndex, at, constant, divIndex, mulIndex } from "./indices.ts";
import { computed, type Match, refuse, type SourcedDim } from "./match.ts";
import type { OpDefinition, ReferenceContext, Sample } from "./op.ts";
import { normal, sample } from "./samples.ts";
import { accumulated } from "./tolerances.ts";

interface Spatial {
  readonly name: string;
  /** The signature's letters: the size of the input, of the kernel and of the result, for each axis. */
  readonly axes: readonly { readonly input: string; readonly kernel: string; readonly output: string }[];
  readonly samples: readonly Sample[];
}

interface Settings {
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly groups: number;
}

function settings(attributes: AnyAttributes, rank: number): Settings {
  const padding = numbersOf(attributes, "padding");
  const strides = numbersOf(attributes, "strides");
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return {
    strides: axes.map((axis) => strides[axis] ?? 1),
    before: axes.map((axis) => padding[2 * axis] ?? 0),
    after: axes.map((axis) => padding[2 * axis + 1] ?? 0),
    groups: numberOf(attributes, "groups"),
  };
}

function checkSettings(attributes: AnyAttributes, rank: number): Settings {
  const lengths: readonly [string, number][] = [
    ["strides", rank],
    ["padding", 2 * rank],
  ];
  for (const [name, wanted] of lengths) {
    const { length } = numbersOf(attributes, name);
    if (length !== 0 && length !== wanted) {
      refuse({ message: `\`${name}\` has ${length} numbers, but needs ${wanted}` });
    }
  }
  const all = settings(attributes, rank);
  if (all.strides.some((stride) => stride < 1)) refuse({ message: "every stride must be 1 or more" });
  if ([...all.before, ...all.after].some((size) => size < 0))
    refuse({ message: "padding must not be negative" });
  if (all.groups < 1) refuse({ message: `\`groups\` is ${all.groups}; it must be 1 or more` });
  return all;
}

function solve(match: Match, attributes: AnyAttributes, axes: Spatial["axes"]): Record<string, SourcedDim> {
  const { strides, before, after, groups } = checkSettings(attributes, axes.length);
  const inputs = match.sourcedDim("i");
  match.equal("the number of channels", match.sourcedDim("c"), { ...inputs, dim: inputs.dim.mul(groups) });
  match.divide(match.sourcedDim("o"), computed(groups), "the groups divide the channels of the result");
  return Object.fromEntries(
    axes.map(({ input, kernel, output }, axis) => {
      const size = match.sourcedDim(input);
      const padded = size.dim.add((before[axis] ?? 0) + (after[axis] ?? 0));
      const width = match.sourcedDim(kernel);
      match.atMost(width, { ...size, dim: padded }, "the kernel fits the padded input");
      const steps = padded.sub(width.dim).floorDivide(strides[axis] ?? 1);
      return [output, computed(steps.add(1))];
    }),
  );
}

/** Unrolls one group's input: rows are kernel places, columns are places of the result. */
function unroll(
  image: Float64Array,
  offset: number,
  input: readonly number[],
  kernel: readonly number[],
  output: readonly number[],
  { strides, before }: Settings,
): Float64Array {
  const own = rowMajorStrides(input);
  const columns = new Float64Array(elementCount(kernel) * elementCount(output));
  walk([...kernel, ...output], [], (position, _, coordinates) => {
    const [channel = 0] = coordinates;
    let from = offset + channel * (own[0] ?? 1);
    for (let axis = 0; axis < output.length; axis++) {
      const start = (coordinates[kernel.length + axis] ?? 0) * (strides[axis] ?? 1) - (before[axis] ?? 0);
      const place = start + (coordinates[axis + 1] ?? 0);
      if (place < 0 || place >= (input[axis + 1] ?? 0)) return;
      from += place * (own[axis + 1] ?? 1);
    }
    columns[position] = image[from] ?? 0;
  });
  return columns;
}

function reference(
  operands: readonly HostTensor[],
  { attributes, results, meter }: ReferenceContext,
): HostTensor[] {
  const [x, weight, bias] = operands;
  const [result] = results;
  if (!x || !weight || !result) return [];
  const [images = 0, channels = 0, ...input] = x.shape;
  const [outputs = 0, groupInputs = 0, ...kernel] = weight.shape;
  const output = result.shape.slice(2);
  const chosen = settings(attributes, output.length);
  const groupOutputs = outputs / chosen.groups;
  const [places, depth] = [elementCount(output), groupInputs * elementCount(kernel)];
  const [image, weights] = [doubles(x.data), doubles(weight.data)];
  const out = {
    dtype: result.dtype,
    shape: result.shape,
    data: new Float64Array(elementCount(result.shape)),
  };
  if (bias) {
    for (let row = 0; row < images * outputs; row++) {
      out.data.fill(bias.data[row % outputs] ?? 0, row * places, (row + 1) * places);
    }
  }
  for (let b = 0; b < images; b++) {
    for (let g = 0; g < chosen.groups; g++) {
      const offset = (b * channels + g * groupInputs) * elementCount(input);
      const columns = unroll(
        image,
        offset,
        [groupInputs, ...input],
        [groupInputs, ...kernel],
        output,
        chosen,
      );
      multiplyAdd(
        groupOutputs,
        places,
        depth,
        { data: weights, offset: g * groupOutputs * depth },
        { data: columns, offset: 0 },
        { data: out.data, offset: (b * outputs + g * groupOutputs) * places },
        meter,
      );
    }
  }
  return [out];
}

function convolution({ name, axes, samples }: Spatial): OpDefinition {
  const rank = axes.length;
  const letters = (which: "input" | "kernel" | "output") => axes.map((axis) => axis[which]).join(" ");
  return defineOp({
    name,
    summary: `Cross-correlation over ${rank === 1 ? "one dimension" : `${rank} dimensions`}, channels first.`,
    source: "ONNX Conv-11, with dilations of 1",
    signature: `x: b c ${letters("input")}, weight: o i ${letters("kernel")}, bias?: o -> b o ${letters("output")}`,
    attributes: {
      strides: { kind: "integers", doc: "the step in each dimension; all 1 when left out", default: [] },
      padding: {
        kind: "integers",
        doc: "before and after the first dimension, then the next; none when left out",
        default: [],
      },
      groups: { kind: "integer", doc: "groups of channels that do not mix", default: 1 },
    },
    roles: ["activation", "weight", "weight"],
    types: floats,
    accounting: { family: "convolution" },
    solve: (match, attributes) => solve(match, attributes, axes),
    macs: ({ operands, results }) =>
      elementsOf(results[0]).mul(productDims(operands[1]?.shape.slice(1) ?? [])),
    reference,
    lowering: {
      kind: "contract",
      axes: ({ operands, attributes, results }) => {
        const { strides, before, groups } = settings(attributes, rank);
        const kernel = operands[1]?.shape ?? [];
        const [, inputs = Dim.of(1)] = kernel;
        // After the result's b, o and places, the reduced coordinates: channel, then kernel places.
        const reduced = rank + 2;
        const outputs = results[0]?.shape[1] ?? Dim.of(1);
        const group = groups === 1 ? constant(0) : divIndex(at(1), constant(outputs.floorDivide(groups)));
        const channel = addIndex(mulIndex(group, constant(inputs)), at(reduced));
        const place = (axis: number) => {
          const start = mulIndex(at(axis + 2), constant(strides[axis] ?? 1));
          return addIndex(addIndex(start, at(reduced + 1 + axis)), constant(-(before[axis] ?? 0)));
        };
        return {
          reduce: kernel.slice(1),
          left: [at(0), channel, ...axes.map((_, axis) => place(axis))],
          right: [at(1), at(reduced), ...axes.map((_, axis) => at(reduced + 1 + axis))],
          padded: true,
          bias: operands.length > 2 ? [at(1)] : undefined,
        };
      },
    },
    onnx: (context) => {
      const { strides, before, after, groups } = settings(context.attributes, rank);
      return [
        context.node("Conv", context.inputs, {
          strides: ints(strides),
          pads: ints([...before, ...after]),
          group: int(groups),
        }),
      ];
    },
    tolerance: accumulated,
    samples,
  });
}

export const conv1d: OpDefinition = convolution({
  name: "conv1d",
  axes: [{ input: "n", kernel: "k", output: "p" }],
  samples: [
    sample([normal(2, 3, 11), normal(5, 3, 3), normal(5)], { strides: [2], padding: [1, 1], groups: 1 }),
    sample([normal(1, 4, 7), normal(4, 1, 4)], { strides: [1], padding: [3, 0], groups: 4 }),
    sample([normal(1, 1, 1), normal(1, 1, 1), normal(1)], { strides: [], padding: [], groups: 1 }),
    sample([normal(0, 2, 5), normal(3, 2, 2)], { strides: [3], padding: [], groups: 1 }),
  ],
});

export const conv2d: OpDefinition = convolution({
  name: "conv2d",
  axes: [
    { input: "h", kernel: "kh", output: "p" },
    { input: "w", kernel: "kw", output: "q" },
  ],
  samples: [
    sample([normal(1, 1, 13, 8), normal(5, 1, 4, 4), normal(5)], { strides: [3, 4], padding: [], groups: 1 }),
    sample([normal(2, 4, 5, 3), normal(6, 2, 3, 1)], { strides: [1, 2], padding: [1, 0, 0, 2], groups: 2 }),
    sample([normal(1, 3, 7, 7), normal(3, 1, 3, 3), normal(3)], {
      strides: [2, 2],
      padding: [1, 1, 1, 1],
      groups: 3,
    }),
    sample([normal(1, 1, 1, 1), normal(2, 1, 1, 1)], { strides: [], padding: [], groups: 1 }),
  ],
});

export const contractOps: readonly OpDefinition[] = [conv1d, conv2d];
