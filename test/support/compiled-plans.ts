/**
 * Plans of the library's models, compiled without weights.
 */
import { elaborate } from "../../src/compiler/elaborate.ts";
import type { Graph } from "../../src/compiler/graph.ts";
import { optimize } from "../../src/compiler/pipeline.ts";
import type { KernelPlan } from "../../src/compiler/plan.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { reducedProgram } from "./reduced-models.ts";

export function graphOf(file: string, entry: string, settings: Readonly<Record<string, string>> = {}): Graph {
  const sink = new DiagnosticSink();
  const request = { entry, settings: new Map(Object.entries(settings)) };
  const elaboration = elaborate(reducedProgram({ file }), request, sink);
  if (elaboration === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return optimize(elaboration.graph);
}

export function compilePlanOf(
  file: string,
  entry: string,
  settings: Readonly<Record<string, string>> = {},
): KernelPlan {
  const graph = graphOf(file, entry, settings);
  return compilePlan([graph], { model: graph.name }).plan;
}
