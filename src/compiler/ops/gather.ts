/**
 * Reading by index: gather, take_along, embedding.
 *
 * Owns: all three, as views whose index is an element of another operand. An index must lie inside:
 * the reference refuses one that does not.
 */
import { DiagnosticError } from "../../lang/diagnostic.ts";
import { Dim, productDims } from "../../lang/dims.ts";
import { allocate, elementCount, type HostTensor } from "../host-tensor.ts";
import { int, type OnnxContext } from "../onnx/context.ts";
import { numberOf, resolveAxis } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { indexed } from "./element-types.ts";
import { at } from "./indices.ts";
import type { OpDefinition, ReferenceContext } from "./op.ts";
import { emitReshape } from "./reshape.ts";
import { normal, sample, wholes } from "./samples.ts";
import { exact } from "./tolerances.ts";

/**
 * x [batch, outer, n, inner] read at indices [batch, k] gives [batch, outer, k, inner].
 * What all three ops are, once dimensions are counted together.
 */
function take(
  operands: readonly HostTensor[],
  { results }: ReferenceContext,
  sizes: {
    readonly batch: number;
    readonly outer: number;
    readonly n: number;
    readonly inner: number;
    readonly k: number;
  },
): HostTensor[] {
  const [x, indices] = operands;
  const [result] = results;
  if (!x || !indices || !result) return [];
  const { batch, outer, n, inner, k } = sizes;
  const out = allocate(result.dtype, result.shape);
  for (let row = 0; row < batch * outer; row++) {
    for (let i = 0; i < k; i++) {
      const index = indices.data[Math.floor(row / outer) * k + i] ?? 0;
      if (!(index >= 0 && index < n)) refuseIndex(index, n);
      const from = (row * n + index) * inner;
      out.data.set(x.data.subarray(from, from + inner), (row * k + i) * inner);
    }
  }
  return [out];
}

function refuseIndex(index: number, size: number): never {
  throw new DiagnosticError([
    {
      code: "index-outside",
      severity: "error",
      message: `the index ${index} is outside a dimension of ${size}`,
      related: [],
      notes: [],
      hint: "Indices count from 0 and are less than the dimension.",
      edits: [],
    },
  ]);
}

export const gather: OpDefinition = defineOp({
  name: "gather",
  summary: "The entries along one dimension at the given indices; the indices' shape takes its place.",
  source: "ONNX Gather-13 with indices that are not negative; numpy.take",
  signature: "x: *s, indices: *k -> *r",
  attributes: {
    axis: { kind: "integer", doc: "the dimension to read along; negative counts from the end", default: 0 },
  },
  roles: ["activation", "index"],
  types: indexed,
  solve: (match, attributes) => {
    const shape = match.shape(0);
    const axis = resolveAxis(numberOf(attributes, "axis"), shape.length);
    return { r: [...shape.slice(0, axis), ...match.sourcedDims("k"), ...shape.slice(axis + 1)] };
  },
  reference: (operands, context) => {
    const [shape = [], indices = []] = operands.map((operand) => operand.shape);
    const axis = resolveAxis(numberOf(context.attributes, "axis"), shape.length);
    const outer = elementCount(shape.slice(0, axis));
    const inner = elementCount(shape.slice(axis + 1));
    return take(operands, context, { batch: 1, outer, n: shape[axis] ?? 0, inner, k: elementCount(indices) });
  },
  lowering: {
    kind: "view",
    pieces: ({ operands, attributes }) => {
      const [shape = [], indices = []] = operands.map((operand) => operand.shape);
      const axis = resolveAxis(numberOf(attributes, "axis"), shape.length);
      const index = { kind: "element", operand: 1, at: indices.map((_, place) => at(axis + place)) } as const;
      return [
        {
          operand: 0,
          at: shape.map((_, place) =>
            place === axis ? index : at(place < axis ? place : place - 1 + indices.length),
          ),
        },
      ];
    },
  },
  onnx: (context) => {
    const axis = resolveAxis(numberOf(context.attributes, "axis"), context.operands[0]?.shape.length ?? 0);
    return [context.node("Gather", context.inputs, { axis: int(axis) })];
  },
  tolerance: exact,
  samples: [
    sample([normal(5, 3), wholes(0, 4, 7)], { axis: 0 }),
    sample([normal(2, 7, 3), wholes(0, 6, 2, 5)], { axis: 1 }),
    sample([wholes(0, 99, 11), wholes(0, 10)], { axis: -1 }),
    sample([normal(4, 3), wholes(0, 3, 0)], { axis: 0 }),
  ],
});

export const takeAlong: OpDefinition = defineOp({
  name: "take_along",
  summary: "In each row of the leading dimensions, the entries at that row's own indices.",
  source:
    "ONNX GatherND-13 with batch_dims, as Gather-13 of joined rows; token gathering after pruning, arXiv:2202.07800",
  signature: "x: *b n *t, indices: *b k -> *b k *t",
  roles: ["activation", "index"],
  types: indexed,
  reference: (operands, context) => {
    const [shape = [], indices = []] = operands.map((operand) => operand.shape);
    const lead = indices.length - 1;
    return take(operands, context, {
      batch: elementCount(shape.slice(0, lead)),
      outer: 1,
      n: shape[lead] ?? 0,
      inner: elementCount(shape.slice(lead + 1)),
      k: indices[lead] ?? 0,
    });
  },
  lowering: {
    kind: "view",
    pieces: ({ operands }) => {
      const [shape = [], indices = []] = operands.map((operand) => operand.shape);
      const index = { kind: "element", operand: 1, at: indices.map((_, place) => at(place)) } as const;
      return [
        { operand: 0, at: shape.map((_, place) => (place === indices.length - 1 ? index : at(place))) },
      ];
    },
  },
  // Not GatherND: onnxruntime's divides by zero when there is no index.
  onnx: (context) => {
    const [x = "", indices = ""] = context.inputs;
    const [shape = [], indexShape = []] = context.operands.map((operand) => operand.shape);
    const lead = indexShape.slice(0, -1);
    const rows = productDims(lead);
    const length = shape[lead.length] ?? Dim.of(1);
    const rest = shape.slice(lead.length + 1);
    const flat = lead.length === 0 ? x : emitReshape(context, x, [rows.mul(length), ...rest]);
    const positions = rows.constant === 1 ? indices : rowPositions(context, indices, lead, rows, length);
    return [context.node("Gather", [flat, positions], { axis: int(0) })];
  },
  tolerance: exact,
  samples: [
    sample([normal(2, 7, 3), wholes(0, 6, 2, 5)]),
    sample([normal(3, 11), wholes(0, 10, 3, 1)]),
    sample([normal(2, 1, 5, 2, 3), wholes(0, 4, 2, 1, 4)]),
    sample([wholes(0, 9, 5, 2), wholes(0, 4, 3)]),
    sample([normal(2, 3, 4), wholes(0, 2, 2, 0)]),
  ],
});

/** The indices as positions in all rows joined: row r starts at r times the length. */
function rowPositions(
  context: OnnxContext,
  indices: string,
  lead: readonly Dim[],
  rows: Dim,
  length: Dim,
): string {
  const literal = (value: number) => context.constant("i64", [value], []);
  const numbers = context.node("Range", [literal(0), context.dim(rows), literal(1)]);
  const starts = context.node("Mul", [numbers, context.dim(length)]);
  return context.node("Add", [indices, emitReshape(context, starts, [...lead, Dim.of(1)])]);
}

export const embedding: OpDefinition = defineOp({
  name: "embedding",
  summary: "The row of a table for each id.",
  source: "ONNX Gather-13 on axis 0",
  signature: "table: v d, ids: *s -> *s d",
  roles: ["weight", "index"],
  types: indexed,
  reference: (operands, context) => {
    const [table = [], ids = []] = operands.map((operand) => operand.shape);
    const [n = 0, inner = 0] = table;
    return take(operands, context, { batch: 1, outer: 1, n, inner, k: elementCount(ids) });
  },
  lowering: {
    kind: "view",
    pieces: ({ operands }) => {
      const rank = operands[1]?.shape.length ?? 0;
      const ids = Array.from({ length: rank }, (_, axis) => at(axis));
      return [{ operand: 0, at: [{ kind: "element", operand: 1, at: ids }, at(rank)] }];
    },
  },
  onnx: (context) => [context.node("Gather", context.inputs, { axis: int(0) })],
  tolerance: exact,
  samples: [
    sample([normal(11, 3), wholes(0, 10, 5)]),
    sample([normal(7, 1), wholes(0, 6, 2, 3)]),
    sample([normal(1, 4), wholes(0, 0)]),
    sample([normal(5, 2), wholes(0, 4, 0)]),
  ],
});

export const gatherOps: readonly OpDefinition[] = [gather, takeAlong, embedding];
