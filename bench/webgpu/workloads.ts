/**
 * The models of the contest, compiled for both sides from the same text and the same weights.
 *
 * Owns: which they are, and the files of each in a folder: `dense/plan.json` with its weights, and the same entries as
 * ONNX in both profiles, `dense/portable/forward.onnx`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeArtefact } from "../../src/cli/compile-command.ts";
import { writePlan } from "../../src/cli/compile-webgpu.ts";
import { compileEntries } from "../../src/cli/program.ts";
import type { Progress } from "../../src/cli/progress.ts";
import { openWeights } from "../../src/cli/weights.ts";
import { type Bindings, evaluateDim } from "../../src/compiler/bind.ts";
import type { Graph, Node } from "../../src/compiler/graph.ts";
import { elementCount } from "../../src/compiler/host-tensor.ts";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import type { OnnxProfile } from "../../src/compiler/onnx/context.ts";
import { totalsOf } from "../../src/compiler/totals.ts";
import { quiet } from "../models.ts";
import { type CallForm, type PeerEntry, weightFile } from "./contest.ts";
import type { ProductSize } from "./plain-kernels.ts";

export interface Workload {
  readonly name: "dense" | "pruned" | "decoder" | "reading";
  readonly title: string;
  readonly file: string;
  readonly model?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly entries: readonly string[];
  /** Whether there is a peer to run it against. */
  readonly contested: boolean;
}

/** How much is measured: so much that a run of the peer takes seconds. */
export interface Extent {
  /** Of the encoder's input: 1024 make 513 tokens. */
  readonly frames: number;
  /** Layers of the encoder; the site is in the first. */
  readonly blocks: number;
  readonly keep: number;
  /** Layers of the decoder, its rows of the head, and ids of its prompt. */
  readonly layers: number;
  readonly vocabulary: number;
  readonly prompt: number;
  /** Steps that are timed together. */
  readonly steps: number;
}

export function workloadsOf({ frames, blocks, keep, layers, vocabulary }: Extent): readonly Workload[] {
  const encoder = {
    file: "models/classifiers/audiomae.oss",
    model: "AudioMaeClassifier",
    entries: ["forward"],
    contested: true,
  };
  const depth = { depth: String(blocks), frames: String(frames), at: "[0]" };
  const decoder = `Mamba2("130m", depth: ${layers}, vocabulary: ${vocabulary})`;
  return [
    {
      ...encoder,
      name: "dense",
      title: `AudioMAE, ${blocks} of 12 layers, ${1 + frames / 2} tokens`,
      settings: { ...depth, keep: "1" },
    },
    {
      ...encoder,
      name: "pruned",
      title: `the same, ${100 * keep} % kept from layer 0 on`,
      settings: { ...depth, keep: String(keep) },
    },
    {
      name: "decoder",
      title: `Mamba-2 130m, ${layers} of 24 layers and the head`,
      file: "models/decoders/mamba2-lm.oss",
      settings: { decoder },
      entries: ["prefill", "step"],
      contested: true,
    },
    {
      name: "reading",
      title: "the same without its head",
      file: "bench/webgpu/reading.oss",
      settings: { decoder },
      entries: ["read", "read_one"],
      contested: false,
    },
  ];
}

/** The calls that are timed, by what they are called in the report. */
export interface Calls {
  readonly encode: CallForm;
  readonly prefill: CallForm;
  readonly step: CallForm;
  readonly read: CallForm;
  readonly readOneByOne: CallForm;
}

export function callsOf({ frames, prompt, steps }: Extent): Calls {
  const ids = (length: number) => ({ kind: "ids", length }) as const;
  return {
    encode: {
      entry: "forward",
      inputs: { x: { kind: "noise", shape: [1, 1, frames, 128], deviation: 0.5 } },
      fresh: true,
    },
    prefill: { entry: "prefill", inputs: { tokens: ids(prompt) }, fresh: true },
    step: { entry: "step", inputs: { token: ids(steps) }, fresh: false, idById: "each" },
    read: { entry: "read", inputs: { tokens: ids(prompt) }, fresh: true },
    readOneByOne: { entry: "read_one", inputs: { token: ids(prompt) }, fresh: true, idById: "last" },
  };
}

export interface Compiled {
  readonly workload: Workload;
  readonly peerEntries: readonly PeerEntry[];
  /** By entry: multiply-adds, and the bytes that a call has to move, weights and states. */
  readonly costs: Readonly<Record<string, Cost>>;
  /** The products with a weight, of the first entry. */
  readonly products: readonly ProductSize[];
}

export interface Cost {
  readonly macs: number;
  readonly bytes: number;
}

export const profiles: readonly OnnxProfile[] = ["portable", "ort"];

/** Writes a workload's files below `folder`. */
export async function compileWorkload(
  workload: Workload,
  { prompt }: Extent,
  folder: string,
  progress: Progress,
): Promise<Compiled> {
  const { model } = workload;
  const options = {
    ...(model !== undefined && { model }),
    set: new Map(Object.entries(workload.settings)),
    color: false,
  };
  const elaborations = compileEntries(workload.file, options, workload.entries, quiet());
  const graphs = elaborations.map(({ graph }) => graph);
  const [first] = elaborations;
  if (first === undefined) throw new Error(`${workload.name} has no entry`);
  const weights = await openWeights("random:1", graphs, first, quiet());
  const own = join(folder, workload.name);
  await mkdir(own, { recursive: true });
  try {
    await writePlan(graphs, workload.name, weights, {
      out: join(own, "plan.json"),
      progress,
      generation: undefined,
      tokenizer: undefined,
      device: "default",
      variants: "all",
    });
    for (const profile of workload.contested ? profiles : []) {
      const named = graphs.map((graph, i) => ({ ...graph, name: workload.entries[i] ?? graph.name }));
      const settings = { storage: "external", dataFile: weightFile, profile } as const;
      await writeArtefact(compileOnnx(named, weights.source, settings), join(own, profile), false, progress);
    }
  } finally {
    await weights.close();
  }
  const bindings = new Map([
    ["B", 1],
    ["L", prompt],
  ]);
  return {
    workload,
    products: first.graph.nodes.flatMap((node) => productSize(node, bindings)),
    peerEntries: graphs.map((graph, i) => peerEntry(graph, workload.entries[i] ?? graph.name)),
    costs: Object.fromEntries(
      graphs.map((graph, i) => {
        const macs = totalsOf(graph).macs.evaluate(bindings);
        return [workload.entries[i] ?? graph.name, { macs, bytes: movedBytes(graph) }];
      }),
    ),
  };
}

/** Of many rows, and a matrix of weights whose columns come in fours. */
function productSize({ op, operands }: Node, bindings: Bindings): ProductSize[] {
  const [left = [], right = []] = operands.map(({ type }) =>
    type.shape.map((dim) => evaluateDim(dim, bindings)),
  );
  const [depth = 1, columns = 1] = right;
  if (op.lowering.kind !== "contract" || right.length !== 2 || left.at(-1) !== depth) return [];
  const rows = elementCount(left) / depth;
  return rows < 16 || depth % 4 > 0 || columns % 4 > 0 ? [] : [{ rows, depth, columns }];
}

function peerEntry({ inputs, outputs }: Graph, name: string): PeerEntry {
  return {
    name,
    takes: inputs.flatMap(({ name: input, state }) => (state === undefined ? [] : [{ input, state }])),
    leaves: outputs.flatMap(({ name: output, state }) => (state === undefined ? [] : [{ output, state }])),
  };
}

/** Weights once, and states in and out: what a step can't avoid. An embedding that is no head is looked up in. */
function movedBytes({ parameters, inputs, outputs }: Graph): number {
  const bytes = (shape: readonly { readonly constant: number | undefined }[]): number =>
    4 * elementCount(shape.map((dim) => dim.constant ?? 1));
  const states = [...inputs, ...outputs].filter(({ state }) => state !== undefined);
  return [...parameters, ...states.map(({ value }) => value)].reduce(
    (sum, { type }) => sum + bytes(type.shape),
    0,
  );
}
