/**
 * What is asked of the recorded cases, for the quick tests and the thorough ones.
 *
 * Owns: which value of a model is which tensor of a case.
 */
import { expect } from "vitest";
import {
  closenessOf,
  goldenFile,
  goldenInputs,
  goldenOutputs,
  metaNumber,
  requestFor,
  runToTensors,
  smallModel,
  type Target,
} from "./golden.ts";
import { type Closeness, expectClose, expectSame, reshaped, tensorOf } from "./tensors.ts";

const transformer = "audio_spectrogram_transformer";

/** `[path of a value, tensor of the case]` */
type Pairs = readonly (readonly [string, string])[];

async function checkPairs(name: string, pairs: Pairs, target: Target, results: Pairs): Promise<void> {
  const got = await runToTensors(requestFor(name, target, { taps: pairs.map(([path]) => path) }));
  const want = await goldenOutputs(name);
  for (const [path, tensor] of [...results, ...pairs]) {
    expectClose(
      tensorOf(got, path),
      tensorOf(want, tensor),
      closenessOf(target),
      `${name}: ${path} on ${target}`,
    );
  }
  expect(got.size).toBe(pairs.length + results.length);
}

function eachLayer(name: string, value: (layer: string, index: number) => readonly [string, string]): Pairs {
  const { layer, settings } = smallModel(name);
  return Array.from({ length: Number(settings["depth"]) }, (_, index) => value(layer(index), index));
}

/** Every value that the case records of an AST. */
export async function checkAst(target: Target): Promise<void> {
  const pairs: Pairs = [
    [`${transformer}.embedded`, "embeddings"],
    ...eachLayer("ast-tiny", (layer, index) => [layer, `hidden.layer${index}`]),
    ...eachLayer("ast-tiny", (layer, index) => [`${layer}.probabilities`, `attn.layer${index}`]),
    [transformer, "last_hidden_state"],
    ["pooler", "pooler_output"],
  ];
  await checkPairs("ast-tiny", pairs, target, [["logits", "logits"]]);
}

/** The original AST has other epsilons than its port. */
export async function checkAstEpsilons(target: Target): Promise<void> {
  const settings = { epsilon: 1e-6, head_epsilon: 1e-5 };
  const got = await runToTensors(requestFor("ast-tiny", target, { settings }));
  const want = await goldenOutputs("ast-tiny");
  const logits = tensorOf(got, "logits");
  expectClose(logits, tensorOf(want, "original_eps.logits"), closenessOf(target), "logits");
}

export async function checkAudioMae(target: Target): Promise<void> {
  const pairs: Pairs = [
    ["embedded", "embeddings"],
    ...eachLayer("audiomae-tiny", (layer, index) => [layer, `hidden.layer${index}`]),
    ["fc_norm", "features"],
  ];
  await checkPairs("audiomae-tiny", pairs, target, [["logits", "logits"]]);
}

/** `keep` as the case writes it: `0.7`, or `1` for none dropped. */
export async function checkPruned(name: string, keep: string, target: Target): Promise<void> {
  const want = await goldenOutputs(name);
  const { layer } = smallModel(name);
  const prefix = `keep${keep}.`;
  const wanted = [...want.keys()].filter((tensor) => tensor.startsWith(prefix) && !tensor.endsWith("logits"));
  const paths = new Map(wanted.map((tensor) => [pathOf(tensor.slice(prefix.length), layer), tensor]));
  const got = await runToTensors(requestFor(name, target, { settings: { keep }, taps: [...paths.keys()] }));
  for (const [path, tensor] of [["logits", `${prefix}logits`] as const, ...paths]) {
    const expected = tensorOf(want, tensor);
    const what = `${name}, keep ${keep}: ${path} on ${target}`;
    if (expected.dtype === "i64") expectSame(tensorOf(got, path), expected, what);
    else expectClose(tensorOf(got, path), expected, closenessOf(target), what);
  }
  expect(got.size).toBe(wanted.length + 1);
}

const ofPolicy: Readonly<Record<string, string>> = {
  scores: "scores",
  kept_local: "kept",
  kept_global: "origin",
};

/** `hidden.layer3` → the layer's path; `layer3.kept_local` → the policy's value at the layer's site. */
function pathOf(tensor: string, layer: (index: number) => string): string {
  const match = /^(hidden\.)?layer(\d+)(?:\.(\w+))?$/.exec(tensor);
  const index = Number(match?.[2]);
  const value = ofPolicy[match?.[3] ?? ""];
  if (match === null || (match[1] === undefined && value === undefined))
    throw new Error(`no path for ${tensor}`);
  return match[1] === undefined ? `${layer(index)}.tokens.${value}` : layer(index);
}

/** Dropped tokens in their original order give the same logits, and the same tokens in every layer. */
export async function checkOriginalOrder(name: string, keep: string, target: Target): Promise<void> {
  const want = await goldenOutputs(name);
  const { layer } = smallModel(name);
  const prefix = `keep${keep}.layer`;
  const layers = [...want.keys()].flatMap((tensor) => {
    return tensor.startsWith(prefix) && tensor.endsWith(".kept_global")
      ? [parseInt(tensor.slice(prefix.length), 10)]
      : [];
  });
  expect(layers).toHaveLength(3);
  const taps = layers.map((index) => `${layer(index)}.tokens.origin`);
  const got = await runToTensors(requestFor(name, target, { settings: { keep, order: "original" }, taps }));
  const what = `${name}, keep ${keep}, original order`;
  expectClose(tensorOf(got, "logits"), tensorOf(want, `keep${keep}.logits`), closenessOf(target), what);
  for (const index of layers) {
    const kept = tensorOf(want, `${prefix}${index}.kept_global`);
    const origin = tensorOf(got, `${layer(index)}.tokens.origin`);
    expect(origin.shape, what).toEqual(kept.shape);
    const [rows = 0, count = 0] = kept.shape;
    for (let row = 0; row < rows; row++) {
      const sorted = [...kept.data.subarray(row * count, (row + 1) * count)].sort((a, b) => a - b);
      expect([...origin.data.subarray(row * count, (row + 1) * count)], what).toEqual(sorted);
    }
  }
}

const filterbank = { file: "frontends/kaldi-fbank.oss", entry: "fbank" };

/** Case, waveform and settings of every recorded filterbank; the tensor is `<name>.fbank`. */
export const filterbanks: Readonly<
  Record<string, { readonly waveform: string; readonly settings: Readonly<Record<string, string | number>> }>
> = {
  ...Object.fromEntries(
    ["len400", "len401", "len559", "len560", "len799", "len1200", "zeros", "impulse", "sine", "dc"].map(
      (name) => [name, { waveform: name, settings: {} }],
    ),
  ),
  chirp_int16scale: { waveform: "chirp_int16scale", settings: {} },
  "options.mel23": { waveform: "options", settings: { bins: 23 } },
  "options.mel64": { waveform: "options", settings: { bins: 64 } },
  "options.mel80": { waveform: "options", settings: { bins: 80 } },
  "options.povey": { waveform: "options", settings: { bins: 80, taper: "povey" } },
  "options.hamming": { waveform: "options", settings: { bins: 80, taper: "hamming" } },
  "options.low0_high7600": { waveform: "options", settings: { bins: 40, low: "0Hz", high: "7600Hz" } },
  // Kaldi writes high - 400 for 400 Hz below the Nyquist frequency.
  "options.high_minus400": { waveform: "options", settings: { bins: 40, high: "7600Hz" } },
};

/** Room for log energies: f32 noise is larger where a chirp of int16 scale leaves a band empty. */
function filterbankCloseness(name: string, edge: string, target: Target): Closeness {
  if (target === "reference") return { absolute: metaNumber(name, "recommended_atol_float64"), relative: 0 };
  const absolute = edge === "chirp_int16scale" ? 4e-2 : metaNumber(name, "recommended_atol_float32");
  return { absolute, relative: 0 };
}

export async function checkFilterbankEdge(edge: string, target: Target): Promise<void> {
  const known = filterbanks[edge];
  if (known === undefined) throw new Error(`no such filterbank: ${edge}`);
  const audio = `${goldenFile("fbank-edges/inputs.safetensors")}:${known.waveform}.waveform`;
  const got = await runToTensors({ ...filterbank, settings: known.settings, inputs: { audio }, target });
  const want = tensorOf(await goldenOutputs("fbank-edges"), `${edge}.fbank`);
  const closeness = filterbankCloseness("fbank-edges", edge, target);
  expectClose(tensorOf(got, "features"), want, closeness, `${edge} on ${target}`);
}

/** Speech, from the recording: the filterbank, and a classifier's features. */
export async function checkSpeech(name: string, target: Target): Promise<void> {
  const audio = goldenFile(`${name}/audio.wav`);
  const want = await goldenOutputs(name);
  const closeness = filterbankCloseness(name, "", target);
  const got = await runToTensors({ ...filterbank, inputs: { audio }, target });
  expectClose(tensorOf(got, "features"), tensorOf(want, "fbank"), closeness, "fbank");
  const features = await runToTensors({
    file: "classifiers/ast.oss",
    entry: "features",
    inputs: { audio },
    target,
  });
  const values = tensorOf(want, "input_values");
  // Normalising divides by twice the standard deviation, about 9.
  const normalised = { ...closeness, absolute: closeness.absolute / 4 };
  expectClose(
    tensorOf(features, "input_values"),
    reshaped(values, [1, ...values.shape]),
    normalised,
    "input_values",
  );
}

/** The filterbank's own tables. */
export async function checkTables(target: Target): Promise<void> {
  const audio = goldenFile("fbank-speech-short/audio.wav");
  const got = await runToTensors({ ...filterbank, inputs: { audio }, taps: ["window", "bands"], target });
  const want = await goldenOutputs("fbank-speech-short");
  expectClose(tensorOf(got, "window"), tensorOf(want, "window"), { absolute: 1e-6, relative: 0 }, "window");
  const banks = tensorOf(want, "mel_banks");
  const [bins = 0, frequencies = 0] = banks.shape;
  const transposed = Float32Array.from(banks.data, (_, at) => {
    return banks.data[(at % bins) * frequencies + Math.floor(at / bins)] ?? Number.NaN;
  });
  expectClose(
    tensorOf(got, "bands"),
    { dtype: "f32", shape: [frequencies, bins], data: transposed },
    { absolute: 1e-6, relative: 0 },
    "bands",
  );
}

/** The recording and the waveform recorded as numbers are the same sound. */
export async function checkRecording(name: string, target: Target): Promise<void> {
  const fromFile = await runToTensors({
    ...filterbank,
    inputs: { audio: goldenFile(`${name}/audio.wav`) },
    target,
  });
  const audio = `${goldenFile(`${name}/inputs.safetensors`)}:waveform`;
  const fromNumbers = await runToTensors({ ...filterbank, inputs: { audio }, target });
  expectSame(tensorOf(fromFile, "features"), tensorOf(fromNumbers, "features"), "features");
  expect(tensorOf(await goldenInputs(name), "waveform").data.length).toBeGreaterThan(0);
}
