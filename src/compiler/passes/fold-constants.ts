/**
 * Computes while compiling what no input or parameter changes.
 *
 * Precondition: none. Postcondition: a node whose operands are all constants, and whose shapes and
 * attributes are numbers, stays only where its result is too large or where storing it would only
 * repeat elements: a view or a fill that enlarges is computed for what reads it, but stays a node.
 * The meaning of the op is its reference, so folding cannot disagree with running.
 */
import { attributeDims } from "../attribute-form.ts";
import type { Graph, Node, Value } from "../graph.ts";
import { elementCount, type HostTensor } from "../host-tensor.ts";
import type { Scalar } from "../ops/lowering.ts";
import { keptOr, mapGraph, rebuild } from "../rewrite.ts";
import { computed } from "./computed.ts";
import type { Pass } from "./pass.ts";

/** Elements of a result that may be stored: 64 MiB as f32. */
const largestConstant = 2 ** 24;
/** Elements of an enlarged result that may be held in memory for the nodes that read it. */
const largestTransient = 2 ** 20;

export const foldConstants: Pass = {
  name: "fold-constants",
  summary: "Computes nodes that only constants feed.",
  run: fold,
  check(_, after) {
    const missed = after.nodes.filter((node) => {
      const operands = node.operands.map(constantOf).filter((item) => item !== undefined);
      if (operands.length < node.operands.length) return false;
      return verdict(node, storedIn(operands)) === "store";
    });
    return missed.map((node) => `${node.op.name} (${node.provenance.path}) could have been computed`);
  },
};

/** A value that is known, and how many stored elements it takes to know it. */
interface Known {
  readonly tensor: HostTensor;
  readonly stored: number;
}

function fold(graph: Graph): Graph {
  // Where nothing can be computed to begin with, nothing can be after it.
  if (!graph.nodes.some(isKnown)) return graph;
  /** Nodes of the new graph that were computed for their readers. */
  const kept = new Map<Value, Known>();
  const folded = mapGraph(graph, (node, operands, builder) => {
    const known = operands
      .map((value) => constantOf(value) ?? kept.get(value))
      .filter((item) => item !== undefined);
    if (known.length < operands.length) return undefined;
    const stored = storedIn(known);
    const decision = verdict(node, stored);
    if (decision === "leave") return undefined;
    const tensors = known.map((item) => item.tensor);
    const values = computed(node, tensors);
    if (decision === "store") return values.map((tensor) => builder.constantTensor(tensor));
    const results = rebuild(node, operands, builder);
    results.forEach((value, index) => {
      const tensor = values[index];
      if (tensor !== undefined) kept.set(value, { tensor, stored });
    });
    return results;
  });
  return keptOr(graph, folded);
}

function isKnown(node: Node): boolean {
  const known = node.operands.map(constantOf).filter((item) => item !== undefined);
  if (known.length < node.operands.length) return false;
  return verdict(node, storedIn(known)) !== "leave";
}

function storedIn(known: readonly Known[]): number {
  return known.reduce((sum, item) => sum + item.stored, 0);
}

function constantOf(value: Value): Known | undefined {
  if (value.source.kind !== "constant") return undefined;
  const { tensor } = value.source;
  return { tensor, stored: tensor.data.length };
}

/** What to do with a node whose operands are known; `keep`: compute it for its readers only. */
function verdict(node: Node, stored: number): "store" | "keep" | "leave" {
  const count = countElements(node.results);
  const fixed = attributeDims(node.attributes).every((dim) => dim.constant !== undefined);
  if (count === undefined || !fixed || count > largestConstant) return "leave";
  const repeats = node.op.lowering.kind === "view" || isFill(node);
  if (!repeats || count <= Math.max(stored, 1)) return "store";
  return count <= largestTransient ? "keep" : "leave";
}

/** One number everywhere. */
function isFill(node: Node): boolean {
  const { lowering } = node.op;
  if (lowering.kind !== "source") return false;
  const types = node.results.map((result) => result.type);
  return !readsCoordinate(lowering.expression({ operands: [], results: types, attributes: node.attributes }));
}

function readsCoordinate(scalar: Scalar): boolean {
  switch (scalar.kind) {
    case "coordinate":
      return true;
    case "unary":
    case "cast":
    case "hash-uniform":
      return readsCoordinate(scalar.x);
    case "binary":
      return readsCoordinate(scalar.a) || readsCoordinate(scalar.b);
    case "select":
      return [scalar.condition, scalar.whenTrue, scalar.whenFalse].some(readsCoordinate);
    case "operand":
    case "number":
    case "dimension":
    case "accumulator":
    case "count":
    case "folded":
      return false;
  }
}

/** The elements of some values together, when their shapes are numbers. */
function countElements(values: readonly Value[]): number | undefined {
  let total = 0;
  for (const value of values) {
    const shape = fixedShape(value);
    if (shape === undefined) return undefined;
    total += elementCount(shape);
  }
  return total;
}

function fixedShape(value: Value): readonly number[] | undefined {
  const shape = value.type.shape.map((dim) => dim.constant).filter((size) => size !== undefined);
  return shape.length === value.type.shape.length ? shape : undefined;
}
