/**
 * Weights for a graph: from a checkpoint, or drawn as the model says.
 *
 * Owns: `--weights FILE` and `--weights random:SEED`, with what adapters make of them, and holding a checkpoint to what the graphs
 * need before anything is computed.
 */

import type { Elaboration } from "../compiler/elaborate.ts";
import type { Graph, Parameter } from "../compiler/graph.ts";
import { allocate, type HostTensor, type TensorInfo, type WeightSource } from "../compiler/host-tensor.ts";
import { evaluateValues } from "../compiler/interpret.ts";
import type { ChooseStorage } from "../compiler/storage.ts";
import { DiagnosticError } from "../lang/diagnostic.ts";
import { checkpointName, type Rename } from "../lang/plans.ts";
import { suggest } from "../lang/suggest.ts";
import {
  type Adapter,
  type AdapterSite,
  adapted,
  adapterSites,
  declaredTensors,
  requireFit,
} from "../runtime/checkpoint/adapter.ts";
import { failure } from "../runtime/failure.ts";
import { randomTensor } from "../runtime/random-weights.ts";
import { checkWeights } from "../runtime/weights-report.ts";
import { type AdapterChoice, type NamedAdapter, noAdapters, openAdapter } from "./adapters.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Output } from "./output.ts";
import { type StorageOptions, storageChoice } from "./storage.ts";

const randomPrefix = "random";

export interface OpenWeights {
  readonly source: WeightSource;
  /** Drawn, not trained: whatever is printed must say so. */
  readonly random: boolean;
  /** What each matrix is stored as, wherever the model runs. */
  readonly storage: ChooseStorage;
  /** Adapters that are chosen at run time. */
  readonly named: readonly NamedAdapter[];
  /** The one of them that acts at first. */
  readonly use?: string | undefined;
  close(): Promise<void>;
}

/**
 * @param model every learned tensor of the model, so that what another entry needs is not unexpected,
 *   and how a checkpoint calls them
 * @param adapters low-rank adapters, merged into the weights or kept apart
 * @param stored what matrices are stored as, in place of what the program says
 * @throws DiagnosticError when weights are needed and not given, or do not fit the graphs
 */
export async function openWeights(
  option: string | undefined,
  graphs: readonly Graph[],
  model: Pick<Elaboration, "modelParameters" | "renames"> & Partial<Pick<Elaboration, "outline">>,
  output: Output,
  adapters: AdapterChoice = noAdapters,
  stored: StorageOptions = {},
): Promise<OpenWeights> {
  const storage = storageChoice(stored, model);
  const parameters = parametersOf(graphs);
  const known = model.modelParameters;
  const [use] = adapters.use;
  const named: NamedAdapter[] = [];
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const file of opened) await file.close();
  };
  const withAdapter = async (base: WeightSource): Promise<WeightSource> => {
    let source = base;
    if (adapters.merged !== undefined) {
      const found = await openAdapter(adapters.merged);
      opened.push(found);
      for (const site of adapterSites(found, known, suggest)) requireSameSizes(site, found, parameters);
      source = adapted(base, found, known, suggest);
    }
    for (const { name, folder } of adapters.named) {
      const adapter = await openAdapter(folder);
      opened.push(adapter);
      const sites = adapterSites(adapter, known, suggest);
      for (const site of sites) requireFit(sizesAt(site, parameters), site, adapter);
      named.push({ name, adapter, sites });
    }
    return named.length === 0 ? source : withoutDeclared(source, named, parameters);
  };
  if (option === undefined) {
    requireNoWeights(graphs);
    return { source: emptySource, random: false, storage, named, async close() {} };
  }
  if (option === randomPrefix || option.startsWith(`${randomPrefix}:`)) {
    const seed = readSeed(option);
    try {
      return {
        source: await withAdapter(randomSource(parameters, seed)),
        random: true,
        storage,
        named,
        use,
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
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
    return { source, random: false, storage, named, use, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function sizesAt(
  { place }: AdapterSite,
  parameters: ReadonlyMap<string, Parameter>,
): readonly number[] | undefined {
  const weight = parameters.get(`${place}.weight`);
  return weight && sizes(weight);
}

/** As `requireFit`, and of the same rank where the program declares an adapter that this one fills. */
function requireSameSizes(
  site: AdapterSite,
  adapter: Adapter,
  parameters: ReadonlyMap<string, Parameter>,
): void {
  requireFit(sizesAt(site, parameters), site, adapter);
  const [nameOfA] = declaredTensors(site.place);
  const declared = parameters.get(nameOfA);
  const rank = declared && sizes(declared)[0];
  if (rank === undefined || rank === site.rank) return;
  throw failure(
    "adapter-shape",
    `${adapter.label} is of rank ${site.rank} at ${site.place}, and the program's own adapter there of rank ${rank}.`,
    { hint: "give the program that rank with --set, or keep the adapter apart: --adapter NAME=FOLDER" },
  );
}

/** Tensors of adapters that the program declares do nothing where adapters are chosen at run time and no file has them. */
function withoutDeclared(
  base: WeightSource,
  named: readonly NamedAdapter[],
  parameters: ReadonlyMap<string, Parameter>,
): WeightSource {
  const sites = named.flatMap(({ sites }) => sites);
  const missing = new Map(
    sites.flatMap(({ place }) =>
      declaredTensors(place).flatMap((name) => {
        const parameter = base.info(name) === undefined ? parameters.get(name) : undefined;
        return parameter === undefined ? [] : [[name, parameter] as const];
      }),
    ),
  );
  const infoOf = (parameter: Parameter): TensorInfo => ({
    dtype: parameter.type.dtype,
    shape: sizes(parameter),
  });
  return {
    label: base.label,
    names: () => [...base.names(), ...missing.keys()],
    info: (name) => {
      const parameter = missing.get(name);
      return parameter === undefined ? base.info(name) : infoOf(parameter);
    },
    read: async (name) => {
      const parameter = missing.get(name);
      if (parameter === undefined) return await base.read(name);
      const { dtype, shape } = infoOf(parameter);
      return allocate(dtype, shape);
    },
  };
}

/** @throws DiagnosticError `weights-missing` when the graphs have learned tensors */
export function requireNoWeights(graphs: readonly Graph[]): void {
  const { size } = parametersOf(graphs);
  if (size === 0) return;
  throw failure("weights-missing", `This entry has ${size} learned tensors and needs weights.`, {
    hint: "give --weights FILE, or --weights random:1 to try things out",
  });
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
  if (weights.named.length > 0) output.set("adapter", weights.use ?? null);
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
