/** The recorded cases of encoders that no classifier of 2504.01690 is built on, on both targets. */
import { describe, expect, test } from "vitest";
import {
  closenessOf,
  goldenFile,
  goldenOutputs,
  type RunRequest,
  runToTensors,
  type Target,
  targets,
} from "./support/golden.ts";
import { expectClose, tensorOf } from "./support/tensors.ts";

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
];

async function check({ name, input, values, ...request }: Case, target: Target): Promise<void> {
  const got = await runToTensors({
    ...request,
    weights: goldenFile(`${name}/weights.safetensors`),
    inputs: { [input]: goldenFile(`${name}/inputs.safetensors`) },
    taps: values.map(([path]) => path),
    target,
  });
  const want = await goldenOutputs(name);
  const result = [...got.keys()].filter((path) => values.every(([value]) => value !== path));
  expect(result).toHaveLength(1);
  for (const [path, tensor] of [...values, ...result.map((own) => [own, own] as const)]) {
    const what = `${name}: ${path} on ${target}`;
    expectClose(tensorOf(got, path), tensorOf(want, tensor), closenessOf(target), what);
  }
  expect(got.size).toBe(want.size);
}

describe.each(targets)("on %s", (target) => {
  test.each(cases.map((each) => [each.name, each] as const))("%s: every recorded value", (_, each) =>
    check(each, target),
  );
});
