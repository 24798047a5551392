/**
 * Models of test/fixtures/models/talkers.oss as plans, and what the reference generates with them.
 */
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { prepareTogether } from "../../src/cli/execute.ts";
import type { ModelOptions } from "../../src/cli/options.ts";
import { Output } from "../../src/cli/output.ts";
import { compileGeneration } from "../../src/cli/program.ts";
import { terminalProgress } from "../../src/cli/progress.ts";
import { openWeights } from "../../src/cli/weights.ts";
import {
  describeGeneration,
  type GenerationPlan,
  planGeneration,
} from "../../src/compiler/generation-plan.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import type { KernelPlan } from "../../src/compiler/plan.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { readWeightBytes } from "../../src/compiler/wgsl/weight-bytes.ts";
import { type Generated, generate } from "../../src/runtime/generation/generate.ts";
import type { GenerationOptions } from "../../src/runtime/generation/options.ts";
import { type WeightStream, weightsFrom } from "../../src/runtime/gpu/weight-streams.ts";
import { root } from "./cli.ts";

export interface Talker {
  readonly plan: KernelPlan;
  readonly entries: GenerationPlan;
  readonly weights: WeightStream;
  /** What the interpreter generates. */
  reference(inputs: ReadonlyMap<string, HostTensor>, options: GenerationOptions): Promise<Generated>;
}

export async function openTalker(model: "Parrot" | "Echo", vocabulary: number): Promise<Talker> {
  const output = new Output("test", { json: true, color: false });
  const file = join(root, "test/fixtures/models/talkers.oss");
  const options: ModelOptions = { model, set: new Map([["vocabulary", `${vocabulary}`]]), color: false };
  const { first, next, declared } = compileGeneration(file, options, output);
  const graphs = [first.graph, next.graph];
  const entries = planGeneration(first.graph, next.graph);
  const weights = await openWeights("random:7", graphs, first, output);
  const artefact = compilePlan(graphs, { model, generation: describeGeneration(entries, declared) });
  onTestFinished(() => weights.close());
  return {
    plan: artefact.plan,
    entries,
    weights: weightsFrom("random weights", (weight) => readWeightBytes(artefact, weight, weights.source)),
    reference: async (inputs, wanted) => {
      const progress = terminalProgress(false);
      const prepared = await prepareTogether(graphs, weights, { target: "reference" }, progress);
      return await generate(prepared.generation(entries, inputs), wanted);
    },
  };
}

/** Ids as an input of the first entry. */
export function tokensOf(ids: readonly number[]): HostTensor {
  return { dtype: "i64", shape: [1, ids.length], data: Float64Array.from(ids) };
}
