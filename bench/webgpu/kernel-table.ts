/** Where the time of a call goes, by kernel. */
import type { DispatchTime } from "../../src/runtime/gpu/trace.ts";

export interface KernelRow {
  /** The kind and shape: `contract 16x8`. */
  readonly kernel: string;
  readonly dispatches: number;
  readonly seconds: number;
  /** Of the call. */
  readonly share: number;
}

/** The slowest first. */
export function kernelTable(times: readonly DispatchTime[]): KernelRow[] {
  const total = times.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const rows = new Map<string, KernelRow>();
  for (const { kernel, nanoseconds } of times) {
    const known = rows.get(kernel) ?? { kernel, dispatches: 0, seconds: 0, share: 0 };
    const seconds = known.seconds + nanoseconds / 1e9;
    rows.set(kernel, {
      kernel,
      dispatches: known.dispatches + 1,
      seconds,
      share: total === 0 ? 0 : (1e9 * seconds) / total,
    });
  }
  return [...rows.values()].sort((a, b) => b.seconds - a.seconds);
}
