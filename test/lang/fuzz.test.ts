/**
 * Mutated sources: whatever comes out, checking it ends with diagnostics whose places lie in their
 * files. The full run (test/fuzz.full.ts) does the same a million times.
 */
import { expect, test } from "vitest";
import { fuzz, fuzzSources, judge } from "../support/fuzz.ts";

/** Other tests run beside this one. */
const patience = 10;

test("a mutated source is answered with diagnostics, in time", { timeout: 120_000 }, () => {
  fuzz({ seed: 0, cases: 100, patience });
});

test("the sources themselves are answered in time", { timeout: 120_000 }, () => {
  const problems = [
    ...[...fuzzSources.tiny, ...fuzzSources.small].flatMap(
      (text) => judge({ kind: "small", text }, patience).problems,
    ),
    ...fuzzSources.reduced.flatMap((text) => judge({ kind: "reduced", text }, patience).problems),
  ];
  expect(problems).toEqual([]);
});
