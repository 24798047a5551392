/**
 * Timing things side by side.
 *
 * Owns: taking turns, so that whatever else the machine does falls on all alike, and what is said of
 * the times: medians, and ratios of times that were taken in the same round.
 */

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Seconds of each run in each round, after one round that is not counted. */
export async function takeTurns<Name extends string>(
  runs: Readonly<Record<Name, () => Promise<unknown>>>,
  names: readonly Name[],
  rounds: number,
  onRun: () => void,
): Promise<ReadonlyMap<Name, readonly number[]>> {
  const seconds = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    // Backwards every other time: no run is always the one after the same other.
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const started = performance.now();
      await runs[name]();
      if (round > 0) seconds.get(name)?.push((performance.now() - started) / 1000);
      onRun();
    }
  }
  return seconds;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return { median: (lower + upper) / 2, least: Math.min(...values), most: Math.max(...values) };
}

/** a / b, round by round. */
export function ratio(a: readonly number[], b: readonly number[]): Spread {
  return spread(a.map((value, round) => value / (b[round] ?? Number.NaN)));
}

export function printSpread({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}
