import { describe, expect, test } from "vitest";
import { hashUniform, pcgHash, seedWord } from "../../../src/compiler/ops/hash.ts";
import { erf, roundToEven, xor } from "../../../src/compiler/ops/special.ts";

/** erf by its Taylor series in fixed point: 80 decimal digits, so that nothing cancels away. */
function erfSeries(x: number): number {
  const scale = 10n ** 80n;
  const [mantissa, exponent] = exactFraction(x);
  const value = (mantissa * scale) >> exponent;
  const square = (value * value) / scale;
  let term = value;
  let sum = value;
  for (let n = 1n; term / (2n * n - 1n) !== 0n; n++) {
    term = (-term * square) / scale / n;
    sum += term / (2n * n + 1n);
  }
  return (Number(sum / 10n ** 60n) / 1e20) * (2 / Math.sqrt(Math.PI));
}

/** x = mantissa / 2^exponent exactly. */
function exactFraction(x: number): [bigint, bigint] {
  let exponent = 0n;
  let mantissa = x;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent += 1n;
  }
  return [BigInt(mantissa), exponent];
}

describe("erf", () => {
  test("agrees with its series to the last bits", () => {
    for (let x = -5.875; x <= 5.875; x += 0.0625) {
      const want = erfSeries(x);
      expect(Math.abs(erf(x) - want), `erf(${x})`).toBeLessThanOrEqual(
        5e-16 * Math.max(Math.abs(want), 1e-3),
      );
    }
  });

  test("at the joints of its three parts", () => {
    for (const x of [0.46875, 0.46875001, 4, 4.000001, 1e-9]) {
      expect(Math.abs(erf(x) - erfSeries(x))).toBeLessThanOrEqual(4e-16);
      expect(erf(-x)).toBe(-erf(x));
    }
  });

  test("at the ends", () => {
    expect(erf(0)).toBe(0);
    expect(erf(Number.POSITIVE_INFINITY)).toBe(1);
    expect(erf(-40)).toBe(-1);
    expect(erf(Number.NaN)).toBeNaN();
  });
});

test("halves round to the even number", () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 2.5001].map((x) => roundToEven(x) + 0)).toEqual([
    -2, -2, 0, 0, 2, 2, 2, 3,
  ]);
});

test("exclusive or beyond 32 bits", () => {
  expect(xor(2 ** 40 + 5, 2 ** 40 + 3)).toBe(6);
  expect(xor(-1, 2 ** 35)).toBe(-1 - 2 ** 35);
  expect(xor(-7, 3)).toBe(-7 ^ 3);
});

describe("the hash", () => {
  /** The published steps in 64-bit integers, as a target without wrap-around does them. */
  function inWideIntegers(index: number, seed: number): number {
    const wrap = (v: bigint) => BigInt.asUintN(32, v);
    const hash = (v: bigint) => {
      const state = wrap(v * 747796405n + 2891336453n);
      const word = wrap(((state >> ((state >> 28n) + 4n)) ^ state) * 277803737n);
      return (word >> 22n) ^ word;
    };
    return Number(hash(wrap(BigInt(index)) ^ hash(wrap(BigInt(seed)))) >> 8n) / 2 ** 24;
  }

  test("is the published one", () => {
    for (const seed of [0, 1, -1, 12345, 2 ** 33 + 1]) {
      for (const index of [0, 1, 2, -1, 4294967295, 2 ** 40 + 17]) {
        expect(hashUniform(index, seedWord(seed))).toBe(inWideIntegers(index, seed));
      }
    }
  });

  test("spreads evenly", () => {
    const bins = new Array<number>(16).fill(0);
    const word = seedWord(3);
    for (let i = 0; i < 16000; i++) {
      const value = hashUniform(i, word);
      bins[Math.floor(value * 16)] = (bins[Math.floor(value * 16)] ?? 0) + 1;
    }
    // 1000 expected in each; the standard deviation is about 31.
    for (const bin of bins) expect(Math.abs(bin - 1000)).toBeLessThan(150);
    expect(pcgHash(0)).not.toBe(pcgHash(1));
  });
});
