/**
 * Writing samples in few words.
 *
 * Owns: constructors only. Operands are filled by the suite from a seeded generator.
 */
import type { Attributes } from "../../lang/catalog.ts";
import type { Sample, SampleOperand } from "./op.ts";

export const normal = (...shape: number[]): SampleOperand => ({ dtype: "f32", shape });

export const between = (low: number, high: number, ...shape: number[]): SampleOperand => ({
  dtype: "f32",
  shape,
  values: { kind: "uniform", low, high },
});

/** Integers from `low` to `high`, both included. */
export const wholes = (low: number, high: number, ...shape: number[]): SampleOperand => ({
  dtype: "i64",
  shape,
  values: { kind: "integers", low, high },
});

export const truthValues = (...shape: number[]): SampleOperand => ({
  dtype: "bool",
  shape,
  values: { kind: "integers", low: 0, high: 1 },
});

export const given = (
  dtype: SampleOperand["dtype"],
  shape: readonly number[],
  data: readonly number[],
): SampleOperand => ({
  dtype,
  shape,
  values: { kind: "given", data: Float64Array.from(data) },
});

export const sample = (operands: readonly SampleOperand[], attributes: Attributes = {}): Sample => ({
  operands,
  attributes,
});
