/**
 * Weights for a graph: from a checkpoint, or drawn as the model says.
 *
 * Owns: `--weights FILE`, `--weights random:SEED` and `--adapter DIR`, and holding a checkpoint to what the graphs
 * need before anything is computed.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Elaboration } from "../compiler/elaborate.ts";
import type { Graph, Parameter } from "../compiler/graph.ts";
import type { HostTensor, TensorInfo, WeightSource } from "../compiler/host-tensor.ts";
import { evaluateValues } from "../compiler/interpret.ts";
import { DiagnosticError } from "../lang/diagnostic.ts";
import { checkpointName, type Rename } from "../lang/plans.ts";
import { suggest } from "../lang/suggest.ts";
import { type Adapter, adapted, readAdapterConfig } from "../runtime/checkpoint/adapter.ts";
import { failure } from "../runtime/failure.ts";
import { randomTensor } from "../runtime/random-weights.ts";
import { checkWeights } from "../runtime/weights-report.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { readFileText } from "./files.ts";
import type { Output } from "./output.ts";

const randomPrefix = "random";

export interface OpenWeights {
  readonly source: WeightSource;
  /** Drawn, not trained: whatever is printed must say so. */
  readonly random: boolean;
  close(): Promise<void>;
}

/**
 * @param model every learned tensor of the model, so that what another entry needs is not unexpected,
 *   and how a checkpoint calls them
 * @param adapter a folder with a low-rank adapter, merged into the weights
 * @throws DiagnosticError when weights are needed and not given, or do not fit the graphs
 */
export async function openWeights(
  option: string | undefined,
  graphs: readonly Graph[],
  model: Pick<Elaboration, "modelParameters" | "renames">,
  output: Output,
  adapter?: string,
): Promise<OpenWeights> {
  const parameters = parametersOf(graphs);
  const known = model.modelParameters;
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
  };
  const withAdapter = async (base: WeightSource): Promise<WeightSource> => {
    if (adapter === undefined) return base;
    const found = await openAdapter(adapter);
    opened.push(found);
    return adapted(base, found, known, suggest);
  };
  if (option === undefined) {
    if (parameters.size > 0) {
      throw failure(
        "weights-missing",
        `This entry has ${parameters.size} learned tensors and needs weights.`,
        {
          hint: "give --weights FILE, or --weights random:1 to try things out",
        },
      );
    }
    return { source: emptySource, random: false, async close() {} };
  }
  if (option === randomPrefix || option.startsWith(`${randomPrefix}:`)) {
    const seed = readSeed(option);
    return { source: await withAdapter(randomSource(parameters, seed)), random: true, close };
  }
  try {
    const file = await openCheckpoint(option);
    opened.push(file);
    const all = await withAdapter(renamed(file.source, known, model.renames));
    const source = without(all, (name) => known.has(name) && !parameters.has(name));
    const expected = new Map<string, TensorInfo>();
    for (const [path, parameter] of parameters)
      expected.set(path, { dtype: parameter.type.dtype, shape: sizes(parameter) });
    const report = checkWeights(expected, source, suggest);
    if (report.diagnostics.some((diagnostic) => diagnostic.severity === "error")) {
      throw new DiagnosticError(report.diagnostics);
    }
    output.diagnostics(report.diagnostics);
    return { source, random: false, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A folder as PEFT saves it. */
async function openAdapter(folder: string): Promise<Adapter & { close(): Promise<void> }> {
  const configuration = join(folder, "adapter_config.json");
  const config = readAdapterConfig(await readFileText(configuration), configuration);
  const safetensors = join(folder, "adapter_model.safetensors");
  const pickled = join(folder, "adapter_model.bin");
  const file = existsSync(safetensors) || !existsSync(pickled) ? safetensors : pickled;
  const { source, close } = await openCheckpoint(file);
  return { label: folder, config, tensors: source, close };
}

/** The source under the model's names. A tensor that goes by the model's own name needs no renaming. */
export function renamed(
  source: WeightSource,
  paths: ReadonlySet<string>,
  renames: readonly Rename[],
): WeightSource {
  if (renames.length === 0) return source;
  const stored = new Map<string, string>();
  for (const path of paths) {
    const name = source.info(path) === undefined ? checkpointName(path, renames) : path;
    if (source.info(name) !== undefined) stored.set(path, name);
  }
  const taken = new Set(stored.values());
  const find = (name: string): string => stored.get(name) ?? name;
  return {
    label: source.label,
    names: () => [...stored.keys(), ...source.names().filter((name) => !taken.has(name))],
    info: (name) => source.info(find(name)),
    read: (name) => source.read(find(name)),
  };
}

/** Says in the JSON of a command what its numbers rest on. */
export function reportWeights(weights: OpenWeights, output: Output): void {
  output.set("weights", weights.source.label);
  output.set("randomWeights", weights.random);
}

/** The source, silent about names that this entry does not use. */
function without(source: WeightSource, unused: (name: string) => boolean): WeightSource {
  return {
    label: source.label,
    names: () => source.names().filter((name) => !unused(name)),
    info: (name) => source.info(name),
    read: (name) => source.read(name),
  };
}

export function parametersOf(graphs: readonly Graph[]): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  for (const graph of graphs) {
    for (const value of graph.parameters) {
      if (value.source.kind === "parameter") found.set(value.source.parameter.path, value.source.parameter);
    }
  }
  return found;
}

export function sizes(parameter: Parameter): number[] {
  return parameter.type.shape.map((dim) => {
    const size = dim.constant;
    if (size === undefined) {
      throw failure("open-parameter", `The learned tensor ${parameter.path} has the open size ${dim}.`, {
        hint: "give its sizes values with --set",
      });
    }
    return size;
  });
}

const emptySource: WeightSource = {
  label: "no weights",
  names: () => [],
  info: () => undefined,
  read: (name) =>
    Promise.reject(failure("weights-missing", `There are no weights, so ${name} can't be read.`)),
};

function readSeed(option: string): number {
  const text = option === randomPrefix ? "0" : option.slice(randomPrefix.length + 1);
  const seed = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw failure("bad-seed", `\`${option}\` does not name a seed.`, { hint: "write random:1" });
  }
  return seed;
}

function randomSource(parameters: ReadonlyMap<string, Parameter>, seed: number): WeightSource {
  return {
    label: `random weights, seed ${seed}`,
    names: () => [...parameters.keys()],
    info: (name) => {
      const parameter = parameters.get(name);
      return parameter === undefined ? undefined : { dtype: parameter.type.dtype, shape: sizes(parameter) };
    },
    read: async (name) => {
      const parameter = parameters.get(name);
      if (parameter === undefined)
        throw failure("weights-missing", `The model has no learned tensor ${name}.`);
      return initialTensor(parameter, seed);
    },
  };
}

function initialTensor(parameter: Parameter, seed: number): HostTensor {
  const { initial } = parameter;
  if (initial.kind !== "value") return randomTensor(seed, parameter.path, sizes(parameter), initial);
  const [tensor] = evaluateValues([initial.value]);
  if (tensor === undefined) throw failure("internal-error", `${parameter.path} has no initial value.`);
  return tensor;
}
