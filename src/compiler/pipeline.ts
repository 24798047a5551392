/**
 * The stages of the compiler, in order: its table of contents.
 */
import { internalFault } from "./fault.ts";
import type { Graph } from "./graph.ts";
import { type Pass, standardPasses } from "./passes/index.ts";
import { verify } from "./verify.ts";

export interface StageOptions {
  /** Holds every graph to the rules, and every pass to its promise. */
  readonly verify?: boolean;
  /** Sees the graph as it came (`elaborate`) and after every pass. */
  readonly onStage?: (name: string, graph: Graph) => void;
}

/** The graph with the passes that every target wants applied. */
export function optimize(graph: Graph, options: StageOptions = {}): Graph {
  return runPasses(graph, standardPasses, options);
}

export function runPasses(graph: Graph, passes: readonly Pass[], options: StageOptions = {}): Graph {
  if (options.verify) requireLegal("elaborate", graph);
  options.onStage?.("elaborate", graph);
  let current = graph;
  for (const pass of passes) {
    const before = current;
    current = pass.run(before);
    if (options.verify) {
      requireLegal(pass.name, current);
      const broken = pass.check?.(before, current) ?? [];
      if (broken.length > 0)
        throw internalFault(`the pass ${pass.name} broke its promise`, undefined, broken);
    }
    options.onStage?.(pass.name, current);
  }
  return current;
}

function requireLegal(stage: string, graph: Graph): void {
  const problems = verify(graph);
  if (problems.length === 0) return;
  const notes = problems.map((problem) => `${problem.rule}: ${problem.message}`);
  throw internalFault(`${graph.name} is not a legal graph after ${stage}`, undefined, notes);
}
