/**
 * A model repository for Triton: its configuration is what the server's schema allows and what the model takes,
 * and a server that does what it says (state from zero, kept within a sequence) gives the recorded ids.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import textformat from "protobufjs/ext/textformat.js";
import { describe, expect, test } from "vitest";
import { allocate, elementCount, type HostTensor } from "../../src/compiler/host-tensor.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile, goldenInputs, goldenOutputs } from "../support/golden.ts";
import { tiny } from "../support/mamba2.ts";
import { root } from "../support/product-files.ts";
import { tensorOf } from "../support/tensors.ts";

interface Port {
  readonly name: string;
  readonly dataType: string;
  readonly dims: readonly string[];
}
interface State {
  readonly inputName: string;
  readonly outputName: string;
  readonly dataType: string;
  readonly dims: readonly string[];
  readonly initialState: readonly { readonly dims: readonly string[]; readonly zeroData: boolean }[];
}
interface Config {
  readonly name: string;
  readonly backend: string;
  readonly maxBatchSize: number;
  readonly input: readonly Port[];
  readonly output: readonly Port[];
  readonly dynamicBatching?: unknown;
  readonly sequenceBatching?: {
    readonly maxSequenceIdleMicroseconds: string;
    readonly controlInput: readonly {
      readonly name: string;
      readonly control: readonly { readonly kind: string }[];
    }[];
    readonly state: readonly State[];
  };
  readonly modelWarmup: readonly {
    readonly batchSize: number;
    readonly inputs: Readonly<Record<string, unknown>>;
  }[];
}

const schema = protobuf
  .parse(readFileSync(join(root, "test/fixtures/triton/model_config.proto"), "utf8"))
  .root.lookupType("inference.ModelConfig");

/** By the published schema: an unknown field, a wrong type or a word that is none is an error. */
function readConfig(path: string): Config {
  const message = textformat.fromText(schema, readFileSync(path, "utf8"));
  expect(schema.verify(message)).toBeNull();
  const plain: unknown = schema.toObject(message, { enums: String, longs: String });
  return plain as Config;
}

const small = ["--set", `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`];
const weights = ["--weights", goldenFile("mamba2-tiny/weights.safetensors")];
const lm = "ossicle/decoders/mamba2-lm.oss";

async function compile(out: string, ...entries: readonly string[]): Promise<void> {
  const named = entries.flatMap((entry) => ["-e", entry]);
  const finished = await runHere([
    "compile",
    lm,
    ...small,
    ...weights,
    ...named,
    "--host",
    "triton",
    "-o",
    out,
  ]);
  expect(finished).toMatchObject({ status: 0, stderr: "" });
}

test("an entry with state: sequences, signals, zeros to start with, and names that pair up", async () => {
  const out = join(temporaryFolder(), "repository");
  await compile(out, "extend", "prefill");
  expect(readdirSync(out).sort()).toEqual(["Mamba2Lm_extend", "Mamba2Lm_prefill"]);
  const config = readConfig(join(out, "Mamba2Lm_extend/config.pbtxt"));
  expect(config).toMatchObject({ name: "Mamba2Lm_extend", backend: "onnxruntime", maxBatchSize: 8 });
  expect(config.input).toEqual([{ name: "tokens", dataType: "TYPE_INT64", dims: ["-1"] }]);
  expect(config.output).toEqual([{ name: "logits", dataType: "TYPE_FP32", dims: ["-1", "128"] }]);
  const sequences = config.sequenceBatching;
  expect(sequences?.maxSequenceIdleMicroseconds).toBe("60000000");
  expect(sequences?.controlInput.map(({ name, control }) => [name, control[0]?.kind])).toEqual([
    ["START", "CONTROL_SEQUENCE_START"],
    ["READY", "CONTROL_SEQUENCE_READY"],
    ["END", "CONTROL_SEQUENCE_END"],
  ]);
  const states = sequences?.state ?? [];
  expect(states).toHaveLength(2 * tiny.depth);
  const sorted = (names: readonly string[]): string[] =>
    names.toSorted().map((name) => name.replace(/^[a-z]+\./, ""));
  expect(sorted(states.map((state) => state.inputName))).toEqual(
    sorted(states.map((state) => state.outputName)),
  );
  for (const { dims, initialState } of states) {
    expect(initialState).toMatchObject([{ dims, zeroData: true }]);
    expect(dims.every((dim) => Number(dim) > 0)).toBe(true);
  }

  const session = await createOnnxSession(join(out, "Mamba2Lm_extend/1/model.onnx"));
  const told = ["tokens", "START", "READY", "END", ...states.map((state) => state.inputName)];
  expect(session.inputs.map((port) => port.name).sort()).toEqual(told.toSorted());
  expect(Object.keys(config.modelWarmup[0]?.inputs ?? {}).sort()).toEqual(told.toSorted());
  expect(config.modelWarmup[0]?.batchSize).toBe(1);
  expect(session.outputs.map((port) => port.name).sort()).toEqual(
    ["logits", ...states.map((state) => state.outputName)].sort(),
  );
  await session.release();

  // What has no state is batched as it comes, and gives its state out like any result.
  const first = readConfig(join(out, "Mamba2Lm_prefill/config.pbtxt"));
  expect(first.sequenceBatching).toBeUndefined();
  expect(first.dynamicBatching).toBeDefined();
  expect(first.output).toHaveLength(1 + 2 * tiny.depth);
});

test("a server that keeps the state gives the recorded ids: a whole prompt, then one id after another", async () => {
  const out = join(temporaryFolder(), "repository");
  await compile(out, "extend");
  const config = readConfig(join(out, "Mamba2Lm_extend/config.pbtxt"));
  const session = await createOnnxSession(join(out, "Mamba2Lm_extend/1/model.onnx"));
  const states = config.sequenceBatching?.state ?? [];
  let kept = new Map<string, HostTensor>(
    states.map(({ inputName, dims }) => [inputName, allocate("f32", [1, ...dims.map(Number)])]),
  );
  const signal = (value: number): HostTensor => ({ dtype: "i32", shape: [1, 1], data: Int32Array.of(value) });
  let tokens = [...tensorOf(await goldenInputs("mamba2-tiny"), "greedy.prompt_ids").data];
  const ids: number[] = [];
  while (ids.length < 20) {
    const given = new Map<string, HostTensor>(kept);
    given.set("tokens", { dtype: "i64", shape: [1, tokens.length], data: Float64Array.from(tokens) });
    for (const name of ["START", "READY", "END"]) given.set(name, signal(name === "READY" ? 1 : 0));
    const results = await session.run(given);
    kept = new Map(states.map(({ inputName, outputName }) => [inputName, tensorOf(results, outputName)]));
    const logits = tensorOf(results, "logits");
    const size = logits.shape[2] ?? 0;
    const row = [...logits.data.subarray(elementCount(logits.shape) - size)];
    tokens = [row.indexOf(Math.max(...row))];
    ids.push(...tokens);
  }
  await session.release();
  expect(ids).toEqual([...tensorOf(await goldenOutputs("mamba2-tiny"), "greedy.new_ids").data]);
});

describe("the schema", () => {
  test("speaks up: a field that it does not have, a word that is none", () => {
    expect(() => textformat.fromText(schema, 'nmae: "x"')).toThrow();
    expect(() => textformat.fromText(schema, "input { data_type: TYPE_FLOAT }")).toThrow();
  });
});

test("a repository is no file, and nothing is left of one that fails", async () => {
  const folder = temporaryFolder();
  const request = ["compile", lm, ...small, "-e", "extend", "--host", "triton", "--json"];
  const single = await runHere([...request, ...weights, "-o", join(folder, "model.onnx")]);
  expect(JSON.parse(single.stdout).diagnostics).toMatchObject([{ code: "output-unwritable" }]);
  const other = ["--weights", goldenFile("ast-tiny/weights.safetensors"), "-o", join(folder, "repository")];
  expect((await runHere([...request, ...other])).status).toBe(1);
  expect(existsSync(join(folder, "repository"))).toBe(false);
});
