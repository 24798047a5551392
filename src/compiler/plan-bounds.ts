/**
 * What no arrangement of an entry's dispatches can go below.
 *
 * Owns: the longest chain of dispatches of which each reads what the one before wrote, and the bytes that have to
 * move when everything between stays where it is computed: weights, inputs and results, each once.
 */
import type { KernelPlan, PlanEntry, PlanPlace, Size } from "./plan.ts";
import { dimOf } from "./wgsl/size.ts";

type Sizes = ReadonlyMap<string, number>;

/** Dispatches that can't run side by side, nor in another order. */
export function longestChain({ dispatches, slots }: PlanEntry): number {
  const written = new Map<string, number>();
  let longest = 0;
  for (const [index, { places }] of dispatches.entries()) {
    const keys = places.map(({ place }) => [keyOf(place), isWritten(place, index, slots)] as const);
    const before = Math.max(0, ...keys.map(([key]) => written.get(key) ?? 0));
    const depth = before + 1;
    for (const [key, isWrite] of keys) if (isWrite) written.set(key, depth);
    longest = Math.max(longest, depth);
  }
  return longest;
}

function keyOf(place: PlanPlace): string {
  switch (place.kind) {
    case "slot":
      return `slot ${place.slot}`;
    case "weight":
      return `weight ${place.weight}`;
    case "state":
      return `${place.time} ${place.state}`;
  }
}

/** A value is written by the dispatch that its life begins with. */
function isWritten(place: PlanPlace, index: number, slots: PlanEntry["slots"]): boolean {
  if (place.kind === "slot") return slots[place.slot]?.first === index;
  return place.kind === "state" && place.time === "present";
}

/** Bytes of weights that are bound, of inputs and of outputs, states among them. */
export function leastBytes({ weights }: KernelPlan, entry: PlanEntry, at: Sizes): number {
  const bound = new Map<string, number>();
  for (const { place, range } of entry.dispatches.flatMap(({ places }) => places)) {
    if (place.kind !== "weight") continue;
    const key = `${place.weight} ${range?.start ?? 0} ${range?.bytes ?? ""}`;
    bound.set(key, range?.bytes ?? weights[place.weight]?.bytes ?? 0);
  }
  let total = 0;
  for (const bytes of bound.values()) total += bytes;
  for (const { at: place, shape } of [...entry.inputs, ...entry.outputs]) {
    if (place === undefined) continue;
    total += shape.reduce<number>((bytes, size) => bytes * evaluate(size, at), 4);
  }
  return total;
}

function evaluate(size: Size, at: Sizes): number {
  return dimOf(size).evaluate(at);
}
