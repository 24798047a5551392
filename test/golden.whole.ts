/** Every recorded case of the classifiers and their front end, on both targets, through the command line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createOnnxSession } from "../src/runtime/onnx-session.ts";
import { root, runBinary, runHere, temporaryFolder } from "./support/cli.ts";
import {
  closenessOf,
  goldenFile,
  goldenInputs,
  goldenOutputs,
  requestFor,
  runArguments,
  runToTensors,
  smallModel,
  targets,
} from "./support/golden.ts";
import {
  checkAst,
  checkAstEpsilons,
  checkAudioMae,
  checkFilterbankEdge,
  checkOriginalOrder,
  checkPruned,
  checkRecording,
  checkSpeech,
  checkTables,
  filterbanks,
} from "./support/golden-checks.ts";
import {
  concatenated,
  expectClose,
  readTensors,
  rowOf,
  singleCloseness,
  tensorOf,
} from "./support/tensors.ts";

const pruned = ["prune-ast-tiny", "prune-audiomae-tiny", "prune-ast-depth12", "prune-audiomae-depth12"];

describe.each(targets)("on %s", (target) => {
  test("AST: every recorded value", () => checkAst(target));
  test("AST with the original's epsilons", () => checkAstEpsilons(target));
  test("AudioMAE: every recorded value", () => checkAudioMae(target));

  describe.each(pruned)("%s", (name) => {
    test.each(["0.9", "0.7", "0.5", "1"])("keep %s: logits, states, scores and indices", (keep) =>
      checkPruned(name, keep, target),
    );
    test.each(["0.9", "0.7", "0.5"])("keep %s in the original order: the same logits", (keep) =>
      checkOriginalOrder(name, keep, target),
    );
  });

  test.each(Object.keys(filterbanks))("filterbank: %s", (edge) => checkFilterbankEdge(edge, target));
  test.each(["fbank-speech-short", "fbank-speech-long"])("%s", (name) => checkSpeech(name, target));
  test("the filterbank's window and bands", () => checkTables(target));
  test("a recording is the sound that its numbers are", () => checkRecording("fbank-speech-short", target));

  test("classifying sound is running the front end, then the rest", async () => {
    const audio = goldenFile("fbank-speech-short/audio.wav");
    for (const name of ["prune-ast-tiny", "prune-audiomae-tiny"]) {
      const { input } = smallModel(name);
      const settings = { keep: 0.7 };
      const whole = requestFor(name, target, { entry: "classify", inputs: { audio }, settings });
      const logits = tensorOf(await runToTensors(whole), "logits");
      const folder = temporaryFolder();
      const file = join(folder, "features.safetensors");
      const { weights: _, ...first } = requestFor(name, target, { entry: "features", inputs: { audio } });
      expect((await runHere([...runArguments(first), "--out", file])).status).toBe(0);
      const rest = requestFor(name, target, { inputs: { [input]: file }, settings });
      expectClose(tensorOf(await runToTensors(rest), "logits"), logits, closenessOf(target), name);
    }
  });
});

test("the built program gives the recorded logits too", async () => {
  const out = join(temporaryFolder(), "out.safetensors");
  for (const target of targets) {
    const arguments_ = runArguments(requestFor("ast-tiny", target));
    const { status, stderr } = await runBinary([...arguments_, "--out", out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const logits = tensorOf(await readTensors(out), "logits");
    expectClose(logits, tensorOf(await goldenOutputs("ast-tiny"), "logits"), closenessOf(target), target);
  }
});

test.each(pruned)("%s: one compiled file runs any batch", async (name) => {
  const { file, settings, input } = smallModel(name);
  const out = join(temporaryFolder(), "model.onnx");
  const pairs = Object.entries({ ...settings, keep: "0.7" }).flatMap(([key, value]) => [
    "--set",
    `${key}=${value}`,
  ]);
  const weights = goldenFile(`${name}/weights.safetensors`);
  const arguments_ = [
    "compile",
    join(root, "models", file),
    "-e",
    "forward",
    ...pairs,
    "--weights",
    weights,
    "--out",
    out,
  ];
  expect(await runHere(arguments_)).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(out).length).toBeGreaterThan(100_000);
  const inputs = tensorOf(await goldenInputs(name), input);
  const logits = tensorOf(await goldenOutputs(name), "keep0.7.logits");
  const session = await createOnnxSession(out);
  try {
    for (const rows of [[1], [0, 1], [1, 0, 1], [0]]) {
      const batch = concatenated(rows.map((row) => rowOf(inputs, row)));
      const outputs = await session.run(new Map([[input, batch]]));
      const want = concatenated(rows.map((row) => rowOf(logits, row)));
      expectClose(tensorOf(outputs, "logits"), want, singleCloseness, `rows ${rows}`);
    }
  } finally {
    await session.release();
  }
});
