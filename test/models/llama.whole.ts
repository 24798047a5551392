/** LLaMA, against a recorded run of another implementation, and its counts at full size. */
import { describe, expect, test } from "vitest";
import { Counted } from "../../examples/figures/count.ts";
import {
  closenessOf,
  goldenFile,
  goldenInputs,
  goldenOutputs,
  runToFile,
  type Target,
  targets,
} from "../support/golden.ts";
import { expectClose, readTensors, rowOf, tensorOf } from "../support/tensors.ts";

const file = "decoders/llama.oss";
const settings = { decoder: "Llama(width: 32, depth: 3, heads: 4, inner: 48, vocabulary: 64)" };
const weights = goldenFile("llama-tiny/weights.safetensors");

describe.each(targets)("on %s", (target) => {
  test("a whole text", async () => {
    const tokens = goldenFile("llama-tiny/inputs.safetensors:input_ids");
    const found = await readTensors(await run(target, "logits", { tokens }));
    const want = await goldenOutputs("llama-tiny");
    expectClose(tensorOf(found, "logits"), tensorOf(want, "logits"), closenessOf(target), "logits");
  });

  test("in steps, each from the keys and values of those before it", async () => {
    const ids = tensorOf(await goldenInputs("llama-tiny"), "input_ids");
    const [rows = 0, length = 0] = ids.shape;
    const columns = (from: number, to: number): string =>
      JSON.stringify(
        Array.from({ length: rows }, (_, row) => [...ids.data.slice(row * length + from, row * length + to)]),
      );
    const logits = tensorOf(await goldenOutputs("llama-tiny"), "logits");
    const start = 6;
    let last = await run(target, "prefill", { tokens: columns(0, start) });
    for (let position = start - 1; ; position++) {
      const found = tensorOf(await readTensors(last), "logits");
      for (let row = 0; row < rows; row++) {
        const want = rowOf(rowOf(logits, row), position);
        expectClose(rowOf(found, row), want, closenessOf(target), `position ${position}`);
      }
      if (position === length - 1) break;
      const token = columns(position + 1, position + 2);
      last = await run(target, "step", { token, past: `${last}:present` });
    }
  });
});

function run(target: Target, entry: string, inputs: Readonly<Record<string, string>>): Promise<string> {
  return runToFile({ file, entry, settings, weights, inputs, target });
}

describe("as large as LLaMA-2-7B", () => {
  const step = (past: number): Counted =>
    new Counted({ file: `ossicle/${file}`, model: "LlamaLm", entry: "step", at: { B: 1, P: past } });

  test("6,738,415,616 parameters", () => {
    expect(step(1).measure("params")).toBe(6_738_415_616);
  });

  test("a token multiplies by every matrix but the embedding, and attends to what was kept", () => {
    const [width, depth, inner, vocabulary] = [4096, 32, 11008, 32000];
    const linear = depth * (4 * width ** 2 + 3 * width * inner) + width * vocabulary;
    for (const past of [1, 511, 4095]) {
      expect(step(past).ofKind("linear")).toBe(linear);
      expect(step(past).ofKind("attention")).toBe(depth * 2 * (past + 1) * width);
      expect(step(past).macs()).toBe(linear + depth * 2 * (past + 1) * width);
    }
  });

  test("with the adapters of LTU: all its parameters but those of its encoder and projection", () => {
    const file = "examples/figures/models.oss";
    const ltu = new Counted({ file, model: "LtuDecoder", entry: "step", at: { B: 1, P: 1 } });
    expect(ltu.measure("trainable")).toBe(32 * 2 * 8 * (4096 + 4096));
    // As its authors count: 93,065,216 are trained, those of the encoder and the adapters among them.
    expect(ltu.measure("params") - ltu.measure("trainable")).toBe(6_831_480_832 - 93_065_216);
    expect(ltu.macs()).toBe(step(1).macs());
  });
});
