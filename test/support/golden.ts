/**
 * The recorded cases under test/golden/, driven as a user would drive them.
 *
 * Owns: the settings that make a model of the library the small model of a case, and running it
 * through the command line into tensors.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { root, runHere, temporaryFolder } from "./cli.ts";
import { type Closeness, readTensors, referenceCloseness, singleCloseness, type Tensors } from "./tensors.ts";

/** `ort` is ONNX with onnxruntime's own operators. */
export type Target = "reference" | "onnx" | "ort" | "webgpu";
/** The project `device` runs the same cases on WebGPU (vitest.config.ts). */
const onDevice = process.env["OSSICLE_TEST_TARGET"] === "webgpu";
export const targets: readonly Target[] = onDevice ? ["webgpu"] : ["reference", "onnx"];
export const targetsAndProfiles: readonly Target[] = onDevice ? targets : [...targets, "ort"];

export function closenessOf(target: Target): Closeness {
  return target === "reference" ? referenceCloseness : singleCloseness;
}

export function goldenFile(path: string): string {
  return join(root, "test/golden", path);
}

export function goldenOutputs(name: string): Promise<Tensors> {
  return readTensors(goldenFile(`${name}/outputs.safetensors`));
}

export function goldenInputs(name: string): Promise<Tensors> {
  return readTensors(goldenFile(`${name}/inputs.safetensors`));
}

/** A number of a case's meta.json. */
export function metaNumber(name: string, key: string): number {
  const meta: Readonly<Record<string, unknown>> = JSON.parse(
    readFileSync(goldenFile(`${name}/meta.json`), "utf8"),
  );
  const value = meta[key];
  if (typeof value !== "number") throw new Error(`${name}/meta.json has no number ${key}`);
  return value;
}

/** What `ossicle run` is given; the file is one of the library. */
export interface RunRequest {
  readonly file: string;
  readonly entry: string;
  readonly model?: string;
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly weights?: string;
  readonly weightsDtype?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly taps?: readonly string[];
  readonly target: Target;
}

export function runArguments(request: RunRequest): string[] {
  const pairs = (option: string, values: Readonly<Record<string, string | number>>): string[] =>
    Object.entries(values).flatMap(([name, value]) => [option, `${name}=${value}`]);
  return [
    "run",
    join(root, "models", request.file),
    ...["-e", request.entry],
    ...(request.model === undefined ? [] : ["-m", request.model]),
    ...pairs("--set", request.settings ?? {}),
    ...(request.weights === undefined ? [] : ["--weights", request.weights]),
    ...(request.weightsDtype === undefined ? [] : ["--weights-dtype", request.weightsDtype]),
    ...pairs("--in", request.inputs ?? {}),
    ...(request.taps ?? []).flatMap((tap) => ["--tap", tap]),
    ...(request.target === "ort" ? ["--target", "onnx", "--profile", "ort"] : ["--target", request.target]),
  ];
}

/** Runs the command and reads the file it wrote. It must end well and say nothing on standard error. */
export async function runToTensors(request: RunRequest): Promise<Tensors> {
  return await readTensors(await runToFile(request));
}

/** The same, and the file itself: it is there until the test ends. */
export async function runToFile(request: RunRequest): Promise<string> {
  const out = join(temporaryFolder(), "out.safetensors");
  const { status, stdout, stderr } = await runHere([...runArguments(request), "--out", out]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain(`written to ${out}`);
  return out;
}

/** A small model of the library, as a case has it. */
export interface SmallModel {
  readonly file: string;
  /** The entry's input, which is also the tensor's name in the case. */
  readonly input: string;
  readonly settings: Readonly<Record<string, string | number>>;
  /** The path of a layer. */
  readonly layer: (index: number) => string;
  readonly extraTokens: number;
}

const astLayer = (index: number): string => `audio_spectrogram_transformer.encoder.layer.${index}`;
const audioMaeLayer = (index: number): string => `blocks.${index}`;
const tiny = { frames: 128, labels: 7, width: 48, depth: 4, heads: 4, hidden: 192, at: "[1, 2, 3]" };
const deep = {
  frames: 128,
  bins: 128,
  labels: 7,
  width: 24,
  depth: 12,
  heads: 3,
  hidden: 96,
  at: "[3, 6, 9]",
};
/** As the original AST has it, unlike its port. */
const originalEpsilons = { epsilon: 1e-6, head_epsilon: 1e-5 };
const noOverlap = { frequency_stride: 16, time_stride: 16 };

const ast = { file: "classifiers/ast.oss", input: "input_values", layer: astLayer, extraTokens: 2 };
const audioMae = { file: "classifiers/audiomae.oss", input: "x", layer: audioMaeLayer, extraTokens: 1 };

export const smallModels: Readonly<Record<string, SmallModel>> = {
  "ast-tiny": { ...ast, settings: { ...tiny, bins: 64 } },
  "audiomae-tiny": { ...audioMae, settings: { ...tiny, bins: 128 } },
  "prune-ast-tiny": { ...ast, settings: { ...tiny, bins: 64, ...originalEpsilons } },
  "prune-audiomae-tiny": { ...audioMae, settings: { ...tiny, bins: 128 } },
  "prune-ast-depth12": { ...ast, settings: { ...deep, ...noOverlap, ...originalEpsilons } },
  "prune-audiomae-depth12": { ...audioMae, settings: deep },
};

export function smallModel(name: string): SmallModel {
  const model = smallModels[name];
  if (model === undefined) throw new Error(`${name} is no case of a classifier`);
  return model;
}

/** The request that runs a case's model on the case's inputs. */
export function requestFor(name: string, target: Target, more: Partial<RunRequest> = {}): RunRequest {
  const { file, input, settings } = smallModel(name);
  return {
    file,
    entry: "forward",
    weights: goldenFile(`${name}/weights.safetensors`),
    inputs: { [input]: goldenFile(`${name}/inputs.safetensors`) },
    target,
    ...more,
    settings: { ...settings, ...more.settings },
  };
}
