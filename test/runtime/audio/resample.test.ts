import { describe, expect, test } from "vitest";
import { resample } from "../../../src/runtime/audio/resample.ts";

function sine(frequency: number, rate: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / rate + 0.3));
}

const decibels = (amplitude: number) => 20 * Math.log10(amplitude);

/** Largest difference away from the ends, where the signal's sudden start and stop are heard too. */
function largestDifference(found: Float32Array, expected: (index: number) => number, margin: number): number {
  let largest = 0;
  for (let i = margin; i < found.length - margin; i++) {
    largest = Math.max(largest, Math.abs((found[i] ?? 0) - expected(i)));
  }
  return largest;
}

const pairs: [number, number][] = [
  [44100, 16000],
  [48000, 16000],
  [22050, 16000],
  [32000, 16000],
  [8000, 16000],
  [11025, 16000],
  [16000, 44100],
  [47999, 16000],
];

describe.each(pairs)("%i to %i Hz", (from, to) => {
  const length = Math.round(from / 20);
  const half = Math.min(from, to) / 2;
  const margin = Math.ceil((110 * to) / Math.min(from, to));

  test("what lies below half the lower rate is kept, in place, to -100 dB", () => {
    for (const share of [0.02, 0.5, 0.92]) {
      const frequency = share * half;
      const found = resample(sine(frequency, from, length), from, to);
      const expected = (i: number) => Math.sin((2 * Math.PI * frequency * i) / to + 0.3);
      expect(decibels(largestDifference(found, expected, margin))).toBeLessThan(-100);
    }
  });

  test("a constant stays as it is", () => {
    const found = resample(new Float32Array(length).fill(0.5), from, to);
    expect(largestDifference(found, () => 0.5, margin)).toBe(0);
  });

  test("the length is rounded up, however short the signal", () => {
    for (const n of [0, 1, 2, 3, 441, length]) {
      expect(resample(new Float32Array(n), from, to)).toHaveLength(Math.ceil((n * to) / from));
    }
  });

  test("a click comes out where it went in, alike on both sides", () => {
    const signal = new Float32Array(length);
    // The first position after the middle that falls on an output sample.
    const step = from / greatestCommonDivisor(from, to);
    const at = Math.ceil(length / 2 / step) * step;
    if (at >= length) return;
    signal[at] = 1;
    const found = resample(signal, from, to);
    const centre = Math.round((at * to) / from);
    expect(found.indexOf(Math.max(...found))).toBe(centre);
    for (let i = 1; i < 50; i++) expect(found[centre + i]).toBeCloseTo(found[centre - i] ?? Number.NaN, 6);
  });
});

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

// Going up, nothing lies above half the lower rate that the signal could hold.
describe.each(pairs.filter(([from, to]) => from > to))("down from %i to %i Hz", (from, to) => {
  test("what lies above half the lower rate is gone, to -100 dB", () => {
    const length = Math.round(from / 20);
    const margin = Math.ceil((110 * to) / Math.min(from, to));
    for (const share of [1.0005, 1.1, 1.35]) {
      const found = resample(sine((share * to) / 2, from, length), from, to);
      expect(decibels(largestDifference(found, () => 0, margin))).toBeLessThan(-100);
    }
  });
});

test("equal rates change nothing, not even the array", () => {
  const signal = sine(100, 16000, 10);
  expect(resample(signal, 16000, 16000)).toBe(signal);
});

test("the same input gives the same bytes", () => {
  const signal = sine(1234, 44100, 3000);
  expect(resample(signal, 44100, 16000)).toEqual(resample(signal.slice(), 44100, 16000));
});
