/** Where the time of a call goes, by kernel. */
import type { DispatchTime } from "../../src/runtime/gpu/trace.ts";

/** A dispatch, with the multiply-adds that its loops execute. */
export interface TimedDispatch extends Omit<DispatchTime, "dispatch"> {
  readonly macs: number;
}

export interface KernelRow {
  /** The kind and shape: `contract 16x8`. */
  readonly kernel: string;
  readonly dispatches: number;
  readonly seconds: number;
  /** Of the call. */
  readonly share: number;
  readonly flopsPerSecond: number;
}

/** The slowest first. */
export function kernelTable(times: readonly TimedDispatch[]): KernelRow[] {
  const total = times.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
  const kernels = new Map<string, TimedDispatch[]>();
  for (const time of times) kernels.set(time.kernel, [...(kernels.get(time.kernel) ?? []), time]);
  const rows = [...kernels].map(([kernel, own]): KernelRow => {
    const nanoseconds = own.reduce((sum, each) => sum + each.nanoseconds, 0);
    const macs = own.reduce((sum, each) => sum + each.macs, 0);
    return {
      kernel,
      dispatches: own.length,
      seconds: nanoseconds / 1e9,
      share: total === 0 ? 0 : nanoseconds / total,
      flopsPerSecond: nanoseconds === 0 ? 0 : (2 * macs) / (nanoseconds / 1e9),
    };
  });
  return rows.sort((a, b) => b.seconds - a.seconds);
}
