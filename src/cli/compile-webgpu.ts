/**
 * `ossicle compile --target webgpu`: a kernel plan and its weights.
 */
import type { Graph } from "../compiler/graph.ts";
import { compilePlan } from "../compiler/wgsl/compile.ts";
import { type PlanFile, planFiles } from "../compiler/wgsl/plan-files.ts";
import { failure } from "../runtime/failure.ts";
import { writeTogether } from "./output-files.ts";
import type { Progress } from "./progress.ts";
import type { OpenWeights } from "./weights.ts";

/** Writes `out` and, beside it, the weights: `model.json` and `model.safetensors`. */
export async function writePlan(
  graphs: readonly Graph[],
  model: string,
  weights: OpenWeights,
  { out, progress }: { readonly out: string; readonly progress: Progress },
): Promise<{ path: string; bytes: number }[]> {
  if (!out.endsWith(".json")) {
    throw failure("output-unwritable", `A kernel plan is written to a file ending in .json, not to ${out}.`, {
      hint: "the weights go beside it: --out model.json also writes model.safetensors",
    });
  }
  const metadata = { model, weights: weights.random ? "random" : "checkpoint" };
  const files = planFiles(compilePlan(graphs, { model }), weights.source, metadata);
  // Weights first: a plan never refers to weights that are not there yet.
  const written: readonly (readonly [path: string, file: PlanFile])[] = [
    [out.replace(/\.json$/, ".safetensors"), files.weights],
    [out, files.plan],
  ];
  progress.start("writing", files.weights.byteLength + files.plan.byteLength);
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
