/**
 * Every model of the library at a size that can be run in a moment.
 *
 * Owns: the settings and the sizes of what is open. Variants are not here: they are these models with
 * other numbers.
 */
import { join } from "node:path";
import { openProgram } from "../../src/cli/program.ts";
import { elaborate, entryNames } from "../../src/compiler/elaborate.ts";
import type { Graph } from "../../src/compiler/graph.ts";
import { DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import type { Program } from "../../src/lang/program.ts";
import { root } from "./cli.ts";

export interface ReducedModel {
  readonly file: string;
  readonly model: string;
  /** What tells it from the others of the same model. */
  readonly note: string;
  readonly settings: Readonly<Record<string, string | number>>;
  /** Numbers for what is open. */
  readonly sizes: Readonly<Record<string, number>>;
}

const transformer = { frames: 64, labels: 7, width: 24, depth: 4, heads: 3, hidden: 48, at: "[1, 2, 3]" };
const sound = { B: 2, T: 11000 };
const narrow = "width: 32, depth: 2, head_width: 16, state: 8, vocabulary: 48, chunk: 4";
const text = { B: 2, L: 7 };

function classifier(
  file: string,
  model: string,
  more: ReducedModel["settings"],
  score = "PatchDeviation",
): ReducedModel[] {
  const settings = { ...transformer, ...more };
  const of = (note: string, changes: ReducedModel["settings"]): ReducedModel => ({
    file: `models/classifiers/${file}.oss`,
    model,
    note,
    settings: { ...settings, ...changes },
    sizes: sound,
  });
  return [
    of("whole", {}),
    of("pruned", { keep: 0.7 }),
    of(`pruned by ${score}, in order`, { keep: 0.5, score, order: "original" }),
  ];
}

function mamba2(note: string, decoder: string, sizes: ReducedModel["sizes"] = text): ReducedModel {
  const settings = { decoder: `Mamba2(${decoder})` };
  return { file: "models/decoders/mamba2-lm.oss", model: "Mamba2Lm", note, settings, sizes };
}

const llama = "Llama(width: 24, depth: 2, heads: 3, inner: 40, vocabulary: 48)";
const eat = "EatEncoder(frames: 64, width: 24, depth: 2, heads: 3)";
const cavMae = "frames: 64, patch_width: 24, depth: 3, heads: 3";

/** A captioner whose decoder attends: what it keeps of L positions is open too. */
function attending(file: string, model: string, settings: ReducedModel["settings"]): ReducedModel {
  const sizes = { B: 1, T: 11_000, P: 5, L: 4 };
  return { file: `models/captioners/${file}.oss`, model, note: "whole", settings, sizes };
}

export const reducedModels: readonly ReducedModel[] = [
  ...classifier("ast", "AstClassifier", { bins: 32 }),
  ...classifier("audiomae", "AudioMaeClassifier", { bins: 32 }),
  ...classifier("eat", "EatClassifier", { bins: 32, longest: 64 }, "ClsAttention"),
  {
    file: "models/frontends/kaldi-fbank.oss",
    model: "Fbank",
    note: "whole",
    settings: { bins: 40 },
    sizes: { T: 2000 },
  },
  mamba2("whole", narrow),
  mamba2("whole chunks", narrow, { B: 1, L: 8 }),
  mamba2("one id", narrow, { B: 1, L: 1 }),
  mamba2("groups, biases and a head of its own", `${narrow}, groups: 2, biased: true, tied: false`),
  {
    file: "models/decoders/llama.oss",
    model: "LlamaLm",
    note: "whole",
    settings: { decoder: "Llama(width: 24, depth: 2, heads: 3, inner: 40, vocabulary: 48)" },
    sizes: { ...text, P: 5 },
  },
  ...["merged", "apart"].map((adapters) => ({
    file: "models/captioners/sam.oss",
    model: "Sam",
    note: `adapters ${adapters}`,
    settings: {
      frames: 64,
      encoder: "EatEncoder(frames: 64, width: 24, depth: 2, heads: 3)",
      decoder: `Mamba2(${narrow})`,
      rank: 2,
      at: "[0, 1]",
      ...(adapters === "merged" ? {} : { merged: "false", keep: 0.6, arrangement: '"each"' }),
    },
    sizes: { B: 1, T: 11_000, P: 5 },
  })),
  attending("slam-aac", "SlamAac", { frames: 64, encoder: eat, decoder: llama }),
  attending("ltu", "Ltu", { frames: 64, encoder: `CavMaeEncoder(${cavMae})`, decoder: llama }),
  attending("gama", "Gama", {
    frames: 64,
    encoder: `CavMaeEncoder(${cavMae}, also: [0, 2])`,
    also: "[0, 2]",
    soft: 2,
    queries: 3,
    heads: 3,
    depth: 2,
    decoder: llama,
  }),
  attending("salmonn", "Salmonn", {
    speech: "WhisperEncoder(width: 24, depth: 2, heads: 3, positions: 40)",
    sound: "BeatsEncoder(width: 24, depth: 2, heads: 3, embedded: 16, kernel: 8, kernel_groups: 4)",
    inner: 24,
    heads: 3,
    decoder: llama,
  }),
  attending("hybrid", "HybridCaptioner", {
    frames: 64,
    encoding: eat,
    decoding:
      "Mamba2Attention(width: 32, depth: 3, at: [1], heads: 3, head_dimension: 8, turned: 4, head_width: 16, state: 8, vocabulary: 48, chunk: 4)",
    rank: 2,
  }),
];

const programs = new Map<string, Program>();

export function reducedProgram({ file }: Pick<ReducedModel, "file">): Program {
  let program = programs.get(file);
  if (program === undefined) {
    program = openProgram(join(root, file), { set: new Map(), color: false }, new DiagnosticSink());
    programs.set(file, program);
  }
  return program;
}

/** As it is laid out, every entry. */
export function reducedGraphs(reduced: ReducedModel, open: readonly string[] = []): readonly Graph[] {
  const program = reducedProgram(reduced);
  const set = Object.entries(reduced.settings).filter(([name]) => !open.includes(name));
  const settings = new Map(set.map(([name, value]) => [name, String(value)]));
  const request = { model: reduced.model, settings, open };
  const sink = new DiagnosticSink();
  const names = entryNames(program, request, sink) ?? [];
  const graphs = names.flatMap((entry) => elaborate(program, { ...request, entry }, sink)?.graph ?? []);
  if (sink.hasErrors || graphs.length !== names.length) throw new DiagnosticError(sink.sorted());
  return graphs;
}
