/**
 * Declared, counted and executed multiply-adds of a graph, side by side for every op at its path.
 *
 * Owns: which node of the ONNX model belongs to which node of the graph, and what the records say of
 * the difference.
 */
import { bindSymbols } from "../../src/compiler/bind.ts";
import { countGraph, type NodeCost } from "../../src/compiler/cost/count.ts";
import type { Graph } from "../../src/compiler/graph.ts";
import type { HostTensor, WeightSource } from "../../src/compiler/host-tensor.ts";
import { interpret } from "../../src/compiler/interpret.ts";
import { type Executed, executedMacs } from "./executed.ts";
import { fillOperand, randomNumbers } from "./samples.ts";

export interface CountRow {
  /** `encoder.layer.3.attention/matmul` */
  readonly name: string;
  readonly declared: number;
  /** By the references, while they computed. */
  readonly counted: number;
  /** By the operators of the ONNX model, at the sizes that they had. */
  readonly executed: number;
  /** What is executed beyond, as the op's record has it. */
  readonly overhead: Readonly<Record<string, number>>;
}

export interface Case {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, HostTensor>;
  readonly parameters: (path: string) => HostTensor;
}

const preparedLate = "computed from learned tensors at every call: storing it would take more bytes";

export async function threeCounts({ graph, inputs, parameters }: Case): Promise<readonly CountRow[]> {
  const shapes = new Map([...inputs].map(([name, tensor]) => [name, tensor.shape]));
  const bindings = bindSymbols(graph, shapes);
  const cost = countGraph(graph);
  const rows = new Map<string, Mutable>();
  const row = (name: string): Mutable => {
    const known = rows.get(name) ?? { name, declared: 0, counted: 0, executed: 0, overhead: {} };
    rows.set(name, known);
    return known;
  };
  const byNode = new Map([...cost.nodes, ...cost.prepared].map((counted) => [counted.node, counted]));
  const isPrepared = new Set(cost.prepared);
  const multiplies = new Set<string>();
  const late = new Map<string, number>();
  for (const counted of byNode.values()) {
    const name = nameOf(counted);
    if (counted.macs.constant !== 0) multiplies.add(name);
    if (isPrepared.has(counted)) {
      late.set(name, (late.get(name) ?? 0) + counted.macs.evaluate(bindings));
      continue;
    }
    row(name).declared += counted.macs.evaluate(bindings);
    for (const { reason, macs } of overheadsOf(counted)) {
      const known = row(name).overhead;
      known[reason] = (known[reason] ?? 0) + macs.evaluate(bindings);
    }
  }
  interpret(graph, {
    inputs,
    parameters,
    onNode: (node, _, macs) => {
      const counted = byNode.get(node);
      if (counted !== undefined && !isPrepared.has(counted)) row(nameOf(counted)).counted += macs;
    },
  });
  const names = new Set([...byNode.values()].map(nameOf));
  for (const executed of await executedMacs(graph, inputs, sourceOf(graph, parameters))) {
    const name = ownerOf(executed, names);
    // Elements are multiplied everywhere; where nothing is declared those are scalar operations.
    if (name === undefined || (executed.kind === "product" && !multiplies.has(name))) continue;
    row(name).executed += executed.macs;
  }
  for (const [name, macs] of late) {
    const { declared, executed, overhead } = row(name);
    if (executed > declared && macs > 0) overhead[preparedLate] = macs;
  }
  return [...rows.values()];
}

type Mutable = { -readonly [Key in keyof CountRow]: CountRow[Key] } & { overhead: Record<string, number> };

function nameOf({ node }: NodeCost): string {
  const { path } = node.provenance;
  return path === "" ? node.op.name : `${path}/${node.op.name}`;
}

function overheadsOf({ node }: NodeCost) {
  const types = (values: typeof node.operands) => values.map((value) => value.type);
  const { operands, results, attributes, op } = node;
  return op.accounting.overhead?.({ operands: types(operands), results: types(results), attributes }) ?? [];
}

/** `a.b/ssd_2/MatMul_3` belongs to `a.b/ssd`; arithmetic of sizes to nothing. */
function ownerOf({ node, kind }: Executed, names: ReadonlySet<string>): string | undefined {
  const base = node.name.replace(/\/[A-Z]\w*(?:\.\d+)?$/, "").replace(/\.\d+$/, "");
  const found = [base, base.replace(/_\d+$/, "")].find((name) => names.has(name));
  if (found === undefined && kind === "contraction") throw new Error(`${node.name} belongs to no op`);
  return found;
}

function sourceOf(graph: Graph, parameters: (path: string) => HostTensor): WeightSource {
  const shapes = new Map(
    graph.parameters.flatMap(({ source, type }) =>
      source.kind === "parameter"
        ? [[source.parameter.path, type.shape.map((dim) => dim.constant ?? 0)] as const]
        : [],
    ),
  );
  return {
    label: "drawn weights",
    names: () => [...shapes.keys()],
    info: (path) => {
      const shape = shapes.get(path);
      return shape && { dtype: "f32", shape };
    },
    read: async (path) => parameters(path),
  };
}

/** Inputs and learned tensors of a graph, drawn by name; whole numbers below `ids`. */
export function drawn(graph: Graph, sizes: Readonly<Record<string, number>>, ids = 2): Case {
  const bindings = new Map(Object.entries(sizes));
  const seeded = (name: string) =>
    randomNumbers([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 1));
  const inputs = new Map(
    graph.inputs.map(({ name, value: { type } }) => {
      const shape = type.shape.map((dim) => dim.evaluate(bindings));
      const values = type.dtype === "f32" ? ({ kind: "uniform", low: -1, high: 1 } as const) : undefined;
      const whole = { kind: "integers", low: 0, high: ids - 1 } as const;
      return [name, fillOperand({ dtype: type.dtype, shape, values: values ?? whole }, seeded(name))];
    }),
  );
  const types = new Map(
    graph.parameters.flatMap(({ source, type }) =>
      source.kind === "parameter" ? [[source.parameter.path, type] as const] : [],
    ),
  );
  const parameters = (path: string): HostTensor => {
    const type = types.get(path);
    if (type === undefined) throw new Error(`there is no parameter ${path}`);
    const shape = type.shape.map((dim) => dim.evaluate(bindings));
    const values = { kind: "uniform", low: -0.1, high: 0.1 } as const;
    return fillOperand({ dtype: type.dtype, shape, values }, seeded(path));
  };
  return { graph, inputs, parameters };
}
