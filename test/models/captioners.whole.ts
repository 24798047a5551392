/** Captioners of the library at small sizes, from sound to scores, on both targets. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, temporaryFolder } from "../support/cli.ts";
import { closenessOf, runToFile, runToTensors, type Target, targets } from "../support/golden.ts";
import { expectClose, readTensors, singleCloseness, type Tensors, tensorOf } from "../support/tensors.ts";

const audio = join(root, "test/golden/fbank-speech-short/audio.wav");

interface Captioned {
  readonly file: string;
  readonly model: string;
  readonly settings: Readonly<Record<string, string | number>>;
  /** How much of the recording is heard; all of it by default. */
  readonly seconds?: number;
}

/** The recording, or what it begins with. */
function heard({ seconds }: Pick<Captioned, "seconds">): string {
  if (seconds === undefined) return audio;
  const bytes = Buffer.from(readFileSync(audio));
  const length = seconds * 2 * 16_000;
  expect(bytes.toString("latin1", 36, 40)).toBe("data");
  bytes.writeUInt32LE(36 + length, 4);
  bytes.writeUInt32LE(length, 40);
  const path = join(temporaryFolder(), "beginning.wav");
  writeFileSync(path, bytes.subarray(0, 44 + length));
  return path;
}

/** Both targets, on drawn weights; they must agree on everything. */
async function described(given: Captioned, taps: readonly string[] = []): Promise<Tensors> {
  const run = (target: Target): Promise<Tensors> =>
    runToTensors({
      ...given,
      entry: "prefill",
      weights: "random:3",
      inputs: { audio: heard(given), prompt: "[[5, 1, 2]]" },
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

const llama = "Llama(width: 24, depth: 2, heads: 3, inner: 40, vocabulary: 48)";
const eat = "EatEncoder(frames: 128, width: 24, depth: 2, heads: 3)";
const cavMae = (also: string): string =>
  `CavMaeEncoder(frames: 128, patch_width: 24, depth: 4, heads: 3${also})`;

/** Those whose decoder attends, and how many tokens they make of what they hear. */
const attending: readonly (Captioned & { readonly tokens: number; readonly width: number })[] = [
  {
    file: "captioners/slam-aac.oss",
    model: "SlamAac",
    settings: { frames: 128, encoder: eat, decoder: llama },
    tokens: 13,
    width: 24,
  },
  {
    file: "captioners/ltu.oss",
    model: "Ltu",
    settings: { frames: 128, encoder: cavMae(""), decoder: llama },
    tokens: 4,
    width: 24,
  },
  {
    file: "captioners/gama.oss",
    model: "Gama",
    settings: {
      frames: 128,
      encoder: cavMae(", also: [1, 2]"),
      also: "[1, 2]",
      soft: 3,
      queries: 5,
      heads: 3,
      depth: 2,
      decoder: llama,
    },
    tokens: 3 + 5 + 8,
    width: 24,
  },
  {
    file: "captioners/salmonn.oss",
    model: "Salmonn",
    settings: {
      speech: "WhisperEncoder(width: 24, depth: 2, heads: 3, bins: 80, positions: 70)",
      sound: "BeatsEncoder(width: 24, depth: 2, heads: 3, embedded: 16, kernel: 8, kernel_groups: 4)",
      inner: 24,
      heads: 3,
      decoder: llama,
    },
    // 70 places for speech and 56 of sound; the last two places fill no window.
    seconds: 1.2,
    tokens: 4,
    width: 24,
  },
  {
    file: "captioners/hybrid.oss",
    model: "HybridCaptioner",
    settings: {
      frames: 128,
      encoding: eat,
      decoding:
        "Mamba2Attention(width: 32, depth: 4, at: [1, 3], heads: 3, head_dimension: 8, turned: 4, head_width: 16, state: 8, vocabulary: 48, chunk: 4)",
    },
    tokens: 8,
    width: 32,
  },
];

describe.each(attending)("$model", ({ tokens, width, ...given }) => {
  test("from sound to scores, on both targets", async () => {
    const got = await described(given);
    expect(tensorOf(got, "connector").shape).toEqual([1, tokens, width]);
    expect(tensorOf(got, "logits").shape).toEqual([1, 48]);
  });

  test.each(targets)("on %s, a step gives what a longer prompt does", async (target) => {
    const request = { ...given, weights: "random:3", target };
    const whole = await runToTensors({
      ...request,
      entry: "prefill",
      inputs: { audio: heard(given), prompt: "[[5, 1, 2, 7]]" },
    });
    const first = await runToFile({
      ...request,
      entry: "prefill",
      inputs: { audio: heard(given), prompt: "[[5, 1, 2]]" },
    });
    const kept = [...(await readTensors(first)).keys()].filter((name) => name.startsWith("present"));
    const past = kept.map((name) => [name.replace("present", "past"), `${first}:${name}`]);
    const inputs = { token: "[[7]]", ...Object.fromEntries(past) };
    const next = await runToTensors({ ...request, entry: "step", inputs });
    expect([...next.keys()].sort()).toEqual([...whole.keys()].sort());
    for (const [name, want] of whole) {
      expectClose(tensorOf(next, name), want, singleCloseness, `${given.model}: ${name} on ${target}`);
    }
  });
});
