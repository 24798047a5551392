/**
 * What a graph costs at one choice of sizes, worked out from numbers alone.
 *
 * Owns: a second way to every measure. Shapes are inferred anew from the numbers of the inputs, op by
 * op, and counts are sums of numbers; no expression is added, multiplied or simplified. Which nodes
 * run at every call is taken from the layout.
 */
import { type Bindings, checkGuards, evaluateDim } from "../../src/compiler/bind.ts";
import { isPlainView } from "../../src/compiler/cost/count.ts";
import type { EntryCost } from "../../src/compiler/cost/model-cost.ts";
import type { Node, Value } from "../../src/compiler/graph.ts";
import type { ToolCount } from "../../src/compiler/ops/op.ts";
import type { Attributes, AttributeValue } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";
import type { TensorType } from "../../src/lang/types.ts";

export interface ConcreteCount {
  readonly macs: number;
  readonly torchprofile: number;
  readonly fvcore: number;
  readonly flops: number;
  readonly scalars: number;
  readonly state: number;
  readonly memory: number;
  /** Elements and bytes of learned tensors, by path. */
  readonly parameters: ReadonlyMap<string, { readonly elements: number; readonly bytes: number }>;
}

const bytesOfElement = { f32: 4, f16: 2, bf16: 2, i64: 8, i32: 4, bool: 1 } as const;

/** @throws DiagnosticError when a guard does not hold at these sizes */
export function countAt({ cost }: EntryCost, bindings: Bindings): ConcreteCount {
  const { graph } = cost;
  checkGuards(graph.guards, bindings);
  const shapes = new Map<Value, TensorType>();
  const bound = ({ dtype, shape }: TensorType): TensorType => ({
    dtype,
    shape: shape.map((dim) => Dim.of(evaluateDim(dim, bindings))),
  });
  const typeOf = (value: Value): TensorType => {
    const known = shapes.get(value) ?? bound(value.type);
    shapes.set(value, known);
    return known;
  };
  const bytes = (value: Value): number => elements(typeOf(value)) * bytesOfElement[value.type.dtype];
  const sums = { macs: 0, torchprofile: 0, fvcore: 0, scalars: 0 };
  const called = new Map(cost.nodes.map((counted) => [counted.node, counted]));
  for (const node of graph.nodes) {
    const operands = node.operands.map(typeOf);
    const attributes = boundAttributes(node.attributes, bindings);
    const inference = node.op.infer(operands, attributes);
    if (!inference.ok) throw new Error(`${node.op.name}: ${inference.problem.message}`);
    const results = inference.results.map((result) => result.type);
    node.results.forEach((value, at) => {
      const [found, expected] = [results[at]?.shape.join(), bound(value.type).shape.join()];
      if (found !== expected) throw new Error(`${node.op.name} gives [${found}], laid out as [${expected}]`);
      const type = results[at];
      if (type !== undefined) shapes.set(value, type);
    });
    const counted = called.get(node);
    if (counted === undefined) continue;
    const context = { operands, results, attributes };
    const { macs, scalar } = node.op.cost(context);
    const tool = (rule: ToolCount | undefined): number => {
      if (rule === undefined) return numberOf(macs);
      return typeof rule === "function" ? numberOf(rule(context)) : 0;
    };
    const { torchprofile, fvcore } = node.op.accounting;
    sums.macs += numberOf(macs);
    sums.scalars += numberOf(scalar);
    sums.torchprofile += counted.kind === "pruning" ? numberOf(macs) : tool(torchprofile);
    sums.fvcore += tool(fvcore);
  }
  const parameters = graph.parameters.flatMap((value) =>
    value.source.kind === "parameter"
      ? [[value.source.parameter.path, { elements: elements(typeOf(value)), bytes: bytes(value) }] as const]
      : [],
  );
  const states = graph.outputs.filter(({ state }) => state !== undefined);
  return {
    ...sums,
    flops: 2 * sums.macs + sums.scalars,
    state: states.reduce((total, { value }) => total + bytes(value), 0),
    memory: mostLive(
      cost.nodes.map(({ node }) => node),
      { inputs: graph.inputs, outputs: graph.outputs, given: cost.given },
      bytes,
    ),
    parameters: new Map(parameters),
  };
}

const numberOf = (dim: Dim): number => {
  if (dim.constant === undefined) throw new Error(`${dim} is open`);
  return dim.constant;
};

const elements = ({ shape }: TensorType): number =>
  shape.reduce((product, dim) => product * numberOf(dim), 1);

function boundAttributes(attributes: Attributes, bindings: Bindings): Attributes {
  const each = (value: AttributeValue): AttributeValue => {
    if (value instanceof Dim) return Dim.of(evaluateDim(value, bindings));
    if (typeof value !== "object") return value;
    const dims = value.filter((item) => item instanceof Dim);
    return dims.length === value.length ? dims.map((dim) => Dim.of(evaluateDim(dim, bindings))) : value;
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, each(value)]));
}

interface Ports {
  readonly inputs: readonly { readonly value: Value }[];
  readonly outputs: readonly { readonly value: Value }[];
  readonly given: ReadonlySet<Value>;
}

/** A buffer lives from the node that makes it to the last that reads it or a view of it. */
function mostLive(
  nodes: readonly Node[],
  { inputs, outputs, given }: Ports,
  bytes: (value: Value) => number,
): number {
  const owner = new Map<Value, Value>();
  const buffer = (value: Value): Value => {
    const behind = owner.get(value);
    return behind === undefined ? value : buffer(behind);
  };
  const born = new Map<Value, number>(inputs.map(({ value }) => [value, -1]));
  const dies = new Map<Value, number>();
  nodes.forEach((node, at) => {
    const [viewed] = node.operands;
    for (const value of node.results) {
      if (viewed !== undefined && isPlainView(node)) owner.set(value, viewed);
      else if (!given.has(value)) born.set(value, at);
    }
    for (const value of [...node.operands, ...node.results]) dies.set(buffer(value), at);
  });
  for (const { value } of outputs) dies.set(buffer(value), nodes.length);
  // What comes and goes at each node; a buffer that ends at a node is still there while it runs.
  const change = new Array<number>(nodes.length + 3).fill(0);
  const move = (at: number, by: number): void => {
    change[at + 1] = (change[at + 1] ?? 0) + by;
  };
  for (const [value, from] of born) {
    const to = dies.get(value);
    if (to === undefined) continue;
    move(from, bytes(value));
    move(to + 1, -bytes(value));
  }
  let live = 0;
  return change.reduce((most, by) => {
    live += by;
    return Math.max(most, live);
  }, 0);
}
