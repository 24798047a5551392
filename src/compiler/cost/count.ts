/**
 * What every node of an entry costs, as expressions of what is open.
 *
 * Owns: one record for each node and each learned tensor, with the headings under which it is counted
 * (classify.ts). Sums are tree.ts's, memory is memory.ts's. Counts come from the ops' own records;
 * nothing here knows which op it counts.
 */

import { Dim, productDims, sumDims } from "../../lang/dims.ts";
import type { BlockFrame } from "../../lang/emitter.ts";
import type { StorageType } from "../../lang/storage-type.ts";
import { type DType, type TensorType, typeKey } from "../../lang/types.ts";
import { attributeDims, printAttributes } from "../attribute-form.ts";
import type { Graph, Node, Parameter, Provenance, Value } from "../graph.ts";
import type { CostContext, ToolCount } from "../ops/op.ts";
import { blockOf, componentOf, pathOf, type WorkKind, workKind } from "./classify.ts";

export interface NodeCost {
  readonly node: Node;
  /** Where it stands: the path's segments, then the block that has no place of its own. */
  readonly path: readonly string[];
  readonly component: string;
  readonly block: string;
  readonly kind: WorkKind;
  readonly op: string;
  readonly macs: Dim;
  readonly scalar: Dim;
  /** Of the multiply-adds, those that a mask takes away again. */
  readonly masked: Dim;
  /** Bytes of activations that the node reads, and writes. */
  readonly read: Dim;
  readonly written: Dim;
  /** Bytes of learned tensors that it reads. */
  readonly weights: Dim;
  /** What other tools count for the node, or why they count nothing. */
  readonly tools: { readonly torchprofile: ToolCounted; readonly fvcore: ToolCounted };
}

export type ToolCounted = { readonly count: Dim } | { readonly missed: string };

export interface ParameterCost {
  readonly parameter: Parameter;
  readonly path: readonly string[];
  readonly component: string;
  readonly block: string;
  readonly elements: Dim;
  readonly bytes: Dim;
  /** Where it is stored in another type than its own. */
  readonly stored?: StorageType;
}

export interface GraphCost {
  readonly graph: Graph;
  /** What is run at every call, in the order of the graph. */
  readonly nodes: readonly NodeCost[];
  /** What depends on no input: computed once, when the model is loaded or before. */
  readonly prepared: readonly NodeCost[];
  readonly parameters: readonly ParameterCost[];
  /** Values that are there before a call: learned, constant, or computed from those alone. */
  readonly given: ReadonlySet<Value>;
}

/** Bytes of one element as it is held. */
export const elementBytes: Readonly<Record<DType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  i32: 4,
  bool: 1,
};

const nothing = Dim.of(0);

const knownBytes = new WeakMap<TensorType, Dim>();

export function bytesOf(type: TensorType): Dim {
  const known = knownBytes.get(type);
  if (known !== undefined) return known;
  const bytes = productDims(type.shape).mul(elementBytes[type.dtype]);
  knownBytes.set(type, bytes);
  return bytes;
}

/** Counts an optimised graph: what the passes took out is not run, and costs nothing. */
export function countGraph(graph: Graph): GraphCost {
  const given = givenValues(graph);
  const nodes: NodeCost[] = [];
  const prepared: NodeCost[] = [];
  const known = new Map<string, Counts>();
  const places = new Places();
  for (const node of graph.nodes) {
    const isPrepared = node.results.every((result) => given.has(result));
    (isPrepared ? prepared : nodes).push(countNode(node, given, known, places));
  }
  const parameters = graph.parameters.flatMap(({ source, type }): ParameterCost[] => {
    if (source.kind !== "parameter") return [];
    const { parameter } = source;
    const { frame } = parameter.provenance;
    const path = parameter.path.split(".");
    const elements = productDims(type.shape);
    const place = { component: componentOf(frame, path), block: blockOf(frame) };
    return [{ parameter, path, ...place, elements, bytes: bytesOf(type) }];
  });
  return { graph, nodes, prepared, parameters, given };
}

type Counts = Pick<NodeCost, "macs" | "scalar" | "masked" | "read" | "written" | "weights" | "tools">;

/** `known` counts of equal nodes, by what alone decides them: most nodes are one of a stack of layers. */
function countNode(
  node: Node,
  given: ReadonlySet<Value>,
  known: Map<string, Counts>,
  places: Places,
): NodeCost {
  const { op } = node;
  const types = node.operands.map((value) => `${given.has(value) ? "given " : ""}${typeKey(value.type)}`);
  const key = `${op.name}(${types.join(";")}){${printAttributes(node.attributes)}}`;
  const counts = known.get(key) ?? countsOf(node, given);
  known.set(key, counts);
  return {
    node,
    ...places.of(node.provenance),
    kind: workKind(node, given),
    op: op.name,
    ...counts,
  };
}

type Place = Pick<NodeCost, "path" | "component" | "block">;

/** Where nodes stand; those of one call stand at one place. */
class Places {
  readonly #known = new Map<BlockFrame | undefined, Map<string, Place>>();

  of({ path, frame }: Provenance): Place {
    let below = this.#known.get(frame);
    if (below === undefined) {
      below = new Map();
      this.#known.set(frame, below);
    }
    let place = below.get(path);
    if (place === undefined) {
      const segments = pathOf(path, frame);
      place = { path: segments, component: componentOf(frame, segments), block: blockOf(frame) };
      below.set(path, place);
    }
    return place;
  }
}

function countsOf(node: Node, given: ReadonlySet<Value>): Counts {
  const { op } = node;
  const context: CostContext = {
    operands: node.operands.map((value) => value.type),
    results: node.results.map((value) => value.type),
    attributes: node.attributes,
  };
  const { macs, scalar } = op.cost(context);
  const counted = (rule: ToolCount | undefined): ToolCounted =>
    rule === undefined ? { count: macs } : typeof rule === "function" ? { count: rule(context) } : rule;
  return {
    macs,
    scalar,
    masked: op.accounting.masked?.(context) ?? nothing,
    ...trafficOf(node, given),
    tools: { torchprofile: counted(op.accounting.torchprofile), fvcore: counted(op.accounting.fvcore) },
  };
}

/**
 * Bytes moved when every node reads its operands once and writes its results once. A view moves
 * nothing: whoever reads it reads what lies behind. What picks or joins elements reads as many as it
 * writes, and the indices.
 */
function trafficOf(node: Node, given: ReadonlySet<Value>): Pick<NodeCost, "read" | "written" | "weights"> {
  const { op, operands, results } = node;
  if (op.lowering.kind === "view" && isPlainView(node)) {
    return { read: nothing, written: nothing, weights: nothing };
  }
  const written = sumDims(results.map((result) => bytesOf(result.type)));
  const isIndex = (at: number): boolean => op.roles[Math.min(at, op.roles.length - 1)] === "index";
  const sum = (which: (value: Value, at: number) => boolean): Dim =>
    sumDims(operands.filter(which).map((value) => bytesOf(value.type)));
  if (op.lowering.kind === "view") {
    const fromWeights = operands.some((value, at) => given.has(value) && !isIndex(at));
    const indices = sum((value, at) => isIndex(at) && !given.has(value));
    return fromWeights
      ? { read: indices, written, weights: written }
      : { read: written.add(indices), written, weights: nothing };
  }
  return { read: sum((value) => !given.has(value)), written, weights: sum((value) => given.has(value)) };
}

/** One piece, read without a condition and at places that no tensor says: nothing needs to be copied. */
export function isPlainView({ op, operands, results, attributes }: Node): boolean {
  const { lowering, roles } = op;
  if (lowering.kind !== "view" || operands.length !== 1 || roles.includes("index")) return false;
  const types = (values: readonly Value[]) => values.map((value) => value.type);
  const pieces = lowering.pieces({ operands: types(operands), results: types(results), attributes });
  return pieces.length === 1 && (pieces[0]?.when ?? []).length === 0;
}

/** What needs no input: a node all of whose operands are given, and whose sizes no input decides. */
function givenValues(graph: Graph): ReadonlySet<Value> {
  const symbols = new Set(graph.symbols.map((symbol) => symbol.name));
  const isOpen = (dim: Dim): boolean =>
    dim.constant === undefined && [...dim.symbols()].some((name) => symbols.has(name));
  const given = new Set<Value>(graph.parameters);
  for (const node of graph.nodes) {
    for (const value of node.operands) if (value.source.kind === "constant") given.add(value);
    const isReady = node.operands.every((value) => given.has(value));
    if (!isReady || node.results.some((value) => value.type.shape.some(isOpen))) continue;
    if (attributeDims(node.attributes).some(isOpen)) continue;
    for (const value of node.results) given.add(value);
  }
  return given;
}
