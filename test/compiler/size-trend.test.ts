/**
 * What is claimed of a formula holds at numbers.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Size } from "../../src/compiler/plan.ts";
import { symbolRanges, trendOf } from "../../src/compiler/size-trend.ts";
import { evaluateSize } from "../../src/runtime/gpu/sizes.ts";
import { smallPlan } from "../support/small-plan.ts";

const { size } = fc.letrec<{ size: Size }>((tie) => ({
  size: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: -6, max: 9 }),
    fc.constantFrom("N", "M"),
    fc.tuple(fc.constantFrom<"+" | "*" | "min" | "max">("+", "*", "min", "max"), tie("size"), tie("size")),
    fc.tuple(fc.constant<"/">("/"), tie("size"), fc.integer({ min: 1, max: 5 })),
    fc.tuple(
      fc.constantFrom<"ceil" | "floor" | "round">("ceil", "floor", "round"),
      fc.double({ min: -2, max: 2, noNaN: true }),
      tie("size"),
    ),
  ),
}));

test("a size that is said to rise never falls, and the other way round", () => {
  const minimums = new Map([
    ["N", 2],
    ["M", 1],
  ]);
  let told = 0;
  fc.assert(
    fc.property(size, fc.integer({ min: 2, max: 40 }), fc.integer({ min: 1, max: 20 }), (formula, n, m) => {
      const trend = trendOf(formula, "N", minimums);
      if (trend === "unknown") return;
      told += trend === "same" ? 0 : 1;
      const value = (count: number): number =>
        evaluateSize(
          formula,
          new Map([
            ["N", count],
            ["M", m],
          ]),
        );
      const change = value(n + 1) - value(n);
      if (trend === "same") expect(change).toBe(0);
      else if (trend === "rises") expect(change).toBeGreaterThanOrEqual(0);
      else expect(change).toBeLessThanOrEqual(0);
    }),
    { numRuns: 2000, seed: 7 },
  );
  expect(told).toBeGreaterThan(300);
});

test.each<[Size, string]>([
  [["*", 16, ["/", ["+", "N", 3], 4]], "rises"],
  [["*", -1, "N"], "falls"],
  [["*", "M", 3], "same"],
  [["*", ["+", "N", -5], ["+", "N", -5]], "unknown"],
  [["/", 100, "N"], "unknown"],
])("%j %s", (formula, trend) => {
  expect(trendOf(formula, "N", new Map())).toBe(trend);
});

test("guards that compare a symbol with a number say what it may be", () => {
  const [entry] = smallPlan.entries;
  expect(entry && [...symbolRanges(entry)]).toEqual([["N", { least: 1, most: 100_000 }]]);
});
