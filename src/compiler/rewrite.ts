/**
 * Makes a new graph from an old one, node by node.
 *
 * Owns: carrying inputs, parameters, constants, guards and outputs over, and keeping the identity
 * of what does not change. What to change is the pass's (passes/).
 */
import { printType, sameType } from "../lang/types.ts";
import { internalFault } from "./fault.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { GraphBuilder } from "./graph-builder.ts";

/**
 * What replaces the results of a node, one value for each; `undefined` keeps the node. `operands`
 * are values of the new graph; so must be the replacements, made by `builder`.
 */
export type Visit = (
  node: Node,
  operands: readonly Value[],
  builder: GraphBuilder,
) => readonly Value[] | undefined;

/** Outputs besides those that there are; `value` gives what became of a value of the old graph. */
export type MoreOutputs = (
  builder: GraphBuilder,
  value: (old: Value) => Value,
) => readonly { readonly name: string; readonly value: Value }[];

/**
 * The graph in which `visit` has replaced nodes, in order of execution. Equal nodes become one, and
 * nodes that no output needs any more go. A node that stays and reads what it read before is the same
 * object in both graphs, so an unchanged graph has the same nodes.
 */
export function mapGraph(graph: Graph, visit: Visit, more: MoreOutputs = () => []): Graph {
  const builder = new GraphBuilder(graph.name);
  const replaced = new Map<Value, Value>();
  for (const input of graph.inputs) replaced.set(input.value, builder.adoptInput(input));
  for (const value of graph.parameters) replaced.set(value, builder.adopt(value));
  const current = (value: Value): Value => {
    const known = replaced.get(value);
    if (known !== undefined) return known;
    if (value.source.kind !== "constant") {
      throw internalFault(`${graph.name} uses a ${value.source.kind} before it is defined`);
    }
    const adopted = builder.adopt(value);
    replaced.set(value, adopted);
    return adopted;
  };
  for (const node of graph.nodes) {
    const operands = node.operands.map(current);
    const results = visit(node, operands, builder) ?? rebuild(node, operands, builder);
    node.results.forEach((old, index) => {
      replaced.set(old, replacement(node, old, results[index]));
    });
  }
  for (const guard of graph.guards) builder.require(guard.requirement, guard.provenance);
  const outputs = graph.outputs.map((output) => ({ ...output, value: current(output.value) }));
  return builder.finish([...outputs, ...more(builder, current)], graph.symbols);
}

/** The node itself when it reads what it read before, else its like with the new operands. */
export function rebuild(node: Node, operands: readonly Value[], builder: GraphBuilder): readonly Value[] {
  if (operands.every((operand, index) => operand === node.operands[index])) return builder.adoptNode(node);
  const types = node.results.map((result) => result.type);
  return builder.op(node.op, operands, node.attributes, types, node.provenance);
}

/** Whether two graphs compute the same with the same nodes; names and guards are not looked at. */
export function sameNodes(a: Graph, b: Graph): boolean {
  return (
    a.nodes.length === b.nodes.length &&
    a.outputs.length === b.outputs.length &&
    a.nodes.every((node, index) => node === b.nodes[index]) &&
    a.outputs.every((output, index) => output.value === b.outputs[index]?.value)
  );
}

/** `before` itself when nothing became of it: what is known of a graph then stays known. */
export function keptOr(before: Graph, after: Graph): Graph {
  const isKept =
    sameNodes(before, after) &&
    before.parameters.length === after.parameters.length &&
    before.guards.length === after.guards.length;
  return isKept ? before : after;
}

function replacement(node: Node, old: Value, value: Value | undefined): Value {
  if (value === undefined) {
    throw internalFault(`a pass gave too few replacements for ${node.op.name}`, node.provenance);
  }
  if (!sameType(old.type, value.type)) {
    const message = `a pass replaced ${printType(old.type)} of ${node.op.name} by ${printType(value.type)}`;
    throw internalFault(message, node.provenance);
  }
  return value;
}
