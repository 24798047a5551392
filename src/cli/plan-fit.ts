/**
 * Whether a plan fits a device, and for which sizes.
 *
 * Owns: holding what the plan needs to what the device allows, and the largest sizes that fit where they can be
 * derived. It is the same question that the runtime asks before it loads a plan (`runtime/gpu/needs.ts`).
 */
import type { KernelPlan, PlanEntry, Size } from "../compiler/plan.ts";
import { symbolRanges, trendOf } from "../compiler/size-trend.ts";
import { DiagnosticError } from "../lang/diagnostic.ts";
import { type Limit, type Need, needsAt, needsOf } from "../runtime/gpu/needs.ts";
import { evaluateSize, type Symbols } from "../runtime/gpu/sizes.ts";
import { layOutSlots, mostAlive } from "../runtime/gpu/slot-layout.ts";
import { aligned } from "../runtime/gpu/usage.ts";
import type { ProfiledDevice } from "./device-profile.ts";
import type { EntrySizes } from "./plan-sizes.ts";

/** A need that exceeds its limit. */
export interface Excess extends Need {
  readonly allowed: number;
  readonly entry?: string;
}

export interface SymbolFit {
  readonly symbol: string;
  /** It and all that are smaller fit, with the others as `at` has them; `all`: any that the entry takes. */
  readonly most: number | "all";
}

export interface EntryFit {
  readonly entry: string;
  /** What was checked: sizes that were given, and one for each that is open. */
  readonly at: Symbols;
  readonly open: readonly string[];
  readonly arena: { readonly bytes: number; readonly live: number };
  /** Past and present. */
  readonly stateBytes: number;
  readonly excess: readonly Excess[];
  readonly symbols: readonly SymbolFit[];
}

/** What is too much whatever the sizes are. */
export function excessOf(plan: KernelPlan, { limits }: Pick<ProfiledDevice, "limits">): Excess[] {
  return over(needsOf(plan), limits);
}

function over(needs: readonly Need[], limits: Readonly<Record<Limit, number>>, entry?: string): Excess[] {
  return needs.flatMap((need) => {
    const allowed = limits[need.limit];
    return need.amount <= allowed ? [] : [{ ...need, allowed, ...(entry !== undefined && { entry }) }];
  });
}

/** What is open is taken as usual, or at its least where that is too much. */
export function fitEntry(
  entry: PlanEntry,
  { given, open, typical }: EntrySizes,
  device: ProfiledDevice,
): EntryFit {
  const { limits } = device;
  const ranges = symbolRanges(entry);
  const least = new Map([...ranges].map(([name, range]) => [name, given.get(name) ?? range.least]));
  const usual = new Map(
    [...ranges].map(([name, range]) => {
      const value = Math.max(range.least, typical.get(name) ?? range.least);
      return [name, given.get(name) ?? Math.min(value, range.most ?? value)];
    }),
  );
  const at = over(needsAt(entry, usual), limits).length === 0 ? usual : least;
  const layout = layOutSlots(entry, at);
  const excess = over(needsAt(entry, at), limits, entry.name);
  const asked = excess.length > 0 ? [...ranges.keys()] : open;
  const symbols = asked.map((symbol) => ({ symbol, most: largest(entry, symbol, at, limits) }));
  return {
    entry: entry.name,
    at,
    open,
    arena: { bytes: layout.bytes, live: mostAlive(entry, layout) },
    stateBytes: stateBytes(entry, at),
    excess,
    symbols,
  };
}

function stateBytes({ inputs, outputs }: PlanEntry, at: Symbols): number {
  const side = (ports: PlanEntry["inputs"]): number =>
    ports.reduce((total, { state, shape }) => {
      if (state === undefined) return total;
      return total + aligned(shape.reduce<number>((bytes, size) => bytes * evaluateSize(size, at), 4));
    }, 0);
  return 2 * Math.max(side(inputs), side(outputs));
}

/** Beyond that, kernels can't count what they read. */
const largestSize = 2 ** 31;
/** Sizes that are looked at one by one where a formula does not simply rise. */
const mostLookedAt = 2 ** 16;

/** The largest value such that it and all that are smaller fit. */
function largest(
  entry: PlanEntry,
  symbol: string,
  at: Symbols,
  limits: Readonly<Record<Limit, number>>,
): SymbolFit["most"] {
  const ranges = symbolRanges(entry);
  const minimums = new Map([...ranges].map(([name, { least }]) => [name, least]));
  const { least = 1, most = largestSize } = ranges.get(symbol) ?? {};
  const sizes = sizesIn(entry).map(({ size, limit }) => ({
    size,
    allowed: limits[limit],
    trend: trendOf(size, symbol, minimums),
  }));
  if (sizes.every(({ trend }) => trend === "same")) return "all";
  const rising = sizes.filter(({ trend }) => trend === "rises");
  const irregular = sizes.filter(({ trend }) => trend === "falls" || trend === "unknown");
  const withValue = (value: number): Symbols => new Map(at).set(symbol, value);
  const end = greatest(least, most, (value) =>
    rising.every(({ size, allowed }) => amountOf(size, withValue(value)) <= allowed),
  );
  const looked = irregular.length === 0 ? end : Math.min(end, least + mostLookedAt);
  const peaks = new Map(
    irregular.map(({ size }) => [JSON.stringify(size), peaksOf(size, least, looked, withValue)] as const),
  );
  const found = greatest(least, looked, (value) => {
    try {
      const bounded = replaced(entry, (size) => peaks.get(JSON.stringify(size))?.[value - least] ?? size);
      return over(needsAt(bounded, withValue(value)), limits).length === 0;
    } catch (error) {
      // Sizes beyond what a number holds exactly.
      if (error instanceof DiagnosticError) return false;
      throw error;
    }
  });
  return found === most ? "all" : found;
}

/** The largest value for which something holds that holds for all that are smaller; `least` - 1 for none. */
function greatest(least: number, most: number, holds: (value: number) => boolean): number {
  if (most < least) return least - 1;
  if (holds(most)) return most;
  let [below, above] = [least - 1, most];
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2);
    if (holds(middle)) below = middle;
    else above = middle;
  }
  return below;
}

function amountOf(size: Size, symbols: Symbols): number {
  try {
    return evaluateSize(size, symbols);
  } catch (error) {
    if (error instanceof DiagnosticError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** The largest that a size is up to each value: that never falls, whatever the size does. */
function peaksOf(
  size: Size,
  least: number,
  most: number,
  withValue: (value: number) => Symbols,
): readonly number[] {
  const peaks: number[] = [];
  let peak = 0;
  for (let value = least; value <= most; value++) {
    peak = Math.max(peak, amountOf(size, withValue(value)));
    peaks.push(peak);
  }
  return peaks;
}

interface LimitedSize {
  readonly size: Size;
  readonly limit: Limit;
}

/** Every size on which a limit depends, each once. */
function sizesIn({ slots, inputs, outputs, dispatches }: PlanEntry): readonly LimitedSize[] {
  const bound = "maxStorageBufferBindingSize" as const;
  const states = [...inputs, ...outputs].filter(({ state }) => state !== undefined);
  const all: LimitedSize[] = [
    ...slots.map(({ bytes }) => ({ size: bytes, limit: bound })),
    ...states.map(({ shape }) => ({
      size: shape.reduce<Size>((product, size) => ["*", product, size], 4),
      limit: bound,
    })),
    ...dispatches.flatMap(({ workgroups }) =>
      workgroups.map((size) => ({ size, limit: "maxComputeWorkgroupsPerDimension" as const })),
    ),
  ];
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}

/** The entry with other sizes in those places that a device limits; states keep theirs. */
function replaced(entry: PlanEntry, by: (size: Size) => Size): PlanEntry {
  return {
    ...entry,
    slots: entry.slots.map((slot) => ({ ...slot, bytes: by(slot.bytes) })),
    dispatches: entry.dispatches.map((dispatch) => {
      const [x, y, z] = dispatch.workgroups;
      return { ...dispatch, workgroups: [by(x), by(y), by(z)] };
    }),
  };
}
