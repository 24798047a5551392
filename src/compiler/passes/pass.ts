/**
 * What a pass is.
 */
import type { Graph } from "../graph.ts";

/** From a legal graph to a legal graph with the same inputs and outputs that computes the same. */
export interface Pass {
  readonly name: string;
  readonly summary: string;
  run(graph: Graph): Graph;
  /** Problems with the pass's own promise about its result, in words; none when it is kept. */
  check?(before: Graph, after: Graph): readonly string[];
}
