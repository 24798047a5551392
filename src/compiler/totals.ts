/**
 * What an entry holds and computes, in all.
 *
 * Owns: two sums over a graph as expressions of its open sizes. Nothing is broken down here by path or
 * by convention.
 */
import { Dim, productDims, sumDims } from "../lang/dims.ts";
import { countGraph } from "./cost/count.ts";
import type { Graph } from "./graph.ts";

export interface Totals {
  /** Learned tensors that the entry needs, and their elements. */
  readonly tensors: number;
  readonly parameters: Dim;
  /** Multiply-adds of a call. What depends on no input is computed once, before, and not counted. */
  readonly macs: Dim;
}

export function totalsOf(graph: Graph): Totals {
  return {
    tensors: graph.parameters.length,
    parameters: sumDims(graph.parameters.map((value) => productDims(value.type.shape))),
    macs: sumDims(countGraph(graph).nodes.map((node) => node.macs)),
  };
}

/** `48,523,277,568`: a count as people read it; expressions of open sizes too. */
export function printCount(count: Dim): string {
  return String(count).replace(/(?<![\w.])\d{5,}(?![\w.])/g, (digits) =>
    digits.replace(/\B(?=(?:\d{3})+$)/g, ","),
  );
}

/** `48.5 G`, when it is a number that is worth shortening. */
export function shortCount(count: number): string | undefined {
  const units = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
  ] as const;
  const unit = units.find(([size]) => count >= size);
  return unit === undefined ? undefined : `${(count / unit[0]).toPrecision(3)} ${unit[1]}`;
}

/** How many times `before` a count is, if that is the same whatever the open sizes are. */
export function countRatio(before: Dim, after: Dim): number | undefined {
  const [b, a] = [atOnes(before), atOnes(after)];
  if (b === undefined || a === undefined || b === 0) return undefined;
  return before.mul(Dim.of(a)).equals(after.mul(Dim.of(b))) ? a / b : undefined;
}

function atOnes(count: Dim): number | undefined {
  try {
    return count.evaluate(new Map([...count.symbols()].map((symbol) => [symbol, 1])));
  } catch {
    // Beyond what a number can hold exactly: then there is nothing short to say.
    return undefined;
  }
}
