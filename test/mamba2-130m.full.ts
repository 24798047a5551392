/**
 * The smallest published Mamba-2 at its full size and depth, with random weights: a text in one piece and
 * in two; and the long texts that the reference takes too long for elsewhere, in one layer of that size.
 */
import { describe, expect, test } from "vitest";
import { ssd } from "../src/compiler/ops/ssd/index.ts";
import { openContinued, textOf } from "./support/continued.ts";
import type { Target } from "./support/golden.ts";
import { expectClose, tensorOf } from "./support/tensors.ts";

async function check(decoder: string, vocabulary: number, target: Target, lengths: readonly number[]) {
  const entries = ["prefill", "step"];
  const settings = { decoder };
  const file = "decoders/mamba2-lm.oss";
  const model = await openContinued({ file, settings, weights: "random:3", entries }, target);
  for (const length of lengths) {
    const start = await model.run("prefill", new Map([["tokens", textOf(vocabulary, 0, length)]]));
    const whole = await model.run("prefill", new Map([["tokens", textOf(vocabulary, 0, length + 1)]]));
    const step = await model.run("step", new Map([["token", textOf(vocabulary, length, 1)]]), start);
    expect([...step.keys()].sort()).toEqual([...whole.keys()].sort());
    for (const [name, tensor] of whole) {
      expectClose(tensorOf(step, name), tensor, ssd.tolerance, `${name} after ${length} on ${target}`);
    }
  }
}

describe.each(["onnx", "ort"] as const)("at full size on %s", (target) => {
  test("prefill and a step are one prefill", () =>
    check('Mamba2(size: "130m")', 50288, target, [1, 2, 15, 16, 17, 255, 256, 257, 600]));
});

test("long texts on the reference, in one layer", () =>
  check('Mamba2(size: "130m", depth: 1, vocabulary: 512)', 512, "reference", [255, 256, 257, 600]));
