/**
 * Replaces nodes by what they equal more simply.
 *
 * Precondition: none. Postcondition: no op's `simplify` has anything left to say. The rules belong
 * to the ops; this pass only asks until nothing changes. A graph that never comes to rest is a fault
 * of two rules that undo each other, and is reported instead of looping.
 */
import { internalFault } from "../fault.ts";
import type { Graph, Node, Provenance, Value } from "../graph.ts";
import type { GraphBuilder } from "../graph-builder.ts";
import { keptOr, mapGraph, rebuild, sameNodes } from "../rewrite.ts";
import type { Pass } from "./pass.ts";

/** Each round lets a change travel through the whole graph, so real graphs rest after a few. */
const maximumRounds = 50;

/** Nodes that were asked and had nothing to say: neither a node nor what it reads changes once it is made. */
const settled = new WeakSet<Node>();

export const simplify: Pass = {
  name: "simplify",
  summary: "Replaces nodes by what their ops say they equal more simply.",
  run(graph) {
    let current = graph;
    for (let round = 0; round < maximumRounds; round++) {
      if (current.nodes.every((node) => settled.has(node))) return current;
      const next = mapGraph(current, simplifyNode);
      if (sameNodes(current, next)) return keptOr(current, next);
      current = next;
    }
    throw restlessness(`simplifying ${graph.name}`);
  },
  check: (_, after) =>
    restless(after).map((node) => `${node.op.name} (${node.provenance.path}) can be simplified`),
};

function simplifyNode(node: Node, operands: readonly Value[], builder: GraphBuilder): readonly Value[] {
  let results = rebuild(node, operands, builder);
  // What replaces a node is asked at once: else everything that reads it would be made anew in another round.
  for (let times = 0; times < maximumRounds; times++) {
    const made = results[0]?.source;
    if (made?.kind !== "result" || settled.has(made.node)) return results;
    const simpler = simplerThan(made.node, node.provenance, builder);
    if (simpler === undefined) settled.add(made.node);
    if (simpler === undefined || simpler[0] === results[0]) return results;
    results = simpler;
  }
  throw restlessness(`simplifying ${node.op.name}`, node.provenance);
}

function restlessness(what: string, provenance?: Provenance): Error {
  return internalFault(`${what} did not come to rest in ${maximumRounds} rounds`, provenance);
}

function simplerThan(
  node: Node,
  provenance: Provenance,
  builder: GraphBuilder,
): readonly Value[] | undefined {
  return node.op.simplify?.(node, (op, from, attributes) => builder.apply(op, from, attributes, provenance));
}

/** Asks every node anew. */
function restless(graph: Graph): readonly Node[] {
  const found: Node[] = [];
  mapGraph(graph, (node, operands, builder) => {
    const kept = rebuild(node, operands, builder);
    const made = kept[0]?.source;
    const better = made?.kind === "result" ? simplerThan(made.node, node.provenance, builder) : undefined;
    if (better?.some((value, index) => value !== kept[index])) found.push(node);
    return kept;
  });
  return found;
}
