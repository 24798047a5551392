/**
 * Mutated sources: whatever comes out, checking it ends with diagnostics whose places lie in their
 * files. The full run (test/fuzz.full.ts) does the same a million times.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkText } from "../support/check-text.ts";
import { fuzzProblems, fuzzSources } from "../support/fuzz.ts";
import { mutatedSource } from "../support/mutated-sources.ts";

test("a mutated source is answered with diagnostics, in time", () => {
  fc.assert(
    fc.property(mutatedSource(fuzzSources), (text) => {
      expect(fuzzProblems(text)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

test("the sources themselves are sound", () => {
  for (const text of fuzzSources)
    expect(checkText(text, "models/blocks/case.oss").milliseconds).toBeLessThan(5000);
});
