/**
 * Reading the same elements in another arrangement: reshape, transpose, expand.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import { printShape, sameShape, sameType } from "../../lang/types.ts";
import { allocate, rowMajorStrides } from "../host-tensor.ts";
import { int, ints, type OnnxContext } from "../onnx/context.ts";
import { broadcastStrides, walk } from "../walk.ts";
import { type AnyAttributes, dimsOf, numbersOf } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { anything } from "./element-types.ts";
import { at, broadcastIndices, flatten, unflatten } from "./indices.ts";
import { computed, refuse } from "./match.ts";
import type { OpDefinition } from "./op.ts";
import { normal, sample, wholes } from "./samples.ts";
import { exact } from "./tolerances.ts";

const dims = (...sizes: number[]) => sizes.map((size) => Dim.of(size));

/** A 0 in ONNX's shape means "as the operand's" unless `allowzero` is set: it is, where a 0 may occur. */
export function emitReshape(context: OnnxContext, x: string, shape: readonly Dim[]): string {
  const mayBeEmpty = shape.some((dim) => !Dim.provablyAtMost(Dim.of(1), dim));
  return context.node("Reshape", [x, context.dims(shape)], mayBeEmpty ? { allowzero: int(1) } : {});
}

export const reshape: OpDefinition = defineOp({
  name: "reshape",
  summary: "The same elements in row-major order under another shape.",
  source: "ONNX Reshape-14",
  signature: "x: *s -> *r",
  attributes: { shape: { kind: "dims", doc: "the new shape, with as many elements" } },
  types: anything,
  solve: (match, attributes) => {
    const from = match.shape(0);
    const shape = dimsOf(attributes, "shape");
    const [had, wanted] = [productDims(from.map((d) => d.dim)), productDims(shape)];
    if (!had.equals(wanted)) {
      const reason = `${printShape(from.map((d) => d.dim))} has ${had} elements, ${printShape(shape)} has ${wanted}`;
      if (had.sub(wanted).constant !== undefined) {
        refuse({ message: reason, operands: [{ operand: 0, axis: 0 }], expected: had, found: wanted });
      }
      match.requirements.push({ kind: "equal", left: had, right: wanted, reason });
    }
    return {
      r: shape.map((dim, axis) => {
        const same = from[axis];
        return same?.dim.equals(dim) ? same : computed(dim);
      }),
    };
  },
  reference: ([x], { results }) => {
    const [result] = results;
    return x && result ? [{ dtype: x.dtype, shape: result.shape, data: x.data }] : [];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, results }) => {
      const shape = results[0]?.shape ?? [];
      const position = flatten(
        shape.map((_, axis) => at(axis)),
        shape,
      );
      return [{ operand: 0, at: unflatten(position, operands[0]?.shape ?? []) }];
    },
  },
  onnx: (context) => [emitReshape(context, context.inputs[0] ?? "", dimsOf(context.attributes, "shape"))],
  tolerance: exact,
  samples: [
    sample([normal(3, 4, 5)], { shape: dims(5, 12) }),
    sample([normal(7)], { shape: dims(1, 7, 1) }),
    sample([normal(1, 1)], { shape: [] }),
    sample([wholes(0, 9, 2, 0, 3)], { shape: dims(0, 6) }),
  ],
  simplify: (node, build) => {
    const [x] = node.operands;
    const [result] = node.results;
    if (x && result && sameType(x.type, result.type)) return [x];
    const inner = x?.source.kind === "result" ? x.source.node : undefined;
    const [base] = inner?.op === reshape ? inner.operands : [];
    return base && build(reshape, [base], node.attributes);
  },
});

/** The permutation an empty list stands for: the last two dimensions change places. */
function permutationOf(attributes: AnyAttributes, rank: number): readonly number[] {
  const given = numbersOf(attributes, "permutation");
  if (given.length > 0 || rank < 2) return given;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return [...axes.slice(0, rank - 2), rank - 1, rank - 2];
}

export const transpose: OpDefinition = defineOp({
  name: "transpose",
  summary: "The dimensions in another order; without a permutation, the last two change places.",
  source: "ONNX Transpose-13",
  signature: "x: *s -> *r",
  attributes: {
    permutation: { kind: "integers", doc: "which dimension of x comes at each place", default: [] },
  },
  types: anything,
  solve: (match, attributes) => {
    const shape = match.shape(0);
    const permutation = permutationOf(attributes, shape.length);
    const sorted = [...permutation].sort((a, b) => a - b);
    if (sorted.length !== shape.length || sorted.some((axis, place) => axis !== place)) {
      refuse({
        message: `[${permutation.join(", ")}] does not put ${shape.length} dimensions in order: ${printShape(shape.map((d) => d.dim))}`,
        operands: [{ operand: 0, axis: 0 }],
      });
    }
    return { r: permutation.flatMap((axis) => shape[axis] ?? []) };
  },
  reference: ([x], { attributes, results }) => {
    const [result] = results;
    if (!x || !result) return [];
    const out = allocate(result.dtype, result.shape);
    const own = rowMajorStrides(x.shape);
    const strides = permutationOf(attributes, x.shape.length).map((axis) => own[axis] ?? 1);
    walk(out.shape, [strides], (position, [offset = 0]) => {
      out.data[position] = x.data[offset] ?? 0;
    });
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes }) => {
      const rank = operands[0]?.shape.length ?? 0;
      const permutation = permutationOf(attributes, rank);
      return [{ operand: 0, at: permutation.map((_, axis) => at(permutation.indexOf(axis))) }];
    },
  },
  onnx: (context) => {
    const permutation = permutationOf(context.attributes, context.operands[0]?.shape.length ?? 0);
    return [context.node("Transpose", context.inputs, { perm: ints(permutation) })];
  },
  tolerance: exact,
  samples: [
    sample([normal(3, 5)], { permutation: [] }),
    sample([normal(2, 3, 1, 5)], { permutation: [2, 0, 3, 1] }),
    sample([normal(3, 0, 2)], { permutation: [1, 2, 0] }),
    sample([normal(4)], { permutation: [0] }),
  ],
  simplify: (node, build) => {
    const [x] = node.operands;
    if (!x) return undefined;
    const rank = x.type.shape.length;
    const permutation = permutationOf(node.attributes, rank);
    if (permutation.every((axis, place) => axis === place)) return [x];
    const inner = x.source.kind === "result" ? x.source.node : undefined;
    const [base] = inner?.op === transpose ? inner.operands : [];
    if (!inner || !base) return undefined;
    const first = permutationOf(inner.attributes, rank);
    return build(transpose, [base], { permutation: permutation.map((axis) => first[axis] ?? axis) });
  },
});

export const expand: OpDefinition = defineOp({
  name: "expand",
  summary: "Repeats dimensions of size 1, and adds dimensions in front, to fill a shape.",
  source: "ONNX Expand-13",
  signature: "x: *s -> *r",
  attributes: { shape: { kind: "dims", doc: "the shape to fill" } },
  types: anything,
  solve: (match, attributes) => {
    const from = match.shape(0);
    const shape = dimsOf(attributes, "shape");
    const lead = shape.length - from.length;
    if (lead < 0) {
      refuse({
        message: `${printShape(from.map((d) => d.dim))} has more dimensions than ${printShape(shape)}`,
        operands: [{ operand: 0, axis: 0 }],
      });
    }
    return {
      r: shape.map((dim, axis) => {
        const own = from[axis - lead];
        if (own === undefined || own.dim.constant === 1) {
          match.atMost(computed(0), computed(dim), "a size is not negative");
          return own?.dim.equals(dim) ? own : computed(dim);
        }
        match.equal(`dimension ${axis} of \`shape\``, own, computed(dim));
        return own;
      }),
    };
  },
  reference: ([x], { results }) => {
    const [result] = results;
    if (!x || !result) return [];
    const out = allocate(result.dtype, result.shape);
    walk(out.shape, [broadcastStrides(x.shape, out.shape)], (position, [offset = 0]) => {
      out.data[position] = x.data[offset] ?? 0;
    });
    return [out];
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, results }) => [
      { operand: 0, at: broadcastIndices(operands[0]?.shape ?? [], results[0]?.shape.length ?? 0) },
    ],
  },
  onnx: (context) => [
    context.node("Expand", [context.inputs[0] ?? "", context.dims(dimsOf(context.attributes, "shape"))]),
  ],
  tolerance: exact,
  samples: [
    sample([normal(3, 1)], { shape: dims(3, 5) }),
    sample([normal(1, 7)], { shape: dims(2, 3, 7) }),
    sample([wholes(0, 9)], { shape: dims(4) }),
    sample([normal(1, 3)], { shape: dims(0, 3) }),
  ],
  simplify: (node) => {
    const [x] = node.operands;
    const [result] = node.results;
    return x && result && sameShape(x.type.shape, result.type.shape) ? [x] : undefined;
  },
});

export const arrangementOps: readonly OpDefinition[] = [reshape, transpose, expand];
