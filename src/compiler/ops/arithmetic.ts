/**
 * The loops that multiply and add, and the meter that counts them.
 *
 * Owns: every multiply-add of the references. Calling a function per multiply-add would make an
 * encoder layer take minutes, so an inner loop runs and then reports its own trip count; the test
 * of this file holds that report to the reads the loop really makes.
 */
import type { Meter } from "./op.ts";

export class CountingMeter implements Meter {
  macs = 0;

  mac(acc: number, a: number, b: number): number {
    this.macs += 1;
    return acc + a * b;
  }

  add(count: number): void {
    this.macs += count;
  }
}

/** A row-major matrix inside a larger buffer. */
export interface MatrixView {
  readonly data: Float64Array;
  readonly offset: number;
}

/** Depth of a block: its rows of `b` stay in the first cache while every row of `a` passes. */
const blockDepth = 64;

/** out[m, n] += a[m, k] b[k, n]. Each element's sum runs over k in order. */
export function multiplyAdd(
  m: number,
  n: number,
  k: number,
  a: MatrixView,
  b: MatrixView,
  out: MatrixView,
  meter: Meter,
): void {
  for (let start = 0; start < k; start += blockDepth) {
    const stop = Math.min(k, start + blockDepth);
    for (let i = 0; i < m; i++) {
      const row = out.offset + i * n;
      for (let l = start; l < stop; l++) {
        const factor = a.data[a.offset + i * k + l] ?? 0;
        meter.add(scaleAdd(factor, b, l * n, out.data, row, n));
      }
    }
  }
}

/** out += factor * b, over `count` elements; returns how many it did. */
function scaleAdd(
  factor: number,
  b: MatrixView,
  from: number,
  out: Float64Array,
  to: number,
  count: number,
): number {
  const { data } = b;
  const base = b.offset + from;
  let done = 0;
  for (; done < count; done++) out[to + done] = (out[to + done] ?? 0) + factor * (data[base + done] ?? 0);
  return done;
}

/** The data in f64; itself when it is so already. */
export function doubles(data: ArrayLike<number>): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data);
}
