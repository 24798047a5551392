/** Adapters that are chosen at run time: the recorded one, and several of different rank in one process. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { createOnnxSession } from "../src/runtime/onnx-session.ts";
import { randomTensor } from "../src/runtime/random-weights.ts";
import { writeSafetensors } from "../src/runtime/safetensors-writer.ts";
import { root, runHere, temporaryFolder } from "./support/cli.ts";
import { closenessOf, goldenFile, goldenInputs, goldenOutputs, targets } from "./support/golden.ts";
import { expectClose, readTensors, tensorOf } from "./support/tensors.ts";

const decoder = "Mamba2(depth: 2, width: 64, head_width: 16, state: 16, vocabulary: 128, chunk: 16)";
const lm = ["ossicle/decoders/mamba2-lm.oss", "--set", `decoder=${decoder}`];
const weights = ["--weights", goldenFile("lora-mamba2/weights.safetensors")];
const recorded = goldenFile("lora-mamba2");

async function succeeds(arguments_: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runHere(arguments_);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

/** Rank 3 in general and 5 for one part, rsLoRA, on parts that the recorded one does not touch too. */
async function anotherAdapter(): Promise<string> {
  const folder = temporaryFolder();
  const tensors = new Map<string, HostTensor>();
  const parts = [
    ["layers.0.mixer.in_proj", 3, 64, 2 * 128 + 2 * 16 + 8],
    ["layers.1.mixer.out_proj", 5, 128, 64],
  ] as const;
  for (const [part, rank, input, output] of parts) {
    const name = `base_model.model.backbone.${part}`;
    const drawn = { kind: "normal", mean: 0, std: 0.1 } as const;
    tensors.set(`${name}.lora_A.weight`, randomTensor(7, `${part}.a`, [rank, input], drawn));
    tensors.set(`${name}.lora_B.weight`, randomTensor(7, `${part}.b`, [output, rank], drawn));
  }
  const settings = { r: 3, lora_alpha: 4, use_rslora: true, rank_pattern: { out_proj: 5 } };
  const config = { peft_type: "LORA", target_modules: ["in_proj", "out_proj"], ...settings };
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(config));
  const chunks: Uint8Array[] = [];
  await writeSafetensors(tensors, {
    write: async (bytes) => {
      chunks.push(bytes.slice());
    },
  });
  writeFileSync(join(folder, "adapter_model.safetensors"), Buffer.concat(chunks));
  return folder;
}

describe.each(targets)("on %s", (target) => {
  const logits = async (adapters: readonly string[]): Promise<HostTensor> => {
    const out = join(temporaryFolder(), "out.safetensors");
    const tokens = `tokens=${goldenFile("lora-mamba2/inputs.safetensors")}:input_ids`;
    const request = ["run", ...lm, "-e", "logits", "--in", tokens, ...weights, "-t", target];
    await succeeds([...request, ...adapters, "--out", out]);
    return tensorOf(await readTensors(out), "logits");
  };

  test("the recorded adapter acts when it is used, and not otherwise", async () => {
    const want = await goldenOutputs("lora-mamba2");
    const live = ["--adapter", `a=${recorded}`];
    const acts = tensorOf(want, "lora.logits");
    expectClose(await logits(live), acts, closenessOf(target), "the first");
    expectClose(await logits([...live, "--use", "a"]), acts, closenessOf(target), "by name");
    const without = await logits([...live, "--use", "none"]);
    expectClose(without, tensorOf(want, "base.logits"), closenessOf(target), "none");
  });

  test("an adapter of another rank, scale and place is what it is merged", async () => {
    const other = await anotherAdapter();
    const merged = await logits(["--adapter", other]);
    expectClose(await logits(["--adapter", `b=${other}`]), merged, closenessOf(target), "alone");
    const both = ["--adapter", `a=${recorded}`, "--adapter", `b=${other}`, "--use", "b"];
    expectClose(await logits(both), merged, closenessOf(target), "beside another");
  });

  test("texts of one process, switched between them, are those of each merged", async () => {
    const other = await anotherAdapter();
    const request = ["generate", ...lm, ...weights, "-t", target, "--prompt-ids", "3,5,7", "-n", "8"];
    const generate = async (adapters: readonly string[]): Promise<Record<string, unknown>> =>
      JSON.parse(await succeeds([...request, "--stop-id", "127", "--json", ...adapters]));
    const named = ["--adapter", `a=${recorded}`, "--adapter", `b=${other}`];
    const uses = ["b", "a", "none", "b"].flatMap((name) => ["--use", name]);
    const { texts } = await generate([...named, ...uses]);
    const [a, b, none] = [
      (await generate(["--adapter", recorded]))["ids"],
      (await generate(["--adapter", other]))["ids"],
      (await generate([]))["ids"],
    ];
    expect(texts).toMatchObject([
      { adapter: "b", ids: b },
      { adapter: "a", ids: a },
      { adapter: null, ids: none },
      { adapter: "b", ids: b },
    ]);
    expect(new Set([a, b, none].map(String)).size).toBe(3);
    expect(await generate([...named, "--use", "b"])).toMatchObject({ adapter: "b", ids: b });
  });
});

test("compiled, base weights are written once and each adapter beside them", async () => {
  const out = join(temporaryFolder(), "out");
  const named = ["--adapter", `a=${recorded}`, "--adapter", `b=${await anotherAdapter()}`];
  await succeeds(["compile", ...lm, ...weights, "-e", "logits", ...named, "--out", out]);
  const tokens = tensorOf(await goldenInputs("lora-mamba2"), "input_ids");
  const want = await goldenOutputs("lora-mamba2");
  const session = await createOnnxSession(join(out, "logits.onnx"));
  const state = session.inputs.filter(({ name }) => name.startsWith("past."));
  const zeros = state.map(({ name, shape }): [string, HostTensor] => {
    const sizes = shape.map((size) => (typeof size === "number" ? size : (tokens.shape[0] ?? 1)));
    const data = new Float32Array(sizes.reduce((product, size) => product * size, 1));
    return [name, { dtype: "f32", shape: sizes, data }];
  });
  const adapter = await readTensors(join(out, "a.adapter.safetensors"));
  expect([...adapter.keys()].slice(0, 2)).toEqual([
    "backbone.layers.0.mixer.in_proj.lora_A",
    "backbone.layers.0.mixer.in_proj.lora_B",
  ]);
  const results = await session.run(new Map([["tokens", tokens], ...zeros, ...adapter]));
  await session.release();
  expectClose(tensorOf(results, "logits"), tensorOf(want, "lora.logits"), closenessOf("onnx"), "logits");
});

test("an adapter that the program merges itself leaves the way free for another", async () => {
  const fixture = ["-m", "Adapted", "--in", `input_ids=${goldenFile("lora-mamba2/inputs.safetensors")}`];
  for (const merged of ["true", "false"]) {
    const out = join(temporaryFolder(), "out.safetensors");
    const request = ["run", join(root, "test/fixtures/models/adapters.oss"), ...fixture, ...weights];
    const settings = ["-e", "logits", "-t", "reference", "--set", `merged=${merged}`, "--out", out];
    await succeeds([...request, ...settings, "--adapter", `a=${recorded}`]);
    const want = tensorOf(await goldenOutputs("lora-mamba2"), "lora.logits");
    expectClose(tensorOf(await readTensors(out), "logits"), want, closenessOf("reference"), merged);
  }
});

test("the program's own adapter takes one of its rank only, and says what else there is", async () => {
  const fixture = join(temporaryFolder(), "rank.oss");
  writeFileSync(
    fixture,
    `import { Lora } from "ossicle/adapters/lora.oss"
import { Mamba2 } from "ossicle/decoders/mamba2.oss"

model Adapted() {
  input input_ids: tokens[B, L]
  let decoder = ${decoder} with Lora(4, on: ["in_proj"])
  entry logits(input_ids) -> logits: f32[B, L, 128] = decoder.head(decoder(decoder.embed(input_ids)))
}
`,
  );
  const request = ["run", fixture, "--in", "input_ids=[[1, 2]]", "-w", "random:1", "--adapter"];
  const { status, stderr } = await runHere([...request, recorded]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/adapter-shape.*of rank 8 at .*in_proj.*of rank 4.*NAME=FOLDER/s);
  await succeeds([...request, `a=${recorded}`]);
});

test("what can't be chosen says so", async () => {
  const codes = async (arguments_: readonly string[]): Promise<string[]> => {
    const request = ["generate", ...lm, "--weights", "random:1", "--prompt-ids", "3", "--json"];
    const { status, stdout } = await runHere([...request, ...arguments_]);
    expect(status).toBe(1);
    return JSON.parse(stdout).diagnostics.map(({ code }: { code: string }) => code);
  };
  expect(await codes(["--use", "a"])).toEqual(["adapter-unknown"]);
  expect(await codes(["--adapter", `a=${recorded}`, "--use", "b"])).toEqual(["adapter-unknown"]);
  expect(await codes(["--adapter", recorded, "--adapter", recorded])).toEqual(["bad-adapter-option"]);
  expect(await codes(["--adapter", `none=${recorded}`])).toEqual(["bad-adapter-option"]);
  expect(await codes(["--adapter", "a=nowhere"])).toEqual(["file-not-found"]);
  const smaller = `decoder=${decoder.replace("width: 64", "width: 32")}`;
  const misfit = ["generate", lm[0] ?? "", "--set", smaller, "--weights", "random:1", "--prompt-ids", "3"];
  const { status, stderr } = await runHere([...misfit, "--adapter", `a=${recorded}`]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/adapter-shape.*does not fit backbone\.layers\.0\.mixer\.in_proj\.weight/);
  const folder = join(temporaryFolder(), "a=b");
  mkdirSync(folder);
  expect(await codes(["--adapter", folder])).toEqual(["file-not-found"]);
});
