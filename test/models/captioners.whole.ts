/** Captioners of the library at small sizes, from sound to scores, on both targets. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../support/cli.ts";
import { closenessOf, runToTensors, type Target } from "../support/golden.ts";
import { expectClose, type Tensors, tensorOf } from "../support/tensors.ts";

const audio = join(root, "test/golden/fbank-speech-short/audio.wav");

interface Captioned {
  readonly file: string;
  readonly model: string;
  readonly settings: Readonly<Record<string, string | number>>;
}

/** Both targets, on drawn weights; they must agree on everything. */
async function described(given: Captioned, taps: readonly string[] = []): Promise<Tensors> {
  const run = (target: Target): Promise<Tensors> =>
    runToTensors({
      ...given,
      entry: "prefill",
      weights: "random:3",
      inputs: { audio, prompt: "[[5, 1, 2]]" },
      taps: ["connector", ...taps],
      target,
    });
  const reference = await run("reference");
  const onnx = await run("onnx");
  expect([...onnx.keys()]).toEqual([...reference.keys()]);
  for (const [path, want] of reference) {
    expectClose(tensorOf(onnx, path), want, closenessOf("onnx"), `${given.model}: ${path}`);
  }
  return reference;
}

describe("SAM", () => {
  const file = "captioners/sam.oss";
  const settings = {
    frames: 128,
    encoder: "EatEncoder(frames: 128, width: 32, depth: 4, heads: 4)",
    decoder: "Mamba2(depth: 2, width: 32, head_width: 16, state: 8, vocabulary: 64)",
    at: "[1, 2]",
  };
  const sam = (more: Readonly<Record<string, string | number>>): Captioned => ({
    file,
    model: "Sam",
    settings: { ...settings, ...more },
  });

  // 8 times of 8 frequencies: a separator stands between groups.
  test.each([
    ["concat", 8],
    ["time", 64 + 7],
    ["frequency", 64 + 7],
    ["each", 64],
  ])("%s", async (arrangement, tokens) => {
    const got = await described(sam({ arrangement }));
    expect(tensorOf(got, "connector").shape).toEqual([1, tokens, 32]);
    expect(tensorOf(got, "logits").shape).toEqual([1, 64]);
  });

  test("what pruning leaves reaches the decoder in its original order, unless told otherwise", async () => {
    const pruned = { arrangement: "each", keep: "50%" };
    const places = ["encoder.model.blocks.1.tokens.origin", "encoder.model.blocks.2.tokens.origin"];
    const original = await described(sam(pruned), places);
    const scored = await described(sam({ ...pruned, order: "score" }), places);
    const last = "encoder.model.blocks.2.tokens.origin";
    const kept = [...tensorOf(original, last).data];
    expect(kept).toHaveLength(16);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    const ranked = [...tensorOf(scored, last).data];
    expect(ranked).not.toEqual(kept);
    expect([...ranked].sort((a, b) => a - b)).toEqual(kept);
    expect(tensorOf(original, "connector").shape).toEqual([1, 16, 32]);
  });

  test("the connector keeps its share of every stretch of time", async () => {
    const origin = "connector.tokens.origin";
    const got = await described(sam({ arrangement: "each", hand_on: "25%", segments: 4 }), [origin]);
    const kept = [...tensorOf(got, origin).data];
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(
      [0, 1, 2, 3].map((part) => kept.filter((place) => Math.floor(place / 16) === part).length),
    ).toEqual([4, 4, 4, 4]);
  });
});
