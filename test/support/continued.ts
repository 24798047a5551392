/**
 * Entries of a Mamba-2 model compiled together and continued from each other's states in this process.
 *
 * Owns: opening them on a target, and carrying what one call left into the next. The reference needs
 * no files; the ONNX profiles run files that `ossicle compile` wrote, on one file of weights.
 */
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { prepareTogether } from "../../src/cli/execute.ts";
import { Output } from "../../src/cli/output.ts";
import { compileEntry } from "../../src/cli/program.ts";
import { terminalProgress } from "../../src/cli/progress.ts";
import { openWeights } from "../../src/cli/weights.ts";
import type { Graph } from "../../src/compiler/graph.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { root } from "./cli.ts";
import type { Target } from "./golden.ts";

export type Values = ReadonlyMap<string, HostTensor>;

export interface Continued {
  /** Runs an entry; with what an earlier call gave, it goes on from the states that are in it. */
  run(entry: string, inputs: Values, before?: Values): Promise<Values>;
}

export interface ContinuedModel {
  readonly file: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly weights: string;
  readonly entries: readonly string[];
}

/** @param atEnd is told how to close the model; by default that is done when the test has finished */
export async function openContinued(
  model: ContinuedModel,
  target: Target,
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<Continued> {
  const output = new Output("test", { json: true, color: false });
  const settings = { set: new Map(Object.entries(model.settings)), color: false };
  const elaborations = model.entries.map((entry) =>
    compileEntry(join(root, "models", model.file), settings, { entry }, output),
  );
  const [first] = elaborations;
  if (first === undefined) throw new Error("no entry was asked for");
  const graphs = elaborations.map(({ graph }) => graph);
  const weights = await openWeights(model.weights, graphs, first, output);
  const how = target === "ort" ? ({ target: "onnx", profile: "ort" } as const) : { target };
  const prepared = await prepareTogether(graphs, weights, how, terminalProgress(false));
  atEnd(async () => {
    await prepared.release();
    await weights.close();
  });
  return {
    async run(name, inputs, before) {
      const at = model.entries.indexOf(name);
      const [graph, entry] = [graphs[at], prepared.entries[at]];
      if (graph === undefined || entry === undefined) throw new Error(`${name} was not opened`);
      return (await entry.run(new Map([...statesFrom(graph, inputs, before), ...inputs]))).outputs;
    },
  };
}

/** The states that a graph takes: those of an earlier call, or zeros. */
function statesFrom(graph: Graph, inputs: Values, before: Values | undefined): Values {
  const batch = [...inputs.values()][0]?.shape[0] ?? 1;
  const states = new Map<string, HostTensor>();
  for (const { name, state, value } of graph.inputs) {
    if (state === undefined) continue;
    const shape = value.type.shape.map((dim) => dim.constant ?? batch);
    const size = shape.reduce((product, length) => product * length, 1);
    const zeros = { dtype: "f32", shape, data: new Float32Array(size) } as const;
    const left = before?.get(`present.${state}`);
    if (before !== undefined) expect(left, `the state ${state}`).toBeDefined();
    states.set(name, left ?? zeros);
  }
  return states;
}

/** Ids [1, count] from `from` on, of a text that is the same everywhere. */
export function textOf(vocabulary: number, from: number, count: number): HostTensor {
  const data = Float64Array.from({ length: count }, (_, i) => ((from + i + 1) * 7919) % vocabulary);
  return { dtype: "i64", shape: [1, count], data };
}
