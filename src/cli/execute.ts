/**
 * Running a graph on the target that the user chose.
 *
 * Owns: `reference` (the interpreter) and `onnx` (onnxruntime on files in a temporary folder, which
 * is removed whatever happens). `webgpu` is in execute-webgpu.ts, which is loaded when it is wanted. All
 * bind sizes and check guards first.
 */
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindSymbols } from "../compiler/bind.ts";
import type { GenerationPlan } from "../compiler/generation-plan.ts";
import type { Graph } from "../compiler/graph.ts";
import type { HostTensor } from "../compiler/host-tensor.ts";
import { interpret } from "../compiler/interpret.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import type { PlanGeneration } from "../compiler/plan.ts";
import type { LiveAdapters } from "../runtime/checkpoint/live-adapters.ts";
import { failure } from "../runtime/failure.ts";
import { type GenerationSession, hostSession, type RunEntry } from "../runtime/generation/session.ts";
import { createOnnxSession, type OnnxSession } from "../runtime/onnx-session.ts";
import { prepareAdapters } from "./adapters.ts";
import { attempt, undoOnExit } from "./cleanup.ts";
import { writeArtefact } from "./compile-command.ts";
import { writeFailure } from "./file-failure.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";
import { storedGraphs } from "./storage.ts";
import type { OpenWeights } from "./weights.ts";

export type Target = "onnx" | "webgpu" | "reference";

/** What runs a model, as commands take it. */
export interface Execute {
  readonly target: Target;
  /** The operators for onnxruntime; `portable` by default. */
  readonly profile?: OnnxProfile;
  /** How two of the entries generate, for targets that choose ids themselves. */
  readonly generation?: Omit<PlanGeneration, "selection">;
  /** On WebGPU: whether kernels are measured, or chosen by what was measured before. */
  readonly tune?: boolean;
  /** On WebGPU: how wide the factors of products with weights are, where the device has such numbers. */
  readonly arithmetic?: Arithmetic;
}

export interface Execution {
  readonly outputs: ReadonlyMap<string, HostTensor>;
  /** Seconds to prepare (compile and load) and to run. */
  readonly prepareSeconds: number;
  readonly runSeconds: number;
}

/** What products with weights are computed in, of what can be asked for. */
type Arithmetic = "f32" | "f16";

/** A graph that is ready to run again and again. */
export interface Prepared {
  readonly prepareSeconds: number;
  /** On a target where it can be chosen. */
  readonly arithmetic?: Arithmetic;
  run(inputs: ReadonlyMap<string, HostTensor>): Promise<Execution>;
  release(): Promise<void>;
}

/** Entries of a model that are ready to run, in the order in which they were given. */
export interface PreparedEntries {
  readonly entries: readonly Prepared[];
  /** Generation with state where the target keeps it; over the entries' tensors by default. */
  readonly generation?: (plan: GenerationPlan, inputs: ReadonlyMap<string, HostTensor>) => GenerationSession;
}

export interface PreparedTogether extends Required<PreparedEntries> {
  readonly prepareSeconds: number;
  /** Which of the adapters acts, when there are any to choose from. */
  readonly adapters?: LiveAdapters;
  release(): Promise<void>;
}

export async function prepare(
  graph: Graph,
  weights: OpenWeights,
  how: Execute,
  progress: Progress,
): Promise<Prepared> {
  const together = await prepareTogether([graph], weights, how, progress);
  const [entry] = together.entries;
  if (entry === undefined) throw failure("internal-error", "Nothing was prepared.");
  return entry;
}

/**
 * Several entries of one model: their weights are read and written once.
 * @param running shows each run; `progress` by default
 */
export async function prepareTogether(
  graphs: readonly Graph[],
  weights: OpenWeights,
  how: Execute,
  progress: Progress,
  running: Progress = progress,
): Promise<PreparedTogether> {
  const started = performance.now();
  const since = (): number => (performance.now() - started) / 1000;
  const shown = { progress, running };
  if (weights.named.length > 0) return await prepareAdapted(graphs, weights, how, shown, since);
  const stored = storedGraphs(graphs, weights.storage);
  const { entries, generation } = await prepareOn(how, stored, weights, shown, since);
  return {
    prepareSeconds: since(),
    entries,
    generation: generation ?? ((plan, inputs) => hostSession(plan, ...runnersOf(entries), inputs)),
    release: async () => {
      for (const entry of entries) await entry.release();
    },
  };
}

/** With adapters as inputs; generation goes over the entries' tensors, so that they reach every step. */
async function prepareAdapted(
  graphs: readonly Graph[],
  weights: OpenWeights,
  how: Execute,
  shown: Shown,
  since: () => number,
): Promise<PreparedTogether> {
  const { graphs: adapted, adapters } = await prepareAdapters(graphs, weights.named);
  adapters.use(weights.use);
  const { entries } = await prepareOn(how, storedGraphs(adapted, weights.storage), weights, shown, since);
  const wrapped = entries.map((entry, i): Prepared => {
    const accepted = new Set(adapted[i]?.inputs.map(({ name }) => name));
    return { ...entry, run: (inputs) => entry.run(adapters.with(inputs, accepted)) };
  });
  return {
    prepareSeconds: since(),
    entries: wrapped,
    generation: (plan, inputs) => hostSession(plan, ...runnersOf(wrapped), inputs),
    adapters,
    release: async () => {
      for (const entry of entries) await entry.release();
    },
  };
}

async function prepareOn(
  { target, profile, generation, tune = false, arithmetic = "f32" }: Execute,
  graphs: readonly Graph[],
  weights: OpenWeights,
  shown: Shown,
  since: () => number,
): Promise<PreparedEntries> {
  switch (target) {
    case "reference":
      return { entries: await prepareReference(graphs, weights, shown, since) };
    case "onnx":
      return { entries: await prepareOnnx(graphs, weights, profile ?? "portable", shown, since) };
    case "webgpu": {
      const { prepareWebGpu } = await import("./execute-webgpu.ts");
      return await prepareWebGpu(graphs, weights, { tune, arithmetic }, shown, since, generation);
    }
  }
}

/** What was computed in, which need not be what was asked for. */
export function reportArithmetic(prepared: Pick<Prepared, "arithmetic">, how: Execute, output: Output): void {
  const { arithmetic } = prepared;
  if (arithmetic === undefined) return;
  output.set("arithmetic", arithmetic);
  if (arithmetic !== how.arithmetic)
    output.line(`This device has no ${how.arithmetic}: ${arithmetic} was used.`);
}

/** The entry that reads what comes before, and the one that reads one id more. */
function runnersOf(entries: readonly Prepared[]): [first: RunEntry, next: RunEntry] {
  const [first, next] = entries.map(
    (entry): RunEntry =>
      async (inputs) =>
        (await entry.run(inputs)).outputs,
  );
  if (first === undefined || next === undefined)
    throw failure("internal-error", "An entry was not prepared.");
  return [first, next];
}

/** What shows the preparation, and what shows each run. */
export interface Shown {
  readonly progress: Progress;
  readonly running: Progress;
}

async function prepareReference(
  graphs: readonly Graph[],
  weights: OpenWeights,
  { progress, running }: Shown,
  since: () => number,
): Promise<Prepared[]> {
  const parameters = new Map<string, HostTensor>();
  const values = graphs.flatMap((graph) => graph.parameters);
  progress.start("reading weights", Math.max(1, values.length));
  for (const value of values) {
    if (value.source.kind !== "parameter") continue;
    const { path } = value.source.parameter;
    if (parameters.has(path)) continue;
    // Floats of any width serve for any other: they were widened exactly when read.
    parameters.set(path, { ...(await weights.source.read(path)), dtype: value.type.dtype });
    progress.advance();
  }
  progress.stop();
  const prepareSeconds = since();
  return graphs.map((graph) => ({
    prepareSeconds,
    async run(inputs) {
      const started = performance.now();
      running.start("computing", Math.max(1, graph.nodes.length));
      const outputs = interpret(graph, {
        inputs,
        parameters: (path) => {
          const tensor = parameters.get(path);
          if (tensor === undefined) throw failure("weights-missing", `There is no weight ${path}.`);
          return tensor;
        },
        onNode: () => running.advance(),
      });
      running.stop();
      return { outputs, prepareSeconds, runSeconds: (performance.now() - started) / 1000 };
    },
    async release() {},
  }));
}

async function prepareOnnx(
  graphs: readonly Graph[],
  weights: OpenWeights,
  profile: OnnxProfile,
  { progress, running }: Shown,
  since: () => number,
): Promise<Prepared[]> {
  const folder = await mkdtemp(join(tmpdir(), "ossicle-")).catch((error: unknown) => {
    throw writeFailure(tmpdir(), error);
  });
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  const forget = undoOnExit(discard);
  const remove = (): void => {
    attempt(discard);
    if (!existsSync(folder)) forget();
  };
  try {
    // Weights beside the model are mapped by onnxruntime, not copied: the process stays small.
    const artefact = compileOnnx(graphs, weights.source, { storage: "external", profile });
    const files = await writeArtefact(artefact, folder, false, progress);
    const models = files.slice(files.length - graphs.length);
    progress.start("loading", graphs.length);
    const sessions: OnnxSession[] = [];
    for (const model of models) {
      sessions.push(await createOnnxSession(model.path));
      progress.advance();
    }
    // What onnxruntime has open stays readable; where open files can't go, they go at the end.
    remove();
    progress.stop();
    const prepareSeconds = since();
    return sessions.map((session, i) => ({
      prepareSeconds,
      async run(inputs) {
        const graph = graphs[i];
        if (graph !== undefined) bindSymbols(graph, shapesOf(inputs));
        running.start("computing", 1);
        const started = performance.now();
        const outputs = await session.run(inputs);
        const runSeconds = (performance.now() - started) / 1000;
        running.stop();
        return { outputs, prepareSeconds, runSeconds };
      },
      async release() {
        await session.release();
        remove();
      },
    }));
  } catch (error) {
    remove();
    throw error;
  }
}

function shapesOf(inputs: ReadonlyMap<string, HostTensor>): Map<string, readonly number[]> {
  return new Map([...inputs].map(([name, tensor]) => [name, tensor.shape]));
}
