/**
 * Recorded cases with weights of 16 and of 8 bits: how far they may be from what other implementations recorded
 * (the bounds that docs/webgpu.md states), and a target against the reference on the same weights.
 */
import { expect } from "vitest";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { goldenOutputs, requestFor, runToTensors, type Target } from "./golden.ts";
import { inputOf, runMamba2, tiny } from "./mamba2.ts";
import { expectClose, singleCloseness, type Tensors, tensorOf } from "./tensors.ts";

/** Root mean square of the difference over that of what is wanted. */
const bounds = { f16: 0.0015, int8: 0.04 } as const;
export type Stored = keyof typeof bounds;

function relative(got: HostTensor, want: HostTensor): number {
  expect(got.shape).toEqual(want.shape);
  let [off, squares] = [0, 0];
  want.data.forEach((value, at) => {
    off += (value - (got.data[at] ?? Number.NaN)) ** 2;
    squares += value ** 2;
  });
  return Math.sqrt(off / squares);
}

interface StoredCase {
  readonly name: string;
  /** The recorded logits. */
  readonly want: string;
  run(target: Target, dtype: Stored): Promise<Tensors>;
}

const classifier = (name: string): StoredCase => ({
  name,
  want: "logits",
  run: (target, weightsDtype) => runToTensors({ ...requestFor(name, target), weightsDtype }),
});

export const storedCases: readonly StoredCase[] = [
  classifier("ast-tiny"),
  classifier("audiomae-tiny"),
  {
    name: tiny.name,
    want: "L37.logits",
    run: async (target, weightsDtype) => {
      const inputs = { tokens: inputOf(tiny, "L37.input_ids") };
      return (await runMamba2(tiny, target, { entry: "logits", inputs, weightsDtype })).tensors;
    },
  },
];

export async function checkStored(
  { name, want, run }: StoredCase,
  dtype: Stored,
  target: Target,
): Promise<void> {
  const recorded = tensorOf(await goldenOutputs(name), want);
  const reference = tensorOf(await run("reference", dtype), "logits");
  const off = relative(reference, recorded);
  expect(off).toBeLessThan(bounds[dtype]);
  // The weights did change.
  expect(off).toBeGreaterThan(bounds[dtype] / 100);
  const got = tensorOf(await run(target, dtype), "logits");
  expectClose(got, reference, singleCloseness, `${name} on ${target}`);
}
