/**
 * Counting models for the table of figures.
 *
 * Owns: from a file of the library to the counted entry, and reading out of it what is published of
 * such models: a count under a convention, a kind of work, the tokens that each layer's MLP takes.
 */
import { countProgram } from "../../src/cli/cost-options.ts";
import { openProgram } from "../../src/cli/program.ts";
import type { WorkKind } from "../../src/compiler/cost/classify.ts";
import { type Convention, countOf } from "../../src/compiler/cost/conventions.ts";
import type { NodeCost } from "../../src/compiler/cost/count.ts";
import { Measures } from "../../src/compiler/cost/measures.ts";
import type { EntryCost, ModelCost } from "../../src/compiler/cost/model-cost.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { sumDims } from "../../src/lang/dims.ts";
import type { Program } from "../../src/lang/program.ts";

export interface CountRequest {
  readonly file: string;
  readonly model: string;
  readonly entry: string;
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Numbers for what is open. */
  readonly at?: Readonly<Record<string, number>>;
}

const programs = new Map<string, Program>();

function programOf(file: string): Program {
  let program = programs.get(file);
  if (program === undefined) {
    program = openProgram(file, { set: new Map(), color: false }, new DiagnosticSink());
    programs.set(file, program);
  }
  return program;
}

/** One entry of a model, with everything bound. */
export class Counted {
  readonly model: ModelCost;
  readonly entry: EntryCost;
  readonly #bindings: ReadonlyMap<string, number>;

  constructor({ file, model, entry, settings = {}, at = { B: 1 } }: CountRequest) {
    const set = new Map(Object.entries(settings).map(([name, value]) => [name, String(value)]));
    const request = { model, entry, open: [], settings: set };
    this.model = countProgram(programOf(file), request, new DiagnosticSink());
    const [only] = this.model.entries;
    if (only === undefined) throw new Error(`${model} has no entry ${entry}`);
    this.entry = only;
    this.#bindings = new Map(Object.entries(at));
  }

  macs(convention: Convention = "core"): number {
    return this.#sum(this.entry.cost.nodes, convention);
  }

  /** The same as a function of what is open. */
  macsAt(): (at: Readonly<Record<string, number>>) => number {
    const all = sumDims(this.entry.cost.nodes.map(({ macs }) => macs));
    return (at) => all.evaluate(new Map([...this.#bindings, ...Object.entries(at)]));
  }

  /** Multiply-adds that its ONNX form executes beyond those. */
  overhead(): number {
    const beyond = this.entry.cost.nodes.flatMap(({ node: { op, operands, results, attributes } }) => {
      const types = (values: typeof operands) => values.map((value) => value.type);
      return (
        op.accounting.overhead?.({ operands: types(operands), results: types(results), attributes }) ?? []
      );
    });
    return sumDims(beyond.map(({ macs }) => macs)).evaluate(this.#bindings);
  }

  ofKind(kind: WorkKind): number {
    return this.#sum(this.entry.cost.nodes.filter((node) => node.kind === kind));
  }

  /** Of what stands at paths that end so. */
  at(ending: string): number {
    return this.#sum(this.entry.cost.nodes.filter(({ path }) => path.join(".").endsWith(ending)));
  }

  /** How many numbers of a state an entry leaves: of all whose names end so. */
  stateNumbers(name: string): number {
    const states = this.entry.cost.graph.outputs.filter(({ state }) => state !== undefined);
    return states
      .filter((output) => output.name.endsWith(name))
      .reduce((total, { value }) => {
        const sizes = value.type.shape.map((dim) => dim.evaluate(this.#bindings));
        return total + sizes.reduce((product, size) => product * size, 1);
      }, 0);
  }

  /** A measure in bytes or elements. */
  measure(which: "params" | "trainable" | "memory" | "state"): number {
    const measured = new Measures(this.model).of(which, this.entry);
    return measured.value(this.#bindings);
  }

  /** Of what stands at a path or below it. */
  parametersAt(path: string): number {
    const there = this.entry.cost.parameters.filter(({ parameter }) => parameter.path.startsWith(`${path}.`));
    return sumDims(there.map(({ elements }) => elements)).evaluate(this.#bindings);
  }

  /** Tokens that the product at a path takes: the second dimension of [batch, tokens, width]. */
  tokens(path: string): number {
    const product = this.entry.cost.nodes.find(
      ({ node }) => node.provenance.path === path && node.op.lowering.kind === "contract",
    );
    const size = product?.node.operands[0]?.type.shape[1];
    if (size === undefined) throw new Error(`${this.entry.model} has no product at ${path}`);
    return size.evaluate(this.#bindings);
  }

  #sum(nodes: readonly NodeCost[], convention: Convention = "core"): number {
    return sumDims(nodes.map((node) => countOf(node, convention))).evaluate(this.#bindings);
  }
}
