/**
 * Runs that take turns on a stage.
 *
 * Owns: their order. Whatever else the machine does meets all alike; one that takes long runs less often than the others,
 * and medians are of what there is.
 */
import type { Spent } from "./contest.ts";
import { type Pace, paceOf } from "./pace.ts";

export interface Run {
  readonly run: () => Promise<Spent>;
  readonly rounds: number;
}

/** @param runs by name; what is absent does not run */
export async function takeTurns<Name extends string>(
  runs: readonly (readonly [Name, Run | undefined])[],
): Promise<Readonly<Partial<Record<Name, Pace>>>> {
  const all = runs.flatMap(([name, run]) =>
    run === undefined ? [] : [{ name, ...run, spent: [] as Spent[] }],
  );
  const most = Math.max(0, ...all.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++) {
    // Backwards every other time: no run is always the one after the same other.
    const order = round % 2 === 0 ? all : [...all].reverse();
    for (const { run, rounds, spent } of order) if (round < rounds) spent.push(await run());
  }
  const paces: Partial<Record<Name, Pace>> = {};
  for (const { name, spent } of all) paces[name] = paceOf(spent);
  return paces;
}
