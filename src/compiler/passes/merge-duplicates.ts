/**
 * Makes one node of equal nodes.
 *
 * Precondition: none. Postcondition: no two nodes have the same op, operands and attributes. The
 * provenance of the first stays. (Every rebuilt graph is like that; this pass brings in graphs that
 * were put together in another way.)
 */
import { printAttributes } from "../attribute-form.ts";
import type { Node, Value } from "../graph.ts";
import { isBuilt } from "../graph-builder.ts";
import type { OpDefinition } from "../ops/op.ts";
import { mapGraph } from "../rewrite.ts";
import type { Pass } from "./pass.ts";

export const mergeDuplicates: Pass = {
  name: "merge-duplicates",
  summary: "Makes one node of nodes that compute the same from the same operands.",
  run: (graph) => (isBuilt(graph) ? graph : mapGraph(graph, () => undefined)),
  check(_, after) {
    const numbers = new Map<OpDefinition | Value, number>();
    const number = (item: OpDefinition | Value): number => {
      const known = numbers.get(item) ?? numbers.size;
      numbers.set(item, known);
      return known;
    };
    const seen = new Map<string, Node>();
    const problems: string[] = [];
    for (const node of after.nodes) {
      const key = `${number(node.op)}(${node.operands.map(number)}){${printAttributes(node.attributes)}}`;
      const first = seen.get(key);
      if (first === undefined) seen.set(key, node);
      else
        problems.push(
          `${node.op.name} is computed in ${first.provenance.path} and in ${node.provenance.path}`,
        );
    }
    return problems;
  },
};
