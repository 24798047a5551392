/**
 * What ssd means, in f64: the recurrence for one step, chunks for sequences.
 *
 * Owns: both, for one sequence at a time. In chunks a position meets those before it in two ways:
 * those of its own chunk pair by pair, all earlier ones through the state at the chunk's start
 * (arXiv:2405.21060, section 6).
 */
import { Dim } from "../../../lang/dims.ts";
import { allocate, type HostTensor } from "../../host-tensor.ts";
import { doubles, multiplyAdd } from "../arithmetic.ts";
import type { ReferenceContext } from "../op.ts";
import { chunksOf, isStep } from "./form.ts";

type Meter = ReferenceContext["meter"];

/** One call, with every operand in f64. `B` and `C` as in the paper: into the state, and out of it. */
interface Call {
  readonly length: number;
  readonly heads: number;
  readonly width: number;
  readonly groups: number;
  readonly state: number;
  readonly x: Float64Array;
  readonly dt: Float64Array;
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly C: Float64Array;
  readonly D: Float64Array;
  readonly y: Float64Array;
  readonly meter: Meter;
}

export function reference(
  operands: readonly HostTensor[],
  { attributes, results, meter, declared }: ReferenceContext,
): readonly HostTensor[] {
  const [x, dt, A, B, C, D, before] = operands;
  const [result, kept] = results;
  if (!x || !dt || !A || !B || !C || !D || !result || !kept) return [];
  const [batch = 0, length = 0, heads = 0, width = 0] = x.shape;
  const [, , groups = 1, state = 0] = B.shape;
  const y = allocate(result.dtype, result.shape);
  const after = allocate(kept.dtype, kept.shape);
  if (before) after.data.set(before.data);
  const call = { length, heads, width, groups, state, meter };
  const all = { x: doubles(x.data), dt: doubles(dt.data), B: doubles(B.data), C: doubles(C.data) };
  const shared = { A: doubles(A.data), D: doubles(D.data) };
  const [out, states] = [doubles(y.data), doubles(after.data)];
  const chunk = chunksOf(Dim.of(length), attributes).length.constant ?? length;
  const step = isStep(declared?.[0]?.shape[1] ?? Dim.of(length));
  for (let b = 0; b < batch; b++) {
    const part = (data: Float64Array, size: number) => data.subarray(b * size, (b + 1) * size);
    const one: Call = {
      ...call,
      ...shared,
      x: part(all.x, length * heads * width),
      dt: part(all.dt, length * heads),
      B: part(all.B, length * groups * state),
      C: part(all.C, length * groups * state),
      y: part(out, length * heads * width),
    };
    const h = part(states, heads * width * state);
    if (step) runStep(one, h);
    else for (let start = 0; start < length; start += chunk) runChunk(one, h, start, chunk);
  }
  return [y, after];
}

/** h = exp(dt A) h + dt x ⊗ B and y = h C + D x, for every head; `states` is [heads, width, state]. */
function runStep(call: Call, states: Float64Array): void {
  const { heads, width, groups, state, meter } = call;
  for (let head = 0; head < heads; head++) {
    const group = Math.floor((head * groups) / heads) * state;
    const dt = call.dt[head] ?? 0;
    const decay = Math.exp(dt * (call.A[head] ?? 0));
    const first = head * width;
    const h = { data: states, offset: first * state };
    for (let i = 0; i < width * state; i++) states[h.offset + i] = (states[h.offset + i] ?? 0) * decay;
    const input = call.x.subarray(first, first + width).map((value) => value * dt);
    multiplyAdd(width, state, 1, { data: input, offset: 0 }, { data: call.B, offset: group }, h, meter);
    const y = { data: call.y, offset: first };
    multiplyAdd(width, 1, state, h, { data: call.C, offset: group }, y, meter);
    addSkip(call, head, 0);
  }
}

/** y += D x, for one head at one time. */
function addSkip({ heads, width, x, D, y, meter }: Call, head: number, time: number): void {
  const first = (time * heads + head) * width;
  for (let i = first; i < first + width; i++) y[i] = meter.mac(y[i] ?? 0, D[head] ?? 0, x[i] ?? 0);
}

/** `size` positions from `start`; those past the end are zeros, and change nothing. */
function runChunk(call: Call, states: Float64Array, start: number, size: number): void {
  const { length, heads, width, groups, state, meter } = call;
  const used = Math.min(size, length - start);
  const perGroup = heads / groups;
  for (let group = 0; group < groups; group++) {
    const rows = (data: Float64Array) =>
      columnsOf(data, groups * state, group * state, state, start, used, size);
    const [B, C] = [rows(call.B), rows(call.C)];
    const scores = new Float64Array(size * size);
    multiplyAdd(size, size, state, at(C), at(transposed(B, size, state)), at(scores), meter);
    for (let head = group * perGroup; head < (group + 1) * perGroup; head++) {
      const sums = new Float64Array(size);
      const X = columnsOf(call.x, heads * width, head * width, width, start, used, size);
      for (let t = 0, sum = 0; t < size; t++) {
        const dt = t < used ? (call.dt[(start + t) * heads + head] ?? 0) : 0;
        sum += dt * (call.A[head] ?? 0);
        sums[t] = sum;
        for (let p = 0; p < width; p++) X[t * width + p] = (X[t * width + p] ?? 0) * dt;
      }
      const h = { data: states, offset: head * width * state };
      const own = states.slice(h.offset, h.offset + width * state);
      // 1. from the state at the chunk's start
      const Y = new Float64Array(size * width);
      multiplyAdd(size, width, state, at(C), at(transposed(own, width, state)), at(Y), meter);
      for (let t = 0; t < size; t++) {
        const decay = Math.exp(sums[t] ?? 0);
        for (let p = 0; p < width; p++) Y[t * width + p] = (Y[t * width + p] ?? 0) * decay;
      }
      // 2. from the positions of the chunk itself
      multiplyAdd(size, width, size, at(decayed(scores, sums)), at(X), at(Y), meter);
      for (let t = 0; t < used; t++) {
        const to = ((start + t) * heads + head) * width;
        call.y.set(Y.subarray(t * width, (t + 1) * width), to);
        addSkip(call, head, start + t);
      }
      // 3. the state at its end
      const last = sums[size - 1] ?? 0;
      for (let i = 0; i < own.length; i++) states[h.offset + i] = (own[i] ?? 0) * Math.exp(last);
      for (let t = 0; t < size; t++) {
        const decay = Math.exp(last - (sums[t] ?? 0));
        for (let p = 0; p < width; p++) X[t * width + p] = (X[t * width + p] ?? 0) * decay;
      }
      multiplyAdd(width, state, size, at(transposed(X, size, width)), at(B), h, meter);
    }
  }
}

const at = (data: Float64Array) => ({ data, offset: 0 });

/** Some columns of a matrix, from row `start` on; `size` rows, of which the last are zeros past `used`. */
function columnsOf(
  data: Float64Array,
  stride: number,
  first: number,
  count: number,
  start: number,
  used: number,
  size: number,
): Float64Array {
  const out = new Float64Array(size * count);
  for (let t = 0; t < used; t++) {
    const from = (start + t) * stride + first;
    out.set(data.subarray(from, from + count), t * count);
  }
  return out;
}

function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
}

/** Scores [size, size] times what is left at t of s ≤ t: exp(sums[t] - sums[s]). */
function decayed(scores: Float64Array, sums: Float64Array): Float64Array {
  const size = sums.length;
  const out = new Float64Array(size * size);
  for (let t = 0; t < size; t++) {
    for (let s = 0; s <= t; s++) {
      out[t * size + s] = (scores[t * size + s] ?? 0) * Math.exp((sums[t] ?? 0) - (sums[s] ?? 0));
    }
  }
  return out;
}
