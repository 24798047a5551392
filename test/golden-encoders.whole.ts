/** The recorded cases of encoders, but for those of arXiv:2504.01690, and of a decoder with attention, on both targets. */
import { describe, expect, test } from "vitest";
import {
  closenessOf,
  goldenFile,
  goldenInputs,
  goldenOutputs,
  type RunRequest,
  runToTensors,
  type Target,
  targets,
} from "./support/golden.ts";
import { expectClose, singleCloseness, tensorOf } from "./support/tensors.ts";

/** A case, the request that runs it, and which value of the model is which tensor of the case. */
interface Case extends Pick<RunRequest, "file" | "entry" | "model" | "settings"> {
  readonly name: string;
  readonly input: string;
  readonly values: readonly (readonly [path: string, tensor: string])[];
}

const layers = (depth: number, path: string): (readonly [string, string])[] =>
  Array.from({ length: depth }, (_, index) => [`${path}.${index}`, `hidden.layer${index}`]);

const cases: readonly Case[] = [
  {
    name: "eat-tiny",
    file: "classifiers/eat.oss",
    model: "EatClassifier",
    entry: "forward",
    input: "spectrogram",
    settings: { frames: 128, bins: 64, labels: 7, width: 48, depth: 4, heads: 4, at: "[]", longest: 192 },
    values: [["model.pre_norm", "embeddings"], ...layers(4, "model.blocks")],
  },
  {
    name: "whisper-tiny",
    file: "../test/fixtures/models/encoders.oss",
    model: "Whisper",
    entry: "forward",
    input: "input_features",
    settings: {
      encoder: "WhisperEncoder(width: 32, depth: 3, heads: 4, hidden: 64, bins: 16, positions: 20)",
    },
    values: layers(3, "layers"),
  },
  {
    name: "beats-tiny",
    file: "../test/fixtures/models/encoders.oss",
    model: "Beats",
    entry: "forward",
    input: "fbank",
    settings: {
      encoder:
        "BeatsEncoder(bins: 64, width: 24, depth: 3, heads: 3, hidden: 48, embedded: 16, kernel: 8, kernel_groups: 4, buckets: 32, furthest: 40)",
    },
    values: [["encoder.layer_norm", "embedded"], ...layers(3, "encoder.layers")],
  },
  {
    name: "htsat-tiny",
    file: "../test/fixtures/models/encoders.oss",
    model: "Htsat",
    entry: "forward",
    input: "spectrogram",
    settings: {
      encoder:
        "HtsatEncoder(frames: 500, bins: 32, image: 128, first: 8, depths: [2, 2, 2, 2], heads: [2, 2, 4, 4], window: 4)",
    },
    values: [["patch_embed.norm", "embedded"], ...layers(4, "layers")],
  },
  {
    // A decoder; its layers are recorded in the same way.
    name: "hybrid-tiny",
    file: "../test/fixtures/models/decoders.oss",
    model: "Hybrid",
    entry: "logits",
    input: "tokens",
    values: [0, 1, 2].map(
      (index) => [`backbone.layers.${index}${index === 1 ? ".0" : ""}`, `hidden.layer${index}`] as const,
    ),
  },
];

async function check({ name, input, values, ...request }: Case, target: Target): Promise<void> {
  const all = await runToTensors({
    ...request,
    weights: goldenFile(`${name}/weights.safetensors`),
    inputs: { [input]: `${goldenFile(`${name}/inputs.safetensors`)}:${input}` },
    taps: values.map(([path]) => path),
    target,
  });
  // A state that is left is no value of the case.
  const got = new Map([...all].filter(([path]) => !path.startsWith("present.")));
  const want = await goldenOutputs(name);
  const result = [...got.keys()].filter((path) => values.every(([value]) => value !== path));
  expect(result).toHaveLength(1);
  for (const [path, tensor] of [...values, ...result.map((own) => [own, own] as const)]) {
    const what = `${name}: ${path} on ${target}`;
    expectClose(tensorOf(got, path), tensorOf(want, tensor), closenessOf(target), what);
  }
  const recorded = [...want.keys()].filter(
    (tensor) => !tensor.startsWith("features8") && !tensor.startsWith("features1"),
  );
  expect(got.size).toBe(recorded.length);
}

describe.each(targets)("on %s", (target) => {
  test.each(cases.map((each) => [each.name, each] as const))("%s: every recorded value", (_, each) =>
    check(each, target),
  );

  test.each([80, 128])("Whisper's features, %i bands", async (bins) => {
    const got = await runToTensors({
      file: "../test/fixtures/models/encoders.oss",
      model: "Whisper",
      entry: "features",
      settings: { bins },
      inputs: { audio: goldenFile("fbank-speech-short/audio.wav") },
      target,
    });
    const features = tensorOf(got, "input_features");
    expect(features.shape).toEqual([1, bins, 3000]);
    const frames = [...tensorOf(await goldenInputs("whisper-tiny"), "frames").data];
    const data = Array.from({ length: bins }, (_, band) =>
      frames.map((frame) => features.data[band * 3000 + frame] ?? Number.NaN),
    );
    const want = tensorOf(await goldenOutputs("whisper-tiny"), `features${bins}`);
    // The recorded ones are logarithms rounded to float32, and of few of the 80 dB.
    const closeness = target === "reference" ? { absolute: 2e-6, relative: 0 } : singleCloseness;
    expectClose({ ...want, data: Float64Array.from(data.flat()) }, want, closeness, "features");
  });
});
