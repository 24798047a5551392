/**
 * Compiling and running the demo's systems.
 *
 * Owns: the two systems, one file of weights for the dense and the pruned graph of each, and times
 * taken in turns so that a busy machine slows both alike.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeArtefact } from "../../src/cli/compile-command.ts";
import { Output } from "../../src/cli/output.ts";
import { compileEntry } from "../../src/cli/program.ts";
import type { Progress } from "../../src/cli/progress.ts";
import { openWeights } from "../../src/cli/weights.ts";
import type { Elaboration } from "../../src/compiler/elaborate.ts";
import type { Graph } from "../../src/compiler/graph.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import { totalsOf } from "../../src/compiler/totals.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { renderDiagnostic } from "../../src/lang/render.ts";
import { printType } from "../../src/lang/types.ts";
import { createOnnxSession, type OnnxSession } from "../../src/runtime/onnx-session.ts";
import type { PictureFacts } from "./picture.ts";
import type { PatchGrid } from "./raster.ts";

export interface System {
  readonly name: string;
  readonly title: string;
  readonly file: string;
  readonly model: string;
  /** The path of layer i. */
  readonly layer: (index: number) => string;
  readonly grid: PatchGrid;
}

export const systems: readonly System[] = [
  {
    name: "ast",
    title: "AST, patches of 16 × 16 every 10 (arXiv:2104.01778)",
    file: "models/classifiers/ast.oss",
    model: "AstAudioSet",
    layer: (index) => `audio_spectrogram_transformer.encoder.layer.${index}`,
    grid: { size: 16, timeStride: 10, frequencyStride: 10, major: "frequency" },
  },
  {
    name: "audiomae",
    title: "AudioMAE ViT-B (arXiv:2207.06405)",
    file: "models/classifiers/audiomae.oss",
    model: "AudioMaeAudioSet",
    layer: (index) => `blocks.${index}`,
    grid: { size: 16, timeStride: 16, frequencyStride: 16, major: "time" },
  },
];

export interface TimedRun {
  readonly macs: number;
  readonly milliseconds: number;
  readonly label: string;
}

export interface Demonstration {
  readonly title: string;
  readonly summary: readonly string[];
  readonly dense: TimedRun;
  readonly pruned: TimedRun;
  /** Patches at the input and after each site. */
  readonly sites: readonly number[];
  readonly picture: PictureFacts;
}

const layers: readonly number[] = [3, 6, 9];
const rounds = 3;
const frameSeconds = 0.01;

export async function demonstrate(
  system: System,
  samples: Float32Array,
  keep: number,
  progress: Progress,
): Promise<Demonstration> {
  const taps = layers.map((index) => `${system.layer(index)}.tokens.origin`);
  const dense = elaborate(system, "classify", 1, []);
  const pruned = elaborate(system, "classify", keep, taps);
  const features = elaborate(system, "features", 1, []);
  const graphs = [named(dense, "dense"), named(pruned, "pruned"), named(features, "features")];
  const weights = await openWeights("random:1", graphs, dense, quiet());
  const folder = await mkdtemp(join(tmpdir(), "ossicle-demo-"));
  try {
    const artefact = compileOnnx(graphs, weights.source, { dataFile: "weights.data" });
    await writeArtefact(artefact, folder, false, progress);
    const inputs = new Map<string, HostTensor>([
      ["audio", { dtype: "f32", shape: [samples.length], data: samples }],
    ]);
    const spectrogram = await once(join(folder, "features.onnx"), inputs);
    const timed = await race([join(folder, "dense.onnx"), join(folder, "pruned.onnx")], inputs, progress);
    const [denseRun, prunedRun] = timed;
    if (denseRun === undefined || prunedRun === undefined) throw new Error("two runs were asked for");
    const origins = taps.map((path) => Array.from(prunedRun.outputs.get(path)?.data ?? []));
    const [frames = 0, bins = 0] = spectrogram.shape.slice(-2);
    const patches = patchCount(frames, bins, system.grid);
    const recordedFrames = Math.min(frames, 1 + Math.floor((samples.length - 400) / 160));
    return {
      title: system.title,
      summary: summarise(dense),
      dense: timedRun(named(dense, "dense"), samples.length, denseRun),
      pruned: timedRun(named(pruned, "pruned"), samples.length, prunedRun),
      sites: [patches, ...origins.map((kept) => kept.length)],
      picture: {
        title: system.title,
        subtitle: `The patches that TopK pruning keeps at keep rate ${keep}. Random weights: which patches those are means nothing yet.`,
        spectrogram: { frames, bins, values: spectrogram.data },
        grid: system.grid,
        patches,
        sites: layers.map((layer, i) => ({ layer, kept: origins[i] ?? [] })),
        recordedFrames,
        frameSeconds,
      },
    };
  } finally {
    progress.stop();
    await weights.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export function describeFailure(error: unknown): string {
  if (!(error instanceof DiagnosticError)) return error instanceof Error ? error.message : String(error);
  return error.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, { color: false })).join("\n\n");
}

function quiet(): Output {
  return new Output("demo", { json: false, color: false });
}

function elaborate(system: System, entry: string, keep: number, taps: readonly string[]): Elaboration {
  const settings = new Map([["keep", String(keep)]]);
  const options = { model: system.model, set: settings, color: false };
  return compileEntry(system.file, options, { entry, taps }, quiet());
}

function named(elaboration: Elaboration, name: string): Graph {
  return { ...elaboration.graph, name };
}

function summarise({ entry, graph }: Elaboration): string[] {
  const ports = (list: readonly { name: string; type: Parameters<typeof printType>[0] }[]): string =>
    list.map((port) => `${port.name}: ${printType(port.type)}`).join(", ");
  const results = entry.outputs.map(({ name, value }) => ({ name, type: value.type }));
  const elements = totalsOf(graph).parameters.evaluate(new Map());
  return [
    `${entry.model}.${entry.entry}(${ports(entry.inputs)}) -> ${ports(results)}`,
    `${(elements / 1e6).toFixed(1)} M parameters`,
  ];
}

function patchCount(frames: number, bins: number, grid: PatchGrid): number {
  const along = (length: number, stride: number): number => 1 + Math.floor((length - grid.size) / stride);
  return along(frames, grid.timeStride) * along(bins, grid.frequencyStride);
}

interface Finished {
  readonly outputs: ReadonlyMap<string, HostTensor>;
  readonly milliseconds: number;
}

function timedRun(graph: Graph, sampleCount: number, finished: Finished): TimedRun {
  const logits = finished.outputs.get("logits")?.data ?? new Float32Array();
  const best = Array.from(logits).reduce((top, value, i, all) => (value > (all[top] ?? 0) ? i : top), 0);
  const macs = totalsOf(graph).macs.evaluate(new Map([["T", sampleCount]]));
  return { macs, milliseconds: finished.milliseconds, label: `class ${best}` };
}

async function once(path: string, inputs: ReadonlyMap<string, HostTensor>): Promise<HostTensor> {
  const session = await createOnnxSession(path);
  try {
    const [first] = (await session.run(inputs)).values();
    if (first === undefined) throw new Error(`${path} gives nothing`);
    return first;
  } finally {
    await session.release();
  }
}

/** Runs every model in turn, several rounds, and gives each its median. The first round warms up. */
async function race(
  paths: readonly string[],
  inputs: ReadonlyMap<string, HostTensor>,
  progress: Progress,
): Promise<Finished[]> {
  const sessions: OnnxSession[] = [];
  try {
    progress.start("running", (rounds + 1) * paths.length);
    for (const path of paths) sessions.push(await createOnnxSession(path));
    const times: number[][] = sessions.map(() => []);
    const outputs: ReadonlyMap<string, HostTensor>[] = [];
    for (let round = 0; round <= rounds; round++) {
      for (const [i, session] of sessions.entries()) {
        const started = performance.now();
        outputs[i] = await session.run(inputs);
        if (round > 0) times[i]?.push(performance.now() - started);
        progress.advance();
      }
    }
    progress.stop();
    return sessions.map((_, i) => ({
      outputs: outputs[i] ?? new Map(),
      milliseconds: median(times[i] ?? []),
    }));
  } finally {
    for (const session of sessions) await session.release();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
