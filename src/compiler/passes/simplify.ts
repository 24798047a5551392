/**
 * Replaces nodes by what they equal more simply.
 *
 * Precondition: none. Postcondition: no op's `simplify` has anything left to say. The rules belong
 * to the ops; this pass only asks until nothing changes. A graph that never comes to rest is a fault
 * of two rules that undo each other, and is reported instead of looping.
 */
import type { Attributes } from "../../lang/catalog.ts";
import { internalFault } from "../fault.ts";
import type { Graph, Node, Value } from "../graph.ts";
import type { GraphBuilder } from "../graph-builder.ts";
import type { OpDefinition } from "../ops/op.ts";
import { keptOr, mapGraph, rebuild, sameNodes } from "../rewrite.ts";
import type { Pass } from "./pass.ts";

/** Each round lets a change travel through the whole graph, so real graphs rest after a few. */
const maximumRounds = 50;

/** Graphs that were seen to have nothing left to simplify. */
const atRest = new WeakSet<Graph>();

export const simplify: Pass = {
  name: "simplify",
  summary: "Replaces nodes by what their ops say they equal more simply.",
  run(graph) {
    let current = graph;
    if (atRest.has(graph)) return graph;
    for (let round = 0; round < maximumRounds; round++) {
      const next = mapGraph(current, simplifyNode);
      if (sameNodes(current, next)) {
        const rested = keptOr(current, next);
        atRest.add(rested);
        return rested;
      }
      current = next;
    }
    throw internalFault(`simplifying ${graph.name} did not come to rest in ${maximumRounds} rounds`);
  },
  check: (_, after) =>
    restless(after).map((node) => `${node.op.name} (${node.provenance.path}) can be simplified`),
};

function simplifyNode(node: Node, operands: readonly Value[], builder: GraphBuilder): readonly Value[] {
  const results = rebuild(node, operands, builder);
  const source = results[0]?.source;
  if (source?.kind !== "result") return results;
  const build = (op: OpDefinition, from: readonly Value[], attributes: Attributes) =>
    builder.apply(op, from, attributes, node.provenance);
  return source.node.op.simplify?.(source.node, build) ?? results;
}

function restless(graph: Graph): readonly Node[] {
  const found: Node[] = [];
  mapGraph(graph, (node, operands, builder) => {
    const kept = rebuild(node, operands, builder);
    const better = simplifyNode(node, operands, builder);
    if (better.some((value, index) => value !== kept[index])) found.push(node);
    return kept;
  });
  return found;
}
