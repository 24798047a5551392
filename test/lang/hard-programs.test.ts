/**
 * Programs that ask for too much get an answer all the same, in time.
 */
import { describe, expect, test } from "vitest";
import { checkText, faultsOf } from "../support/check-text.ts";
import { hardPrograms } from "../support/hard-programs.ts";

/** Seconds, on a machine that does many other things. */
const patience = 5;

describe("answered with diagnostics", () => {
  test.each(hardPrograms)("$name", ({ text, codes }) => {
    const { diagnostics, milliseconds } = checkText(text);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code }) => code)).toEqual(codes);
    expect(faultsOf(diagnostics)).toEqual([]);
    expect(milliseconds / 1000).toBeLessThan(patience);
  });
});

test("blocks sixty deep are refused, not overflowed", () => {
  const blocks = Array.from(
    { length: 80 },
    (_, i) => `block B${i}() { part = B${i + 1}()  forward(x: f32[N]) -> f32[N] = -(-(-part(x))) }`,
  );
  const { diagnostics } = checkText(`${blocks.join("\n")}\nblock B80() { forward(x: f32[N]) -> f32[N] = x }`);
  expect(diagnostics.map(({ code }) => code)).toEqual(["nesting-too-deep"]);
});
