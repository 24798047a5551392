/**
 * A text in one piece and in several: what comes out, and the states, are the same within the tolerance of
 * the scan; and ids that are chosen greedily are the recorded ones.
 *
 * Layers of the size of the smallest published model, fewer of them (mamba2-130m.full.ts takes all).
 */
import { afterAll, describe, expect, test } from "vitest";
import { ssd } from "../src/compiler/ops/ssd/index.ts";
import { openContinued, textOf, type Values } from "./support/continued.ts";
import { closenessOf, goldenFile, goldenInputs, goldenOutputs, type Target } from "./support/golden.ts";
import { tiny } from "./support/mamba2.ts";
import { expectClose, rowOf, tensorOf } from "./support/tensors.ts";

/** Lengths around the edges of chunks, and the shortest. */
const lengths = [1, 2, 15, 16, 17, 255, 256, 257, 600];
/** The reference computes every product in a loop: its long texts are in mamba2-130m.full.ts. */
const lengthsOn = (target: Target) => lengths.filter((length) => target !== "reference" || length < 100);
const depthOn = (target: Target): number => (target === "reference" ? 1 : 3);
const vocabulary = 512;

function expectSameEnd(got: Values, want: Values, what: string): void {
  expect([...got.keys()].sort()).toEqual([...want.keys()].sort());
  for (const [name, tensor] of want)
    expectClose(tensorOf(got, name), tensor, ssd.tolerance, `${what}: ${name}`);
}

describe.each(["reference", "onnx", "ort"] as const)("on %s", (target) => {
  // One for all lengths: it keeps nothing between calls.
  let opened: ReturnType<typeof openContinued> | undefined;
  let close = async (): Promise<void> => {};
  afterAll(() => close());
  const open = () =>
    openContinued(
      {
        file: "decoders/mamba2-lm.oss",
        settings: { decoder: `Mamba2(size: "130m", depth: ${depthOn(target)}, vocabulary: ${vocabulary})` },
        weights: "random:3",
        entries: ["prefill", "step", "extend"],
      },
      target,
      (done) => {
        close = done;
      },
    );

  test.each(lengthsOn(target))("%i ids, then one or more", async (length) => {
    opened ??= open();
    const model = await opened;
    const text = (from: number, count: number) => textOf(vocabulary, from, count);
    const start = await model.run("prefill", new Map([["tokens", text(0, length)]]));
    const whole = await model.run("prefill", new Map([["tokens", text(0, length + 1)]]));
    const step = await model.run("step", new Map([["token", text(length, 1)]]), start);
    expectSameEnd(step, whole, `a step after ${length}`);

    const more = target === "reference" ? 3 : 37;
    const longer = await model.run("prefill", new Map([["tokens", text(0, length + more)]]));
    const extended = await model.run("extend", new Map([["tokens", text(length, more)]]), start);
    const logits = rowOf(rowOf(tensorOf(extended, "logits"), 0), more - 1);
    const last = { ...logits, shape: [1, vocabulary] };
    expectSameEnd(new Map([...extended, ["logits", last]]), longer, `${more} after ${length}`);
  });

  test("greedy ids are the recorded ones", async () => {
    const model = await openContinued(
      {
        file: "decoders/mamba2-lm.oss",
        settings: { decoder: `Mamba2(depth: ${tiny.depth}, ${tiny.decoder})` },
        weights: goldenFile(`${tiny.name}/weights.safetensors`),
        entries: ["prefill", "step"],
      },
      target,
    );
    const wanted = await goldenOutputs(tiny.name);
    const ids = tensorOf(wanted, "greedy.new_ids").data;
    const scores = rowOf(tensorOf(wanted, "greedy.step_logits"), 0);
    const prompt = tensorOf(await goldenInputs(tiny.name), "greedy.prompt_ids");
    let last = await model.run("prefill", new Map([["tokens", prompt]]));
    for (let i = 0; i < ids.length; i++) {
      const logits = rowOf(tensorOf(last, "logits"), 0);
      expectClose(logits, rowOf(scores, i), closenessOf(target), `scores of id ${i} on ${target}`);
      const chosen = logits.data.indexOf(Math.max(...logits.data));
      expect(chosen, `id ${i}`).toBe(ids[i]);
      const token = { dtype: "i64", shape: [1, 1], data: Float64Array.of(chosen) } as const;
      last = await model.run("step", new Map([["token", token]]), last);
    }
  });
});
