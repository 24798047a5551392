/**
 * Options of the commands that count.
 *
 * Owns: their names and parsers, and the way from them to a counted model. Numbers may be percentages.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Given } from "../compiler/cost/bindings.ts";
import { type Convention, conventions } from "../compiler/cost/conventions.ts";
import { type DeviceProfile, readProfile } from "../compiler/cost/device-profile.ts";
import { targets } from "../compiler/cost/device-work.ts";
import { costModel, type ModelCost } from "../compiler/cost/model-cost.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import type { Program } from "../lang/program.ts";
import { failure } from "../runtime/failure.ts";
import { readFileText } from "./files.ts";
import { type ModelOptions, storageOption, withModelOptions } from "./options.ts";
import type { Output } from "./output.ts";
import { openProgram } from "./program.ts";
import type { StorageOptions } from "./storage.ts";

export interface CountOptions extends ModelOptions, StorageOptions {
  readonly entry?: string;
  readonly at: ReadonlyMap<string, number>;
  readonly seconds?: number;
  readonly keep?: string;
  readonly open: readonly string[];
  readonly convention: Convention;
}

export function withCountOptions(command: Command): Command {
  return withModelOptions(command)
    .option("-e, --entry <name>", "the entry; all of the model by default")
    .addOption(atOption())
    .addOption(secondsOption())
    .option("--keep <rate>", "the keep rate: the same as --set keep=…")
    .addOption(storageOption())
    .addOption(conventionOption());
}

export function atOption(): Option {
  return new Option("--at <name=number>", "a number for what is open, such as B=1 (repeatable)")
    .argParser(collectNumbers)
    .default(new Map());
}

export function secondsOption(): Option {
  return new Option("--seconds <number>", "the length of the recording").argParser(positiveNumber);
}

export function openOption(): Option {
  return new Option("--open <names>", "parameters to leave open in the formulas, such as keep,rank")
    .argParser(splitNames)
    .default([]);
}

export function targetOption(): Option {
  return new Option(
    "--target <name>",
    "also count what a target executes: its dispatches, and their MACs with reasons",
  ).choices(targets);
}

export function conventionOption(): Option {
  return new Option("--convention <name>", "what is counted").choices(conventions).default("core");
}

/** `name=number`, repeatable. */
function collectNumbers(text: string, earlier: ReadonlyMap<string, number>): Map<string, number> {
  const at = text.indexOf("=");
  if (at <= 0) throw new InvalidArgumentError("write it as name=number");
  const name = text.slice(0, at);
  if (earlier.has(name)) throw new InvalidArgumentError(`${name} is given twice`);
  return new Map(earlier).set(name, readNumber(text.slice(at + 1)));
}

/** `12`, `0.7`, `70%`, `16k` */
export function readNumber(text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(%|k|M|G|T)?$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`${text} is no number`);
  const scales: Readonly<Record<string, number>> = { "%": 0.01, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  return Number(match[1]) * (match[2] === undefined ? 1 : (scales[match[2]] ?? 1));
}

export function positiveNumber(text: string): number {
  const number = readNumber(text);
  if (!(number > 0)) throw new InvalidArgumentError("a positive number is needed");
  return number;
}

export function splitNames(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

export function givenBy({ at, seconds }: Pick<CountOptions, "at" | "seconds">): Given {
  return { at, seconds };
}

/** `--set`, with `--keep` among it. */
export function settingsOf({ set, keep }: Pick<CountOptions, "set" | "keep">): ReadonlyMap<string, string> {
  return keep === undefined ? set : new Map(set).set("keep", keep);
}

/** Lays out and counts; warnings are printed, errors thrown. */
export function countModel(file: string, options: CountOptions, output: Output): ModelCost {
  const sink = new DiagnosticSink();
  const program = openProgram(file, options, sink);
  const settings = settingsOf(options);
  const both = options.open.filter((name) => settings.has(name));
  if (both.length > 0) {
    throw failure("wrong-usage", `${both.join(", ")} can't be both set and left open.`, {
      hint: "leave out one of the two",
    });
  }
  const model = countProgram(program, { ...options, settings }, sink);
  output.diagnostics(sink.sorted());
  return model;
}

export function countProgram(
  program: Program,
  request: Pick<CountOptions, "model" | "entry" | "open" | "weightsDtype"> & {
    readonly settings: ReadonlyMap<string, string>;
  },
  sink: DiagnosticSink,
): ModelCost {
  const { model, entry, open, settings, weightsDtype } = request;
  const storage = weightsDtype === undefined ? undefined : () => ({ as: weightsDtype });
  const entries = entry === undefined ? undefined : [entry];
  const counted = costModel(program, { model, entries, open, settings, storage }, sink);
  if (counted === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return counted;
}

/** @throws DiagnosticError `bad-profile`, or that the file can't be read */
export async function openProfile(path: string): Promise<DeviceProfile> {
  const profile = readProfile(await readFileText(path));
  if ("problem" in profile) {
    throw failure("bad-profile", `${path} is no device profile: ${profile.problem}.`, {
      hint: "measure this machine again: `ossicle calibrate --out FILE`",
    });
  }
  return profile;
}
