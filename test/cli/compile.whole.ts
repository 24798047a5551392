/** What `compile` writes: the same bytes for the same model, files that go together, models that run. */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import { root, runBinary, runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile, goldenInputs, goldenOutputs, smallModel } from "../support/golden.ts";
import {
  expectClose,
  expectSame,
  readTensors,
  singleCloseness,
  type Tensors,
  tensorOf,
} from "../support/tensors.ts";

const name = "prune-ast-tiny";
const { settings, input } = smallModel(name);
const model = [
  join(root, "models/classifiers/ast.oss"),
  ...Object.entries({ ...settings, keep: 0.7 }).flatMap(([key, value]) => ["--set", `${key}=${value}`]),
];
const weights = ["--weights", goldenFile(`${name}/weights.safetensors`)];

let folder = "";
beforeEach(() => {
  folder = temporaryFolder();
});
const at = (file: string): string => join(folder, file);
const bytes = (file: string): Buffer => readFileSync(at(file));

async function compile(...arguments_: string[]): Promise<void> {
  const finished = await runHere(["compile", ...model, ...arguments_]);
  expect(finished).toMatchObject({ status: 0, stderr: "" });
}

async function runModel(path: string, inputs: Tensors): Promise<Tensors> {
  const session = await createOnnxSession(path);
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

async function features(): Promise<Tensors> {
  return new Map([[input, tensorOf(await goldenInputs(name), input)]]);
}

async function expectGolden(path: string): Promise<void> {
  const got = await runModel(path, await features());
  const want = tensorOf(await goldenOutputs(name), "keep0.7.logits");
  expectClose(tensorOf(got, "logits"), want, singleCloseness, path);
}

describe("the same model gives the same bytes", () => {
  test.each([
    ["from a checkpoint", weights],
    ["from a seed", ["--weights", "random:7"]],
    ["with weights beside it", [...weights, "--external-data"]],
  ])("%s", async (_, more) => {
    mkdirSync(at("a"));
    mkdirSync(at("b"));
    await compile("-e", "forward", ...more, "--out", at("a/model.onnx"));
    await compile("-e", "forward", ...more, "--out", at("b/model.onnx"));
    const files = readdirSync(at("a"));
    expect(readdirSync(at("b"))).toEqual(files);
    for (const file of files) expect(bytes(`a/${file}`).equals(bytes(`b/${file}`)), file).toBe(true);
  });

  test("from the built program too, in another folder and another language", async () => {
    await compile("-e", "forward", ...weights, "--out", at("here.onnx"));
    const environment = { LC_ALL: "tr_TR.UTF-8", TZ: "Pacific/Auckland" };
    const arguments_ = ["compile", ...model, "-e", "forward", ...weights, "--out", "there.onnx"];
    expect(await runBinary(arguments_, { cwd: folder, environment })).toMatchObject({ status: 0 });
    expect(bytes("there.onnx").equals(bytes("here.onnx"))).toBe(true);
  });

  test("another seed gives others", async () => {
    await compile("-e", "forward", "--weights", "random:7", "--out", at("a.onnx"));
    await compile("-e", "forward", "--weights", "random:8", "--out", at("b.onnx"));
    expect(bytes("a.onnx").equals(bytes("b.onnx"))).toBe(false);
  });
});

describe("files", () => {
  test("one with everything inside, or two that go together, wherever they are moved", async () => {
    await compile("-e", "forward", ...weights, "--out", at("inside.onnx"));
    mkdirSync(at("pair"));
    await compile("-e", "forward", ...weights, "--external-data", "--out", at("pair/beside.onnx"));
    expect(readdirSync(at("pair")).toSorted()).toEqual(["beside.onnx", "beside.onnx.data"]);
    const learned = statSync(goldenFile(`${name}/weights.safetensors`)).size;
    expect(statSync(at("pair/beside.onnx")).size).toBeLessThan(learned / 4);
    expect(statSync(at("pair/beside.onnx.data")).size).toBeGreaterThan(learned / 2);
    renameSync(at("pair"), at("moved"));
    await expectGolden(at("inside.onnx"));
    await expectGolden(at("moved/beside.onnx"));
  });

  test("of several entries share their weights", async () => {
    await compile("-e", "forward", "-e", "classify", "-e", "features", ...weights, "--out", at("new/folder"));
    expect(readdirSync(at("new/folder")).toSorted()).toEqual([
      "AstClassifier.onnx.data",
      "classify.onnx",
      "features.onnx",
      "forward.onnx",
    ]);
    await expectGolden(at("new/folder/forward.onnx"));
    const audio = goldenFile("fbank-speech-short/inputs.safetensors");
    const sound = new Map([["audio", tensorOf(await readTensors(audio), "waveform")]]);
    const whole = tensorOf(await runModel(at("new/folder/classify.onnx"), sound), "logits");
    const middle = await runModel(at("new/folder/features.onnx"), sound);
    const parts = tensorOf(await runModel(at("new/folder/forward.onnx"), middle), "logits");
    expectClose(parts, whole, singleCloseness, "classify");
  });

  test("that were there are replaced", async () => {
    await compile("-e", "forward", "--weights", "random:1", "--out", at("model.onnx"));
    await compile("-e", "forward", ...weights, "--out", at("model.onnx"));
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
    await expectGolden(at("model.onnx"));
  });
});

test("what `run` gives is what the compiled model gives", async () => {
  const tap = ["--tap", "audio_spectrogram_transformer.encoder.layer.1.tokens.kept"];
  await compile("-e", "forward", ...weights, ...tap, "--out", at("model.onnx"));
  const given = ["--in", `${input}=${goldenFile(`${name}/inputs.safetensors`)}`];
  const run = [
    "run",
    ...model,
    "-e",
    "forward",
    ...weights,
    ...tap,
    ...given,
    "--out",
    at("out.safetensors"),
  ];
  expect(await runHere(run)).toMatchObject({ status: 0 });
  const ran = await readTensors(at("out.safetensors"));
  const compiled = await runModel(at("model.onnx"), await features());
  expect([...compiled.keys()].toSorted()).toEqual([...ran.keys()].toSorted());
  for (const [path, tensor] of ran) expectSame(tensorOf(compiled, path), tensor, path);
});
