/**
 * What one step of training costs, given what is trained.
 *
 * Owns: which products run backward, what the optimizer holds, and which activations must be kept for
 * the backward pass. A product runs backward once for each of its two factors that a trained tensor
 * reaches: towards the activation, towards the weight. Nothing is recomputed, and the optimizer is
 * AdamW, with two f32 moments for each trained element.
 */
import { type Dim, sumDims } from "../../lang/dims.ts";
import { type FrozenPattern, fitsPath } from "../../lang/plans.ts";
import { isFloat } from "../../lang/types.ts";
import type { Node, Value } from "../graph.ts";
import type { Scalar } from "../ops/lowering.ts";
import { bytesOf, type GraphCost, isPlainView, type NodeCost, type ParameterCost } from "./count.ts";

export interface TrainingCost {
  readonly trained: Dim;
  readonly frozen: Dim;
  readonly forward: Dim;
  readonly backward: Dim;
  /** Bytes of gradients, of the optimizer's two moments, and of activations kept. */
  readonly gradients: Dim;
  readonly optimizer: Dim;
  readonly kept: Dim;
}

const momentBytes = 8;
/** A product has two factors; each has its own product in the backward pass. */
const factors = 2;

export function trainingCost(cost: GraphCost, trains: (parameter: ParameterCost) => boolean): TrainingCost {
  const trained = cost.parameters.filter(trains);
  const frozen = cost.parameters.filter((parameter) => !trained.includes(parameter));
  const paths = new Set(trained.map(({ parameter }) => parameter.path));
  const reached = new Set<Value>(
    cost.graph.parameters.filter(
      ({ source }) => source.kind === "parameter" && paths.has(source.parameter.path),
    ),
  );
  const forward: Dim[] = [];
  const backward: Dim[] = [];
  const kept = new Keeper();
  for (const counted of inOrder(cost)) {
    const { node } = counted;
    const moving = node.operands.map((value, at) => reached.has(value) && node.op.roles[at] !== "index");
    const isReached = moving.some(Boolean);
    // What only frozen tensors decide is computed once, before training.
    if (!isReached && node.results.every((value) => cost.given.has(value))) continue;
    forward.push(counted.macs);
    if (!isReached) {
      kept.follow(node);
      continue;
    }
    for (const result of node.results) if (isFloat(result.type.dtype)) reached.add(result);
    const products = node.op.lowering.kind === "contract" ? moving.slice(0, factors) : moving;
    backward.push(counted.macs.mul(Math.min(factors, products.filter(Boolean).length)));
    kept.follow(node);
    for (const value of neededBackward(node, moving)) if (!cost.given.has(value)) kept.add(value);
  }
  const elements = sumDims(trained.map((parameter) => parameter.elements));
  return {
    trained: elements,
    frozen: sumDims(frozen.map((parameter) => parameter.elements)),
    forward: sumDims(forward),
    backward: sumDims(backward),
    gradients: sumDims(trained.map((parameter) => parameter.bytes)),
    optimizer: elements.mul(momentBytes),
    kept: kept.bytes(),
  };
}

/**
 * What is trained when nobody says: everything, except what the text declares as frozen, and that a
 * component with adapters trains only those.
 */
export function trainedByDefault(
  parameters: readonly ParameterCost[],
  frozen: readonly FrozenPattern[],
): (parameter: ParameterCost) => boolean {
  const adapted = new Set(parameters.filter(isAdapter).map((parameter) => parameter.component));
  const fixed = new Set(
    parameters.filter(({ parameter: { path } }) => frozen.some(({ pattern }) => fitsPath(path, pattern))),
  );
  return (parameter) => !fixed.has(parameter) && (isAdapter(parameter) || !adapted.has(parameter.component));
}

/** Whether a learned tensor belongs to an adapter. */
export function isAdapter({ parameter }: ParameterCost): boolean {
  for (let use = parameter.provenance.frame; use !== undefined; use = use.outer) {
    if (use.declaration.blockKind === "adapter") return true;
  }
  return false;
}

/** Nodes of a call and prepared ones together, as the graph orders them. */
function inOrder({ graph, nodes, prepared }: GraphCost): readonly NodeCost[] {
  const byNode = new Map([...nodes, ...prepared].map((counted) => [counted.node, counted]));
  return graph.nodes.flatMap((node) => byNode.get(node) ?? []);
}

/** The values that the derivative of a node is computed from; `moving` says which operands need one. */
function neededBackward(node: Node, moving: readonly boolean[]): readonly Value[] {
  const { op, operands, results, attributes } = node;
  const { lowering } = op;
  const some = (indices: Iterable<number>) => [...indices].flatMap((at) => operands[at] ?? []);
  switch (lowering.kind) {
    case "contract":
      return some([...(moving[1] ? [0] : []), ...(moving[0] ? [1] : [])]);
    case "map": {
      const types = (values: readonly Value[]) => values.map((value) => value.type);
      const context = { operands: types(operands), results: types(results), attributes };
      return some(derivative(lowering.expression(context)).needed);
    }
    case "row":
      // The derivative of softmax is written in its result, that of a norm in what it takes.
      return op.roles.includes("weight") ? some([0]) : results;
    case "fold":
      return derivative(lowering.fold.combine).needed.size > 0 ? some([0]) : [];
    case "select":
      return results.filter((result) => !isFloat(result.type.dtype));
    case "kernel":
      return some(operands.flatMap((_, at) => (op.roles[at] === "activation" ? [at] : [])));
    case "view":
      return some(operands.flatMap((_, at) => (op.roles[at] === "index" ? [at] : [])));
    case "scan":
    case "source":
      return [];
  }
}

interface Derivative {
  /** Operands that the expression depends on. */
  readonly reads: ReadonlySet<number>;
  /** Operands whose values its derivative needs. */
  readonly needed: ReadonlySet<number>;
}

const constantly: Derivative = { reads: new Set(), needed: new Set() };
const union = (...sets: ReadonlySet<number>[]) => new Set(sets.flatMap((set) => [...set]));

function derivative(scalar: Scalar): Derivative {
  switch (scalar.kind) {
    case "operand":
      return { reads: new Set([scalar.index]), needed: new Set() };
    case "number":
    case "coordinate":
    case "dimension":
    case "accumulator":
    case "count":
    case "folded":
    case "hash-uniform":
      return constantly;
    case "cast":
      return derivative(scalar.x);
    case "unary": {
      const inner = derivative(scalar.x);
      return scalar.fn === "neg" ? inner : { reads: inner.reads, needed: union(inner.reads, inner.needed) };
    }
    case "binary": {
      const [a, b] = [derivative(scalar.a), derivative(scalar.b)];
      const reads = union(a.reads, b.reads);
      const needed = union(a.needed, b.needed);
      const isSum = scalar.fn === "add" || scalar.fn === "sub";
      const isScaled =
        (scalar.fn === "mul" && (a.reads.size === 0 || b.reads.size === 0)) ||
        (scalar.fn === "div" && b.reads.size === 0);
      return { reads, needed: isSum || isScaled ? needed : union(needed, reads) };
    }
    case "select": {
      const parts = [derivative(scalar.whenTrue), derivative(scalar.whenFalse)];
      const condition = derivative(scalar.condition);
      return {
        reads: union(condition.reads, ...parts.map((part) => part.reads)),
        needed: union(condition.reads, ...parts.map((part) => part.needed)),
      };
    }
  }
}

/** Values to be kept, each once; of a view, what lies behind it. */
class Keeper {
  readonly #behind = new Map<Value, Value>();
  readonly #kept = new Set<Value>();

  follow(node: Node): void {
    const [viewed] = node.operands;
    if (viewed === undefined || !isPlainView(node)) return;
    for (const result of node.results) this.#behind.set(result, this.#behind.get(viewed) ?? viewed);
  }

  add(value: Value): void {
    this.#kept.add(this.#behind.get(value) ?? value);
  }

  bytes(): Dim {
    return sumDims([...this.#kept].map((value) => bytesOf(value.type)));
  }
}
