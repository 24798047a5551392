/**
 * Numbers for the open dimensions of a plan's entries: `--at B=1`, `--seconds 10`.
 *
 * Owns: which entry a number is for, and what is said of one that is for none. Guards are checked where all
 * is known.
 */
import { checkGuards } from "../compiler/bind.ts";
import type { Graph } from "../compiler/graph.ts";
import type { KernelPlan } from "../compiler/plan.ts";
import type { MeasuredArena } from "../compiler/plan-text.ts";
import { typicalSizes } from "../compiler/wgsl/typical-sizes.ts";
import { suggest } from "../lang/suggest.ts";
import { failure } from "../runtime/failure.ts";
import { layOutSlots, mostAlive } from "../runtime/gpu/slot-layout.ts";

export interface GivenSizes {
  readonly at: ReadonlyMap<string, number>;
  readonly seconds?: number;
}

export interface EntrySizes {
  /** What was given for this entry. */
  readonly given: ReadonlyMap<string, number>;
  readonly open: readonly string[];
  /** Everything: what was not given is what is usual. */
  readonly typical: ReadonlyMap<string, number>;
}

/**
 * By the name of the entry.
 * @throws DiagnosticError `unknown-symbol`, `bad-binding`, `guard-failed`
 */
export function sizesOf(
  graphs: readonly Graph[],
  { at, seconds }: GivenSizes,
): ReadonlyMap<string, EntrySizes> {
  const known = [...new Set(graphs.flatMap(({ symbols }) => symbols.map(({ name }) => name)))];
  const open = known.length === 0 ? "nothing is open here" : `what is open: ${known.join(", ")}`;
  for (const [name, value] of at) {
    if (!known.includes(name)) {
      const close = suggest(name, known);
      throw failure("unknown-symbol", `Nothing that is open here is called ${name}.`, {
        hint: close.length > 0 ? `did you mean ${close.join(" or ")}? ${open}` : open,
      });
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw failure("bad-binding", `${name} is a size, and ${value} is no positive integer.`);
    }
  }
  if (seconds !== undefined && graphs.every((graph) => ratesOf(graph).size === 0)) {
    throw failure("unknown-symbol", "No entry here takes a recording of open length.", { hint: open });
  }
  return new Map(
    graphs.map((graph) => [graph.name, sizesFor(graph, { at, ...(seconds !== undefined && { seconds }) })]),
  );
}

function sizesFor(graph: Graph, { at, seconds }: GivenSizes): EntrySizes {
  const rates = ratesOf(graph);
  const given = new Map<string, number>();
  for (const { name, minimum } of graph.symbols) {
    const rate = rates.get(name);
    const long = rate === undefined || seconds === undefined ? undefined : Math.round(rate * seconds);
    const value = at.get(name) ?? long;
    if (value === undefined) continue;
    if (value < minimum) {
      throw failure(
        "bad-binding",
        `${name} of ${graph.name} must be at least ${minimum}, and ${value} was given.`,
      );
    }
    given.set(name, value);
  }
  const open = graph.symbols.flatMap(({ name }) => (given.has(name) ? [] : [name]));
  if (open.length === 0) checkGuards(graph.guards, given);
  return { given, open, typical: typicalSizes(graph, given) };
}

/** Samples a second, by the symbol that counts them. */
function ratesOf(graph: Graph): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const { value, sampleRate } of graph.inputs) {
    for (const name of value.type.shape.flatMap((size) => [...size.symbols()])) {
      if (sampleRate !== undefined) rates.set(name, sampleRate);
    }
  }
  return rates;
}

/** The arena of every entry at its typical sizes. */
export function measuredArenas(
  { entries }: KernelPlan,
  sizes: ReadonlyMap<string, EntrySizes>,
): ReadonlyMap<string, MeasuredArena> {
  return new Map(
    entries.map((entry) => {
      const at = sizes.get(entry.name)?.typical ?? new Map<string, number>();
      const layout = layOutSlots(entry, at);
      return [entry.name, { at, bytes: layout.bytes, live: mostAlive(entry, layout) }];
    }),
  );
}
