/**
 * `ossicle compile`: entries to files of a target.
 */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Command, Option } from "commander";
import type { Graph } from "../compiler/graph.ts";
import { compileOnnx, type OnnxArtefact, type OnnxFile, type OnnxOptions } from "../compiler/onnx/compile.ts";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import { nameStates, type StateNames, stateNameStyles } from "../compiler/onnx/state-names.ts";
import { failure } from "../runtime/failure.ts";
import { writeSafetensors } from "../runtime/safetensors-writer.ts";
import { type AdapterChoice, type AdapterOptions, adapterChoice, prepareAdapters } from "./adapters.ts";
import {
  collect,
  type ModelOptions,
  profileOption,
  storageOption,
  useColor,
  weightsOption,
  withAdapterOptions,
  withModelOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { inFolder, writeTogether, writeWhole } from "./output-files.ts";
import { compileEntry, generationNames } from "./program.ts";
import { type Progress, terminalProgress } from "./progress.ts";
import { tokenizerPath } from "./prompt.ts";
import type { Run } from "./run-state.ts";
import { type StorageOptions, storedGraphs } from "./storage.ts";
import { writeTritonRepository } from "./triton-repository.ts";
import { packageVersion } from "./version.ts";
import { type OpenWeights, openWeights, reportWeights } from "./weights.ts";

interface CompileOptions extends ModelOptions, AdapterOptions, StorageOptions {
  readonly entry: readonly string[];
  readonly tap: readonly string[];
  readonly weights?: string;
  readonly tokenizer?: string;
  readonly target: "onnx" | "webgpu";
  readonly out: string;
  readonly externalData?: boolean;
  readonly profile: OnnxProfile;
  readonly stateNames: StateNames;
  readonly host?: "triton";
  readonly device?: string;
  readonly tune?: boolean;
}

export function addCompile(program: Command, run: Run): void {
  withAdapterOptions(withModelOptions(program.command("compile")))
    .summary("compile entries to ONNX files or a WebGPU plan")
    .description(
      "Writes one ONNX model for each entry. Several entries share one file of weights; so does a model of more than 1 GB, or on request. For WebGPU: one plan of all entries, and beside it its weights and, where it generates, the tokenizer.",
    )
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option(
      "-e, --entry <name>",
      "an entry (repeatable); the first of the model by default, for WebGPU those that it generates with",
      collect,
      [],
    )
    .addOption(weightsOption())
    .addOption(storageOption())
    .addOption(
      new Option("-t, --target <target>", "what to compile for").choices(["onnx", "webgpu"]).default("onnx"),
    )
    .addOption(profileOption())
    .addOption(
      new Option("--state-names <style>", "what the inputs and outputs that carry state are called")
        .choices(stateNameStyles)
        .default("paths"),
    )
    .addOption(
      new Option("--host <host>", "lay the files out for a server: triton writes a model repository").choices(
        ["triton"],
      ),
    )
    .option(
      "--device <device>",
      "for WebGPU: what to split large weights for, `default` or a profile that `ossicle device` wrote",
    )
    .option(
      "--tune",
      "for WebGPU: offer several kernels for each product, of which a device chooses by measuring",
    )
    .option("--tap <path>", "also give out the value at this path (repeatable)", collect, [])
    .option(
      "--tokenizer <file>",
      "for WebGPU: the tokenizer.json that goes with the plan, by default the one beside the weights",
    )
    .option("--external-data", "put the weights into a file beside the model")
    .requiredOption(
      "-o, --out <path>",
      "a file ending in .onnx, or a folder for the files of several entries; for WebGPU a file ending in .json",
    )
    .action(async (file: string, options: CompileOptions) => {
      run.status = await compile(file, options);
    });
}

async function compile(file: string, options: CompileOptions): Promise<number> {
  const output = new Output("compile", { json: options.json === true, color: useColor(options) });
  const generation = options.target === "webgpu" ? generationNames(file, options).declared : undefined;
  if (options.tokenizer !== undefined && generation === undefined) {
    throw failure("tokenizer-unused", "No tokenizer goes with what is compiled.", {
      hint: "one goes with a WebGPU plan of a model that declares `generate`; leave out --tokenizer",
    });
  }
  const usual = generation === undefined ? [undefined] : [generation.first, generation.next];
  const names = options.entry.length === 0 ? usual : options.entry;
  const single = options.out.endsWith(".onnx");
  if (single && options.host !== undefined) {
    throw failure("output-unwritable", `A model repository doesn't fit into the one file ${options.out}.`, {
      hint: "name a folder with --out",
    });
  }
  if (options.host !== undefined && options.target !== "onnx") {
    throw failure(
      "output-unwritable",
      `The host ${options.host} runs ONNX, not what --target ${options.target} writes.`,
      {
        hint: "leave out --target or --host",
      },
    );
  }
  if (options.device !== undefined && options.target !== "webgpu") {
    throw failure("wrong-usage", "--device says what a WebGPU plan is split for.", {
      hint: "add --target webgpu, or leave it out",
    });
  }
  if (single && names.length > 1) {
    throw failure("output-unwritable", `Several entries don't fit into the one file ${options.out}.`, {
      hint: "name a folder with --out",
    });
  }
  const adapters = adapterChoice(options);
  requireAdaptable(adapters, options);
  const elaborations = names.map((entry) =>
    compileEntry(file, options, { entry, taps: options.tap }, output),
  );
  const graphs = elaborations.map((elaboration) => elaboration.graph);
  const [first] = elaborations;
  const name = first?.entry.model ?? "model";
  const model = first ?? { modelParameters: new Set<string>(), renames: [] };
  const weights = await openWeights(options.weights, graphs, model, output, adapters, options);
  const progress = terminalProgress(!output.json);
  try {
    const tokenizer = generation && tokenizerPath(options);
    const device = options.device ?? "default";
    const variants = options.tune === true ? ("all" as const) : undefined;
    const written = { out: options.out, progress, generation, tokenizer, device, variants };
    const files =
      options.target === "webgpu"
        ? await (await import("./compile-webgpu.ts")).writePlan(graphs, name, weights, written)
        : await writeOnnx(graphs, name, weights, options, progress);
    reportWeights(weights, output);
    output.set(
      "files",
      files.map(({ path, bytes }) => ({ path, bytes })),
    );
    for (const { path, bytes } of files) output.line(`${path}  ${bytes} bytes`);
    if (weights.random) output.line(`The weights are random (${options.weights}): outputs mean nothing.`);
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

/** Adapters that are kept apart become inputs, which only the plain ONNX form is documented to have. */
function requireAdaptable({ named }: AdapterChoice, { use = [], target, host }: CompileOptions): void {
  if (named.length === 0) return;
  if (use.length > 0) {
    throw failure("bad-adapter-option", "Which adapter acts is the choice of whoever runs the files.", {
      hint: "leave out --use; every adapter gets a file of its own",
    });
  }
  if (target === "onnx" && host === undefined) return;
  throw failure("bad-adapter-option", "Adapters are kept apart in plain ONNX files only.", {
    hint: "merge one: --adapter FOLDER",
  });
}

async function writeOnnx(
  plain: readonly Graph[],
  name: string,
  weights: OpenWeights,
  options: CompileOptions,
  progress: Progress,
): Promise<{ path: string; bytes: number }[]> {
  const { graphs: adapted, adapters } = await prepareAdapters(plain, weights.named);
  const graphs = storedGraphs(adapted, weights.storage);
  const single = options.out.endsWith(".onnx");
  const stem = single ? basename(options.out, ".onnx") : undefined;
  const settings: OnnxOptions = {
    profile: options.profile,
    storage: options.externalData === true ? "external" : "auto",
    producerVersion: packageVersion(),
    dataFile: `${stem ?? name}.onnx.data`,
    metadata: { model: name, weights: weights.random ? "random" : "checkpoint" },
  };
  if (options.host === "triton") {
    return await writeTritonRepository(graphs, name, weights.source, options.out, settings, progress);
  }
  const named = graphs.map((graph) => nameStates(graph, options.stateNames));
  const files = await writeArtefact(
    compileOnnx(named, weights.source, settings),
    options.out,
    single,
    progress,
  );
  const folder = single ? dirname(options.out) : options.out;
  for (const adapter of adapters.names) {
    const path = join(folder, `${adapter}.adapter.safetensors`);
    const tensors = adapters.inputs(adapter);
    await writeWhole(path, (sink) => writeSafetensors(tensors, sink, new Map([["model", name]])));
    files.push({ path, bytes: statSync(path).size });
  }
  return files;
}

/** Data first, models last: a model never refers to data that is not there yet. */
export async function writeArtefact(
  artefact: OnnxArtefact,
  out: string,
  single: boolean,
  progress: Progress,
): Promise<{ path: string; bytes: number }[]> {
  const folder = single ? dirname(out) : out;
  const files: { path: string; file: OnnxFile }[] = [];
  if (artefact.data !== undefined)
    files.push({ path: join(folder, artefact.data.fileName), file: artefact.data });
  for (const model of artefact.models) {
    files.push({ path: single ? out : join(folder, model.fileName), file: model });
  }
  const total = files.reduce((sum, { file }) => sum + file.byteLength, 0);
  progress.start("writing", Math.max(1, total));
  const paths = files.map(({ path }) => path);
  const write = (): Promise<void> =>
    writeTogether(paths, async (sinks) => {
      for (const [i, sink] of sinks.entries()) {
        await files[i]?.file.write({
          async write(bytes) {
            await sink.write(bytes);
            progress.advance(bytes.length);
          },
        });
      }
    });
  await (single ? write() : inFolder(folder, write));
  progress.stop();
  return files.map(({ path, file }) => ({ path, bytes: file.byteLength }));
}
