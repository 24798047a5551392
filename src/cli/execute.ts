/**
 * Running a graph on the target that the user chose.
 *
 * Owns: `reference` (the interpreter) and `onnx` (onnxruntime on files in a temporary folder, which
 * is removed whatever happens). Both bind sizes and check guards first.
 */
import { existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindSymbols } from "../compiler/bind.ts";
import type { Graph } from "../compiler/graph.ts";
import type { HostTensor } from "../compiler/host-tensor.ts";
import { interpret } from "../compiler/interpret.ts";
import { compileOnnx } from "../compiler/onnx/compile.ts";
import { failure } from "../runtime/failure.ts";
import { createOnnxSession } from "../runtime/onnx-session.ts";
import { attempt, undoOnExit } from "./cleanup.ts";
import { writeArtefact } from "./compile-command.ts";
import { writeFailure } from "./file-failure.ts";
import type { Progress } from "./progress.ts";
import type { OpenWeights } from "./weights.ts";

export type Target = "onnx" | "reference";

export interface Execution {
  readonly outputs: ReadonlyMap<string, HostTensor>;
  /** Seconds to prepare (compile and load) and to run. */
  readonly prepareSeconds: number;
  readonly runSeconds: number;
}

/** A graph that is ready to run again and again. */
export interface Prepared {
  readonly prepareSeconds: number;
  run(inputs: ReadonlyMap<string, HostTensor>): Promise<Execution>;
  release(): Promise<void>;
}

export async function prepare(
  graph: Graph,
  weights: OpenWeights,
  target: Target,
  progress: Progress,
): Promise<Prepared> {
  const started = performance.now();
  const since = (): number => (performance.now() - started) / 1000;
  return target === "reference"
    ? prepareReference(graph, weights, progress, since)
    : prepareOnnx(graph, weights, progress, since);
}

async function prepareReference(
  graph: Graph,
  weights: OpenWeights,
  progress: Progress,
  since: () => number,
): Promise<Prepared> {
  const parameters = new Map<string, HostTensor>();
  progress.start("reading weights", Math.max(1, graph.parameters.length));
  for (const value of graph.parameters) {
    if (value.source.kind !== "parameter") continue;
    const { path } = value.source.parameter;
    // Floats of any width serve for any other: they were widened exactly when read.
    parameters.set(path, { ...(await weights.source.read(path)), dtype: value.type.dtype });
    progress.advance();
  }
  progress.stop();
  const prepareSeconds = since();
  return {
    prepareSeconds,
    async run(inputs) {
      const started = performance.now();
      progress.start("computing", Math.max(1, graph.nodes.length));
      const outputs = interpret(graph, {
        inputs,
        parameters: (path) => {
          const tensor = parameters.get(path);
          if (tensor === undefined) throw failure("weights-missing", `There is no weight ${path}.`);
          return tensor;
        },
        onNode: () => progress.advance(),
      });
      progress.stop();
      return { outputs, prepareSeconds, runSeconds: (performance.now() - started) / 1000 };
    },
    async release() {},
  };
}

async function prepareOnnx(
  graph: Graph,
  weights: OpenWeights,
  progress: Progress,
  since: () => number,
): Promise<Prepared> {
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
    const artefact = compileOnnx([graph], weights.source, { storage: "external" });
    const files = await writeArtefact(artefact, folder, false, progress);
    const model = files[files.length - 1];
    if (model === undefined) throw failure("internal-error", "The compiler wrote no model.");
    progress.start("loading", 1);
    const session = await createOnnxSession(model.path);
    // What onnxruntime has open stays readable; where open files can't go, they go at the end.
    remove();
    progress.stop();
    const prepareSeconds = since();
    return {
      prepareSeconds,
      async run(inputs) {
        bindSymbols(graph, new Map([...inputs].map(([name, tensor]) => [name, tensor.shape])));
        progress.start("computing", 1);
        const started = performance.now();
        const outputs = await session.run(inputs);
        const runSeconds = (performance.now() - started) / 1000;
        progress.stop();
        return { outputs, prepareSeconds, runSeconds };
      },
      async release() {
        await session.release();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
