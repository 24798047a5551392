/**
 * Low-rank adapters that are chosen at run time: a graph whose weights W act as W + B A, with A and B as inputs.
 *
 * Owns: the rewrite. Where W is one factor of a matrix product the adapter takes its own, cheap way around it,
 * x W' + (x A') B'; anywhere else the sum is formed. The rank is an open dimension, so that adapters of any
 * rank serve one graph; their scale is part of B. Reading adapters is the runtime's (checkpoint/live-adapters.ts).
 */
import { Dim } from "../lang/dims.ts";
import type { TensorType } from "../lang/types.ts";
import { internalFault } from "./fault.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import { findOp } from "./ops/index.ts";
import type { Index, Lowering } from "./ops/lowering.ts";
import { matmul } from "./ops/matmul.ts";
import type { OpDefinition } from "./ops/op.ts";
import { transpose } from "./ops/reshape.ts";
import { mapGraph } from "./rewrite.ts";

/** The inputs that adapt the learned matrix `place`.weight [output, input]. */
export interface AdapterPort {
  readonly place: string;
  /** The name of A [rank, input], in f32. */
  readonly a: string;
  /** The name of B [output, rank], in f32, with the scale in it. */
  readonly b: string;
  readonly input: number;
  readonly output: number;
}

export interface AdaptableGraphs {
  readonly graphs: readonly Graph[];
  /** Of all graphs together; a graph has those of the weights that it reads. */
  readonly ports: readonly AdapterPort[];
}

/**
 * The entries of a model, with the inputs of an adapter for each of `places` whose weight they read. With zeros
 * for B they compute what they did. Plan generation before: these inputs belong to no prompt.
 */
export function withLiveAdapters(graphs: readonly Graph[], places: ReadonlySet<string>): AdaptableGraphs {
  const ports = new Map<string, AdapterPort>();
  return { graphs: graphs.map((graph) => adaptable(graph, places, ports)), ports: [...ports.values()] };
}

/** A value that changes with a weight: by B A, or by its transpose. */
interface Change {
  readonly a: Value;
  readonly b: Value;
  readonly transposed: boolean;
}

function adaptable(graph: Graph, places: ReadonlySet<string>, ports: Map<string, AdapterPort>): Graph {
  const weights = graph.parameters.flatMap((value) => {
    const place = value.source.kind === "parameter" && placeOf(value.source.parameter.path);
    return place !== false && places.has(place) ? [{ value, place }] : [];
  });
  if (weights.length === 0 || graph.nodes.length === 0) return graph;
  const rank = Dim.symbol(freeName("rank", graph));
  const changes = new Map<Value, Change>();
  const declare = (builder: GraphBuilder): void => {
    for (const { value, place } of weights) {
      const { dtype, shape } = value.type;
      const [rows, columns] = shape;
      if (rows?.constant === undefined || columns?.constant === undefined || shape.length !== 2) {
        throw internalFault(`${place}.weight is no matrix and cannot be adapted`);
      }
      // Not PEFT's names: where the program itself declares an adapter, its tensors have those.
      const [a, b] = [`${place}.lora_A`, `${place}.lora_B`];
      ports.set(place, { place, a, b, input: columns.constant, output: rows.constant });
      changes.set(value, {
        a: builder.input(a, { dtype, shape: [rank, columns] }),
        b: builder.input(b, { dtype, shape: [rows, rank] }),
        transposed: false,
      });
    }
  };
  const adapted = mapGraph(graph, (node, operands, builder) => {
    if (changes.size === 0) declare(builder);
    if (!operands.some((operand) => changes.has(operand))) return undefined;
    return adaptNode(node, operands, builder, changes);
  });
  for (const { name, value } of adapted.outputs) {
    if (changes.has(value)) throw internalFault(`the output ${name} is a weight that an adapter changes`);
  }
  return { ...adapted, symbols: [...graph.symbols, { name: `${rank}`, minimum: 1 }] };
}

function adaptNode(
  node: Node,
  operands: readonly Value[],
  builder: GraphBuilder,
  changes: Map<Value, Change>,
): readonly Value[] | undefined {
  const build = (op: OpDefinition, ...of: readonly Value[]): Value =>
    one(builder.apply(op, of, {}, node.provenance));
  const keep = (from: readonly Value[]): readonly Value[] =>
    builder.op(node.op, from, node.attributes, typesOf(node.results), node.provenance);
  const [left, right] = operands;
  const change = right === undefined ? undefined : changes.get(right);
  if (left !== undefined && change !== undefined && !changes.has(left) && isMatrixProduct(node)) {
    const plain = one(keep(operands));
    const [near, far] = change.transposed
      ? [build(transpose, change.a), build(transpose, change.b)]
      : [change.b, change.a];
    return [build(sumOp(), plain, build(matmul, build(matmul, left, near), far))];
  }
  const carried = carriedChange(node, operands, changes);
  if (carried !== undefined) {
    const results = keep(operands);
    changes.set(one(results), carried);
    return results;
  }
  const changed = operands.map((operand) => {
    const found = changes.get(operand);
    if (found === undefined) return operand;
    const product = build(matmul, found.b, found.a);
    return build(sumOp(), operand, found.transposed ? build(transpose, product) : product);
  });
  return keep(changed);
}

/** What the result changes by, where it changes by the same as one operand: a transpose, and a sum with another. */
function carriedChange(
  node: Node,
  operands: readonly Value[],
  changes: ReadonlyMap<Value, Change>,
): Change | undefined {
  const moving = operands.filter((operand) => changes.has(operand));
  const [operand] = moving;
  const change = operand && changes.get(operand);
  const [result] = node.results;
  if (change === undefined || moving.length !== 1 || result === undefined || node.results.length !== 1) {
    return undefined;
  }
  const { lowering } = node.op;
  const context = {
    operands: typesOf(node.operands),
    results: typesOf(node.results),
    attributes: node.attributes,
  };
  if (isTransposition(lowering, context)) return { ...change, transposed: !change.transposed };
  // A sum of two of the same shape, such as an adapter that the program itself merges.
  if (lowering.kind !== "map" || operands.length !== 2) return undefined;
  const sum = lowering.expression(context);
  const isSum =
    sum.kind === "binary" && sum.fn === "add" && sum.a.kind === "operand" && sum.b.kind === "operand";
  const alike = operands.every(({ type }) => type.shape.every((dim, i) => result.type.shape[i]?.equals(dim)));
  const bound = operands.every(({ source }) => source.kind !== "input");
  return isSum && alike && bound && operand?.type.shape.length === 2 ? change : undefined;
}

type Context = Parameters<Extract<Lowering, { readonly kind: "view" }>["pieces"]>[0];

function isTransposition(lowering: Lowering, context: Context): boolean {
  if (lowering.kind !== "view" || context.results[0]?.shape.length !== 2) return false;
  const [piece, ...others] = lowering.pieces(context);
  return others.length === 0 && piece?.when === undefined && reads(piece?.at, [1, 0]);
}

/** left [*, m, k] times right [k, n], and nothing else. */
function isMatrixProduct(node: Node): boolean {
  const { lowering } = node.op;
  if (lowering.kind !== "contract" || node.operands.length !== 2) return false;
  const results = typesOf(node.results);
  const rank = results[0]?.shape.length ?? 0;
  const { left, right, padded, bias } = lowering.axes({
    operands: typesOf(node.operands),
    results,
    attributes: node.attributes,
  });
  const rows = Array.from({ length: rank - 1 }, (_, axis) => axis);
  const sameRows = node.operands[0]?.type.shape
    .slice(0, -1)
    .every((dim, axis) => results[0]?.shape[axis]?.equals(dim));
  const plain = !padded && bias === undefined && rank >= 2 && sameRows === true;
  return plain && reads(left, [...rows, rank]) && reads(right, [rank, rank - 1]);
}

function reads(at: readonly Index[] | undefined, axes: readonly number[]): boolean {
  return (
    at?.length === axes.length &&
    at.every((index, i) => index.kind === "coordinate" && index.axis === axes[i])
  );
}

function one([value]: readonly Value[]): Value {
  if (value === undefined) throw internalFault("an op gave no result");
  return value;
}

function sumOp(): OpDefinition {
  const op = findOp("add");
  if (op === undefined) throw internalFault("there is no op add");
  return op;
}

const typesOf = (values: readonly Value[]): readonly TensorType[] => values.map(({ type }) => type);

function placeOf(path: string): string | false {
  return path.endsWith(".weight") && path.slice(0, -".weight".length);
}

function freeName(name: string, graph: Graph): string {
  const taken = new Set(graph.symbols.map((symbol) => symbol.name));
  return taken.has(name) ? freeName(`adapter_${name}`, graph) : name;
}
