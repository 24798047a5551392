/** Processors of scores, held to numbers worked out by hand from their definitions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyTemperature,
  best,
  draw,
  keepTopK,
  keepTopP,
  logSoftmax,
  penaliseRepetition,
  rowOfScores,
  softmax,
} from "../../../src/runtime/generation/scores.ts";
import { codeOf } from "../support.ts";

const none = Number.NEGATIVE_INFINITY;
const changed = (change: (scores: Float64Array) => void, scores: readonly number[]): number[] => {
  const row = Float64Array.from(scores);
  change(row);
  return [...row];
};
/** Scores whose probabilities are these. */
const scoresOf = (probabilities: readonly number[]): number[] => probabilities.map(Math.log);

describe("repetition penalty", () => {
  test("divides what is above zero and multiplies what is below, once for each id", () => {
    const change = (scores: Float64Array): void => penaliseRepetition(scores, [0, 2, 2, 9], 2);
    expect(changed(change, [3, 3, -3, -3])).toEqual([1.5, 3, -6, -3]);
  });
  test("of 1 changes nothing", () => {
    expect(changed((scores) => penaliseRepetition(scores, [0, 1], 1), [1, -1])).toEqual([1, -1]);
  });
});

describe("top-k", () => {
  test("keeps the k best", () => {
    expect(changed((scores) => keepTopK(scores, 2), [1, 4, 3, 2])).toEqual([none, 4, 3, none]);
  });
  test("keeps all that are equal to the last", () => {
    expect(changed((scores) => keepTopK(scores, 2), [1, 4, 1, 1])).toEqual([1, 4, 1, 1]);
    expect(changed((scores) => keepTopK(scores, 2), [3, 4, 3, 1])).toEqual([3, 4, 3, none]);
  });
  test("beyond the vocabulary keeps everything", () => {
    expect(changed((scores) => keepTopK(scores, 9), [1, 2])).toEqual([1, 2]);
  });
});

describe("top-p", () => {
  const kept = (probabilities: readonly number[], p: number): number[] => {
    const result = changed((scores) => keepTopP(scores, p), scoresOf(probabilities));
    return result.flatMap((score, id) => (score === none ? [] : [id]));
  };
  test.each([
    [0.05, [1]],
    [0.45, [1]],
    [0.55, [1, 2]],
    [0.75, [1, 2]],
    [0.85, [1, 2, 3]],
    [0.95, [0, 1, 2, 3]],
    [1, [0, 1, 2, 3]],
  ])("of %d keeps the fewest that reach it", (p, ids) => {
    expect(kept([0.0625, 0.5, 0.3125, 0.125], p)).toEqual(ids);
  });
  test("keeps one at least, and of equals the lower id", () => {
    expect(kept([0.25, 0.25, 0.25, 0.25], 0.1)).toEqual([0]);
    expect(kept([0.25, 0.25, 0.25, 0.25], 0.4)).toEqual([0, 1]);
  });
});

test("temperature divides", () => {
  expect(changed((scores) => applyTemperature(scores, 0.5), [1, -2])).toEqual([2, -4]);
});

describe("probabilities", () => {
  test("of scores too large for exp", () => {
    expect([...softmax(Float64Array.of(1000, 1000))]).toEqual([0.5, 0.5]);
    expect([...logSoftmax(Float64Array.of(-1000, -1000))]).toEqual([-Math.LN2, -Math.LN2]);
    expect([...softmax(Float64Array.of(0, none))]).toEqual([1, 0]);
  });
  test("sum to one, and their logarithms agree", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1 }), (scores) => {
        const probabilities = softmax(Float64Array.from(scores));
        expect(probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        logSoftmax(Float64Array.from(scores)).forEach((logarithm, id) => {
          expect(Math.exp(logarithm)).toBeCloseTo(probabilities[id] ?? 0, 12);
        });
      }),
    );
  });
});

describe("choosing", () => {
  test("the best, of equals the first", () => {
    expect(best(Float64Array.of(1, 3, 2, 3))).toBe(1);
  });
  test("by shares of the unit interval", () => {
    const scores = Float64Array.from(scoresOf([0.25, 0.5, 0, 0.25]));
    expect([0.01, 0.24, 0.26, 0.74, 0.76, 0.999].map((unit) => draw(scores, unit))).toEqual([
      0, 0, 1, 1, 3, 3,
    ]);
  });
  test("never what has no share, whatever rounding does", () => {
    expect(draw(Float64Array.of(0, none), 1 - 2 ** -33)).toBe(0);
  });
});

test("scores that are not numbers are an error", async () => {
  const tensor = { dtype: "f32", shape: [1, 2], data: Float32Array.of(1, Number.NaN) } as const;
  expect(await codeOf(async () => rowOfScores(tensor, 0))).toBe("scores-not-numbers");
});
