/**
 * The cost of a model's entries: from a program to expressions.
 *
 * Owns: laying out and counting each entry once, and what its open names mean: sizes of inputs,
 * samples of a waveform, parameters that were left open.
 */
import type { StaticParameter } from "../../lang/ast.ts";
import { CallMemory } from "../../lang/call-memory.ts";
import type { DiagnosticSink } from "../../lang/diagnostic.ts";
import { Dim, sumDims } from "../../lang/dims.ts";
import type { Plans } from "../../lang/instance.ts";
import type { EntryRequest } from "../../lang/model.ts";
import type { FrozenPattern } from "../../lang/plans.ts";
import type { Program } from "../../lang/program.ts";
import { storageRuleAt } from "../../lang/storage.ts";
import { elaborateEntry, layOut } from "../elaborate.ts";
import { optimize } from "../pipeline.ts";
import type { ChooseStorage } from "../storage.ts";
import { countGraph, type GraphCost, type ParameterCost } from "./count.ts";
import { withStoredBytes } from "./stored-bytes.ts";

export interface CostSymbol {
  readonly name: string;
  /** `samples` of a waveform, a `size` of another input, a parameter left open: a `ratio` or an `integer`. */
  readonly kind: "samples" | "size" | "ratio" | "integer";
  /** Samples a second. */
  readonly rate: number | undefined;
  /** The input whose size it is. */
  readonly input: string | undefined;
}

export interface EntryCost {
  readonly model: string;
  readonly entry: string;
  /** The entry whose state it goes on from. */
  readonly continues: string | undefined;
  readonly symbols: readonly CostSymbol[];
  readonly cost: GraphCost;
}

export interface ModelCost {
  readonly model: string;
  readonly parameters: readonly StaticParameter[];
  readonly entries: readonly EntryCost[];
  readonly plans: Plans;
  /** What the text says is not trained. */
  readonly frozen: readonly FrozenPattern[];
}

export interface CostRequest extends Omit<EntryRequest, "entry"> {
  /** In this order; all of the model's when left out. */
  readonly entries?: readonly string[] | undefined;
  /** What weights are stored as, in place of what the program says. */
  readonly storage?: ChooseStorage | undefined;
}

/** `undefined` once the problems are in `sink`. */
export function costModel(
  program: Program,
  request: CostRequest,
  sink: DiagnosticSink,
): ModelCost | undefined {
  const laidOut = layOut(program, request, sink, new CallMemory(program, "counted graphs"));
  if (laidOut === undefined) return undefined;
  const { outline } = laidOut;
  const { declaration, instance, evaluator } = outline;
  const names = request.entries ?? instance.entries.map((entry) => entry.name.name);
  const plans = instance.plans();
  const entries: EntryCost[] = [];
  const frozen = new Set(evaluator.frozen);
  for (const entry of names) {
    const elaboration = elaborateEntry(laidOut, { ...request, entry });
    if (elaboration === undefined || sink.hasErrors) return undefined;
    const { entry: evaluated, graph } = elaboration;
    for (const pattern of evaluator.frozen) frozen.add(pattern);
    const rules = [...evaluator.stored];
    const storage = request.storage ?? ((path: string) => storageRuleAt(path, rules));
    entries.push({
      model: evaluated.model,
      entry: evaluated.entry,
      continues: evaluated.continues,
      symbols: symbolsOf(graph, request.open ?? [], declaration.parameters),
      cost: withStoredBytes(countGraph(optimize(graph)), storage),
    });
  }
  if (sink.hasErrors) return undefined;
  const { parameters } = declaration;
  return { model: declaration.name.name, parameters, entries, plans, frozen: [...frozen] };
}

function symbolsOf(
  graph: GraphCost["graph"],
  open: readonly string[],
  parameters: readonly StaticParameter[],
): CostSymbol[] {
  const sizes = graph.symbols.map(({ name }): CostSymbol => {
    const input = graph.inputs.find(({ value }) => value.type.shape.some((dim) => dim.symbols().has(name)));
    const [first, ...others] = input?.value.type.shape ?? [];
    const isLength = others.length === 0 && first?.equals(Dim.symbol(name)) === true;
    const rate = isLength ? input?.sampleRate : undefined;
    return { name, kind: rate === undefined ? "size" : "samples", rate, input: input?.name };
  });
  const opened = open.map((name): CostSymbol => {
    const type = parameters.find((parameter) => parameter.name.name === name)?.type;
    const isRatio = type?.kind === "named-type" && type.name.name === "ratio";
    return { name, kind: isRatio ? "ratio" : "integer", rate: undefined, input: undefined };
  });
  return [...sizes, ...opened];
}

/** The learned tensors of several entries, each once. */
export function allParameters(entries: readonly EntryCost[]): readonly ParameterCost[] {
  const byPath = new Map<string, ParameterCost>();
  for (const { cost } of entries) {
    for (const parameter of cost.parameters) byPath.set(parameter.parameter.path, parameter);
  }
  return [...byPath.values()];
}

export function elementsOf(parameters: readonly ParameterCost[]): Dim {
  return sumDims(parameters.map((parameter) => parameter.elements));
}
