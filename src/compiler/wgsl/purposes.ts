/**
 * Which outputs a node works for.
 *
 * Owns: finding the work that not every call needs. States are always left, so what leads to one is never
 * left out; nor is anything where an entry has one output alone.
 */
import type { Graph, Node, Value } from "../graph.ts";

export class Purposes {
  /** The outputs that need a node. */
  readonly #needs = new Map<Node, Set<string>>();
  readonly #always = new Set<Node>();
  readonly #count: number;

  constructor({ nodes, outputs }: Graph) {
    const results = outputs.filter(({ state }) => state === undefined);
    this.#count = results.length;
    if (results.length < 2) return;
    const ask = (value: Value, names: Iterable<string>, always: boolean): void => {
      if (value.source.kind !== "result") return;
      const { node } = value.source;
      if (always) this.#always.add(node);
      const known = this.#needs.get(node) ?? new Set();
      for (const name of names) known.add(name);
      this.#needs.set(node, known);
    };
    for (const { name, value, state } of outputs)
      ask(value, state === undefined ? [name] : [], state !== undefined);
    for (const node of nodes.toReversed()) {
      for (const operand of node.operands) ask(operand, this.#needs.get(node) ?? [], this.#always.has(node));
    }
  }

  /** The outputs that a kernel works for that stands for these nodes; nothing when it always has to run. */
  of(nodes: readonly Node[]): readonly string[] | undefined {
    const names = new Set(nodes.flatMap((node) => [...(this.#needs.get(node) ?? [])]));
    if (names.size === 0 || names.size === this.#count) return undefined;
    return nodes.some((node) => this.#always.has(node)) ? undefined : [...names];
  }
}
