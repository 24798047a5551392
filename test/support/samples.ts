/**
 * Fills the operands of a sample from a seeded generator: the same numbers for every target.
 */
import { allocate, elementCount, type HostTensor } from "../../src/compiler/host-tensor.ts";
import type { Sample, SampleOperand } from "../../src/compiler/ops/op.ts";
import { isFloat } from "../../src/lang/types.ts";

/** Mulberry32: uniform in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Floats are rounded to f32, so that every target starts from the same values. */
export function sampleOperands(sample: Sample, seed: number): HostTensor[] {
  const random = randomNumbers(seed);
  return sample.operands.map((operand) => fillOperand(operand, random));
}

export function fillOperand(operand: SampleOperand, random: () => number): HostTensor {
  const tensor = allocate(operand.dtype, operand.shape);
  const values = operand.values ?? { kind: "normal" as const };
  for (let i = 0; i < elementCount(operand.shape); i++) {
    const value = draw(values, i, random);
    tensor.data[i] = isFloat(operand.dtype) ? Math.fround(value) : value;
  }
  return tensor;
}

function draw(values: NonNullable<SampleOperand["values"]>, index: number, random: () => number): number {
  switch (values.kind) {
    case "normal":
      return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    case "uniform":
      return values.low + (values.high - values.low) * random();
    case "integers":
      return values.low + Math.floor((values.high - values.low + 1) * random());
    case "given":
      return values.data[index] ?? 0;
  }
}
