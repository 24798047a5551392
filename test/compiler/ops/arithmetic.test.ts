import { describe, expect, test } from "vitest";
import { CountingMeter, multiplyAdd } from "../../../src/compiler/ops/arithmetic.ts";
import { randomNumbers } from "../../support/samples.ts";

function random(count: number, seed: number): Float64Array {
  const next = randomNumbers(seed);
  return Float64Array.from({ length: count }, () => next() - 0.5);
}

describe("multiplyAdd", () => {
  const shapes: readonly (readonly [number, number, number])[] = [
    [1, 1, 1],
    [3, 5, 7],
    [2, 3, 131],
    [4, 1, 64],
    [4, 2, 1],
    [5, 7, 3],
    [11, 6, 517],
    [8, 4, 1024],
    [0, 3, 2],
    [2, 3, 0],
    [5, 0, 2],
  ];

  test.each(shapes)("counts each multiply-add of %i x %i x %i that it executes", (m, n, k) => {
    const meter = new CountingMeter();
    const ones = (count: number) => ({ data: new Float64Array(count).fill(1), offset: 0 });
    const out = new Float64Array(m * n);
    multiplyAdd(m, n, k, ones(m * k), ones(k * n), { data: out, offset: 0 }, meter);
    // Of ones, every multiply-add that was executed has added 1 to some element.
    expect(meter.macs).toBe(out.reduce((sum, value) => sum + value, 0));
    expect(meter.macs).toBe(m * n * k);
  });

  test.each([
    [3, 4, 70],
    [9, 5, 600],
  ])("gives the product of %i x %i x %i, at offsets, on top of what was there", (m, n, k) => {
    const a = random(2 + m * k, 3);
    const b = random(1 + k * n, 4);
    const out = new Float64Array(5 + m * n).fill(1);
    multiplyAdd(
      m,
      n,
      k,
      { data: a, offset: 2 },
      { data: b, offset: 1 },
      { data: out, offset: 5 },
      new CountingMeter(),
    );
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 1;
        for (let l = 0; l < k; l++) sum += (a[2 + i * k + l] ?? 0) * (b[1 + l * n + j] ?? 0);
        expect(out[5 + i * n + j]).toBeCloseTo(sum, 12);
      }
    }
    expect(out.slice(0, 5)).toEqual(new Float64Array(5).fill(1));
  });
});
