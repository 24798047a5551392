/**
 * `ossicle weights`: what a checkpoint holds, whether it fits a model, and the same as safetensors.
 */
import { type Command, Option } from "commander";
import { outlineOf } from "../compiler/elaborate.ts";
import {
  elementCount,
  type HostTensor,
  type TensorInfo,
  type WeightSource,
} from "../compiler/host-tensor.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import type { DType } from "../lang/types.ts";
import { streamSafetensors, type TensorToWrite } from "../runtime/safetensors-writer.ts";
import { addAccuracy } from "./accuracy-command.ts";
import { openCheckpoint } from "./checkpoint.ts";
import {
  type CommonOptions,
  type ModelOptions,
  useColor,
  withCommonOptions,
  withModelOptions,
} from "./options.ts";
import { Output } from "./output.ts";
import { requireWritable, writeWhole } from "./output-files.ts";
import { compileEntries, openProgram } from "./program.ts";
import { terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";
import { openWeights } from "./weights.ts";

interface ConvertOptions extends CommonOptions {
  readonly dtype?: "f32" | "f16" | "bf16";
}

export function addWeights(program: Command, run: Run): void {
  const weights = program
    .command("weights")
    .summary("look at checkpoints, check them, convert them")
    .description("Checkpoints: safetensors or PyTorch, in one file or several.");
  withCommonOptions(weights.command("list"))
    .summary("name the tensors of a checkpoint")
    .argument("<checkpoint>", "a file, an index or a folder")
    .action(async (path: string, options: CommonOptions) => {
      run.status = await list(path, options);
    });
  withModelOptions(weights.command("check"))
    .summary("say whether a checkpoint fits a model")
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .argument("<checkpoint>", "a file, an index or a folder")
    .action(async (file: string, path: string, options: ModelOptions) => {
      run.status = await check(file, path, options);
    });
  addAccuracy(weights, run);
  withCommonOptions(weights.command("convert"))
    .summary("write a checkpoint as one safetensors file")
    .argument("<checkpoint>", "a file, an index or a folder")
    .argument("<out>", "the .safetensors file to write")
    .addOption(
      new Option("--dtype <type>", "round numbers that are not whole to this type").choices([
        "f32",
        "f16",
        "bf16",
      ]),
    )
    .action(async (path: string, out: string, options: ConvertOptions) => {
      run.status = await convert(path, out, options);
    });
}

function outputOf(options: CommonOptions): Output {
  return new Output("weights", { json: options.json === true, color: useColor(options) });
}

interface Described extends TensorInfo {
  readonly name: string;
}

function describe(source: WeightSource): Described[] {
  return source.names().flatMap((name) => {
    const info = source.info(name);
    return info === undefined ? [] : [{ name, dtype: info.dtype, shape: info.shape }];
  });
}

async function list(path: string, options: CommonOptions): Promise<number> {
  const output = outputOf(options);
  const checkpoint = await openCheckpoint(path);
  try {
    const tensors = describe(checkpoint.source);
    const elements = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const width = Math.max(0, ...tensors.map(({ name }) => name.length));
    for (const { name, dtype, shape } of tensors)
      output.line(`${name.padEnd(width)}  ${dtype}[${shape.join(", ")}]`);
    output.line(`${tensors.length} tensors, ${elements} numbers (${checkpoint.format})`);
    output.set("format", checkpoint.format);
    output.set("elements", elements);
    output.set("tensors", tensors);
  } finally {
    await checkpoint.close();
  }
  return output.finish();
}

/** Every entry of the model, so that a tensor that only one of them needs is known. */
async function check(file: string, path: string, options: ModelOptions): Promise<number> {
  const output = outputOf(options);
  const sink = new DiagnosticSink();
  const outline = outlineOf(
    openProgram(file, options, sink),
    { model: options.model, settings: options.set },
    sink,
  );
  if (outline === undefined) throw new DiagnosticError(sink.sorted());
  const names = outline.instance.entries.map((entry) => entry.name.name);
  const entries = compileEntries(file, options, names, output);
  const [model] = entries;
  if (model === undefined) throw new DiagnosticError(sink.sorted());
  const graphs = entries.map((entry) => entry.graph);
  const weights = await openWeights(path, graphs, model, output);
  await weights.close();
  const count = new Set(
    graphs.flatMap((graph) =>
      graph.parameters.map(({ source }) => source.kind === "parameter" && source.parameter.path),
    ),
  ).size;
  output.set("model", model.entry.model);
  output.set("tensors", count);
  output.line(`${path} has all ${count} tensors of ${model.entry.model}.`);
  return output.finish();
}

async function convert(path: string, out: string, options: ConvertOptions): Promise<number> {
  const output = outputOf(options);
  await requireWritable(out);
  const progress = terminalProgress(!output.json);
  const checkpoint = await openCheckpoint(path);
  try {
    const { source } = checkpoint;
    const tensors = new Map<string, TensorToWrite>();
    for (const { name, dtype, shape } of describe(source)) {
      const read = async (): Promise<HostTensor> => {
        const tensor = await source.read(name);
        progress.advance();
        return tensor;
      };
      tensors.set(name, { dtype: isFloat(dtype) ? (options.dtype ?? dtype) : dtype, shape, read });
    }
    progress.start("converting", Math.max(1, tensors.size));
    await writeWhole(out, (sink) => streamSafetensors(tensors, sink, new Map([["format", "pt"]])));
    output.set("tensors", tensors.size);
    output.set("written", out);
    output.line(`${tensors.size} tensors written to ${out}`);
  } finally {
    progress.stop();
    await checkpoint.close();
  }
  return output.finish();
}

function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16" || dtype === "bf16";
}
