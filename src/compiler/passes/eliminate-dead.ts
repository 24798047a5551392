/**
 * Drops what no output needs.
 *
 * Precondition: none. Postcondition: an output needs every node and every parameter. The inputs
 * stay, used or not: they are the interface of the graph.
 */
import { reachable } from "../graph-builder.ts";
import { keptOr } from "../rewrite.ts";
import type { Pass } from "./pass.ts";

export const eliminateDead: Pass = {
  name: "eliminate-dead",
  summary: "Drops nodes and parameters that no output needs.",
  run(graph) {
    const reached = reachable(graph.outputs.map((output) => output.value));
    return keptOr(graph, {
      ...graph,
      parameters: graph.parameters.filter((value) => reached.values.has(value)),
      nodes: graph.nodes.filter((node) => reached.nodes.has(node)),
    });
  },
  check(_, after) {
    const reached = reachable(after.outputs.map((output) => output.value));
    const dead = after.nodes.filter((node) => !reached.nodes.has(node));
    return dead.map((node) => `no output needs ${node.op.name} (${node.provenance.path})`);
  },
};
