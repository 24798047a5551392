/**
 * Plans that generate: the entries' further outputs, and what the plan says of them.
 */
import type { Graph } from "../graph.ts";
import type { PlanGeneration } from "../plan.ts";
import { withSelection } from "../selection.ts";

export interface Generating {
  readonly graphs: readonly Graph[];
  readonly generation: PlanGeneration | undefined;
}

/** The graphs, the two that generate with what a device chooses from. */
export function withGeneration(
  graphs: readonly Graph[],
  generation: Omit<PlanGeneration, "selection"> | undefined,
): Generating {
  if (generation === undefined) return { graphs, generation };
  const { first, next, firstScores, nextScores } = generation.entries;
  const selecting = (name: string, scores: string) => {
    const graph = graphs.find((each) => each.name === name);
    return graph && withSelection(graph, scores);
  };
  const [start, step] = [selecting(first, firstScores), selecting(next, nextScores)];
  if (start === undefined || step === undefined) return { graphs, generation };
  const replaced = graphs.map(
    (graph) => [start.graph, step.graph].find(({ name }) => name === graph.name) ?? graph,
  );
  return {
    graphs: replaced,
    generation: { ...generation, selection: { first: start.selection, next: step.selection } },
  };
}
