/**
 * `ossicle run`: any entry on any inputs.
 */
import type { Command } from "commander";
import type { HostTensor } from "../compiler/host-tensor.ts";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import { writeSafetensors } from "../runtime/safetensors-writer.ts";
import { type AdapterOptions, adapterChoice, singleUse } from "./adapters.ts";
import { prepare, reportArithmetic, type Target } from "./execute.ts";
import { readInputs } from "./inputs.ts";
import {
  arithmeticOption,
  collect,
  inputOption,
  type ModelOptions,
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
import { requireWritable, writeWhole } from "./output-files.ts";
import { compileEntry } from "./program.ts";
import { terminalProgress } from "./progress.ts";
import type { Run } from "./run-state.ts";
import type { StorageOptions } from "./storage.ts";
import { openWeights, reportWeights } from "./weights.ts";

interface RunOptions extends ModelOptions, AdapterOptions, StorageOptions {
  readonly entry?: string;
  readonly in: ReadonlyMap<string, string>;
  readonly weights?: string;
  readonly target: Target;
  readonly tune?: boolean;
  readonly arithmetic: "f32" | "f16";
  readonly profile: OnnxProfile;
  readonly tap: readonly string[];
  readonly out?: string;
}

/** Longer tensors are printed by their first values; --json and --out give all. */
const printedValues = 8;

export function addRun(program: Command, run: Run): void {
  withAdapterOptions(withModelOptions(program.command("run")))
    .summary("run an entry on given inputs")
    .description("Runs one entry and prints its results, or writes them to a file.")
    .argument("<file>", "an .oss file, or ossicle/… for one of the library")
    .option("-e, --entry <name>", "the entry; the first of the model by default")
    .addOption(inputOption())
    .addOption(weightsOption())
    .addOption(storageOption())
    .addOption(targetOption())
    .addOption(tuneOption())
    .addOption(arithmeticOption())
    .addOption(profileOption())
    .option(
      "--tap <path>",
      "also give out the value at this path, such as blocks.3 or blocks.* (repeatable)",
      collect,
      [],
    )
    .option("-o, --out <file>", "write the results to this .safetensors file")
    .action(async (file: string, options: RunOptions) => {
      run.status = await runEntry(file, options);
    });
}

async function runEntry(file: string, options: RunOptions): Promise<number> {
  const output = new Output("run", { json: options.json === true, color: useColor(options) });
  const progress = terminalProgress(!output.json);
  const adapters = singleUse(adapterChoice(options));
  const elaboration = compileEntry(file, options, { entry: options.entry, taps: options.tap }, output);
  const { graph, entry } = elaboration;
  if (options.out !== undefined) await requireWritable(options.out);
  const inputs = await readInputs(graph, options.in);
  const weights = await openWeights(options.weights, [graph], elaboration, output, adapters, options);
  try {
    const prepared = await prepare(graph, weights, options, progress);
    try {
      const { outputs, prepareSeconds, runSeconds } = await prepared.run(inputs);
      output.set("model", entry.model);
      output.set("entry", entry.entry);
      output.set("target", options.target);
      reportArithmetic(prepared, options, output);
      reportWeights(weights, output);
      output.set("seconds", { prepare: prepareSeconds, run: runSeconds });
      if (options.out !== undefined) await save(options.out, outputs, weights.random);
      output.set(
        "outputs",
        Object.fromEntries([...outputs].map(([name, tensor]) => [name, tensorToJson(tensor)])),
      );
      for (const [name, tensor] of outputs)
        output.line(`${name}: ${tensor.dtype}[${tensor.shape.join(", ")}] = ${preview(tensor)}`);
      if (options.out !== undefined) output.line(`written to ${options.out}`);
      if (weights.random)
        output.line(`The weights are random (${options.weights}): these numbers mean nothing.`);
    } finally {
      await prepared.release();
    }
  } finally {
    progress.stop();
    await weights.close();
  }
  return output.finish();
}

async function save(path: string, outputs: ReadonlyMap<string, HostTensor>, random: boolean): Promise<void> {
  const metadata = new Map([["weights", random ? "random" : "checkpoint"]]);
  await writeWhole(path, (sink) => writeSafetensors(outputs, sink, metadata));
}

function preview(tensor: HostTensor): string {
  const values = Array.from(tensor.data.subarray(0, printedValues), (value) => Number(value.toPrecision(7)));
  const more = tensor.data.length > printedValues ? `, … ${tensor.data.length - printedValues} more` : "";
  return `[${values.join(", ")}${more}]`;
}

/** Values that JSON has no number for are strings. */
function tensorToJson(tensor: HostTensor): unknown {
  const data = Array.from(tensor.data, (value) => (Number.isFinite(value) ? value : String(value)));
  return { dtype: tensor.dtype, shape: tensor.shape, data };
}
