/**
 * Options that commands share.
 *
 * Owns: their names, help texts and parsers.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { storageTypes } from "../lang/storage-type.ts";

export interface CommonOptions {
  readonly json?: boolean;
  readonly color: boolean;
  readonly root?: string;
}

export interface ModelOptions extends CommonOptions {
  readonly model?: string;
  readonly set: ReadonlyMap<string, string>;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "print one JSON value on standard output")
    .option("--no-color", "print without colours")
    .option("--root <folder>", "the folder that imports can't leave");
}

export function withModelOptions(command: Command): Command {
  return withCommonOptions(command)
    .option("-m, --model <name>", "the model to use; the first of the file by default")
    .option(
      "-s, --set <name=value>",
      "a value for a parameter of the model, such as keep=0.7 (repeatable)",
      collectPairs,
      new Map(),
    );
}

export function weightsOption(): Option {
  return new Option(
    "-w, --weights <file>",
    "a checkpoint (safetensors or PyTorch; a file, an index or a folder), or random:SEED for the model's own initialisation",
  );
}

export function storageOption(): Option {
  return new Option(
    "--weights-dtype <type>",
    "how learned matrices are stored, in place of what the program says: f16 and int8 take a half and a quarter of f32's room",
  ).choices(storageTypes);
}

export function arithmeticOption(): Option {
  return new Option(
    "--arithmetic <type>",
    "on WebGPU, how wide the factors of products with weights are: f16 where the device has such numbers, else f32",
  )
    .choices(["f32", "f16"])
    .default("f32");
}

/** `--adapter` and `--use`. */
export function withAdapterOptions(command: Command): Command {
  return command
    .option(
      "--adapter <folder>",
      "a low-rank adapter as PEFT saves it, merged into the weights; as NAME=FOLDER (repeatable) kept apart, to be chosen with --use",
      collect,
      [],
    )
    .option(
      "--use <name>",
      "the adapter that acts; the first that has a name by default, `none` for the model as it is",
      collect,
      [],
    );
}

export function targetOption(): Option {
  return new Option("-t, --target <target>", "what runs the model")
    .choices(["onnx", "webgpu", "reference"])
    .default("onnx");
}

export function tuneOption(): Option {
  return new Option(
    "--tune",
    "with --target webgpu: measure which kernels are fastest on this device, and remember them for next time",
  );
}

export function profileOption(): Option {
  return new Option(
    "--profile <profile>",
    "the ONNX operators to use: portable means those of the standard, ort onnxruntime's own too",
  )
    .choices(["portable", "ort"])
    .default("portable");
}

export function inputOption(): Option {
  return new Option(
    "-i, --in <name=source>",
    "an input: file.safetensors[:tensor], file.npy, a recording, or a literal such as [1,2] (repeatable)",
  )
    .argParser(collectPairs)
    .default(new Map());
}

/** `name=value`, repeatable; the value may hold further `=`. */
export function collectPairs(text: string, earlier: ReadonlyMap<string, string>): Map<string, string> {
  const at = text.indexOf("=");
  if (at <= 0) throw new InvalidArgumentError("write it as name=value");
  const name = text.slice(0, at);
  if (earlier.has(name)) throw new InvalidArgumentError(`${name} is given twice`);
  return new Map(earlier).set(name, text.slice(at + 1));
}

export function collect(text: string, earlier: readonly string[]): string[] {
  return [...earlier, text];
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a positive integer is needed");
  return value;
}

/** On a terminal, unless the user has said otherwise: `--no-color`, or NO_COLOR (https://no-color.org). */
export function useColor(options: Pick<CommonOptions, "color">): boolean {
  return options.color && process.stderr.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
}
