/**
 * From command-line arguments to a graph.
 *
 * Owns: loading the program, elaborating an entry, and throwing what was found as diagnostics.
 */
import { generationOf } from "../compiler/cost/clip.ts";
import { type ElaborateRequest, type Elaboration, elaborate, outlineOf } from "../compiler/elaborate.ts";
import { optimize, type StageOptions } from "../compiler/pipeline.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import type { Generation } from "../lang/plans.ts";
import { loadProgram, type Program } from "../lang/program.ts";
import { failure } from "../runtime/failure.ts";
import { openSourceTree } from "./modules.ts";
import type { ModelOptions } from "./options.ts";
import type { Output } from "./output.ts";

/** Loads a file and its imports. Throws what makes it unusable; the rest waits for elaboration. */
export function openProgram(path: string, options: ModelOptions, sink: DiagnosticSink): Program {
  const tree = openSourceTree(path, options.root);
  return loadProgram(tree.root, tree.loader, sink);
}

/** One entry as an optimised graph. Warnings are printed, errors thrown. */
export function compileEntry(
  path: string,
  options: ModelOptions,
  request: EntryChoice,
  output: Output,
  stages: StageOptions = {},
): Elaboration {
  const sink = new DiagnosticSink();
  const program = openProgram(path, options, sink);
  const elaboration = compileOne(program, options, request, sink, stages);
  output.diagnostics(sink.sorted());
  return elaboration;
}

/** Several entries of one model. */
export function compileEntries(
  path: string,
  options: ModelOptions,
  names: readonly string[],
  output: Output,
): Elaboration[] {
  const sink = new DiagnosticSink();
  const program = openProgram(path, options, sink);
  const elaborations = names.map((entry) => compileOne(program, options, { entry }, sink));
  output.diagnostics(sink.sorted());
  return elaborations;
}

type EntryChoice = Pick<ElaborateRequest, "entry" | "taps">;

/** The entries by which a model generates, and what it says of generation. */
export interface GeneratingEntries {
  readonly first: Elaboration;
  readonly next: Elaboration;
  /** Absent where one entry merely continues another. */
  readonly declared: Generation | undefined;
}

/** The names of the entries by which a model generates, and what it says of generation. */
export interface GenerationNames {
  readonly model: string;
  readonly names: { readonly first: string; readonly next: string } | undefined;
  readonly declared: Generation | undefined;
}

/** Which entries of a model generate, before any of them is compiled. */
export function generationNames(path: string, options: ModelOptions): GenerationNames {
  const sink = new DiagnosticSink();
  return namesIn(openProgram(path, options, sink), options, sink);
}

function namesIn(program: Program, options: ModelOptions, sink: DiagnosticSink): GenerationNames {
  const outline = outlineOf(program, { model: options.model, settings: options.set }, sink);
  if (outline === undefined) throw new DiagnosticError(sink.sorted());
  const { generation } = outline.instance.plans();
  const entries = outline.instance.entries.map((entry) => ({
    entry: entry.name.name,
    continues: entry.continues?.name,
  }));
  const names = generationOf({ plans: { generation }, entries });
  return { model: outline.declaration.name.name, names, declared: generation };
}

/**
 * @throws DiagnosticError also `no-generation`, when no entry continues another
 */
export function compileGeneration(path: string, options: ModelOptions, output: Output): GeneratingEntries {
  const sink = new DiagnosticSink();
  const program = openProgram(path, options, sink);
  const { names, declared, model } = namesIn(program, options, sink);
  if (names === undefined) {
    if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
    throw failure("no-generation", `The model ${model} does not generate.`, {
      hint: "write `generate text from prefill then step` in it, with an entry that continues the other",
    });
  }
  const first = compileOne(program, options, { entry: names.first }, sink);
  const next = compileOne(program, options, { entry: names.next }, sink);
  output.diagnostics(sink.sorted());
  return { first, next, declared };
}

function compileOne(
  program: Program,
  options: ModelOptions,
  request: EntryChoice,
  sink: DiagnosticSink,
  stages: StageOptions = {},
): Elaboration {
  const wanted: ElaborateRequest = { model: options.model, settings: options.set, ...request };
  const elaboration = elaborate(program, wanted, sink);
  if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
  if (elaboration === undefined) {
    throw failure(
      "internal-error",
      `${request.entry ?? "The entry"} can't be laid out, and nothing says why.`,
    );
  }
  return { ...elaboration, graph: optimize(elaboration.graph, stages) };
}
