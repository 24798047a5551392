/**
 * `ossicle compile --target webgpu`: a folder that a page can load, a kernel plan with what belongs to it.
 */
import { basename } from "node:path";
import { describeGeneration, planGeneration } from "../compiler/generation-plan.ts";
import type { Graph } from "../compiler/graph.ts";
import { compilePlan } from "../compiler/wgsl/compile.ts";
import type { WhichOthers } from "../compiler/wgsl/kernels/kernel.ts";
import { type PlanFile, planFiles } from "../compiler/wgsl/plan-files.ts";
import type { Generation } from "../lang/plans.ts";
import { failure } from "../runtime/failure.ts";
import { readTokenizer } from "../runtime/generation/tokenizer.ts";
import { openDeviceProfile } from "./device-profile.ts";
import { readFileText } from "./files.ts";
import { writeTogether } from "./output-files.ts";
import type { Progress } from "./progress.ts";
import { storedGraphs } from "./storage.ts";
import type { OpenWeights } from "./weights.ts";

export interface PlanRequest {
  readonly out: string;
  readonly progress: Progress;
  /** What the model declares of generation, where both of its entries are compiled. */
  readonly generation: Generation | undefined;
  /** A `tokenizer.json` to go with the plan. */
  readonly tokenizer: string | undefined;
  /** `default` or the path of a profile: matrices are split for what it binds at once. */
  readonly device: string;
  /** Whether dispatches come with other kernels, for a device to choose from. */
  readonly variants: WhichOthers | undefined;
}

/**
 * Writes `out` and, beside it, the weights and the tokenizer: `model.json`, `model.safetensors` and
 * `model.tokenizer.json`.
 */
export async function writePlan(
  graphs: readonly Graph[],
  model: string,
  weights: OpenWeights,
  { out, progress, generation, tokenizer, device, variants }: PlanRequest,
): Promise<{ path: string; bytes: number }[]> {
  if (!out.endsWith(".json")) {
    throw failure("output-unwritable", `A kernel plan is written to a file ending in .json, not to ${out}.`, {
      hint: "the weights go beside it: --out model.json also writes model.safetensors",
    });
  }
  const metadata = { model, weights: weights.random ? "random" : "checkpoint" };
  const stem = out.replace(/\.json$/, "");
  const words = tokenizer === undefined ? undefined : await tokenizerFile(tokenizer);
  const generating = generationIn(graphs, generation);
  const { limits } = await openDeviceProfile(device);
  const artefact = compilePlan(storedGraphs(graphs, weights.storage), {
    model,
    largestBinding: limits.maxStorageBufferBindingSize,
    ...(variants !== undefined && { variants }),
    ...(generating !== undefined && {
      generation: { ...generating, ...(words !== undefined && { tokenizer: basename(tokenizerPath(stem)) }) },
    }),
  });
  const files = planFiles(artefact, weights.source, metadata);
  // The plan last: it never refers to files that are not there yet.
  const written: readonly (readonly [path: string, file: PlanFile])[] = [
    [`${stem}.safetensors`, files.weights],
    ...(words === undefined || generating === undefined ? [] : [[tokenizerPath(stem), words] as const]),
    [out, files.plan],
  ];
  progress.start(
    "writing",
    written.reduce((sum, [, file]) => sum + file.byteLength, 0),
  );
  const paths = written.map(([path]) => path);
  await writeTogether(paths, async (sinks) => {
    for (const [i, sink] of sinks.entries()) {
      await written[i]?.[1].write({
        async write(bytes) {
          await sink.write(bytes);
          progress.advance(bytes.length);
        },
      });
    }
  });
  progress.stop();
  return written.map(([path, file]) => ({ path, bytes: file.byteLength }));
}

const tokenizerPath = (stem: string): string => `${stem}.tokenizer.json`;

/** The tokenizer as it is, once it is known to be one. */
async function tokenizerFile(path: string): Promise<PlanFile> {
  const text = await readFileText(path);
  await readTokenizer(text, path);
  const bytes = new TextEncoder().encode(text);
  return { byteLength: bytes.length, write: (sink) => sink.write(bytes) };
}

function generationIn(graphs: readonly Graph[], declared: Generation | undefined) {
  const first = graphs.find(({ name }) => name === declared?.first);
  const next = graphs.find(({ name }) => name === declared?.next);
  if (first === undefined || next === undefined) return undefined;
  return describeGeneration(planGeneration(first, next), declared);
}
