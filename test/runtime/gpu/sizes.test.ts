/**
 * Sizes of plans as numbers: values, solving, and how they read.
 */
import { expect, test } from "vitest";
import type { Size } from "../../../src/compiler/plan.ts";
import { evaluateSize, printSize, solveSize } from "../../../src/runtime/gpu/sizes.ts";
import { layOutSlots } from "../../../src/runtime/gpu/slot-layout.ts";
import { smallPlan } from "../../support/small-plan.ts";

const symbols = new Map([
  ["N", 7],
  ["B", 2],
]);

const cases: readonly [Size, string, number][] = [
  [3, "3", 3],
  ["N", "N", 7],
  [["+", "N", ["*", -1, "B"]], "N + -1 * B", 5],
  [["*", ["+", "N", 1], "B"], "(N + 1) * B", 16],
  [["/", ["*", -1, "N"], 2], "floor(-1 * N / 2)", -4],
  [["min", "N", "B"], "min(N, B)", 2],
  [["max", "N", ["+", "B", 9]], "max(N, B + 9)", 11],
  [["ceil", 0.5, "N"], "ceil(0.5 * N)", 4],
  [["floor", 0.5, "N"], "floor(0.5 * N)", 3],
  [["round", 0.5, "N"], "round(0.5 * N)", 4],
  [["round", 0.5, 5], "round(0.5 * 5)", 2],
  [["round", -0.5, "N"], "round(-0.5 * N)", -4],
  [["ceil", 0.7, ["+", "N", 3]], "ceil(0.7 * (N + 3))", 7],
];

test.each(cases)("%j", (size, text, value) => {
  expect(printSize(size)).toBe(text);
  expect(evaluateSize(size, symbols)).toBe(value);
});

test("what is no exact whole number is refused, as is a symbol without a value", () => {
  expect(() => evaluateSize(["*", "N", 2 ** 52], symbols)).toThrow("no exact whole number");
  expect(() => evaluateSize(["/", "N", 0], symbols)).toThrow("no exact whole number");
  expect(() => evaluateSize("T", symbols)).toThrow("The dimension T has no value");
});

test("a symbol is solved from sums and products", () => {
  expect(solveSize("T", 5, symbols)).toEqual(["T", 5]);
  expect(solveSize(["+", ["*", "B", "T"], "N"], 17, symbols)).toEqual(["T", 5]);
  expect(solveSize(["*", 3, "T"], 16, symbols)).toBeUndefined();
  expect(solveSize(["ceil", 0.5, "T"], 3, symbols)).toBeUndefined();
  expect(solveSize(["+", "T", "U"], 3, symbols)).toBeUndefined();
  expect(solveSize("N", 3, symbols)).toBeUndefined();
});

test("slots lie where the plan says, at multiples of 256 bytes", () => {
  const [classify] = smallPlan.entries;
  if (classify === undefined) throw new Error("no entry");
  expect(layOutSlots(classify, new Map([["N", 65]]))).toEqual({
    slots: [
      { offset: 0, bytes: 260 },
      { offset: 512, bytes: 260 },
      { offset: 0, bytes: 260 },
      { offset: 512, bytes: 260 },
    ],
    bytes: 1024,
  });
  expect(layOutSlots(classify, new Map([["N", 0]])).bytes).toBe(512);
});
