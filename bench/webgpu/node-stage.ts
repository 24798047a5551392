/** The stage in Node: Dawn for one's own plans, onnxruntime-node's WebGPU provider for the peer. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openFile } from "../../src/cli/files.ts";
import { openDawn } from "../../src/runtime/gpu/dawn.ts";
import { type WeightStream, weightsFromFile } from "../../src/runtime/gpu/weight-streams.ts";
import type { Stage } from "./contest.ts";
import { openLocalStage } from "./local-stage.ts";
import { stopwatchOf } from "./stopwatch.ts";

export async function openNodeStage(folder: string): Promise<Stage> {
  const ort = async () => (await import("onnxruntime-node")).default;
  return openLocalStage({
    gpu: await openDawn(),
    stopwatch: stopwatchOf(processorSeconds),
    statesStay: false,
    ort,
    text: (path) => readFile(join(folder, path), "utf8"),
    weights: (path) => weightsIn(join(folder, path)),
    opener: (from) => async (entry, settings) =>
      (await ort()).InferenceSession.create(join(folder, from, `${entry}.onnx`), settings),
  });
}

function weightsIn(path: string): WeightStream {
  return {
    label: path,
    push: async (weights, accept, signal) => {
      const file = await openFile(path);
      try {
        await weightsFromFile(file).push(weights, accept, signal);
      } finally {
        await file.close();
      }
    },
  };
}

/** Of all threads of this process, among them those that run shaders in software. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
