/**
 * What fuzzing holds the language to.
 *
 * Owns: the sources that are mutated, and the judgement of one case.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { type Checked, checkText, faultsOf, library } from "./check-text.ts";
import { errorCases } from "./error-fixtures.ts";
import { mutatedSource } from "./mutated-sources.ts";
import { root } from "./product-files.ts";
import { reducedSources } from "./reduced-sources.ts";

/** Models at full size take most of a second, whoever mutates them. */
const largest = /from "ossicle\/(?:captioners|classifiers|decoders)\//;

/** The library, its largest models at reduced size, and the smaller fixtures. */
export const fuzzSources: readonly string[] = [
  ...library.filter(({ path }) => /models\/(?:blocks|policies|frontends|adapters|encoders)\//.test(path)),
  ...errorCases().map(({ path }) => ({ path, text: readFileSync(root + path, "utf8") })),
]
  .flatMap(({ text }) => (text.length < 8000 && !largest.test(text) ? [text] : []))
  .concat(reducedSources);

/** What a case may take of the processor on a machine that does nothing else. Unmutated sources take up to 50. */
const mostMilliseconds = 100;
/** One that asks for more work than any model is only told so once that much is done, for each entry. */
const mostOfTooMuchWork = 2000;
/** One that lost the setting which made a large model small is as large as that model. */
const mostOfWholeModel = 1500;
/** How often a slow case is looked at: what else the machine does, and the compiler of the first runs, add. */
const looks = 5;

/** The cases of one shard: the same number and seed give the same cases. */
export interface Shard {
  readonly seed: number;
  readonly cases: number;
  /** For a machine that does other things: how many times as long a case may take. */
  readonly patience?: number;
}

/** Throws for the first case that is not as it should be, made as small as it gets, with how to see it again. */
export function fuzz({ seed, cases, patience = 1 }: Shard): void {
  fc.assert(
    fc.property(mutatedSource(fuzzSources), (text) => {
      const problems = fuzzProblems(text, patience);
      if (problems.length > 0) throw new Error(problems.join("\n"));
    }),
    { seed, numRuns: cases },
  );
}

/** Empty for a case that is as it should be. */
export function fuzzProblems(text: string, patience: number): string[] {
  const first = timed(text);
  const problems = faultsOf(first.diagnostics);
  const isTooMuch = first.diagnostics.some(({ code }) => code === "too-much-work");
  const isLarge = largest.test(text) && !reducedSources.includes(text);
  const most = patience * (isTooMuch ? mostOfTooMuchWork : isLarge ? mostOfWholeModel : mostMilliseconds);
  let { milliseconds } = first;
  for (let look = 1; look < looks && milliseconds > most; look++) {
    milliseconds = Math.min(milliseconds, timed(text).milliseconds);
  }
  if (milliseconds <= most) return problems;
  return [...problems, `takes ${Math.round(milliseconds)} ms of the processor`];
}

function timed(text: string): Checked {
  const before = process.cpuUsage();
  const checked = checkText(text, "models/blocks/case.oss");
  const { user, system } = process.cpuUsage(before);
  return { ...checked, milliseconds: (user + system) / 1000 };
}
