/** `ossicle weights`: every form of a checkpoint is the same checkpoint. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile } from "../support/golden.ts";
import { tiny } from "../support/mamba2.ts";
import { readTensors } from "../support/tensors.ts";
import { op, pickled, stateDict, stored, type TorchTensor, torchFile } from "../support/torch-file.ts";

const golden = goldenFile("mamba2-tiny/weights.safetensors");
const model = [
  "ossicle/decoders/mamba2-lm.oss",
  ...["--set", `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`],
];
let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});

async function json(...arguments_: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runHere(["weights", ...arguments_, "--json"]);
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

async function codes(...arguments_: readonly string[]): Promise<string[]> {
  const { stdout } = await runHere([...arguments_, "--json"]);
  return JSON.parse(stdout).diagnostics.map(({ code }: { code: string }) => code);
}

/** The recorded weights as PyTorch would save them. */
async function asTorch(): Promise<Uint8Array> {
  const tensors: Record<string, TorchTensor> = {};
  const storages: Record<string, readonly number[]> = {};
  for (const [name, { shape, data }] of await readTensors(golden)) {
    const key = `${Object.keys(tensors).length}`;
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, size) => product * size, 1),
    );
    tensors[name] = { type: "torch.FloatStorage", key, shape, strides };
    storages[key] = stored(Float32Array.from(data));
  }
  return torchFile(pickled(stateDict(tensors)), storages);
}

test("list names what is there, in words and as JSON", async () => {
  const { stdout } = await runHere(["weights", "list", golden]);
  expect(stdout).toMatch(/^backbone\.embeddings\.weight +f32\[128, 64\]$/m);
  expect(stdout).toMatch(/ tensors, \d+ numbers \(safetensors\)\n$/);
  expect(await json("list", golden)).toMatchObject({ format: "safetensors", command: "weights" });
});

describe("convert and check", () => {
  test("PyTorch's form, shards and a folder are the same weights", async () => {
    const bin = join(folder, "pytorch_model.bin");
    writeFileSync(bin, await asTorch());
    const out = join(folder, "out.safetensors");
    expect(await json("convert", bin, out)).toMatchObject({ written: out });
    expect(await readTensors(out)).toEqual(await readTensors(golden));
    expect(await json("check", ...model, bin)).toMatchObject({ model: "Mamba2Lm" });
    expect(await json("check", ...model, folder)).toMatchObject({ model: "Mamba2Lm" });

    const names = [...(await readTensors(golden)).keys()];
    const sharded = join(folder, "sharded");
    mkdirSync(sharded);
    writeFileSync(join(sharded, "one.safetensors"), readFileSync(golden));
    const index = { weight_map: Object.fromEntries(names.map((name) => [name, "one.safetensors"])) };
    writeFileSync(join(sharded, "model.safetensors.index.json"), JSON.stringify(index));
    const second = join(folder, "second.safetensors");
    await json("convert", sharded, second);
    expect(readFileSync(second)).toEqual(readFileSync(out));
  });

  test("--dtype rounds", async () => {
    const out = join(folder, "half.safetensors");
    await json("convert", golden, out, "--dtype", "bf16");
    for (const tensor of (await readTensors(out)).values()) expect(tensor.dtype).toBe("bf16");
    expect(await json("check", ...model, out)).toMatchObject({ model: "Mamba2Lm" });
  });

  test("a checkpoint of another size does not fit, and says so", async () => {
    expect(await codes("weights", "check", "ossicle/decoders/mamba2-lm.oss", golden)).toContain(
      "weights-misshapen",
    );
  });
});

test("a PyTorch file runs a model, and one that would run a program does not", async () => {
  const bin = join(folder, "model.pt");
  writeFileSync(bin, await asTorch());
  const request = ["generate", ...model, "--prompt-ids", "5,6", "-n", "3", "--stop-id", "127", "--weights"];
  const ids = async (path: string): Promise<unknown> =>
    JSON.parse((await runHere([...request, path, "--json"])).stdout).ids;
  expect(await ids(bin)).toEqual(await ids(golden));
  writeFileSync(bin, torchFile(pickled(op.call("os.system", op.text("true"))), {}));
  expect(await codes(...request, bin)).toEqual(["pickle-refused"]);
  writeFileSync(bin, Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc));
  expect(await codes(...request, bin)).toEqual(["torch-format"]);
  expect(await codes("weights", "list", folder)).toEqual(["not-a-file"]);
});
