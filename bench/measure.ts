/**
 * Timing things side by side.
 *
 * Owns: taking turns, so that whatever else the machine does falls on all alike, and what is said of
 * the times. The clock is what a user waits for: ratios of times that were taken in the same round, and
 * their median. What others do on the machine can only add: the least processor time of one over that
 * of the other is closer to what a quiet machine would show.
 */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Seconds, one for each round. */
export interface Times {
  readonly clock: readonly number[];
  /** Of all threads together. */
  readonly processor: readonly number[];
}

/** The times of each run, after one round that is not counted. */
export async function takeTurns<Name extends string>(
  runs: Readonly<Record<Name, () => Promise<unknown>>>,
  names: readonly Name[],
  rounds: number,
  onRun: () => void,
): Promise<ReadonlyMap<Name, Times>> {
  const times = new Map(names.map((name) => [name, { clock: [] as number[], processor: [] as number[] }]));
  for (let round = 0; round <= rounds; round++) {
    // Backwards every other time: no run is always the one after the same other.
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const started = performance.now();
      const used = process.cpuUsage();
      await runs[name]();
      const { user, system } = process.cpuUsage(used);
      if (round > 0) {
        times.get(name)?.clock.push((performance.now() - started) / 1000);
        times.get(name)?.processor.push((user + system) / 1e6);
      }
      onRun();
    }
  }
  return times;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return { median: (lower + upper) / 2, least: Math.min(...values), most: Math.max(...values) };
}

/** One time over another. */
export interface TimeRatio {
  /** Round by round. */
  readonly clock: Spread;
  /** The least processor time of each. */
  readonly least: number;
}

export function ratio(a: Times, b: Times): TimeRatio {
  return {
    clock: spread(a.clock.map((value, round) => value / (b.clock[round] ?? Number.NaN))),
    least: Math.min(...a.processor) / Math.min(...b.processor),
  };
}

/** `1.14 (1.02 to 1.20)`, times `factor`. */
export function printSpread({ median, least, most }: Spread, digits: number, factor = 1): string {
  const print = (value: number): string => (factor * value).toFixed(digits);
  return `${print(median)} (${print(least)} to ${print(most)})`;
}
