import { describe, expect, test } from "vitest";
import { CountingMeter, multiplyAdd } from "../../../src/compiler/ops/arithmetic.ts";
import { randomNumbers } from "../../support/samples.ts";

/** An array that counts how often its elements are read. */
function watched(data: Float64Array): { data: Float64Array; reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(data, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads += 1;
      return Reflect.get(target, key, target);
    },
  });
  return { data: proxy, reads: () => reads };
}

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
    [0, 3, 2],
    [2, 3, 0],
  ];

  test.each(shapes)("counts each multiply-add of %i x %i x %i that it executes", (m, n, k) => {
    const b = watched(random(k * n, 2));
    const meter = new CountingMeter();
    const out = new Float64Array(m * n);
    multiplyAdd(
      m,
      n,
      k,
      { data: random(m * k, 1), offset: 0 },
      { data: b.data, offset: 0 },
      { data: out, offset: 0 },
      meter,
    );
    // The inner loop reads one element of b for each multiply-add, and reads b nowhere else.
    expect(meter.macs).toBe(b.reads());
    expect(meter.macs).toBe(m * n * k);
  });

  test("gives the product, at offsets, on top of what was there", () => {
    const [m, n, k] = [3, 4, 70];
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
