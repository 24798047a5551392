/**
 * A million mutated sources, or as many as a quarter of an hour allows.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzProblems, fuzzSources } from "./support/fuzz.ts";
import { mutatedSource } from "./support/mutated-sources.ts";

const minutes = 15;

test("mutated sources are answered with diagnostics, in time", { timeout: (minutes + 5) * 60_000 }, () => {
  fc.assert(
    fc.property(mutatedSource(fuzzSources), (text) => {
      expect(fuzzProblems(text)).toEqual([]);
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: minutes * 60_000, markInterruptAsFailure: false },
  );
});
