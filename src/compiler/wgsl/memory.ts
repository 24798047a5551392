/**
 * Where values lie in the arena.
 *
 * Owns: an order of the slots in which those whose lifetimes meet lie above each other. It is found at
 * typical sizes, where the arena becomes small, and holds for all sizes: an offset is where the slots
 * below end, whatever they then hold.
 */
import type { PlanSlot, Size } from "../plan.ts";

/** Offsets of bindings are multiples of this on every device. */
export const slotAlignment = 256;

export interface SlotRequest {
  readonly label: string;
  readonly bytes: Size;
  /** At typical sizes. */
  readonly typicalBytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Arrangement {
  readonly slots: readonly PlanSlot[];
  /** The number that each request's slot has. */
  readonly numbers: readonly number[];
  /** At typical sizes: the arena, and the most that is alive at once. */
  readonly typicalPeak: number;
  readonly typicalLive: number;
}

const aligned = (bytes: number): number => Math.ceil(Math.max(1, bytes) / slotAlignment) * slotAlignment;
const meet = (a: SlotRequest, b: SlotRequest): boolean => a.first <= b.last && b.first <= a.last;

export function arrange(requests: readonly SlotRequest[]): Arrangement {
  const bySize = requests.map((_, at) => at).sort((a, b) => sizeOf(b) - sizeOf(a) || a - b);
  function sizeOf(at: number): number {
    return aligned(requests[at]?.typicalBytes ?? 0);
  }
  const offsets = new Map<number, number>();
  for (const at of bySize) {
    const own = requests[at];
    if (own === undefined) continue;
    const taken = [...offsets]
      .filter(([other]) => {
        const request = requests[other];
        return request !== undefined && meet(own, request);
      })
      .map(([other, start]) => ({ start, end: start + sizeOf(other) }))
      .sort((a, b) => a.start - b.start);
    let offset = 0;
    for (const { start, end } of taken) {
      if (offset + sizeOf(at) <= start) break;
      offset = Math.max(offset, end);
    }
    offsets.set(at, offset);
  }
  const order = requests
    .map((_, at) => at)
    .sort((a, b) => (offsets.get(a) ?? 0) - (offsets.get(b) ?? 0) || sizeOf(a) - sizeOf(b) || a - b);
  const numbers = new Array<number>(requests.length).fill(0);
  order.forEach((at, number) => {
    numbers[at] = number;
  });
  const below: Set<number>[] = [];
  const slots = order.map((at, number): PlanSlot => {
    const own = requests[at];
    if (own === undefined) throw new Error("a slot was lost");
    const under = order.slice(0, number).flatMap((other, lower) => {
      const request = requests[other];
      return request !== undefined && meet(own, request) ? [lower] : [];
    });
    // What lies under something that is listed need not be.
    const above = under.filter((lower) => !under.some((middle) => below[middle]?.has(lower)));
    below.push(new Set(under.flatMap((lower) => [lower, ...(below[lower] ?? [])])));
    return { label: own.label, bytes: own.bytes, above, first: own.first, last: own.last };
  });
  const steps = Math.max(0, ...requests.map(({ last }) => last));
  let typicalLive = 0;
  for (let step = -1; step <= steps; step++) {
    const live = requests
      .filter(({ first, last }) => first <= step && step <= last)
      .reduce((total, { typicalBytes }) => total + aligned(typicalBytes), 0);
    typicalLive = Math.max(typicalLive, live);
  }
  const typicalPeak = Math.max(0, ...requests.map((_, at) => (offsets.get(at) ?? 0) + sizeOf(at)));
  return { slots, numbers, typicalPeak, typicalLive };
}
