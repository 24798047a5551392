/**
 * The rules of WebGPU that no size and no device can change, held to a plan.
 *
 * Owns: proving, for all sizes at once, that every dispatch of a plan is legal: no buffer is bound both
 * read-only and read-write, ranges that are written do not overlap, bindings begin and end where they may, and
 * values that are alive together lie apart. What depends on a device's limits is the runtime's `needs.ts`.
 */
import { Dim } from "../lang/dims.ts";
import type { BindingKind, KernelPlan, PlanBinding, PlanDispatch, PlanEntry, PlanPlace } from "./plan.ts";
import { slotAlignment } from "./wgsl/memory.ts";
import { dimOf } from "./wgsl/size.ts";

export interface RuleViolation {
  readonly entry: string;
  /** Where in the model. */
  readonly path: string;
  /** What is not so, as a sentence. */
  readonly message: string;
}

export function checkPlanRules(plan: KernelPlan): readonly RuleViolation[] {
  return plan.entries.flatMap((entry) => new EntryRules(plan, entry).run());
}

class EntryRules {
  readonly #plan: KernelPlan;
  readonly #entry: PlanEntry;
  readonly #found: RuleViolation[] = [];
  /** For each slot, those that it lies above, directly or by way of others. */
  readonly #below: readonly ReadonlySet<number>[];

  constructor(plan: KernelPlan, entry: PlanEntry) {
    this.#plan = plan;
    this.#entry = entry;
    const below: Set<number>[] = [];
    for (const { above } of entry.slots) {
      below.push(new Set(above.flatMap((lower) => [lower, ...(below[lower] ?? [])])));
    }
    this.#below = below;
  }

  run(): readonly RuleViolation[] {
    this.#slots();
    for (const [index, dispatch] of this.#entry.dispatches.entries()) this.#dispatch(dispatch, index);
    return this.#found;
  }

  #report(path: string, message: string): void {
    this.#found.push({ entry: this.#entry.name, path, message });
  }

  /** Offsets are sums of sizes that are rounded up, so only the order has to be shown. */
  #slots(): void {
    const { slots } = this.#entry;
    for (const [index, slot] of slots.entries()) {
      if (slot.above.some((lower) => lower >= index)) {
        this.#report(slot.label, `Slot ${index} lies above a slot that comes after it.`);
      }
      if (dimOf(slot.bytes).divideExactly(4) === undefined) {
        this.#report(slot.label, `Slot ${index} has ${dimOf(slot.bytes)} bytes, which is no multiple of 4.`);
      }
      for (const [lower, other] of slots.slice(0, index).entries()) {
        if (slot.first > other.last || other.first > slot.last || this.#areApart(index, lower)) continue;
        this.#report(slot.label, `Slots ${lower} and ${index} are alive together and may overlap.`);
      }
    }
  }

  #areApart(a: number, b: number): boolean {
    if (this.#below[a]?.has(b) === true || this.#below[b]?.has(a) === true) return true;
    return this.#fitsBelow(a, b) || this.#fitsBelow(b, a);
  }

  /** Whether `low`, which lies at 0, is no larger than something that `high` lies above. */
  #fitsBelow(low: number, high: number): boolean {
    const slot = this.#entry.slots[low];
    if (slot === undefined || slot.above.length > 0) return false;
    const bytes = dimOf(slot.bytes);
    return [...(this.#below[high] ?? [])].some((under) => {
      const other = this.#entry.slots[under];
      return other !== undefined && Dim.provablyAtMost(bytes, dimOf(other.bytes), this.#minimums());
    });
  }

  #dispatch({ kernel, path, places, workgroups }: PlanDispatch, index: number): void {
    const found = this.#plan.kernels[kernel];
    if (found === undefined) {
      this.#report(path, `The dispatch runs kernel ${kernel}, which there is not.`);
      return;
    }
    const kinds = found.bindings.filter((kind) => kind !== "sizes");
    if (kinds.length !== places.length) {
      this.#report(
        path,
        `The kernel ${found.label} binds ${kinds.length} buffers, and ${places.length} are given.`,
      );
      return;
    }
    for (const count of workgroups) {
      if (!Dim.provablyAtMost(0, dimOf(count), this.#minimums())) {
        this.#report(path, `The number of workgroups, ${dimOf(count)}, may be negative.`);
      }
    }
    this.#usages(path, places, kinds);
    this.#overlaps(path, places, kinds);
    for (const binding of places) this.#range(path, binding, index);
  }

  /** A buffer has one usage in a dispatch: read-only by all who bind it, or read-write by all. */
  #usages(path: string, places: readonly PlanBinding[], kinds: readonly BindingKind[]): void {
    const usages = new Map<string, BindingKind>();
    for (const [at, { place }] of places.entries()) {
      const kind = kinds[at];
      const buffer = bufferOf(place);
      const earlier = usages.get(buffer);
      if (kind !== undefined && earlier !== undefined && earlier !== kind) {
        this.#report(path, `The dispatch binds ${buffer} both read-only and read-write.`);
      }
      if (kind !== undefined) usages.set(buffer, kind);
      if (place.kind === "weight" && kind === "read-write") {
        this.#report(path, `The dispatch writes weight ${place.weight}.`);
      }
    }
  }

  /** Of two ranges of a buffer that overlap, none may be bound read-write. */
  #overlaps(path: string, places: readonly PlanBinding[], kinds: readonly BindingKind[]): void {
    for (const [at, { place }] of places.entries()) {
      for (const [before, { place: other }] of places.slice(0, at).entries()) {
        if (kinds[at] === "read" && kinds[before] === "read") continue;
        if (this.#mayOverlap(place, other)) {
          this.#report(path, `Bindings ${before} and ${at} of the dispatch may overlap, and one is written.`);
        }
      }
    }
  }

  #mayOverlap(a: PlanPlace, b: PlanPlace): boolean {
    if (a.kind === "slot" && b.kind === "slot") return a.slot === b.slot || !this.#areApart(a.slot, b.slot);
    if (a.kind === "state" && b.kind === "state") return a.state === b.state && a.time === b.time;
    if (a.kind === "weight" && b.kind === "weight") return a.weight === b.weight;
    return false;
  }

  #range(path: string, { place, range }: PlanBinding, index: number): void {
    if (range !== undefined && range.start % slotAlignment !== 0) {
      this.#report(
        path,
        `A binding begins at byte ${range.start}, which is no multiple of ${slotAlignment}.`,
      );
    }
    switch (place.kind) {
      case "weight": {
        const bytes = this.#plan.weights[place.weight]?.bytes;
        if (bytes === undefined)
          this.#report(path, `The dispatch binds weight ${place.weight}, which there is not.`);
        else if (range !== undefined && range.start + range.bytes > bytes) {
          this.#report(path, `A binding ends at byte ${range.start + range.bytes} of a weight of ${bytes}.`);
        }
        return;
      }
      case "slot": {
        const slot = this.#entry.slots[place.slot];
        if (slot === undefined)
          this.#report(path, `The dispatch binds slot ${place.slot}, which there is not.`);
        else if (index < slot.first || index > slot.last) {
          this.#report(path, `Dispatch ${index} binds slot ${place.slot}, which is not alive then.`);
        }
        return;
      }
      case "state": {
        const { inputs, outputs } = this.#entry;
        const ports = place.time === "past" ? inputs : outputs;
        if (!ports.some(({ state }) => state === place.state)) {
          this.#report(
            path,
            `The dispatch binds the ${place.time} state ${place.state}, which there is not.`,
          );
        }
        return;
      }
    }
  }

  #minimums(): ReadonlyMap<string, number> {
    return new Map(this.#entry.symbols.map(({ name, minimum }) => [name, minimum]));
  }
}

/** Which buffer a place is in; two that may be one count as one. */
function bufferOf(place: PlanPlace): string {
  switch (place.kind) {
    case "slot":
      return "the arena";
    case "state":
      return `the ${place.time} states`;
    case "weight":
      return "the weights";
  }
}
