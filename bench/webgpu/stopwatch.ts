/** Time as it passes for a user, and as processors spend it. */
import type { Spent } from "./contest.ts";

/** Starts; what it returns stops. */
export type Stopwatch = () => () => Spent;

/** @param processor seconds so far, of all threads that take part; absent where that can't be told */
export function stopwatchOf(processor?: () => number): Stopwatch {
  return () => {
    const used = processor?.() ?? 0;
    const started = performance.now();
    return () => ({
      clock: (performance.now() - started) / 1000,
      processor: processor === undefined ? undefined : processor() - used,
    });
  };
}
