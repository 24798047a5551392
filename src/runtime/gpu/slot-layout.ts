/**
 * Where the slots of an entry lie in the arena, once its symbols are known.
 *
 * The plan says which slots lie above which; here that becomes offsets. A slot takes whole multiples of
 * 256 bytes, and an empty one takes 256: what is bound needs a place of its own.
 */
import type { PlanEntry, PlanSlot } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import { aligned, printBytes } from "./usage.ts";

export interface SlotRange {
  readonly offset: number;
  /** What the slot's value takes; a multiple of 4. */
  readonly bytes: number;
}

export interface SlotLayout {
  readonly slots: readonly SlotRange[];
  /** What the arena must hold. */
  readonly bytes: number;
}

export function layOutSlots(entry: PlanEntry, symbols: Symbols): SlotLayout {
  const slots: SlotRange[] = [];
  let total = 0;
  for (const [index, slot] of entry.slots.entries()) {
    const bytes = evaluateSize(slot.bytes, symbols);
    let offset = 0;
    for (const below of slot.above) {
      const range = slots[below];
      if (range === undefined) throw badOrder(entry, index, below);
      offset = Math.max(offset, endOf(range));
    }
    const range = { offset, bytes };
    slots.push(range);
    total = Math.max(total, endOf(range));
  }
  return { slots, bytes: total };
}

/** The most bytes that are alive at once: no arena can be smaller. */
export function mostAlive(entry: PlanEntry, { slots }: SlotLayout): number {
  const changes = new Map<number, number>();
  const add = (at: number, bytes: number): void => void changes.set(at, (changes.get(at) ?? 0) + bytes);
  for (const [index, { first, last }] of entry.slots.entries()) {
    const room = aligned(Math.max(slots[index]?.bytes ?? 0, 1));
    add(first, room);
    add(last + 1, -room);
  }
  let alive = 0;
  let most = 0;
  for (const [, change] of [...changes].sort(([a], [b]) => a - b)) {
    alive += change;
    most = Math.max(most, alive);
  }
  return most;
}

function endOf({ offset, bytes }: SlotRange): number {
  return offset + aligned(Math.max(bytes, 1));
}

function badOrder(entry: PlanEntry, slot: number, below: number): Error {
  return failure(
    "plan-damaged",
    `Slot ${slot} of ${entry.name} lies above slot ${below}, which comes later.`,
  );
}

/** Says before anything runs that an entry does not fit the device, and what in it is large. */
export function checkLayout(
  entry: PlanEntry,
  layout: SlotLayout,
  limits: Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">,
): void {
  const bySize = entry.slots
    .map((slot, index) => [slot, layout.slots[index]?.bytes ?? 0] as const)
    .sort(([, a], [, b]) => b - a);
  const hint = "Give shorter inputs, or use a device that allows more.";
  const [largest] = bySize;
  if (largest !== undefined && largest[1] > limits.maxStorageBufferBindingSize) {
    const allowed = printBytes(limits.maxStorageBufferBindingSize);
    throw failure("webgpu-limit", `${nameOf(largest[0])} of ${entry.name} takes ${printBytes(largest[1])}.`, {
      notes: [`the device lets a kernel see ${allowed} at once (maxStorageBufferBindingSize)`],
      hint,
    });
  }
  if (layout.bytes > limits.maxBufferSize) {
    const parts = bySize.slice(0, 3).map(([slot, bytes]) => `${nameOf(slot)}: ${printBytes(bytes)}`);
    const allowed = printBytes(limits.maxBufferSize);
    throw failure(
      "webgpu-limit",
      `The entry ${entry.name} needs ${printBytes(layout.bytes)} for its values.`,
      {
        notes: [`the device allows ${allowed} in a buffer (maxBufferSize)`, ...parts],
        hint,
      },
    );
  }
}

function nameOf({ label }: PlanSlot): string {
  return `The value ${label}`;
}
