/**
 * Which graphs are legal.
 *
 * Owns: the rules that every pass may rely on and must keep. It finds faults of the compiler, not
 * of programs: a program's mistakes are diagnostics long before there is a graph.
 */
import { Dim } from "../lang/dims.ts";
import { printType, sameType } from "../lang/types.ts";
import { attributeDims } from "./attribute-form.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { elementCount } from "./host-tensor.ts";
import { checkAttributes } from "./ops/attributes.ts";
import { Refusal } from "./ops/match.ts";

export type Rule =
  | "unique-names"
  | "input-source"
  | "parameter-source"
  | "defined-before-use"
  | "result-source"
  | "operand-count"
  | "attributes"
  | "inference"
  | "result-types"
  | "constant-data"
  | "initial-value"
  | "outputs"
  | "symbols"
  | "guards";

export interface Problem {
  readonly rule: Rule;
  /** One sentence, with the place in it. */
  readonly message: string;
}

/** Everything that is illegal about a graph, in order of definition; nothing for a legal one. */
export function verify(graph: Graph): readonly Problem[] {
  return new Verifier(graph).run();
}

class Verifier {
  readonly #graph: Graph;
  readonly #problems: Problem[] = [];
  readonly #defined = new Set<Value>();
  readonly #symbols: ReadonlySet<string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#symbols = new Set([...graph.symbols.map((symbol) => symbol.name), ...shownSymbols(graph)]);
  }

  run(): readonly Problem[] {
    this.#names();
    this.#interface();
    for (const node of this.#graph.nodes) this.#node(node);
    this.#outputs();
    for (const { requirement, provenance } of this.#graph.guards) {
      for (const dim of [requirement.left, requirement.right])
        this.#dim("guards", dim, `a guard of ${provenance.path}`);
    }
    return this.#problems;
  }

  #report(rule: Rule, message: string): void {
    this.#problems.push({ rule, message });
  }

  #names(): void {
    const { inputs, parameters, outputs, symbols } = this.#graph;
    const paths = parameters.map((value) =>
      value.source.kind === "parameter" ? value.source.parameter.path : "",
    );
    this.#unique("the inputs and parameters", [...inputs.map((input) => input.name), ...paths]);
    this.#unique(
      "the outputs",
      outputs.map((output) => output.name),
    );
    this.#unique(
      "the symbols",
      symbols.map((symbol) => symbol.name),
    );
  }

  #unique(what: string, names: readonly string[]): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) this.#report("unique-names", `${name} occurs twice in ${what}`);
      seen.add(name);
    }
  }

  #interface(): void {
    for (const { name, value } of this.#graph.inputs) {
      this.#defined.add(value);
      this.#shape(value, `the input ${name}`);
      if (value.source.kind === "input" && value.source.name === name) continue;
      this.#report("input-source", `the value of the input ${name} does not come from that input`);
    }
    for (const value of this.#graph.parameters) {
      this.#defined.add(value);
      if (value.source.kind !== "parameter") {
        this.#report("parameter-source", `a ${value.source.kind} is listed as a parameter`);
        continue;
      }
      const { parameter } = value.source;
      this.#shape(value, `the parameter ${parameter.path}`);
      if (!sameType(parameter.type, value.type)) {
        const types = `${printType(parameter.type)}, its value ${printType(value.type)}`;
        this.#report("parameter-source", `the parameter ${parameter.path} is ${types}`);
      }
      const { initial } = parameter;
      if (initial.kind === "value" && !sameType(initial.value.type, value.type)) {
        const types = `${printType(value.type)} but starts as ${printType(initial.value.type)}`;
        this.#report("initial-value", `the parameter ${parameter.path} is ${types}`);
      }
    }
  }

  #node(node: Node): void {
    const place = placeOf(node);
    for (const operand of node.operands) this.#use(operand, place);
    const countProblem = operandCountProblem(node);
    const attributes = attributesProblem(node);
    if (countProblem !== undefined) this.#report("operand-count", `${place} ${countProblem}`);
    if (attributes !== undefined) this.#report("attributes", `${place}: ${attributes}`);
    for (const dim of attributeDims(node.attributes)) this.#dim("symbols", dim, `an attribute of ${place}`);
    if (countProblem === undefined && attributes === undefined) this.#types(node, place);
    node.results.forEach((result, index) => {
      const { source } = result;
      if (source.kind !== "result" || source.node !== node || source.index !== index) {
        this.#report("result-source", `result ${index} of ${place} does not say that it comes from there`);
      }
      if (this.#defined.has(result))
        this.#report("result-source", `result ${index} of ${place} is defined twice`);
      this.#defined.add(result);
      this.#shape(result, place);
    });
  }

  #types(node: Node, place: string): void {
    const inference = node.op.infer(
      node.operands.map((operand) => operand.type),
      node.attributes,
    );
    if (!inference.ok) {
      this.#report("inference", `${place} is refused by its op: ${inference.problem.message}`);
      return;
    }
    if (inference.results.length !== node.results.length) {
      this.#report(
        "result-types",
        `${place} has ${node.results.length} results; its op gives ${inference.results.length}`,
      );
      return;
    }
    inference.results.forEach(({ type }, index) => {
      const stated = node.results[index]?.type;
      if (stated === undefined || sameType(stated, type)) return;
      const types = `${printType(stated)}; its op infers ${printType(type)}`;
      this.#report("result-types", `result ${index} of ${place} is ${types}`);
    });
  }

  #use(value: Value, place: string): void {
    const { source } = value;
    if (source.kind === "constant") {
      if (!this.#defined.has(value)) this.#constant(value, place);
      this.#defined.add(value);
    } else if (!this.#defined.has(value)) {
      this.#report("defined-before-use", `${place} uses ${describe(value)}, which is not defined there`);
    }
  }

  #constant(value: Value, place: string): void {
    if (value.source.kind !== "constant") return;
    const { tensor } = value.source;
    const shape = value.type.shape.map((dim) => dim.constant);
    const sameSizes =
      shape.length === tensor.shape.length && shape.every((size, axis) => size === tensor.shape[axis]);
    if (tensor.dtype !== value.type.dtype || !sameSizes) {
      const found = `${tensor.dtype}[${tensor.shape.join(", ")}]`;
      this.#report("constant-data", `a constant of ${place} is ${printType(value.type)} and holds ${found}`);
    } else if (tensor.data.length !== elementCount(tensor.shape)) {
      const message = `a constant of ${place} is ${printType(value.type)} and holds ${tensor.data.length} elements`;
      this.#report("constant-data", message);
    }
  }

  #outputs(): void {
    if (this.#graph.outputs.length === 0) this.#report("outputs", "the graph has no outputs");
    for (const { name, value } of this.#graph.outputs) this.#use(value, `the output ${name}`);
  }

  #shape(value: Value, place: string): void {
    for (const dim of value.type.shape) this.#dim("symbols", dim, `the type of ${place}`);
  }

  #dim(rule: Rule, dim: Dim, place: string): void {
    for (const symbol of dim.symbols()) {
      if (!this.#symbols.has(symbol))
        this.#report(rule, `${place} uses ${symbol}, which is not declared and which no input shows`);
    }
  }
}

/** Symbols that are a dimension of an input on their own: those that binding reads (bind.ts). */
function shownSymbols(graph: Graph): readonly string[] {
  const dims = graph.inputs.flatMap((input) => input.value.type.shape);
  return dims.flatMap((dim) => [...dim.symbols()].filter((symbol) => dim.equals(Dim.symbol(symbol))));
}

function operandCountProblem(node: Node): string | undefined {
  const { operands } = node.op;
  const least = operands.filter((operand) => !operand.optional).length;
  const most = operands.some((operand) => operand.repeated) ? Number.POSITIVE_INFINITY : operands.length;
  const found = node.operands.length;
  if (found >= least && found <= most) return undefined;
  const range =
    least === most
      ? `${least}`
      : most === Number.POSITIVE_INFINITY
        ? `${least} or more`
        : `${least} to ${most}`;
  return `has ${found} operands; its op takes ${range}`;
}

function attributesProblem(node: Node): string | undefined {
  try {
    checkAttributes(node.op.name, node.op.attributes, node.attributes);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.problem.message;
    throw error;
  }
}

function placeOf(node: Node): string {
  return node.provenance.path === "" ? node.op.name : `${node.op.name} (${node.provenance.path})`;
}

function describe(value: Value): string {
  const { source } = value;
  switch (source.kind) {
    case "input":
      return `the input ${source.name}`;
    case "parameter":
      return `the parameter ${source.parameter.path}`;
    case "constant":
      return "a constant";
    case "result":
      return `a result of ${placeOf(source.node)}`;
  }
}
