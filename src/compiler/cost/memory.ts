/**
 * Memory of an entry: state, weights by stored type, and the most that is live at once.
 *
 * Owns: the liveness of activations in the order of the graph. Inputs live until they are last read,
 * results from the node that makes them until they are last read, outputs to the end. A view has no
 * memory of its own: what lies behind it lives as long as the view is read. Learned tensors are
 * counted apart, and no buffer is written in place.
 */
import { Dim, DimError, sumDims } from "../../lang/dims.ts";
import type { StorageType } from "../../lang/storage-type.ts";
import type { DType } from "../../lang/types.ts";
import type { Value } from "../graph.ts";
import { bytesOf, type GraphCost, isPlainView } from "./count.ts";

/** Bytes of the learned tensors, by the type they are stored in. */
export function weightBytes({ parameters }: GraphCost): ReadonlyMap<DType | StorageType, Dim> {
  const byType = new Map<DType | StorageType, Dim[]>();
  for (const { parameter, bytes, stored } of parameters) {
    const dtype = stored ?? parameter.type.dtype;
    const sizes = byType.get(dtype);
    if (sizes === undefined) byType.set(dtype, [bytes]);
    else sizes.push(bytes);
  }
  return new Map([...byType].map(([dtype, sizes]) => [dtype, sumDims(sizes)]));
}

/** Bytes of the recurrent state that a call leaves. */
export function stateBytes({ graph }: GraphCost): Dim {
  return sumDims(
    graph.outputs.flatMap(({ state, value }) => (state === undefined ? [] : bytesOf(value.type))),
  );
}

/** What is live at once while each node runs, each expression once: the peak is the largest of them. */
export function liveBytes({ graph, nodes, given }: GraphCost): readonly Dim[] {
  const behind = new Map<Value, Value>();
  const root = (value: Value): Value => behind.get(value) ?? value;
  for (const { node } of nodes) {
    const [viewed] = node.operands;
    if (viewed === undefined || !isPlainView(node)) continue;
    for (const result of node.results) behind.set(result, root(viewed));
  }
  const lastUse = new Map<Value, number>();
  for (const [at, { node }] of nodes.entries()) {
    for (const operand of node.operands) lastUse.set(root(operand), at);
  }
  for (const { value } of graph.outputs) lastUse.set(root(value), nodes.length);
  const ending: Value[][] = Array.from({ length: nodes.length + 1 }, () => []);
  for (const [value, at] of lastUse) ending[at]?.push(value);

  const alive = new Set<Value>();
  const live = new LiveSizes();
  const begin = (value: Value): void => {
    alive.add(value);
    live.add(bytesOf(value.type), 1);
  };
  for (const { value } of graph.inputs) if (lastUse.has(value)) begin(value);
  live.note();
  for (const [at, { node }] of nodes.entries()) {
    const made = node.results.filter((result) => !behind.has(result) && !given.has(result));
    for (const result of made) begin(result);
    if (made.length > 0) live.note();
    // A result that nobody reads still has to be written somewhere.
    const brief = made.filter((result) => !lastUse.has(result));
    for (const value of [...brief, ...(ending[at] ?? [])]) {
      if (alive.delete(value)) live.add(bytesOf(value.type), -1);
    }
  }
  return live.seen.all;
}

interface LiveSize {
  readonly size: Dim;
  readonly number: number;
  count: number;
}

/**
 * How many values of each size are alive. Layers that are alike have the same alive, again and again: the sizes
 * are added up once.
 */
class LiveSizes {
  readonly seen = new DistinctDims();
  readonly #known = new Map<Dim, LiveSize>();
  readonly #byText = new Map<string, LiveSize>();
  readonly #noted = new Set<string>();

  add(size: Dim, change: 1 | -1): void {
    let known = this.#known.get(size);
    if (known === undefined) {
      known = this.#byText.get(size.key) ?? { size, number: this.#byText.size, count: 0 };
      this.#byText.set(size.key, known);
      this.#known.set(size, known);
    }
    known.count += change;
  }

  /** Adds what is alive now to what was seen. */
  note(): void {
    const alive = [...this.#byText.values()].filter(({ count }) => count > 0);
    const key = alive.map(({ number, count }) => `${number}:${count}`).join();
    if (this.#noted.has(key)) return;
    this.#noted.add(key);
    this.seen.add(sumDims(alive.map(({ size, count }) => size.mul(count))));
  }
}

/** The most at once when everything is bound. */
export function peakBytes(live: readonly Dim[], bindings: ReadonlyMap<string, number>): number {
  return live.reduce((peak, dim) => Math.max(peak, dim.evaluate(bindings)), 0);
}

/** More than this many make no expression that anyone reads. */
const mostLargest = 4;

/**
 * The most at once as an expression: the largest of those that are not sure to be below the one that
 * is largest at a typical binding. Undefined where too many are left.
 */
export function peakExpression(live: readonly Dim[]): Dim | undefined {
  const typical = live.map((dim) => sampleValue(dim, 37, 0.61) ?? 0);
  const largest = live[typical.indexOf(Math.max(...typical))];
  if (largest === undefined) return undefined;
  const others: Dim[] = [];
  // Large first: what is not below the largest shows early, and then nothing more is asked.
  const order = [...live.keys()].sort((a, b) => (typical[b] ?? 0) - (typical[a] ?? 0));
  for (const dim of order.flatMap((at) => live[at] ?? [])) {
    if (dim !== largest && !Dim.provablyAtMost(dim, largest)) others.push(dim);
    if (others.length >= mostLargest) return undefined;
  }
  return Dim.max(largest, ...others);
}

/** Expressions without repetition; told apart by their values at two odd bindings first. */
class DistinctDims {
  readonly all: Dim[] = [];
  readonly #known = new Map<string, Dim[]>();

  add(dim: Dim): void {
    const key = `${sampleValue(dim, 37, 0.61)}|${sampleValue(dim, 1009, 0.87)}`;
    const alike = this.#known.get(key) ?? [];
    if (alike.some((other) => other.equals(dim))) return;
    this.#known.set(key, [...alike, dim]);
    this.all.push(dim);
  }
}

function sampleValue(dim: Dim, size: number, ratio: number): number | undefined {
  if (dim.constant !== undefined) return dim.constant;
  try {
    const names = [...dim.symbols()];
    return dim.evaluate(new Map(names.map((name, i) => [name, /^[a-z]/.test(name) ? ratio : size + 2 * i])));
  } catch (error) {
    // A lower-case name may stand for a size, which must be whole: then the text tells them apart.
    if (error instanceof DimError || error instanceof RangeError) return undefined;
    throw error;
  }
}
