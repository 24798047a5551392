import { describe, expect, test } from "vitest";
import { normalQuantile } from "../../src/runtime/normal-quantile.ts";
import { type RandomInitializer, randomTensor, randomWeights } from "../../src/runtime/random-weights.ts";
import { codeOf } from "./support.ts";

const normal: RandomInitializer = { kind: "normal", mean: 0, std: 1 };
const draw = (initializer: RandomInitializer, count = 200_000, seed = 1, name = "w") =>
  randomTensor(seed, name, [count], initializer).data;

function moments(values: ArrayLike<number>): { mean: number; std: number; kurtosis: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  const power = (exponent: number) =>
    list.reduce((sum, value) => sum + (value - mean) ** exponent, 0) / list.length;
  return { mean, std: Math.sqrt(power(2)), kurtosis: power(4) / power(2) ** 2 };
}

describe("streams", () => {
  test("seed and name decide, and nothing else", () => {
    const first = draw(normal, 8);
    expect(draw(normal, 8)).toEqual(first);
    expect(draw(normal, 20).subarray(0, 8)).toEqual(first);
    expect(draw(normal, 8, 2)).not.toEqual(first);
    expect(draw(normal, 8, 1, "v")).not.toEqual(first);
  });

  test("these values never change: models tried with a seed can be tried again", () => {
    expect([...draw(normal, 4, 7, "backbone.layers.0.mixer.in_proj.weight")]).toMatchInlineSnapshot(`
      [
        0.39549288153648376,
        -0.500408411026001,
        1.0463553667068481,
        -0.48336276412010193,
      ]
    `);
    expect([...draw({ kind: "uniform", low: 0, high: 1 }, 4, 7, "x")]).toMatchInlineSnapshot(`
      [
        0.5860421061515808,
        0.769111692905426,
        0.8737436532974243,
        0.40734371542930603,
      ]
    `);
  });

  test("names that differ in one letter or in length are unrelated", () => {
    const columns = ["a", "b", "aa", "", "layers.0", "layers.1", "layers.10"].map((name) =>
      draw(normal, 20_000, 3, name),
    );
    for (const [i, left] of columns.entries()) {
      for (const right of columns.slice(i + 1)) {
        let product = 0;
        for (let k = 0; k < left.length; k++) product += (left[k] ?? 0) * (right[k] ?? 0);
        expect(Math.abs(product / left.length)).toBeLessThan(0.035);
      }
    }
  });

  test("neighbouring values are unrelated", () => {
    const values = draw(normal);
    let sum = 0;
    for (let i = 1; i < values.length; i++) sum += (values[i] ?? 0) * (values[i - 1] ?? 0);
    expect(Math.abs(sum / values.length)).toBeLessThan(0.01);
  });
});

describe("distributions", () => {
  test("zeros and ones", () => {
    expect([...draw({ kind: "zeros" }, 3)]).toEqual([0, 0, 0]);
    expect([...draw({ kind: "ones" }, 3)]).toEqual([1, 1, 1]);
  });

  test("normal", () => {
    const { mean, std, kurtosis } = moments(draw({ kind: "normal", mean: 3, std: 0.5 }));
    expect(mean).toBeCloseTo(3, 2);
    expect(std).toBeCloseTo(0.5, 2);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.05);
  });

  test("truncated normal: nothing beyond two deviations", () => {
    const values = draw({ kind: "truncated-normal", std: 0.02 });
    expect(Math.max(...values.slice(0, 50_000).map(Math.abs))).toBeLessThanOrEqual(0.04);
    // The deviation of a normal distribution cut at two of its own.
    expect(moments(values).std / 0.02).toBeCloseTo(0.8796, 2);
  });

  test("uniform", () => {
    const values = draw({ kind: "uniform", low: -2, high: 4 });
    const { mean, std } = moments(values);
    expect(mean).toBeCloseTo(1, 1);
    expect(std).toBeCloseTo(6 / Math.sqrt(12), 1);
    expect(values.every((value) => value >= -2 && value <= 4)).toBe(true);
  });

  // Checked against another implementation of the quantile.
  test.each([
    [2 ** -33, -6.337957754553789],
    [1e-5, -4.264890793922825],
    [0.01, -2.326347874040841],
    [0.0750001, -1.4395307645017297],
    [0.2, -0.8416212335729142],
    [0.5, 0],
    [0.925, 1.439531470938456],
  ])("the quantile of %f", (p, expected) => {
    expect(normalQuantile(p)).toBeCloseTo(expected, 13);
  });
});

test("as a source of weights", async () => {
  const source = randomWeights(5, new Map([["a", { shape: [2, 3], initializer: normal }]]));
  expect(source.label).toBe("random weights, seed 5");
  expect(source.names()).toEqual(["a"]);
  expect(source.info("a")).toEqual({ dtype: "f32", shape: [2, 3] });
  expect(source.info("b")).toBeUndefined();
  expect(await source.read("a")).toEqual(randomTensor(5, "a", [2, 3], normal));
  expect(await codeOf(() => source.read("b"))).toBe("weights-no-tensor");
});
