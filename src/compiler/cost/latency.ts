/**
 * How long an entry may take on a device: a roofline estimate.
 *
 * Owns: the rule. An op takes as long as its arithmetic, at the rate measured for its kind of work, or as
 * its traffic, whichever is longer, and a fixed time to start; ops run one after another. What the entry
 * gives out is copied. That knows nothing of what a runtime fuses: it is an estimate, to be held against runs.
 */
import { productDims } from "../../lang/dims.ts";
import type { Bindings } from "../bind.ts";
import type { Graph, Node, Value } from "../graph.ts";
import { rowMajorStrides } from "../host-tensor.ts";
import type { Index, Scalar } from "../ops/lowering.ts";
import { bindDim } from "./bindings.ts";
import { bytesOf, type GraphCost, isPlainView, type NodeCost } from "./count.ts";
import { type DeviceProfile, type ElementRate, type MacRate, trafficAt } from "./device-profile.ts";

export type Limit = "compute" | "bandwidth" | "start";

export interface OpEstimate {
  readonly node: NodeCost;
  readonly seconds: number;
  /** What takes most of its time. */
  readonly limit: Limit;
}

export interface Estimate {
  readonly seconds: number;
  readonly ops: readonly OpEstimate[];
  /** Seconds spent in ops that are limited so, and in giving out results. */
  readonly byLimit: Readonly<Record<Limit | "results", number>>;
}

/** @throws DiagnosticError when something is not bound */
export function estimate(cost: GraphCost, bindings: Bindings, profile: DeviceProfile): Estimate {
  const estimator = new Estimator(cost, bindings, profile);
  const ops = cost.nodes.filter(({ node }) => !estimator.isFree(node)).map((node) => estimator.op(node));
  const byLimit = { compute: 0, bandwidth: 0, start: 0, results: estimator.results(cost.graph) };
  for (const { limit, seconds } of ops) byLimit[limit] += seconds;
  return { seconds: ops.reduce((total, op) => total + op.seconds, byLimit.results), ops, byLimit };
}

class Estimator {
  readonly #given: ReadonlySet<Value>;
  readonly #bindings: Bindings;
  readonly #profile: DeviceProfile;

  constructor({ given }: GraphCost, bindings: Bindings, profile: DeviceProfile) {
    this.#given = given;
    this.#bindings = bindings;
    this.#profile = profile;
  }

  /** Whether it only sees the same elements in the same order. */
  isFree(node: Node): boolean {
    return isPlainView(node) && keepsOrder(node, this.#bindings);
  }

  op(cost: NodeCost): OpEstimate {
    const arithmetic = this.#arithmetic(cost);
    const traffic = this.#traffic(cost);
    const { secondsPerOp } = this.#profile;
    const longest = Math.max(arithmetic, traffic, secondsPerOp);
    const limit = longest === secondsPerOp ? "start" : longest === arithmetic ? "compute" : "bandwidth";
    return { node: cost, seconds: Math.max(arithmetic, traffic) + secondsPerOp, limit };
  }

  /** What an entry gives out, new states too. */
  results({ outputs }: Graph): number {
    const bytes = outputs.reduce((sum, { value }) => sum + this.#value(bytesOf(value.type)), 0);
    return bytes / this.#profile.resultBytesPerSecond;
  }

  #arithmetic(cost: NodeCost): number {
    const { macsPerSecond, elementsPerSecond } = this.#profile;
    const macs = macRateOf(cost.node, this.#given);
    if (macs !== undefined) return this.#value(cost.macs) / macsPerSecond[macs];
    const elements = elementRateOf(cost.node);
    return elements === undefined ? 0 : this.#elements(cost.node.results) / elementsPerSecond[elements];
  }

  #traffic(cost: NodeCost): number {
    // A view that is one piece is counted as nothing, because whoever reads it may look behind it.
    const isCopied = isPlainView(cost.node);
    const moved = isCopied
      ? 8 * this.#elements(cost.node.results)
      : this.#value(cost.read) + this.#value(cost.written);
    const weights = this.#value(cost.weights) / this.#profile.weightBytesPerSecond;
    if (moved === 0) return weights;
    const isScan = cost.node.op.lowering.kind === "kernel";
    return weights + moved / (isScan ? this.#profile.scanBytesPerSecond : trafficAt(this.#profile, moved));
  }

  #elements(values: readonly Value[]): number {
    return values.reduce((sum, { type }) => sum + this.#value(productDims(type.shape)), 0);
  }

  #value(dim: NodeCost["macs"]): number {
    return bindDim(dim, this.#bindings).evaluate(this.#bindings);
  }
}

function macRateOf({ op, operands }: Node, given: ReadonlySet<Value>): MacRate | undefined {
  if (op.lowering.kind === "kernel") return "scan";
  if (op.lowering.kind !== "contract") return undefined;
  return operands.slice(0, 2).every((value) => !given.has(value)) ? "attention" : "products";
}

function elementRateOf(node: Node): ElementRate | undefined {
  const { op } = node;
  const { lowering } = op;
  if (lowering.kind === "row") return op.roles.includes("weight") ? "norm" : "softmax";
  if (lowering.kind !== "map") return undefined;
  const types = (values: readonly Value[]) => values.map((value) => value.type);
  const { operands, results, attributes } = node;
  const context = { operands: types(operands), results: types(results), attributes };
  return callsFunction(lowering.expression(context)) ? "function" : undefined;
}

const functions: ReadonlySet<string> = new Set(["exp", "log", "erf", "tanh", "sin", "cos"]);

/** Whether an element takes more than arithmetic. */
function callsFunction(scalar: Scalar): boolean {
  switch (scalar.kind) {
    case "unary":
      return functions.has(scalar.fn) || callsFunction(scalar.x);
    case "cast":
    case "hash-uniform":
      return callsFunction(scalar.x);
    case "binary":
      return scalar.fn === "pow" || callsFunction(scalar.a) || callsFunction(scalar.b);
    case "select":
      return [scalar.condition, scalar.whenTrue, scalar.whenFalse].some(callsFunction);
    default:
      return false;
  }
}

const probes = 24;

/** Whether a view's elements lie in memory as those behind it: told by some of them. */
function keepsOrder({ op, operands, results, attributes }: Node, bindings: Bindings): boolean {
  const [from] = operands;
  const [to] = results;
  if (op.lowering.kind !== "view" || from === undefined || to === undefined) return false;
  const [piece] = op.lowering.pieces({ operands: [from.type], results: [to.type], attributes });
  const [shape, behind] = [to, from].map(({ type }) => type.shape.map((dim) => dim.evaluate(bindings)));
  if (piece === undefined || shape === undefined || behind === undefined) return false;
  const [strides, stridesBehind] = [rowMajorStrides(shape), rowMajorStrides(behind)];
  for (let probe = 1; probe <= probes; probe++) {
    const at = shape.map((size, axis) => (probe * (7919 + 104_729 * axis)) % Math.max(1, size));
    const offset = at.reduce((sum, index, axis) => sum + index * (strides[axis] ?? 1), 0);
    const found = piece.at.reduce(
      (sum, index, axis) => sum + indexAt(index, at, bindings) * (stridesBehind[axis] ?? 1),
      0,
    );
    if (found !== offset) return false;
  }
  return true;
}

function indexAt(index: Index, at: readonly number[], bindings: Bindings): number {
  switch (index.kind) {
    case "coordinate":
      return at[index.axis] ?? 0;
    case "constant":
      return index.value.evaluate(bindings);
    case "element":
      return Number.NaN;
    default: {
      const [a, b] = [indexAt(index.a, at, bindings), indexAt(index.b, at, bindings)];
      if (index.kind === "add") return a + b;
      if (index.kind === "mul") return a * b;
      return index.kind === "div" ? Math.floor(a / b) : a - Math.floor(a / b) * b;
    }
  }
}
