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

/** Depth of a block of the sums: what six rows of it need stays in the first cache. */
const blockDepth = 512;
/** With fewer rows, turning `b` over costs more than it saves. */
const fewRows = 4;

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
  if (m < fewRows) {
    for (let i = 0; i < m; i++) meter.add(addRow(i, n, k, a, b, out));
    return;
  }
  const columns = turned(k, n, b);
  for (let start = 0; start < k; start += blockDepth) {
    const stop = Math.min(k, start + blockDepth);
    for (let j = 0; j < n; j += 2) {
      for (let i = 0; i < m; i += 4) {
        const whole = i + 4 <= m && j + 2 <= n;
        const tile = { i, j, n, k, start, stop };
        meter.add(whole ? addTile(tile, a, columns, out) : addEdge(tile, m, a, columns, out));
      }
    }
  }
}

/** One row of the result, from a row of `a` and all of `b`; returns its multiply-adds. */
function addRow(i: number, n: number, k: number, a: MatrixView, b: MatrixView, out: MatrixView): number {
  const row = out.data.subarray(out.offset + i * n, out.offset + (i + 1) * n);
  let done = 0;
  for (let l = 0; l < k; l++) {
    const factor = a.data[a.offset + i * k + l] ?? 0;
    const base = b.offset + l * n;
    let j = 0;
    for (; j < row.length; j++) row[j] = (row[j] ?? 0) + factor * (b.data[base + j] ?? 0);
    done += j;
  }
  return done;
}

/** Columns as rows, so that a sum reads both its factors in order. */
function turned(k: number, n: number, b: MatrixView): Float64Array {
  const columns = new Float64Array(n * k);
  for (let l = 0; l < k; l++) {
    const base = b.offset + l * n;
    for (let j = 0; j < n; j++) columns[j * k + l] = b.data[base + j] ?? 0;
  }
  return columns;
}

interface Tile {
  readonly i: number;
  readonly j: number;
  readonly n: number;
  readonly k: number;
  readonly start: number;
  readonly stop: number;
}

/** Four rows by two columns in eight variables: six reads for eight multiply-adds. */
function addTile(
  { i, j, n, k, start, stop }: Tile,
  a: MatrixView,
  columns: Float64Array,
  out: MatrixView,
): number {
  const { data } = a;
  const row0 = a.offset + i * k;
  const [row1, row2, row3] = [row0 + k, row0 + 2 * k, row0 + 3 * k];
  const [column0, column1] = [j * k, (j + 1) * k];
  let [s00, s01, s10, s11] = [0, 0, 0, 0];
  let [s20, s21, s30, s31] = [0, 0, 0, 0];
  let l = start;
  for (; l < stop; l++) {
    const b0 = columns[column0 + l] ?? 0;
    const b1 = columns[column1 + l] ?? 0;
    const a0 = data[row0 + l] ?? 0;
    s00 += a0 * b0;
    s01 += a0 * b1;
    const a1 = data[row1 + l] ?? 0;
    s10 += a1 * b0;
    s11 += a1 * b1;
    const a2 = data[row2 + l] ?? 0;
    s20 += a2 * b0;
    s21 += a2 * b1;
    const a3 = data[row3 + l] ?? 0;
    s30 += a3 * b0;
    s31 += a3 * b1;
  }
  const sums = [s00, s01, s10, s11, s20, s21, s30, s31];
  const corner = out.offset + i * n + j;
  sums.forEach((sum, at) => {
    const place = corner + (at >> 1) * n + (at & 1);
    out.data[place] = (out.data[place] ?? 0) + sum;
  });
  return (l - start) * sums.length;
}

/** What is left of a tile at the last rows and the last column. */
function addEdge(
  { i, j, n, k, start, stop }: Tile,
  m: number,
  a: MatrixView,
  columns: Float64Array,
  out: MatrixView,
): number {
  let done = 0;
  for (let row = i; row < Math.min(m, i + 4); row++) {
    for (let column = j; column < Math.min(n, j + 2); column++) {
      let sum = 0;
      let l = start;
      for (; l < stop; l++) sum += (a.data[a.offset + row * k + l] ?? 0) * (columns[column * k + l] ?? 0);
      const place = out.offset + row * n + column;
      out.data[place] = (out.data[place] ?? 0) + sum;
      done += l - start;
    }
  }
  return done;
}

/** The data in f64; itself when it is so already. */
export function doubles(data: ArrayLike<number>): Float64Array {
  return data instanceof Float64Array ? data : Float64Array.from(data);
}
