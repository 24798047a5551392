/**
 * Taking parts and putting parts together: slice, concat, pad.
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import { allocate, type HostTensor, rowMajorStrides } from "../host-tensor.ts";
import { int } from "../onnx/context.ts";
import { walk } from "../walk.ts";
import { dimsOf, numberOf, numbersOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { anything } from "./element-types.ts";
import { addIndex, at, constant, mulIndex } from "./indices.ts";
import { computed, refuse, type SourcedDim } from "./match.ts";
import type { OpDefinition } from "./op.ts";
import { normal, sample, wholes } from "./samples.ts";
import { exact } from "./tolerances.ts";

const dims = (...sizes: number[]) => sizes.map((size) => Dim.of(size));

/** Copies `x` into `out`, its element (0, 0, ...) at `start`. */
function place(x: HostTensor, out: HostTensor, start: readonly number[]): void {
  const strides = rowMajorStrides(out.shape);
  const base = start.reduce((sum, coordinate, axis) => sum + coordinate * (strides[axis] ?? 1), 0);
  walk(x.shape, [strides], (position, [offset = 0]) => {
    out.data[base + offset] = x.data[position] ?? 0;
  });
}

function oneForEachAxis(name: string, length: number, rank: number): void {
  if (length === rank) return;
  refuse({
    message: `\`${name}\` has ${length} entries, but \`x\` has ${rank} dimensions`,
    operands: [{ operand: 0, axis: 0 }],
  });
}

export const slice: OpDefinition = defineOp({
  name: "slice",
  summary: "Every step-th element of each dimension, from start up to but not including stop.",
  source: "ONNX Slice-13 with bounds that are not negative",
  signature: "x: *s -> *r",
  attributes: {
    starts: { kind: "dims", doc: "where each dimension starts" },
    stops: { kind: "dims", doc: "where each dimension stops, itself left out" },
    steps: {
      kind: "integers",
      doc: "the step in each dimension, 1 or more; all 1 when left out",
      default: [],
    },
  },
  types: anything,
  solve: (match, attributes) => {
    const shape = match.shape(0);
    const [starts, stops] = [dimsOf(attributes, "starts"), dimsOf(attributes, "stops")];
    const steps = stepsOf(numbersOf(attributes, "steps"), shape.length);
    oneForEachAxis("starts", starts.length, shape.length);
    oneForEachAxis("stops", stops.length, shape.length);
    oneForEachAxis("steps", steps.length, shape.length);
    const result = shape.map((size, axis): SourcedDim => {
      const [start, stop, step] = [starts[axis], stops[axis], steps[axis] ?? 1];
      if (!start || !stop) return size;
      if (step < 1) refuse({ message: `the step of dimension ${axis} is ${step}; it must be 1 or more` });
      if (start.constant === 0 && stop.equals(size.dim) && step === 1) return size;
      match.atMost(computed(0), computed(start), `the slice of dimension ${axis} starts inside it`);
      match.atMost(computed(start), computed(stop), `the slice of dimension ${axis} starts before it stops`);
      match.atMost(computed(stop), size, `the slice of dimension ${axis} stops inside it`);
      return computed(step === 1 ? stop.sub(start) : stop.sub(start).ceilDivide(step));
    });
    return { r: result };
  },
  reference: ([x], { attributes, results }) => {
    const [result] = results;
    if (!x || !result) return [];
    const out = allocate(result.dtype, result.shape);
    const own = rowMajorStrides(x.shape);
    const steps = stepsOf(numbersOf(attributes, "steps"), x.shape.length);
    const base = numbersOf(attributes, "starts").reduce(
      (sum, start, axis) => sum + start * (own[axis] ?? 1),
      0,
    );
    walk(out.shape, [own.map((stride, axis) => stride * (steps[axis] ?? 1))], (position, [offset = 0]) => {
      out.data[position] = x.data[base + offset] ?? 0;
    });
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes }) => {
      const starts = dimsOf(attributes, "starts");
      const steps = stepsOf(numbersOf(attributes, "steps"), operands[0]?.shape.length ?? 0);
      const index = (axis: number) =>
        addIndex(constant(starts[axis] ?? 0), mulIndex(at(axis), constant(steps[axis] ?? 1)));
      return [{ operand: 0, at: starts.map((_, axis) => index(axis)) }];
    },
  },
  onnx: (context) => {
    const shape = context.operands[0]?.shape ?? [];
    const [starts, stops] = [dimsOf(context.attributes, "starts"), dimsOf(context.attributes, "stops")];
    const steps = stepsOf(numbersOf(context.attributes, "steps"), shape.length);
    const changed = shape
      .map((_, axis) => axis)
      .filter((axis) => {
        const whole = starts[axis]?.constant === 0 && shape[axis] && stops[axis]?.equals(shape[axis]);
        return !whole || steps[axis] !== 1;
      });
    const pick = (all: readonly Dim[]) => changed.flatMap((axis) => all[axis] ?? []);
    const [x = ""] = context.inputs;
    if (changed.length === 0) return [context.node("Identity", [x])];
    return [
      context.node("Slice", [
        x,
        context.dims(pick(starts)),
        context.dims(pick(stops)),
        context.constant("i64", changed),
        context.constant(
          "i64",
          changed.map((axis) => steps[axis] ?? 1),
        ),
      ]),
    ];
  },
  tolerance: exact,
  samples: [
    sample([normal(5, 7)], { starts: dims(1, 0), stops: dims(4, 7), steps: [1, 1] }),
    sample([normal(2, 11, 3)], { starts: dims(0, 1, 2), stops: dims(2, 11, 3), steps: [1, 3, 1] }),
    sample([wholes(0, 99, 7)], { starts: dims(3), stops: dims(3), steps: [2] }),
    sample([normal(3)], { starts: dims(0), stops: dims(3), steps: [] }),
  ],
  simplify: (node) => {
    const [x] = node.operands;
    const [result] = node.results;
    const same = x && result && x.type.shape.every((dim, axis) => result.type.shape[axis]?.equals(dim));
    return same ? [x] : undefined;
  },
});

function stepsOf(given: readonly number[], rank: number): readonly number[] {
  return given.length === 0 ? new Array<number>(rank).fill(1) : given;
}

export const concat: OpDefinition = defineOp({
  name: "concat",
  summary: "Values one after another along an axis.",
  source: "ONNX Concat-13",
  signature: "xs...: * -> *r",
  attributes: {
    axis: { kind: "integer", doc: "the dimension to join along; negative counts from the end", default: 0 },
  },
  types: anything,
  solve: (match, attributes) => {
    const first = match.shape(0);
    const axis = resolveAxis(numberOf(attributes, "axis"), first.length);
    const result = [...first];
    match.operands.slice(1).forEach((type, index) => {
      const operand = index + 1;
      if (type.shape.length !== first.length) {
        refuse({
          message: `values of ${first.length} and of ${type.shape.length} dimensions cannot be joined`,
          operands: [
            { operand: 0, axis: 0 },
            { operand, axis: 0 },
          ],
        });
      }
      match.shape(operand).forEach((dim, place) => {
        const own = result[place];
        if (own && place !== axis) match.equal(`dimension ${place}`, own, dim);
      });
    });
    if (match.operands.length > 1) {
      result[axis] = computed(sumDims(match.operands.flatMap((type) => type.shape[axis] ?? [])));
    }
    return { r: result };
  },
  reference: (operands, { attributes, results }) => {
    const [result] = results;
    if (!result) return [];
    const out = allocate(result.dtype, result.shape);
    const axis = resolveAxis(numberOf(attributes, "axis"), result.shape.length);
    let start = 0;
    for (const x of operands) {
      place(
        x,
        out,
        result.shape.map((_, at) => (at === axis ? start : 0)),
      );
      start += x.shape[axis] ?? 0;
    }
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes, results }) => {
      const rank = results[0]?.shape.length ?? 0;
      const axis = resolveAxis(numberOf(attributes, "axis"), rank);
      let low = Dim.of(0);
      return operands.map((type, operand) => {
        const start = low;
        low = low.add(type.shape[axis] ?? Dim.of(0));
        return {
          operand,
          at: type.shape.map((_, place) =>
            place === axis ? addIndex(at(place), constant(start.negate())) : at(place),
          ),
          when: [{ axis, low: start, high: low }],
        };
      });
    },
  },
  onnx: (context) => {
    const axis = resolveAxis(numberOf(context.attributes, "axis"), context.results[0]?.shape.length ?? 0);
    return [context.node("Concat", context.inputs, { axis: int(axis) })];
  },
  tolerance: exact,
  samples: [
    sample([normal(3, 5), normal(2, 5)], { axis: 0 }),
    sample([normal(2, 1, 3), normal(2, 0, 3), normal(2, 7, 3)], { axis: -2 }),
    sample([wholes(0, 9, 4)], { axis: 0 }),
  ],
  simplify: (node) => (node.operands.length === 1 ? node.operands : undefined),
});

export const pad: OpDefinition = defineOp({
  name: "pad",
  summary: "Puts a number before and after the elements of each dimension.",
  source: "ONNX Pad-18 in mode constant, without cropping",
  signature: "x: *s -> *r",
  attributes: {
    before: { kind: "dims", doc: "how many before each dimension" },
    after: { kind: "dims", doc: "how many after each dimension" },
    value: { kind: "real", doc: "the number", default: 0 },
  },
  types: anything,
  solve: (match, attributes) => {
    const shape = match.shape(0);
    const [before, after] = [dimsOf(attributes, "before"), dimsOf(attributes, "after")];
    oneForEachAxis("before", before.length, shape.length);
    oneForEachAxis("after", after.length, shape.length);
    return {
      r: shape.map((size, axis) => {
        const [low, high] = [before[axis] ?? Dim.of(0), after[axis] ?? Dim.of(0)];
        match.atMost(computed(0), computed(low), `the padding before dimension ${axis} is not negative`);
        match.atMost(computed(0), computed(high), `the padding after dimension ${axis} is not negative`);
        return low.constant === 0 && high.constant === 0 ? size : computed(size.dim.add(low).add(high));
      }),
    };
  },
  reference: ([x], { attributes, results }) => {
    const [result] = results;
    if (!x || !result) return [];
    const out = allocate(result.dtype, result.shape);
    out.data.fill(numberOf(attributes, "value"));
    place(x, out, numbersOf(attributes, "before"));
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes }) => {
      const before = dimsOf(attributes, "before");
      const shape = operands[0]?.shape ?? [];
      return [
        {
          operand: 0,
          at: shape.map((_, axis) => addIndex(at(axis), constant((before[axis] ?? Dim.of(0)).negate()))),
          when: shape.map((size, axis) => {
            const low = before[axis] ?? Dim.of(0);
            return { axis, low, high: low.add(size) };
          }),
        },
      ];
    },
    otherwise: ({ attributes }) => numberOf(attributes, "value"),
  },
  onnx: (context) => {
    const pads = context.dims([
      ...dimsOf(context.attributes, "before"),
      ...dimsOf(context.attributes, "after"),
    ]);
    const dtype = context.operands[0]?.dtype ?? "f32";
    const value = context.constant(dtype, [numberOf(context.attributes, "value")], []);
    return [context.node("Pad", [context.inputs[0] ?? "", pads, value])];
  },
  tolerance: exact,
  samples: [
    sample([normal(3, 5)], { before: dims(1, 0), after: dims(0, 2), value: 0 }),
    sample([normal(7)], { before: dims(3), after: dims(4), value: -1.5 }),
    sample([wholes(0, 9, 1, 1)], { before: dims(0, 0), after: dims(0, 0), value: 2 }),
    sample([normal(0, 3)], { before: dims(2, 0), after: dims(0, 0), value: 1 }),
  ],
  simplify: (node) => {
    const all = [...dimsOf(node.attributes, "before"), ...dimsOf(node.attributes, "after")];
    return all.every((dim) => dim.constant === 0) ? node.operands : undefined;
  },
});

export const cutOps: readonly OpDefinition[] = [slice, concat, pad];
