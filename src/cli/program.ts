/**
 * From command-line arguments to a graph.
 *
 * Owns: loading the program, elaborating an entry, and throwing what was found as diagnostics.
 */
import { type ElaborateRequest, type Elaboration, elaborate } from "../compiler/elaborate.ts";
import { optimize, type StageOptions } from "../compiler/pipeline.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import { loadProgram, type Program } from "../lang/program.ts";
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
  request: Pick<ElaborateRequest, "entry" | "taps">,
  output: Output,
  stages: StageOptions = {},
): Elaboration {
  const sink = new DiagnosticSink();
  const program = openProgram(path, options, sink);
  const wanted: ElaborateRequest = { model: options.model, settings: options.set, ...request };
  const elaboration = elaborate(program, wanted, sink);
  if (elaboration === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  output.diagnostics(sink.sorted());
  return { ...elaboration, graph: optimize(elaboration.graph, stages) };
}
