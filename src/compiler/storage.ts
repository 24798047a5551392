/**
 * Stores learned matrices in fewer bits: the graph says by an op what is left of each.
 *
 * Owns: which stored tensors are matrices (products and gathers read them, and nothing else does), and the rows
 * that share a scale. A vector, the weights of a norm and what is added to activations stay as they are. All
 * targets see the same numbers, because the rounding is part of the graph.
 */
import { type Diagnostic, DiagnosticError } from "../lang/diagnostic.ts";
import { Dim } from "../lang/dims.ts";
import type { Storage } from "../lang/storage-type.ts";
import { isFloat } from "../lang/types.ts";
import { internalFault } from "./fault.ts";
import type { Graph, Node, Parameter, Value } from "./graph.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { elementCount } from "./host-tensor.ts";
import { staticShape, storedValues } from "./onnx/weights.ts";
import type { Index } from "./ops/lowering.ts";
import { reshape } from "./ops/reshape.ts";
import { type Rows, roundF16, roundInt8 } from "./ops/stored.ts";
import { mapGraph } from "./rewrite.ts";
import { contextOf } from "./wgsl/reader.ts";

/**
 * Elements that share a scale where nobody says how many. Of normal weights it leaves an error of 0.59% (root
 * mean square); rows of 768 leave 0.77%, and 32 leave 0.54% for twice as many scales. One large weight spoils
 * no more than 63 others.
 */
export const usualGroup = 64;

/** What the learned tensor at a path is to be stored as; undefined: as it is. */
export type ChooseStorage = (path: string) => Storage | undefined;

/** @throws DiagnosticError `bad-stored`, when a group that was asked for does not divide a row */
export function withStorage(graph: Graph, choose: ChooseStorage): Graph {
  const chosen = new Map<Value, (builder: GraphBuilder, value: Value, node: Node) => Value>();
  const misfits: Diagnostic[] = [];
  for (const { value, storage, parameter } of storedMatrices(graph, choose)) {
    if (storage.as === "f32") continue;
    const shape = value.type.shape;
    if (storage.as === "f16") {
      chosen.set(value, (builder, of, node) => one(builder.apply(roundF16, [of], {}, node.provenance)));
      continue;
    }
    const rows = rowsOf(value, storage, parameter);
    if ("misfit" in rows) {
      misfits.push(rows.misfit);
      continue;
    }
    const laidOut = [rows.outer, rows.depth, rows.inner].map((size) => Dim.of(size));
    chosen.set(value, (builder, of, { provenance }) => {
      const apart = one(builder.apply(reshape, [of], { shape: laidOut }, provenance));
      const rounded = one(builder.apply(roundInt8, [apart], { axis: 1 }, provenance));
      return one(builder.apply(reshape, [rounded], { shape: [...shape] }, provenance));
    });
  }
  if (misfits.length > 0) throw new DiagnosticError(misfits);
  if (chosen.size === 0) return graph;
  const rounded = new Map<Value, Value>();
  return mapGraph(graph, (node, operands, builder) => {
    const read = node.operands.map((old, index): Value => {
      const now = operands[index] ?? old;
      const make = chosen.get(old);
      if (make === undefined) return now;
      const known = rounded.get(old) ?? make(builder, now, node);
      rounded.set(old, known);
      return known;
    });
    if (read.every((value, index) => value === operands[index])) return undefined;
    return builder.op(
      node.op,
      read,
      node.attributes,
      node.results.map(({ type }) => type),
      node.provenance,
    );
  });
}

export interface StoredMatrix {
  readonly value: Value;
  readonly storage: Storage;
  /** The largest learned tensor in it, which says how it is stored. */
  readonly parameter: Parameter;
}

/** The tensors of a graph that may be stored in fewer bits, those for which something was asked. */
export function storedMatrices(graph: Graph, choose: ChooseStorage): readonly StoredMatrix[] {
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const operand of new Set(node.operands))
      consumers.set(operand, [...(consumers.get(operand) ?? []), node]);
  }
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  const isMatrix = (value: Value): boolean => {
    const readers = consumers.get(value) ?? [];
    return !outputs.has(value) && readers.length > 0 && readers.every((node) => isReadBy(node, value));
  };
  const isReadBy = (node: Node, value: Value): boolean => {
    const { lowering } = node.op;
    if (lowering.kind === "contract") return node.operands[2] !== value;
    if (lowering.kind !== "view") return false;
    const place = node.operands.indexOf(value);
    const pieces = lowering.pieces(contextOf(node));
    const own = pieces.filter((piece) => piece.operand === place);
    if (own.length > 0 && own.every((piece) => piece.at.some(isElement))) return true;
    return pieces.every((piece) => !piece.at.some(isElement)) && node.results.every(isMatrix);
  };
  return [...storedValues(graph)].flatMap((value) => {
    if (!isFloat(value.type.dtype) || value.type.shape.length < 2) return [];
    // All along one dimension: a vector by another name.
    const extents = value.type.shape.filter((dim) => dim.constant !== 1);
    if (extents.length < 2 || !isMatrix(value)) return [];
    const [parameter] = learnedIn(value);
    const storage = parameter && choose(parameter.path);
    return storage === undefined || parameter === undefined ? [] : [{ value, storage, parameter }];
  });
}

/** The learned tensors that a value is made of, the largest first. */
export function learnedIn(value: Value): readonly Parameter[] {
  const found = new Set<Parameter>();
  const count = ({ type }: Parameter): number =>
    type.shape.reduce((product, dim) => product * (dim.constant ?? 0), 1);
  const seen = new Set<Value>();
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.source.kind === "result") pending.push(...next.source.node.operands);
    if (next.source.kind === "parameter") found.add(next.source.parameter);
  }
  return [...found].sort((a, b) => count(b) - count(a));
}

/** The rows of a learned tensor run along all of its dimensions but the first, wherever those went. */
function rowsOf(value: Value, { group }: Storage, parameter: Parameter): Rows | { misfit: Diagnostic } {
  const shape = staticShape(value);
  const axes = rowAxes(value) ?? [shape.length - 1];
  const [first = 0, last = first] = [Math.min(...axes), Math.max(...axes)];
  const isWhole = axes.length === last - first + 1;
  const [from, to] = isWhole ? [first, last + 1] : [shape.length - 1, shape.length];
  const [outer, depth, inner] = [shape.slice(0, from), shape.slice(from, to), shape.slice(to)].map(
    elementCount,
  );
  const rows: Rows = { outer: outer ?? 1, depth: depth ?? 1, inner: inner ?? 1 };
  const size = group ?? (rows.depth % usualGroup === 0 ? usualGroup : rows.depth);
  if (rows.depth % size !== 0) return { misfit: undivided(parameter, rows.depth, size) };
  return { outer: (rows.outer * rows.depth) / size, depth: size, inner: rows.inner };
}

function rowAxes({ source, type }: Value): readonly number[] | undefined {
  if (source.kind === "parameter") return type.shape.map((_, axis) => axis).slice(1);
  if (source.kind !== "result") return undefined;
  const { node } = source;
  const { lowering } = node.op;
  if (lowering.kind !== "view") {
    // What was added to it has its shape.
    const like = node.operands.find(
      (operand) =>
        operand.source.kind !== "constant" &&
        operand.type.shape.length === type.shape.length &&
        operand.type.shape.every((dim, axis) => type.shape[axis]?.equals(dim)),
    );
    return like && rowAxes(like);
  }
  const [piece, another] = lowering.pieces(contextOf(node));
  const operand = piece && node.operands[piece.operand];
  const axes = operand && rowAxes(operand);
  if (piece === undefined || another !== undefined || axes === undefined) return undefined;
  const moved = axes.map((axis) => piece.at[axis]);
  const places = moved.flatMap((index) => (index?.kind === "coordinate" ? [index.axis] : []));
  return places.length === moved.length ? places.sort((a, b) => a - b) : undefined;
}

function undivided({ path, provenance }: Parameter, depth: number, group: number): Diagnostic {
  return {
    code: "bad-stored",
    severity: "error",
    message: `A row of ${path} has ${depth} elements, which groups of ${group} do not divide.`,
    ...(provenance.span && { primary: { span: provenance.span, text: path } }),
    related: [],
    notes: [],
    hint: "leave the group out: then it is 64 where that divides a row, and else the whole row",
    edits: [],
  };
}

const isElement = (index: Index): boolean => {
  if (index.kind === "coordinate" || index.kind === "constant") return false;
  return index.kind === "element" || isElement(index.a) || isElement(index.b);
};

function one([value]: readonly Value[]): Value {
  if (value === undefined) throw internalFault("an op gave no result");
  return value;
}
