/**
 * Graphs as text, one definition a line, for people, golden files and bug reports.
 *
 * Owns: the printed form. Reading it back is graph-parse.ts, and the two agree: what is printed,
 * parsed and printed again is the same text. Spans are not kept, paths are. Grammar:
 *
 *   graph NAME(SYMBOL >= NUMBER, ...)
 *   input %NAME: TYPE @ SAMPLE_RATE
 *   const %c0: TYPE = [NUMBER, ...]         // or #HASH for more than 16 elements
 *   initial DEFINITION                      // only computes what a parameter starts with
 *   param %PATH: TYPE = INITIAL             // path of the block
 *   %0: TYPE, ... = OP(%A, %B) {NAME: VALUE, ...}   // path of the block
 *   guard DIM == DIM "REASON"               // or <=, or divides
 *   output NAME = %A
 */
import { printType } from "../lang/types.ts";
import { printAttributes, printNumber } from "./attribute-form.ts";
import { contentHash } from "./content-hash.ts";
import { internalFault } from "./fault.ts";
import type { Graph, GraphInitializer, Guard, Node, Provenance, Value } from "./graph.ts";
import { nodesFor, reachable } from "./graph-builder.ts";
import type { HostTensor } from "./host-tensor.ts";

/** Constants of more elements are printed as a hash. */
export const largestPrintedConstant = 16;

/** A name that needs no quotes, in patterns; everything else is written as a JSON string. */
export const plainName = "[A-Za-z0-9_][A-Za-z0-9_.\\[\\]/-]*";
const plain = new RegExp(`^${plainName}$`);

export function printGraph(graph: Graph): string {
  return new Printer(graph).run();
}

/** The constants that the text of a graph names by hash. */
export function hashedTensors(graph: Graph): ReadonlyMap<string, HostTensor> {
  const found = new Map<string, HostTensor>();
  for (const value of allValues(graph)) {
    if (value.source.kind !== "constant") continue;
    const { tensor } = value.source;
    if (tensor.data.length > largestPrintedConstant) found.set(contentHash(tensor), tensor);
  }
  return found;
}

class Printer {
  readonly #graph: Graph;
  readonly #main: ReadonlySet<Node>;
  readonly #printed = new Set<Node>();
  readonly #names = new Map<Value, string>();
  readonly #taken: Set<string>;
  readonly #lines: string[] = [];
  #nextResult = 0;
  #nextConstant = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#main = new Set(graph.nodes);
    const parameters = [...allValues(graph)].map((value) =>
      value.source.kind === "parameter" ? value.source.parameter.path : "",
    );
    this.#taken = new Set([...graph.inputs.map((input) => input.name), ...parameters]);
  }

  run(): string {
    const { name, symbols, inputs, parameters, nodes, guards, outputs } = this.#graph;
    const bounds = symbols.map((symbol) => `${symbol.name} >= ${symbol.minimum}`).join(", ");
    this.#lines.push(`graph ${quoted(name)}${bounds === "" ? "" : `(${bounds})`}`);
    for (const input of inputs) {
      this.#names.set(input.value, `%${quoted(input.name)}`);
      const rate = input.sampleRate === undefined ? "" : ` @ ${input.sampleRate}`;
      this.#lines.push(`input ${this.#define(input.value)}${rate}${printState(input.state)}`);
    }
    for (const value of parameters) this.#parameter(value, "");
    for (const node of nodes) this.#node(node);
    for (const guard of guards) this.#lines.push(printGuard(guard));
    for (const output of outputs) {
      this.#prepare(output.value);
      const state = printState(output.state);
      this.#lines.push(`output ${quoted(output.name)} = ${this.#use(output.value)}${state}`);
    }
    return `${this.#lines.join("\n")}\n`;
  }

  #parameter(value: Value, prefix: "" | "initial "): void {
    if (value.source.kind !== "parameter" || this.#names.has(value)) return;
    const { path, initial, provenance } = value.source.parameter;
    if (initial.kind === "value") {
      for (const needed of reachable([initial.value]).values) this.#parameter(needed, "initial ");
      for (const node of nodesFor([initial.value])) this.#node(node);
      this.#prepare(initial.value);
    }
    this.#names.set(value, `%${quoted(path)}`);
    const start = this.#initial(initial);
    this.#lines.push(`${prefix}param ${this.#define(value)} = ${start}${comment(provenance)}`);
  }

  #initial(initial: GraphInitializer): string {
    switch (initial.kind) {
      case "zeros":
      case "ones":
        return initial.kind;
      case "normal":
        return `normal(${printNumber(initial.mean)}, ${printNumber(initial.std)})`;
      case "truncated-normal":
        return `truncated-normal(${printNumber(initial.std)})`;
      case "uniform":
        return `uniform(${printNumber(initial.low)}, ${printNumber(initial.high)})`;
      case "value":
        return `value ${this.#use(initial.value)}`;
    }
  }

  #node(node: Node): void {
    if (this.#printed.has(node)) return;
    this.#printed.add(node);
    for (const operand of node.operands) this.#prepare(operand);
    for (const result of node.results)
      this.#names.set(result, `%${this.#fresh("", () => this.#nextResult++)}`);
    const names = node.results.map((result) => this.#use(result)).join(", ");
    const types = node.results.map((result) => printType(result.type)).join(", ");
    const operands = node.operands.map((operand) => this.#use(operand)).join(", ");
    const attributes = printAttributes(node.attributes);
    const prefix = this.#main.has(node) ? "" : "initial ";
    const call = `${node.op.name}(${operands})${attributes === "" ? "" : ` {${attributes}}`}`;
    this.#lines.push(`${prefix}${names}: ${types} = ${call}${comment(node.provenance)}`);
  }

  /** Prints a constant before its first use. */
  #prepare(value: Value): void {
    if (value.source.kind !== "constant" || this.#names.has(value)) return;
    const { tensor } = value.source;
    this.#names.set(value, `%${this.#fresh("c", () => this.#nextConstant++)}`);
    const data =
      tensor.data.length > largestPrintedConstant
        ? `#${contentHash(tensor)}`
        : `[${Array.from(tensor.data, printNumber).join(", ")}]`;
    this.#lines.push(`const ${this.#define(value)} = ${data}`);
  }

  #fresh(prefix: string, next: () => number): string {
    let name = `${prefix}${next()}`;
    while (this.#taken.has(name)) name = `${prefix}${next()}`;
    return name;
  }

  #define(value: Value): string {
    return `${this.#use(value)}: ${printType(value.type)}`;
  }

  #use(value: Value): string {
    const name = this.#names.get(value);
    if (name === undefined)
      throw internalFault(`${this.#graph.name} uses a ${value.source.kind} before it is defined`);
    return name;
  }
}

/** `N == M "reason"   // path`, after the word guard. */
function printGuard({ requirement, provenance }: Guard): string {
  const relations = { equal: "==", "at-most": "<=", divides: "divides" } as const;
  const { left, right, reason } = requirement;
  return `guard ${left} ${relations[requirement.kind]} ${right} ${JSON.stringify(reason)}${comment(provenance)}`;
}

function comment(provenance: Provenance): string {
  return provenance.path === "" ? "" : `   // ${provenance.path}`;
}

function quoted(name: string): string {
  return plain.test(name) ? name : JSON.stringify(name);
}

/** Every value that the text of a graph mentions. */
function allValues(graph: Graph): ReadonlySet<Value> {
  const found = new Set<Value>();
  const pending = [
    ...graph.parameters,
    ...graph.nodes.flatMap((node) => node.operands),
    ...graph.outputs.map((output) => output.value),
  ];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (found.has(value)) continue;
    found.add(value);
    if (value.source.kind === "result") pending.push(...value.source.node.operands);
    if (value.source.kind !== "parameter") continue;
    const { initial } = value.source.parameter;
    if (initial.kind === "value") pending.push(initial.value);
  }
  return found;
}

/** Which recurrent state an input or output carries. */
function printState(state: string | undefined): string {
  return state === undefined ? "" : ` state ${quoted(state)}`;
}
