/**
 * Tensors in tests: reading them from files and holding them to what they should be.
 *
 * Owns: the comparison |got - want| <= absolute + relative * |want|, and messages that say where.
 */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { bytesSource } from "../../src/runtime/byte-source.ts";
import { openSafetensors } from "../../src/runtime/safetensors.ts";

export type Tensors = ReadonlyMap<string, HostTensor>;

export interface Closeness {
  readonly absolute: number;
  readonly relative: number;
}

/** Computed in f64 and stored as f32. */
export const referenceCloseness: Closeness = { absolute: 1e-6, relative: 1e-6 };
/** Computed in f32, in any order. */
export const singleCloseness: Closeness = { absolute: 1e-4, relative: 1e-4 };

export async function readTensors(path: string): Promise<Tensors> {
  const file = await openSafetensors(bytesSource(path, new Uint8Array(readFileSync(path))));
  const tensors = new Map<string, HostTensor>();
  for (const name of file.names()) tensors.set(name, await file.read(name));
  return tensors;
}

/** The tensor of that name; its absence fails the test and says what is there. */
export function tensorOf(tensors: Tensors, name: string): HostTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`there is no ${name} among ${[...tensors.keys()].join(", ")}`);
  return tensor;
}

/** A slice of the first axis, which is dropped. */
export function rowOf(tensor: HostTensor, index: number): HostTensor {
  const shape = tensor.shape.slice(1);
  const size = tensor.data.length / (tensor.shape[0] ?? 1);
  return { dtype: tensor.dtype, shape, data: tensor.data.subarray(index * size, (index + 1) * size) };
}

/** Rows of one shape, one above the other along a new first axis. */
export function concatenated(rows: readonly HostTensor[]): HostTensor {
  const [first] = rows;
  if (first === undefined) throw new Error("there are no rows");
  const data = Float64Array.from(rows.flatMap((row) => [...row.data]));
  return { dtype: first.dtype, shape: [rows.length, ...first.shape], data };
}

export function reshaped(tensor: HostTensor, shape: readonly number[]): HostTensor {
  return { ...tensor, shape };
}

/** How many tensors of this file were compared, and which came nearest to what is allowed. */
const comparisons = { close: 0, same: 0, worst: 0, what: "" };

export function printComparisons(where: string): void {
  const { close, same, worst, what } = comparisons;
  const nearest = what === "" ? "" : `, the farthest at ${worst.toPrecision(3)} of what is allowed (${what})`;
  console.info(`${where}: ${close} tensors are close${nearest}; ${same} of integers are the same`);
}

export function expectClose(got: HostTensor, want: HostTensor, closeness: Closeness, what: string): void {
  expect(`${what} ${got.dtype}[${got.shape}]`).toBe(`${what} ${want.dtype}[${want.shape}]`);
  expect(got.data.length, `${what}: elements`).toBe(want.data.length);
  let worst = 0;
  let where = -1;
  for (let i = 0; i < want.data.length; i++) {
    const expected = want.data[i] ?? Number.NaN;
    const allowed = closeness.absolute + closeness.relative * Math.abs(expected);
    const excess = Math.abs((got.data[i] ?? Number.NaN) - expected) / allowed;
    // Also true for NaN, which compares with nothing.
    if (!(excess <= worst)) {
      worst = excess;
      where = i;
    }
  }
  comparisons.close += 1;
  if (worst > comparisons.worst) Object.assign(comparisons, { worst, what });
  const values = where < 0 ? "" : `: ${got.data[where]} instead of ${want.data[where]} at ${where}`;
  expect(worst, `${what} is off by a multiple of what is allowed${values}`).toBeLessThanOrEqual(1);
}

export function expectSame(got: HostTensor, want: HostTensor, what: string): void {
  comparisons.same += 1;
  expect({ what, dtype: got.dtype, shape: got.shape, data: Array.from(got.data) }).toEqual({
    what,
    dtype: want.dtype,
    shape: want.shape,
    data: Array.from(want.data),
  });
}
