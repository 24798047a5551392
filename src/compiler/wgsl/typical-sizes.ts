/**
 * Sizes that an entry is likely to be called with.
 *
 * Owns: a number for every open dimension, for choices that no size can make wrong: where values lie, how
 * many rows an invocation holds. A recording is ten seconds long, a batch is one, anything else 64.
 */
import type { Graph } from "../graph.ts";

const typicalSize = 64;
const typicalSeconds = 10;

/** @param given sizes that are known better, by symbol; also of parameters that were left open */
export function typicalSizes(
  graph: Graph,
  given: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, number> {
  const rates = new Map(
    graph.inputs.flatMap(({ value, sampleRate }) => {
      if (sampleRate === undefined) return [];
      return value.type.shape.flatMap((size) =>
        [...size.symbols()].map((name) => [name, sampleRate] as const),
      );
    }),
  );
  const typical = new Map(given);
  for (const { name, minimum } of graph.symbols) {
    const rate = rates.get(name);
    const usual = rate !== undefined ? rate * typicalSeconds : isBatch(graph, name) ? 1 : typicalSize;
    typical.set(name, given.get(name) ?? Math.max(minimum, usual));
  }
  return typical;
}

/** Whether a symbol leads every result that it is in, as a batch does. */
function isBatch({ outputs }: Graph, name: string): boolean {
  const all = outputs.map(({ value }) => value.type.shape);
  return all.every(
    (shape) =>
      shape[0]?.symbols().has(name) === true && shape.slice(1).every((size) => !size.symbols().has(name)),
  );
}
