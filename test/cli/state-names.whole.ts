/** Compiled entries that hand states on: what they are called, that both sides pair up, one file of weights. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stateNameStyles } from "../../src/compiler/onnx/state-names.ts";
import { createOnnxSession, type OnnxPort } from "../../src/runtime/onnx-session.ts";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { goldenFile, goldenInputs, goldenOutputs } from "../support/golden.ts";
import { tiny } from "../support/mamba2.ts";
import { expectClose, rowOf, singleCloseness, tensorOf } from "../support/tensors.ts";

/** More than ten layers, so that names without leading zeros sort otherwise than layers. */
const deep = "Mamba2(depth: 12, width: 32, head_width: 16, state: 16, vocabulary: 64)";

async function compile(decoder: string, weights: string, ...more: string[]): Promise<string> {
  const folder = join(temporaryFolder(), "out");
  const model = [join(root, "models/decoders/mamba2-lm.oss"), "--set", `decoder=${decoder}`];
  const entries = ["-e", "prefill", "-e", "step"];
  const finished = await runHere(["compile", ...model, ...entries, "-w", weights, "-o", folder, ...more]);
  expect(finished).toMatchObject({ status: 0, stderr: "" });
  return folder;
}

async function portsOf(file: string) {
  const session = await createOnnxSession(file);
  await session.release();
  return session;
}

const names = (ports: readonly OnnxPort[]): string[] => ports.map((port) => port.name);

/** A name without what says that it goes in or comes out. */
const place = (name: string): string => name.replace(/^(past|present)(_key_values)?/, "");

test.each(stateNameStyles)(
  "%s: inputs and outputs sort alike, and prefill gives what step takes",
  async (style) => {
    const folder = await compile(deep, "random:1", "--state-names", style);
    const prefill = await portsOf(join(folder, "prefill.onnx"));
    const step = await portsOf(join(folder, "step.onnx"));
    const past = names(step.inputs).filter((name) => name !== "token");
    const present = names(step.outputs).filter((name) => name !== "logits");
    expect(past).toHaveLength(24);
    expect([...past].sort().map(place)).toEqual([...present].sort().map(place));
    expect(names(prefill.outputs).sort()).toEqual(names(step.outputs).sort());
    const shapes = new Map(step.outputs.map((port) => [place(port.name), port.shape]));
    for (const { name, shape } of step.inputs) {
      if (name !== "token") expect(shape, name).toEqual(shapes.get(place(name)));
    }
  },
);

test("plain names sort as layers do", async () => {
  const folder = await compile(deep, "random:1", "--state-names", "plain");
  const { inputs } = await portsOf(join(folder, "step.onnx"));
  const sorted = names(inputs).sort().slice(0, 24);
  const kinds = ["conv_state", "ssm_state"];
  expect(sorted).toEqual(
    Array.from({ length: 24 }, (_, i) => `past.${String(i >> 1).padStart(2, "0")}.${kinds[i % 2]}`),
  );
});

test("names that hosts know", async () => {
  const first = async (style: string): Promise<string[]> => {
    const { inputs, outputs } = await portsOf(
      join(await compile(deep, "random:1", "--state-names", style), "step.onnx"),
    );
    return [...names(inputs), ...names(outputs)].filter((name) => /\b11\b/.test(name)).sort();
  };
  expect(await first("transformers.js")).toEqual([
    "past_conv.11",
    "past_ssm.11",
    "present_conv.11",
    "present_ssm.11",
  ]);
  expect(await first("onnxruntime-genai")).toEqual([
    "past_key_values.11.conv_state",
    "past_key_values.11.recurrent_state",
    "present.11.conv_state",
    "present.11.recurrent_state",
  ]);
});

test.each(["portable", "ort"])(
  "%s: the recorded steps, by sorted names, from one file of weights",
  async (profile) => {
    const weights = goldenFile(`${tiny.name}/weights.safetensors`);
    const decoder = `Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`;
    const folder = await compile(decoder, weights, "--state-names", "plain", "--profile", profile);
    expect(readdirSync(folder).sort()).toEqual(["Mamba2Lm.onnx.data", "prefill.onnx", "step.onnx"]);
    const stored = statSync(join(folder, "Mamba2Lm.onnx.data")).size;
    const parameters = statSync(weights).size;
    // Every weight once, whatever their alignment adds; the models hold none.
    expect(stored).toBeLessThan(1.1 * parameters);
    for (const model of ["prefill", "step"])
      expect(statSync(join(folder, `${model}.onnx`)).size).toBeLessThan(parameters);

    const prefill = await createOnnxSession(join(folder, "prefill.onnx"));
    const step = await createOnnxSession(join(folder, "step.onnx"));
    const inputs = await goldenInputs(tiny.name);
    const wanted = tensorOf(await goldenOutputs(tiny.name), "decode.steps.logits");
    let given = await prefill.run(new Map([["tokens", tensorOf(inputs, "decode.prefill_ids")]]));
    const ids = tensorOf(inputs, "decode.step_ids");
    const [rows = 0, steps = 0] = ids.shape;
    for (let at = 0; at < steps; at++) {
      const chosen = Float64Array.from({ length: rows }, (_, row) => ids.data[row * steps + at] ?? 0);
      const present = [...given.keys()].filter((name) => name !== "logits").sort();
      const past = names(step.inputs)
        .filter((name) => name !== "token")
        .sort();
      const states = past.map((name, i) => [name, tensorOf(given, present[i] ?? "")] as const);
      given = await step.run(
        new Map([...states, ["token", { dtype: "i64", shape: [rows, 1], data: chosen }]]),
      );
      for (let row = 0; row < rows; row++) {
        const want = rowOf(rowOf(wanted, row), at);
        expectClose(rowOf(tensorOf(given, "logits"), row), want, singleCloseness, `step ${at}, row ${row}`);
      }
    }
    await prefill.release();
    await step.release();
  },
);
