/**
 * Runs a graph through the references of its ops.
 *
 * Owns: the order, the lifetime of intermediates, and the count of multiply-adds of every node. This
 * is what a program means: in f64, on one thread, without fusing anything.
 */
import { DiagnosticError } from "../lang/diagnostic.ts";
import { type Bindings, bindSymbols, evaluateDim } from "./bind.ts";
import { internalFault } from "./fault.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { nodesFor } from "./graph-builder.ts";
import type { HostTensor } from "./host-tensor.ts";
import { CountingMeter } from "./ops/arithmetic.ts";
import { bindAttributes } from "./ops/attributes.ts";
import type { Meter } from "./ops/op.ts";

export interface InterpretOptions {
  readonly inputs: ReadonlyMap<string, HostTensor>;
  /** The learned tensor of a path. */
  readonly parameters: (path: string) => HostTensor;
  /** Symbols that no input shows. */
  readonly bindings?: Bindings;
  /** Gets every multiply-add of every node. */
  readonly meter?: Meter;
  /** Called after each node with its results and the multiply-adds it executed. */
  readonly onNode?: (node: Node, results: readonly HostTensor[], macs: number) => void;
}

/** The outputs by name. Throws a DiagnosticError when an input, a parameter or a guard does not fit. */
export function interpret(graph: Graph, options: InterpretOptions): Map<string, HostTensor> {
  const shapes = new Map([...options.inputs].map(([name, tensor]) => [name, tensor.shape]));
  const bindings = bindSymbols(graph, shapes, options.bindings);
  const values = new Map<Value, HostTensor>();
  for (const { name, value } of graph.inputs) {
    const tensor = options.inputs.get(name);
    if (tensor) values.set(value, checked(tensor, value, bindings, `the input ${name}`));
  }
  const run = new Run(
    values,
    graph.nodes,
    graph.outputs.map((output) => output.value),
    bindings,
    options,
  );
  return new Map(graph.outputs.map(({ name, value }) => [name, run.take(value)]));
}

export interface EvaluationOptions {
  readonly parameters?: (path: string) => HostTensor;
  readonly bindings?: Bindings;
  readonly meter?: Meter;
}

/** The values themselves, for values that no input reaches: constant folding, initial parameters. */
export function evaluateValues(
  values: readonly Value[],
  options: EvaluationOptions = {},
): readonly HostTensor[] {
  const run = new Run(new Map(), nodesFor(values), values, options.bindings ?? new Map(), {
    parameters: (path) => {
      throw internalFault(`the parameter ${path} has no value while compiling`);
    },
    ...options,
  });
  return values.map((value) => run.take(value));
}

/** One node on tensors that are at hand. */
export function runNode(
  node: Node,
  operands: readonly HostTensor[],
  bindings: Bindings,
  meter: Meter,
): readonly HostTensor[] {
  const types = node.results.map(({ type }) => ({
    dtype: type.dtype,
    shape: type.shape.map((dim) => evaluateDim(dim, bindings)),
  }));
  const attributes = bindAttributes(node.attributes, bindings);
  const declared = node.operands.map((operand) => operand.type);
  const results = node.op.reference(operands, { declared, attributes, results: types, meter });
  if (results.length !== types.length) {
    throw internalFault(`the reference of ${node.op.name} gives ${results.length} results`, node.provenance);
  }
  return results;
}

class Run {
  readonly #values: Map<Value, HostTensor>;
  readonly #bindings: Bindings;
  readonly #parameters: (path: string) => HostTensor;

  constructor(
    values: Map<Value, HostTensor>,
    nodes: readonly Node[],
    outputs: readonly Value[],
    bindings: Bindings,
    options: Pick<InterpretOptions, "parameters" | "meter" | "onNode">,
  ) {
    this.#values = values;
    this.#bindings = bindings;
    this.#parameters = options.parameters;
    const uses = countUses(nodes, outputs);
    for (const node of nodes) {
      const meter = new CountingMeter();
      const operands = node.operands.map((operand) => this.take(operand));
      const results = runNode(node, operands, bindings, meter);
      options.meter?.add(meter.macs);
      node.results.forEach((value, index) => {
        const result = results[index];
        if (result && (uses.get(value) ?? 0) > 0) values.set(value, result);
      });
      options.onNode?.(node, results, meter.macs);
      for (const operand of node.operands) {
        const left = (uses.get(operand) ?? 0) - 1;
        uses.set(operand, left);
        if (left === 0) values.delete(operand);
      }
    }
  }

  /** The tensor of a value: computed, constant, or a parameter read now. */
  take(value: Value): HostTensor {
    const known = this.#values.get(value);
    if (known) return known;
    const { source } = value;
    if (source.kind === "constant") return source.tensor;
    if (source.kind === "parameter") {
      const { path } = source.parameter;
      const tensor = checked(this.#parameters(path), value, this.#bindings, `the parameter ${path}`);
      this.#values.set(value, tensor);
      return tensor;
    }
    const what = source.kind === "input" ? `the input ${source.name}` : `a result of ${source.node.op.name}`;
    throw internalFault(`${what} is used before it has a value`);
  }
}

/** How often each value is read; an output is read once more, at the end. */
function countUses(nodes: readonly Node[], outputs: readonly Value[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  const read = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of nodes) node.operands.forEach(read);
  outputs.forEach(read);
  return uses;
}

function checked(tensor: HostTensor, value: Value, bindings: Bindings, what: string): HostTensor {
  const shape = value.type.shape.map((dim) => evaluateDim(dim, bindings));
  const fits =
    tensor.shape.length === shape.length && tensor.shape.every((size, axis) => size === shape[axis]);
  if (fits && tensor.dtype === value.type.dtype) return tensor;
  throw new DiagnosticError([
    {
      code: "tensor-type",
      severity: "error",
      message: `${what} is ${tensor.dtype}[${tensor.shape.join(", ")}]; it must be ${value.type.dtype}[${shape.join(", ")}]`,
      related: [],
      notes: [],
      edits: [],
    },
  ]);
}
