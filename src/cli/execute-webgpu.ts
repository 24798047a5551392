/**
 * Running graphs as kernel plans on WebGPU, through Dawn.
 *
 * Owns: compiling the plan, loading it with weights that are read and rounded one at a time, and calls
 * that start from zero state as those of the other targets do.
 */
import type { Graph } from "../compiler/graph.ts";
import type { PlanGeneration } from "../compiler/plan.ts";
import { compilePlan } from "../compiler/wgsl/compile.ts";
import { fileTensors, readWeightBytes } from "../compiler/wgsl/weight-bytes.ts";
import { openDawn } from "../runtime/gpu/dawn.ts";
import { beginWith, deviceGeneration } from "../runtime/gpu/generation.ts";
import { GpuModel } from "../runtime/gpu/model.ts";
import { weightsFrom } from "../runtime/gpu/weight-streams.ts";
import type { Execute, PreparedEntries, Shown } from "./execute.ts";
import { tuningFolder, tuningInFolder } from "./tuning-file.ts";
import type { OpenWeights } from "./weights.ts";

/** Milliseconds for measuring kernels, for those who ask for it: software takes seconds to compile one. */
const tuningBudget = 30_000;

export async function prepareWebGpu(
  graphs: readonly Graph[],
  weights: OpenWeights,
  { tune, arithmetic: wanted }: Required<Pick<Execute, "tune" | "arithmetic">>,
  { progress, running }: Shown,
  since: () => number,
  generating?: Omit<PlanGeneration, "selection">,
): Promise<PreparedEntries> {
  const gpu = await openDawn();
  // Used where it is there, never required.
  const hasHalves = wanted === "f16" && (await gpu.requestAdapter())?.features.has("shader-f16") === true;
  const arithmetic: "f32" | "f16" = hasHalves ? "f16" : "f32";
  const artefact = compilePlan(graphs, {
    variants: tune ? "all" : "known",
    arithmetic,
    ...(generating !== undefined && { generation: generating }),
  });
  const { plan } = artefact;
  progress.start("loading", Math.max(1, fileTensors(plan.weights).length));
  const stream = weightsFrom(weights.source.label, async (weight) => {
    const bytes = await readWeightBytes(artefact, weight, weights.source);
    progress.advance();
    return bytes;
  });
  const model = await GpuModel.load(plan, stream, {
    gpu,
    ...(tune && { tune: "measure", tuningBudget, tuningCache: tuningInFolder(tuningFolder()) }),
  });
  progress.stop();
  const session = model.session();
  const prepareSeconds = since();
  const entries = plan.entries.map(({ name, outputs }) => ({
    prepareSeconds,
    arithmetic,
    run: async (inputs: Parameters<PreparedEntries["entries"][number]["run"]>[0]) => {
      running.start("computing", 1);
      const started = performance.now();
      await session.reset();
      const result = await session.call(name, inputs, { read: outputs.map((output) => output.name) });
      const runSeconds = (performance.now() - started) / 1000;
      running.stop();
      return { outputs: result.outputs, prepareSeconds, runSeconds };
    },
    release: async () => model.dispose(),
  }));
  return {
    entries,
    generation: (entries, inputs) =>
      deviceGeneration(plan.generation ?? { entries }, session, beginWith(entries, session, inputs)),
  };
}
