/**
 * The recorded Mamba-2 cases, and running them through the command with their state.
 *
 * Owns: the settings that make the library's model the small model of a case, and which value of the
 * model is which tensor of a case. A case stacks the states of its layers.
 */
import { expect } from "vitest";
import { closenessOf, goldenFile, goldenOutputs, type RunRequest, runToFile, type Target } from "./golden.ts";
import { expectClose, readTensors, rowOf, type Tensors, tensorOf } from "./tensors.ts";

export interface Mamba2Case {
  readonly name: string;
  readonly depth: number;
  /** Arguments of the decoder, as a program writes them. */
  readonly decoder: string;
  /** In front of the names of its outputs: one case holds those of two norms. */
  readonly prefix: string;
}

const small = "width: 64, head_width: 16, state: 16, vocabulary: 128, chunk: 16";
const groups = "width: 64, head_width: 32, state: 32, groups: 2, vocabulary: 128, chunk: 16, tied: false";
const unusual = "conv: 3, epsilon: 1e-6, tied: false, biased: true, time_step_limit: [0.02, 0.2]";

export const tiny: Mamba2Case = { name: "mamba2-tiny", depth: 3, decoder: small, prefix: "" };
export const embeds: Mamba2Case = { name: "mamba2-embeds", depth: 2, decoder: small, prefix: "" };
export const lowPrecision: Mamba2Case = { ...embeds, name: "mamba2-lowprec" };
export const variant: Mamba2Case = {
  ...embeds,
  name: "mamba2-variant",
  decoder: `${small}, ${unusual}`,
};
/** Two groups, with the norm of Hugging Face's port and with that of the original. */
export const fullNorm: Mamba2Case = {
  name: "mamba2-groups",
  depth: 3,
  decoder: `${groups}, norm: "full"`,
  prefix: "hf.",
};
export const groupedNorm: Mamba2Case = {
  ...fullNorm,
  decoder: `${groups}, norm: "grouped"`,
  prefix: "ssm.",
};

/** What one call gave: the tensors, and the file that they are in. */
export interface Ran {
  readonly file: string;
  readonly tensors: Tensors;
}

/** The kind of state in a case, and the value of a layer that it is. */
const stateKinds: Readonly<Record<string, (layer: number) => string>> = {
  conv_state: (layer) => `backbone.layers.${layer}.mixer.conv1d.conv_state`,
  ssm_state: (layer) => `backbone.layers.${layer}.mixer.ssm_state`,
};

/** Runs an entry; after `before`, it goes on from the state which that call left. */
export async function runMamba2(
  given: Mamba2Case,
  target: Target,
  request: Pick<RunRequest, "entry" | "inputs" | "taps" | "weights" | "weightsDtype">,
  before?: Ran,
): Promise<Ran> {
  const layers = Array.from({ length: given.depth }, (_, layer) => layer);
  const names = Object.values(stateKinds).flatMap((path) => layers.map(path));
  const past = names.map((name) => [`past.${name}`, `${before?.file}:present.${name}`]);
  const file = await runToFile({
    file: "decoders/mamba2-lm.oss",
    settings: { decoder: `Mamba2(depth: ${given.depth}, ${given.decoder})` },
    weights: goldenFile(`${given.name}/weights.safetensors`),
    target,
    ...request,
    inputs: { ...request.inputs, ...(before && Object.fromEntries(past)) },
  });
  return { file, tensors: await readTensors(file) };
}

/** One tensor of the case's inputs, as the command takes it. */
export function inputOf(given: Mamba2Case, tensor: string): string {
  return `${goldenFile(`${given.name}/inputs.safetensors`)}:${tensor}`;
}

/** Holds values to tensors of the case; `step` picks one from those that stack steps. */
export async function expectValues(
  { tensors }: Ran,
  given: Mamba2Case,
  pairs: readonly (readonly [path: string, tensor: string])[],
  target: Target,
): Promise<void> {
  const want = await goldenOutputs(given.name);
  for (const [path, tensor] of pairs) {
    const what = `${given.name}: ${given.prefix}${tensor} on ${target}`;
    expectClose(tensorOf(tensors, path), tensorOf(want, given.prefix + tensor), closenessOf(target), what);
  }
}

/** Holds the state of every layer to what the case has under `key`; `step` where it stacks steps. */
export async function expectStates(
  { tensors }: Ran,
  given: Mamba2Case,
  key: string,
  target: Target,
  step?: number,
): Promise<void> {
  const want = await goldenOutputs(given.name);
  for (const [kind, path] of Object.entries(stateKinds)) {
    const stacked = tensorOf(want, `${given.prefix}${key}.${kind}`);
    const layers = step === undefined ? stacked : rowOf(stacked, step);
    expect(layers.shape[0]).toBe(given.depth);
    for (let layer = 0; layer < given.depth; layer++) {
      const what = `${given.name}: ${key}.${kind}, layer ${layer}, on ${target}`;
      const got = tensorOf(tensors, `present.${path(layer)}`);
      expectClose(got, rowOf(layers, layer), closenessOf(target), what);
    }
  }
}

/** Decoding: a text, then one id after another, with the logits and the state behind each. */
export async function checkDecoding(given: Mamba2Case, name: string, target: Target): Promise<void> {
  const tokens = inputOf(given, `${name}.prefill_ids`);
  const whole = await runMamba2(given, target, { entry: "logits", inputs: { tokens } });
  await expectValues(whole, given, [["logits", `${name}.prefill.logits`]], target);
  await expectStates(whole, given, `${name}.prefill`, target);
  let last = await runMamba2(given, target, { entry: "prefill", inputs: { tokens } });
  await expectStates(last, given, `${name}.prefill`, target);

  const want = await goldenOutputs(given.name);
  const logits = tensorOf(want, `${given.prefix}${name}.steps.logits`);
  const ids = tensorOf(await readTensors(goldenFile(`${given.name}/inputs.safetensors`)), `${name}.step_ids`);
  const [rows = 0, steps = 0] = ids.shape;
  const vocabulary = logits.shape[2] ?? 0;
  for (let step = 0; step < steps; step++) {
    const column = Array.from({ length: rows }, (_, row) => [ids.data[row * steps + step]]);
    const inputs = { token: JSON.stringify(column) };
    last = await runMamba2(given, target, { entry: "step", inputs }, last);
    for (let row = 0; row < rows; row++) {
      expectClose(
        rowOf(tensorOf(last.tensors, "logits"), row),
        { ...rowOf(rowOf(logits, row), step), shape: [vocabulary] },
        closenessOf(target),
        `${given.name}: ${name}, step ${step}, row ${row}, on ${target}`,
      );
    }
    await expectStates(last, given, `${name}.steps`, target, step);
  }
}
