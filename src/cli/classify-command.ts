/**
 * `ossicle classify`: a recording to labels.
 */
import type { Command } from "commander";
import type { HostTensor } from "../compiler/host-tensor.ts";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import { failure } from "../runtime/failure.ts";
import { type AdapterOptions, adapterChoice, singleUse } from "./adapters.ts";
import { prepare, reportArithmetic, type Target } from "./execute.ts";
import { readFileText } from "./files.ts";
import { readInputs } from "./inputs.ts";
import {
  arithmeticOption,
  type ModelOptions,
  positiveInteger,
  profileOption,
  storageOption,
  targetOption,
  tuneOption,
  useColor,
  weightsOption,
  withAdapterOptions,
  withModelOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { compileEntry } from "./program.ts";
import { terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";
import type { StorageOptions } from "./storage.ts";
import { openWeights, reportWeights } from "./weights.ts";

interface ClassifyOptions extends ModelOptions, AdapterOptions, StorageOptions {
  readonly entry: string;
  readonly audio: string;
  readonly labels?: string;
  readonly top: number;
  readonly weights?: string;
  readonly target: Target;
  readonly tune?: boolean;
  readonly arithmetic: "f32" | "f16";
  readonly profile: OnnxProfile;
}

export function addClassify(program: Command, run: Run): void {
  withAdapterOptions(withModelOptions(program.command("classify")))
    .summary("label a recording")
    .description("Runs the entry `classify` of a model on a recording and prints the labels that score best.")
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .requiredOption("-a, --audio <file>", "the recording: WAV, FLAC, MP3, Ogg Vorbis or Opus, any rate")
    .addOption(weightsOption())
    .addOption(storageOption())
    .option(
      "-l, --labels <file>",
      "names of the classes: one a line, or JSON (a list, or config.json with id2label)",
    )
    .option("-n, --top <count>", "how many labels to print", positiveInteger, 5)
    .option("-e, --entry <name>", "an entry from one waveform to logits", "classify")
    .addOption(targetOption())
    .addOption(tuneOption())
    .addOption(arithmeticOption())
    .addOption(profileOption())
    .action(async (file: string, options: ClassifyOptions) => {
      run.status = await classify(file, options);
    });
}

async function classify(file: string, options: ClassifyOptions): Promise<number> {
  const output = new Output("classify", { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(!output.json);
  const adapters = singleUse(adapterChoice(options));
  const elaboration = compileEntry(file, options, { entry: options.entry }, output);
  const { graph, entry } = elaboration;
  const [input] = graph.inputs;
  if (input?.sampleRate === undefined || graph.inputs.length !== 1) {
    throw failure("not-a-classifier", `The entry ${entry.entry} does not take one waveform.`, {
      hint: "classify needs an entry such as `classify(audio) -> logits`",
    });
  }
  const names = options.labels === undefined ? undefined : await readLabels(options.labels);
  const inputs = await readInputs(graph, new Map([[input.name, options.audio]]));
  const weights = await openWeights(options.weights, [graph], elaboration, output, adapters, options);
  try {
    const prepared = await prepare(graph, weights, options, progress);
    try {
      const { outputs, runSeconds } = await prepared.run(inputs);
      const [logits] = outputs.values();
      if (logits === undefined) throw failure("not-a-classifier", `The entry ${entry.entry} gives nothing.`);
      const ranked = rank(logits, names, options.labels ?? "").slice(0, options.top);
      output.set("model", entry.model);
      reportArithmetic(prepared, options, output);
      reportWeights(weights, output);
      output.set("seconds", runSeconds);
      output.set("labels", ranked);
      for (const { label, logit } of ranked) output.line(`${logit.toFixed(4).padStart(10)}  ${label}`);
      if (weights.random)
        output.line(`The weights are random (${options.weights}): these labels mean nothing.`);
    } finally {
      await prepared.release();
    }
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

interface RankedLabel {
  readonly index: number;
  readonly label: string;
  readonly logit: number;
}

function rank(logits: HostTensor, names: readonly string[] | undefined, source: string): RankedLabel[] {
  const count = logits.shape[logits.shape.length - 1] ?? 0;
  if (names !== undefined && names.length !== count) {
    throw failure("labels-mismatch", `${source} names ${names.length} classes, and the model has ${count}.`);
  }
  return Array.from(logits.data.subarray(0, count), (logit, index) => ({
    index,
    label: names?.[index] ?? `class ${index}`,
    logit,
  })).sort((a, b) => b.logit - a.logit || a.index - b.index);
}

async function readLabels(path: string): Promise<string[]> {
  const text = await readFileText(path);
  if (!/^\s*[[{]/.test(text)) return text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const bad = failure("bad-labels", `${path} is not a list of class names.`, {
    hint: "one name a line, a JSON list of strings, or a config.json with id2label",
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad;
  }
  if (typeof value === "object" && value !== null && "id2label" in value) value = value.id2label;
  const items: readonly unknown[] = Array.isArray(value) ? value : byNumber(value);
  const names = items.filter((item) => typeof item === "string");
  if (names.length === 0 || names.length !== items.length) throw bad;
  return names;
}

/** `{"0": "Speech", "1": …}` in the order of the numbers. */
function byNumber(value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => name);
}
