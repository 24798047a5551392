/**
 * The largest of the programs that ask for too much.
 */
import { expect, test } from "vitest";
import { checkText, faultsOf } from "../support/check-text.ts";
import { hugePrograms } from "../support/hard-programs.ts";

/** Seconds, on a machine that does many other things. */
const patience = 60;

test.each(hugePrograms)("$name", ({ text, codes }) => {
  const { diagnostics, milliseconds } = checkText(text);
  if (codes.length > 0) expect(diagnostics.map(({ code }) => code)).toEqual(codes);
  expect(diagnostics.length).toBeLessThanOrEqual(200);
  expect(faultsOf(diagnostics)).toEqual([]);
  expect(milliseconds / 1000).toBeLessThan(patience);
});
