/**
 * Makes graphs.
 *
 * Owns: the identity of values (equal work is one node), the parameters by path, the names that a
 * user can ask for, and the guards. Evaluation writes to it as an emitter, passes as a builder.
 * It does not judge: what a legal graph is, verify.ts says.
 */
import type { Attributes, OpSignature, Requirement } from "../lang/catalog.ts";
import { Dim } from "../lang/dims.ts";
import type { Emitter, Handle, Initializer } from "../lang/emitter.ts";
import { openGuards } from "../lang/guards.ts";
import { type DType, printType, sameType, type TensorType } from "../lang/types.ts";
import { normalizeAttributes, printAttributes } from "./attribute-form.ts";
import { contentHash, sameContent } from "./content-hash.ts";
import { internalFault } from "./fault.ts";
import type {
  Graph,
  GraphInitializer,
  GraphInput,
  GraphOutput,
  GraphSymbol,
  Guard,
  Node,
  Parameter,
  Provenance,
  Value,
} from "./graph.ts";
import { allocate, elementCount, type HostTensor } from "./host-tensor.ts";
import type { OpDefinition } from "./ops/op.ts";
import { dimensionOp } from "./ops/sources.ts";

/** Names of the input and the output that carry a state. Both sort as the states do. */
export const statePast = (name: string): string => `past.${name}`;
export const statePresent = (name: string): string => `present.${name}`;

/** What builders finished. */
const built = new WeakSet<Graph>();

/** Whether a graph is as a builder finished it: equal nodes are one, and an output needs every node. */
export function isBuilt(graph: Graph): boolean {
  return built.has(graph);
}

export interface GraphBuilderOptions {
  /** Samples a second of the inputs that are waveforms, by input name. */
  readonly sampleRates?: ReadonlyMap<string, number>;
}

interface Shared {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly names: ReadonlyMap<string, Value>;
  readonly guards: ReadonlyMap<string, Guard>;
}

export class GraphBuilder implements Emitter {
  #graphName: string;
  readonly #sampleRates: ReadonlyMap<string, number>;
  /** Every value of this builder, with its number in order of creation. */
  readonly #numbers = new Map<object, { readonly value: Value; readonly number: number }>();
  readonly #ops = new Map<OpDefinition, number>();
  #nodes = new Map<string, Node>();
  readonly #inputs = new Map<string, GraphInput>();
  readonly #parameters = new Map<string, Value>();
  readonly #constants = new Map<string, Value[]>();
  #names = new Map<string, Value>();
  #guards = new Map<string, Guard>();
  #shared: Shared = { nodes: new Map(), names: new Map(), guards: new Map() };

  constructor(name: string, options: GraphBuilderOptions = {}) {
    this.#graphName = name;
    this.#sampleRates = options.sampleRates ?? new Map();
  }

  /** What was made so far is a part of every graph that needs it: the parts of a model, before its entries. */
  share(): void {
    this.#shared = {
      nodes: new Map(this.#nodes),
      names: new Map(this.#names),
      guards: new Map(this.#guards),
    };
  }

  /** Starts another graph, with what is shared. */
  begin(name: string): void {
    const { nodes, names, guards } = this.#shared;
    this.#graphName = name;
    this.#inputs.clear();
    this.#nodes = new Map(nodes);
    this.#names = new Map(names);
    this.#guards = new Map(guards);
  }

  input(name: string, type: TensorType, origin?: Provenance, sampleRate?: number): Value {
    if (this.#inputs.has(name)) throw internalFault(`the input ${name} is declared twice`, origin);
    const value = this.#register({ type, source: { kind: "input", name } });
    this.#inputs.set(name, { name, value, sampleRate: sampleRate ?? this.#sampleRates.get(name) });
    return value;
  }

  /** Asked again for a path, gives the same value; asking with another type is a fault. */
  parameter(
    path: string,
    type: TensorType,
    initial: Initializer | GraphInitializer,
    origin: Provenance,
  ): Value {
    const known = this.#parameters.get(path);
    if (known !== undefined) {
      if (sameType(known.type, type)) return known;
      throw internalFault(
        `the parameter ${path} is ${printType(known.type)} and cannot also be ${printType(type)}`,
        origin,
      );
    }
    const start: GraphInitializer =
      initial.kind === "value" ? { kind: "value", value: this.#own(initial.value) } : initial;
    const parameter: Parameter = { path, type, initial: start, provenance: origin };
    const value = this.#register({ type, source: { kind: "parameter", parameter } });
    this.#parameters.set(path, value);
    return value;
  }

  constant(values: readonly number[], type: TensorType, origin?: Provenance): Value {
    const shape = type.shape.map((dim) => {
      if (dim.constant === undefined)
        throw internalFault(`a constant cannot have the type ${printType(type)}`, origin);
      return dim.constant;
    });
    if (elementCount(shape) !== values.length) {
      throw internalFault(
        `a constant of type ${printType(type)} cannot hold ${values.length} values`,
        origin,
      );
    }
    const tensor = allocate(type.dtype, shape);
    tensor.data.set(values);
    return this.constantTensor(tensor);
  }

  constantTensor(tensor: HostTensor): Value {
    const type: TensorType = { dtype: tensor.dtype, shape: tensor.shape.map((size) => Dim.of(size)) };
    return this.#constant({ type, source: { kind: "constant", tensor } }, tensor);
  }

  /** A dimension as a scalar: a constant when it is a number, else read when shapes are bound. */
  dimension(dim: Dim, dtype: DType, origin: Provenance): Value {
    const type: TensorType = { dtype, shape: [] };
    if (dim.constant !== undefined) return this.constant([dim.constant], type, origin);
    const [value] = this.op(dimensionOp, [], { value: dim, dtype }, [type], origin);
    if (value === undefined) throw internalFault("the op dimension has no result", origin);
    return value;
  }

  op(
    op: OpSignature,
    operands: readonly Handle[],
    attributes: Attributes,
    results: readonly TensorType[],
    origin: Provenance,
  ): readonly Value[] {
    if (!isDefinition(op)) throw internalFault(`the op ${op.name} has no definition`, origin);
    const own = operands.map((operand) => this.#own(operand));
    const normal = normalizeAttributes(op, attributes);
    const key = this.#nodeKey(op, own, normal);
    const same = this.#nodes.get(key);
    if (same !== undefined) return same.results;
    const node = makeNode(op, own, normal, results, origin);
    this.#nodes.set(key, node);
    for (const value of node.results) this.#register(value);
    return node.results;
  }

  /** As `op`, with the result types that the op itself infers: for passes. */
  apply(
    op: OpDefinition,
    operands: readonly Value[],
    attributes: Attributes,
    origin: Provenance,
  ): readonly Value[] {
    const normal = normalizeAttributes(op, attributes);
    const inference = op.infer(
      operands.map((operand) => operand.type),
      normal,
    );
    if (!inference.ok) {
      const types = operands.map((operand) => printType(operand.type)).join(", ");
      throw internalFault(
        `a pass made ${op.name}(${types}), which the op refuses: ${inference.problem.message}`,
        origin,
      );
    }
    const types = inference.results.map((result) => result.type);
    return this.op(op, operands, normal, types, origin);
  }

  /** Takes an input of another graph as it is. */
  adoptInput(input: GraphInput): Value {
    if (this.#inputs.has(input.name)) throw internalFault(`the input ${input.name} is declared twice`);
    this.#inputs.set(input.name, input);
    return this.#register(input.value);
  }

  /**
   * Takes a value of another graph that is not a node's result: an input, a parameter, a constant.
   * It keeps its identity, except that a constant already held gives the one held.
   */
  adopt(value: Value): Value {
    const { source } = value;
    switch (source.kind) {
      case "input":
        return this.adoptInput({ name: source.name, value, sampleRate: undefined });
      case "parameter": {
        const { path } = source.parameter;
        const known = this.#parameters.get(path) ?? value;
        if (known !== value) throw internalFault(`the parameter ${path} is there already, as another value`);
        this.#parameters.set(path, value);
        return this.#register(value);
      }
      case "constant":
        return this.#constant(value, source.tensor);
      case "result":
        throw internalFault("only values that no node makes can be taken from another graph");
    }
  }

  /**
   * Takes a node of another graph whose operands this builder holds. It keeps its identity,
   * except that an equal node already held gives the results of the one held.
   */
  adoptNode(node: Node): readonly Value[] {
    const key = this.#nodeKey(
      node.op,
      node.operands.map((operand) => this.#own(operand)),
      node.attributes,
    );
    const same = this.#nodes.get(key);
    if (same !== undefined) return same.results;
    this.#nodes.set(key, node);
    for (const value of node.results) this.#register(value);
    return node.results;
  }

  name(path: string, value: Handle): void {
    this.#names.set(path, this.#own(value));
  }

  require(requirement: Requirement, origin: Provenance): void {
    const key = `${requirement.kind}|${requirement.left}|${requirement.right}`;
    if (!this.#guards.has(key)) this.#guards.set(key, { requirement, provenance: origin });
  }

  /** An input that carries recurrent state; it goes by the state's name. */
  state(name: string, type: TensorType, origin: Provenance): Value {
    const value = this.input(statePast(name), type, origin);
    this.#inputs.set(statePast(name), { name: statePast(name), value, sampleRate: undefined, state: name });
    return value;
  }

  /** The value behind a handle that this builder gave out. */
  find(handle: Handle): Value | undefined {
    return this.#numbers.get(handle)?.value;
  }

  /** Paths of all learned tensors that were asked for, needed by an output or not. */
  parameterPaths(): ReadonlySet<string> {
    return new Set(this.#parameters.keys());
  }

  /** Every value that was named, by path: what can be asked for as one more output. */
  names(): ReadonlyMap<string, Value> {
    return this.#names;
  }

  /**
   * The graph of what the outputs need. Nodes stand in order of creation, learned tensors in the order in which
   * they are read; all inputs stay, since they are the graph's interface. Guards that always hold, given the
   * symbols' minimums, are dropped.
   */
  finish(
    outputs: readonly GraphOutput[],
    symbols: readonly GraphSymbol[],
    name: string = this.#graphName,
  ): Graph {
    const roots = outputs.map((output) => this.#own(output.value));
    const nodes = neededNodes([...this.#nodes.values()], roots);
    const minimums = new Map(symbols.map((symbol) => [symbol.name, symbol.minimum]));
    const graph: Graph = {
      name,
      symbols: [...symbols],
      inputs: [...this.#inputs.values()],
      parameters: parametersOf(nodes, outputs),
      nodes,
      outputs: [...outputs],
      guards: openGuards([...this.#guards.values()], minimums),
    };
    built.add(graph);
    return graph;
  }

  #register(value: Value): Value {
    if (!this.#numbers.has(value)) this.#numbers.set(value, { value, number: this.#numbers.size });
    return value;
  }

  #own(handle: Handle): Value {
    const known = this.#numbers.get(handle);
    if (known === undefined) throw internalFault(`a value of another graph was used in ${this.#graphName}`);
    return known.value;
  }

  #constant(value: Value, tensor: HostTensor): Value {
    const hash = contentHash(tensor);
    const alike = this.#constants.get(hash) ?? [];
    const same = alike.find(
      (other) => other.source.kind === "constant" && sameContent(other.source.tensor, tensor),
    );
    if (same !== undefined) return same;
    this.#constants.set(hash, [...alike, value]);
    return this.#register(value);
  }

  #nodeKey(op: OpDefinition, operands: readonly Value[], attributes: Attributes): string {
    const opNumber = this.#ops.get(op) ?? this.#ops.size;
    this.#ops.set(op, opNumber);
    const operandNumbers = operands.map((operand) => this.#numbers.get(operand)?.number);
    return `${opNumber}(${operandNumbers.join(",")}){${printAttributes(attributes)}}`;
  }
}

/** Of nodes in an order in which each comes after those that it reads: those that `roots` need. */
function neededNodes(all: readonly Node[], roots: readonly Value[]): readonly Node[] {
  const needed = new Set<Value>(roots);
  const found: Node[] = [];
  for (let i = all.length - 1; i >= 0; i--) {
    const node = all[i];
    if (node === undefined || !isAnyOf(node.results, needed)) continue;
    found.push(node);
    for (const operand of node.operands) needed.add(operand);
  }
  return found.reverse();
}

function isAnyOf(values: readonly Value[], wanted: ReadonlySet<Value>): boolean {
  for (const value of values) if (wanted.has(value)) return true;
  return false;
}

/** The learned tensors that are read, in the order in which they are. */
function parametersOf(nodes: readonly Node[], outputs: readonly GraphOutput[]): readonly Value[] {
  const found = new Set<Value>();
  const add = (value: Value): void => {
    if (value.source.kind === "parameter") found.add(value);
  };
  for (const { operands } of nodes) for (const operand of operands) add(operand);
  for (const { value } of outputs) add(value);
  return [...found];
}

/** The nodes and values that `roots` need, roots included. Starting values of parameters are not needed. */
export function reachable(roots: readonly Value[]): {
  readonly nodes: ReadonlySet<Node>;
  readonly values: ReadonlySet<Value>;
} {
  const nodes = new Set<Node>();
  const values = new Set<Value>();
  const pending = [...roots];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (values.has(value)) continue;
    values.add(value);
    if (value.source.kind !== "result" || nodes.has(value.source.node)) continue;
    nodes.add(value.source.node);
    pending.push(...value.source.node.operands);
  }
  return { nodes, values };
}

/** The nodes that `roots` need, each after those it reads. */
export function nodesFor(roots: readonly Value[]): readonly Node[] {
  const ordered = new Set<Node>();
  const pending = roots.map((value) => ({ value, entered: false })).reverse();
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { source } = item.value;
    if (source.kind !== "result" || ordered.has(source.node)) continue;
    if (item.entered) {
      ordered.add(source.node);
      continue;
    }
    pending.push({ value: item.value, entered: true });
    for (const operand of [...source.node.operands].reverse())
      pending.push({ value: operand, entered: false });
  }
  return [...ordered];
}

/** A graph without inputs whose only output is the value that a parameter starts with. */
export function initialGraph(parameter: Parameter): Graph | undefined {
  if (parameter.initial.kind !== "value") return undefined;
  const { value } = parameter.initial;
  return {
    name: parameter.path,
    symbols: [],
    inputs: [],
    parameters: [...reachable([value]).values].filter((needed) => needed.source.kind === "parameter"),
    nodes: nodesFor([value]),
    outputs: [{ name: "initial", value }],
    guards: [],
  };
}

function isDefinition(op: OpSignature): op is OpDefinition {
  return "reference" in op && "lowering" in op && "cost" in op;
}

/** A node and its results, which point back to it. */
export function makeNode(
  op: OpDefinition,
  operands: readonly Value[],
  attributes: Attributes,
  types: readonly TensorType[],
  provenance: Provenance,
): Node {
  const results: Value[] = [];
  const node: Node = { op, operands, attributes, results, provenance };
  types.forEach((type, index) => {
    results.push({ type, source: { kind: "result", node, index } });
  });
  return node;
}
