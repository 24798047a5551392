/**
 * The extensions of examples/extensions at work: small encoders with a policy, a score, an adapter and a
 * connector of one's own, run with random weights on the reference and as ONNX.
 */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { expectClose, readTensors, singleCloseness, type Tensors, tensorOf } from "../support/tensors.ts";

interface Small {
  readonly encoder: string;
  readonly file: string;
  readonly settings: string;
  readonly width: number;
  readonly depth: number;
  readonly extra: number;
  /** What the input's sizes are behind the batch. */
  readonly input: readonly number[];
  /** The end of the path of what projects to queries. */
  readonly target: string;
}

const encoders: readonly Small[] = [
  {
    encoder: "AstEncoder",
    file: "ast",
    settings: "frames: 64, bins: 32, width: 24, depth: 2, heads: 3, hidden: 48",
    ...{ width: 24, depth: 2, extra: 2, input: [64, 32], target: "attention.query" },
  },
  {
    encoder: "AudioMaeEncoder",
    file: "audiomae",
    settings: "frames: 64, bins: 32, width: 24, depth: 2, heads: 3, hidden: 48",
    ...{ width: 24, depth: 2, extra: 1, input: [1, 64, 32], target: "attn.qkv" },
  },
  {
    encoder: "EatEncoder",
    file: "eat",
    settings: "frames: 64, bins: 32, width: 24, depth: 2, heads: 3",
    ...{ width: 24, depth: 2, extra: 1, input: [64, 32], target: "attn.qkv" },
  },
  {
    encoder: "CavMaeEncoder",
    file: "cavmae",
    settings: "frames: 64, bins: 32, patch_width: 24, depth: 2, heads: 3",
    ...{ width: 24, depth: 2, extra: 0, input: [64, 32], target: "attn.qkv" },
  },
];

const policies = ["Nucleus(bound: 60%, at: [0])", "TopK(50%, at: [0], score: ValueNorm)"];

function program(small: Small, policy: string): string {
  const { encoder, file, settings, width, input, target } = small;
  return `
import { ${encoder} } from "ossicle/encoders/${file}.oss"
import { TopK } from "ossicle/policies/topk.oss"
import { AttentionPool } from "./attention-pool.oss"
import { LayeredLora } from "./layered-lora.oss"
import { Nucleus } from "./nucleus.oss"
import { ValueNorm } from "./value-norm.oss"

model Bare() {
  input spectrogram: f32[B, ${input.join(", ")}]
  audio = ${encoder}(${settings})
  entry run(spectrogram) -> tokens: f32[B, N, ${width}] = audio(spectrogram)
}

model Extended() {
  input spectrogram: f32[B, ${input.join(", ")}]
  audio = ${encoder}(${settings}) with ${policy} with LayeredLora([1, 2], on: ["${target}"])
  pool = AttentionPool(${width}, 5, 2)
  entry run(spectrogram) -> tokens: f32[B, M, ${width}], pooled: f32[B, P, 5] {
    let x = audio(spectrogram)
    (x, pool(x))
  }
}
`;
}

async function run(folder: string, model: string, input: unknown, target: string): Promise<Tensors> {
  const out = join(folder, `${model}-${target}.safetensors`);
  const { status, stderr } = await runHere([
    ...["run", join(folder, "program.oss"), "-m", model, "-e", "run", "--target", target],
    ...["--weights", "random:1", "--in", `spectrogram=${JSON.stringify(input)}`, "--out", out],
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return await readTensors(out);
}

/** Different numbers everywhere, in nested lists. */
function numbers([size = 0, ...rest]: readonly number[], seed: number): unknown[] {
  return Array.from({ length: size }, (_, i) => {
    const inner = seed * 31 + i + 1;
    return rest.length === 0 ? Math.sin(inner * 0.7) : numbers(rest, inner % 1009);
  });
}

describe.each(encoders)("$encoder", (small) => {
  test.each(policies)("with %s", { timeout: 120_000 }, async (policy) => {
    const folder = temporaryFolder();
    cpSync(join(root, "examples/extensions"), folder, { recursive: true });
    writeFileSync(join(folder, "program.oss"), program(small, policy));
    const input = numbers([2, ...small.input], 1);

    const bare = tensorOf(await run(folder, "Bare", input, "reference"), "tokens");
    const extended = await run(folder, "Extended", input, "reference");
    const [batch = 0, all = 0] = bare.shape;
    const keep = policy.startsWith("Nucleus") ? 0.6 : 0.5;
    const left = small.extra + Math.ceil(keep * (all - small.extra));
    expect(tensorOf(extended, "tokens").shape).toEqual([batch, left, small.width]);
    expect(tensorOf(extended, "pooled").shape).toEqual([batch, Math.floor(left / 2), 5]);
    // Each sound has results of its own.
    const { data, shape } = tensorOf(extended, "pooled");
    const half = shape.reduce((a, b) => a * b, 1) / 2;
    expect(Array.from(data.slice(0, half))).not.toEqual(Array.from(data.slice(half)));

    const compiled = await run(folder, "Extended", input, "onnx");
    for (const name of ["tokens", "pooled"]) {
      expectClose(tensorOf(compiled, name), tensorOf(extended, name), singleCloseness, name);
    }
  });
});
