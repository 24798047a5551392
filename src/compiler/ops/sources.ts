/**
 * Values that no operand gives: ramps, fills, dimensions.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import { isFloat } from "../../lang/types.ts";
import { allocate, type HostTensor } from "../host-tensor.ts";
import { dimOf, dimsOf, dtypeOf, numberOf } from "./attributes.ts";
import { defineOp } from "./define.ts";
import type { ElementTypeRule } from "./element-types.ts";
import { computed, refuse } from "./match.ts";
import type { OpDefinition, ReferenceContext } from "./op.ts";
import { sample } from "./samples.ts";
import { cast, coordinate, dimension, number } from "./scalar.ts";
import { exact } from "./tolerances.ts";

const chosen: ElementTypeRule = (_, attributes) => [dtypeOf(attributes, "dtype")];

function filled(results: ReferenceContext["results"], value: (position: number) => number): HostTensor[] {
  return results.map(({ dtype, shape }) => {
    const out = allocate(dtype, shape);
    for (let i = 0; i < out.data.length; i++) out.data[i] = value(i);
    return out;
  });
}

export const iota: OpDefinition = defineOp({
  name: "iota",
  summary: "0, 1, 2 and so on up to n - 1.",
  source: "ONNX Range-11",
  signature: "-> n",
  attributes: {
    n: { kind: "dim", doc: "how many" },
    dtype: { kind: "dtype", doc: "the element type", default: "i64" },
  },
  types: (_, attributes) => {
    const dtype = dtypeOf(attributes, "dtype");
    if (dtype === "bool") refuse({ message: "`iota` counts in numbers, not in bool" });
    return [dtype];
  },
  solve: (match, attributes) => {
    const n = computed(dimOf(attributes, "n"));
    match.atMost(computed(0), n, "`n` is not negative");
    return { n };
  },
  reference: (_, { results }) => filled(results, (position) => position),
  lowering: {
    kind: "source",
    expression: ({ attributes }) => cast(coordinate(0), dtypeOf(attributes, "dtype")),
  },
  onnx: (context) => {
    const zero = context.constant("i64", [0], []);
    const one = context.constant("i64", [1], []);
    const ramp = context.node("Range", [zero, context.dim(dimOf(context.attributes, "n")), one]);
    return [context.cast(ramp, "i64", dtypeOf(context.attributes, "dtype"))];
  },
  tolerance: exact,
  samples: [
    sample([], { n: Dim.of(7), dtype: "i64" }),
    sample([], { n: Dim.of(1), dtype: "f32" }),
    sample([], { n: Dim.of(0), dtype: "i64" }),
  ],
});

export const fill: OpDefinition = defineOp({
  name: "fill",
  summary: "One number everywhere.",
  source: "ONNX Expand-13 of a scalar",
  signature: "-> *s",
  attributes: {
    shape: { kind: "dims", doc: "the shape of the result" },
    value: { kind: "real", doc: "the number" },
    dtype: { kind: "dtype", doc: "the element type", default: "f32" },
  },
  types: (_, attributes) => {
    const dtype = dtypeOf(attributes, "dtype");
    const value = numberOf(attributes, "value");
    if (!isFloat(dtype) && !Number.isInteger(value)) {
      refuse({ message: `\`value\` is ${value}, which is not a whole number, but \`dtype\` is ${dtype}` });
    }
    return [dtype];
  },
  solve: (match, attributes) => {
    const shape = dimsOf(attributes, "shape").map(computed);
    for (const size of shape) match.atMost(computed(0), size, "a size is not negative");
    return { s: shape };
  },
  reference: (_, { attributes, results }) => filled(results, () => numberOf(attributes, "value")),
  lowering: {
    kind: "source",
    expression: ({ attributes }) => cast(number(numberOf(attributes, "value")), dtypeOf(attributes, "dtype")),
  },
  // Nothing is computed: the same number is written to every place.
  scalar: () => Dim.of(0),
  onnx: (context) => {
    const dtype = dtypeOf(context.attributes, "dtype");
    const scalar = context.constant(dtype, [numberOf(context.attributes, "value")], []);
    const shape = dimsOf(context.attributes, "shape");
    return [shape.length === 0 ? scalar : context.node("Expand", [scalar, context.dims(shape)])];
  },
  tolerance: exact,
  samples: [
    sample([], { shape: [Dim.of(3), Dim.of(5)], value: -2.5, dtype: "f32" }),
    sample([], { shape: [], value: 7, dtype: "i64" }),
    sample([], { shape: [Dim.of(1), Dim.of(0)], value: 1, dtype: "f32" }),
    sample([], { shape: [Dim.of(2)], value: 1, dtype: "bool" }),
  ],
});

/** How a dimension takes part in arithmetic: `x / n` for a mean over n elements. */
export const dimensionOp: OpDefinition = defineOp({
  name: "dimension",
  summary: "The value of a dimension, as a scalar.",
  source: "ONNX Shape-15, and integer arithmetic",
  signature: "-> ()",
  attributes: {
    value: { kind: "dim", doc: "the dimension" },
    dtype: { kind: "dtype", doc: "the element type", default: "i64" },
  },
  types: chosen,
  reference: (_, { attributes, results }) => filled(results, () => numberOf(attributes, "value")),
  lowering: {
    kind: "source",
    expression: ({ attributes }) => cast(dimension(dimOf(attributes, "value")), dtypeOf(attributes, "dtype")),
  },
  scalar: () => Dim.of(0),
  onnx: (context) => [
    context.cast(
      context.dim(dimOf(context.attributes, "value")),
      "i64",
      dtypeOf(context.attributes, "dtype"),
    ),
  ],
  tolerance: exact,
  samples: [
    sample([], { value: Dim.of(13), dtype: "i64" }),
    sample([], { value: productDims([Dim.of(2), Dim.of(3)]), dtype: "f32" }),
  ],
});

export const sourceOps: readonly OpDefinition[] = [iota, fill, dimensionOp];
