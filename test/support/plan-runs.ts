/**
 * A graph on a device and by the reference, on the same numbers.
 */
import type { Graph } from "../../src/compiler/graph.ts";
import type { HostTensor, WeightSource } from "../../src/compiler/host-tensor.ts";
import { interpret } from "../../src/compiler/interpret.ts";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import type { KernelPlan } from "../../src/compiler/plan.ts";
import { compilePlan, type PlanOptions } from "../../src/compiler/wgsl/compile.ts";
import { readWeightBytes } from "../../src/compiler/wgsl/weight-bytes.ts";
import { GpuModel } from "../../src/runtime/gpu/model.ts";
import { weightsFrom } from "../../src/runtime/gpu/weight-streams.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import type { Case } from "./three-counts.ts";

export interface PlanRun {
  readonly plan: KernelPlan;
  readonly got: ReadonlyMap<string, HostTensor>;
}

export function sourceOf({ graph, parameters }: Case): WeightSource {
  const named = new Map(
    graph.parameters.flatMap(({ source }) =>
      source.kind === "parameter" ? [[source.parameter.path, source.parameter] as const] : [],
    ),
  );
  return {
    label: "drawn",
    names: () => [...named.keys()],
    info: (name) => {
      const tensor = parameters(name);
      return { dtype: tensor.dtype, shape: tensor.shape };
    },
    read: async (name) => parameters(name),
  };
}

export async function runPlan(
  given: Case,
  on: { readonly gpu: GPU; readonly device: GPUDevice },
  options: PlanOptions = {},
): Promise<PlanRun> {
  const artefact = compilePlan([given.graph], options);
  const source = sourceOf(given);
  const stream = weightsFrom("drawn", (weight) => readWeightBytes(artefact, weight, source));
  const model = await GpuModel.load(artefact.plan, stream, on);
  try {
    const read = given.graph.outputs.map(({ name }) => name);
    const { outputs } = await model.session().call(given.graph.name, given.inputs, { read });
    return { plan: artefact.plan, got: outputs };
  } finally {
    model.dispose();
  }
}

export function runReference({ graph, inputs, parameters }: Case): ReadonlyMap<string, HostTensor> {
  return interpret(graph, { inputs, parameters });
}

/** The largest distance between equals, as a multiple of 1 + |want|. */
export function farthest(
  graph: Graph,
  got: ReadonlyMap<string, HostTensor>,
  want: ReadonlyMap<string, HostTensor>,
): number {
  let most = 0;
  for (const { name } of graph.outputs) {
    const [a, b] = [got.get(name), want.get(name)];
    if (a === undefined || b === undefined || a.data.length !== b.data.length)
      return Number.POSITIVE_INFINITY;
    b.data.forEach((value, at) => {
      const off = Math.abs((a.data[at] ?? Number.NaN) - value) / (1 + Math.abs(value));
      most = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
    });
  }
  return most;
}

/** The same as an ONNX model, on onnxruntime. */
export async function runOnnx(given: Case): Promise<ReadonlyMap<string, HostTensor>> {
  const [file] = compileOnnx([given.graph], sourceOf(given), { storage: "inline" }).models;
  const parts: Uint8Array[] = [];
  await file?.write({ write: async (part) => void parts.push(part.slice()) });
  const session = await createOnnxSession(Buffer.concat(parts), { threads: 1 });
  try {
    return await session.run(given.inputs);
  } finally {
    await session.release();
  }
}
