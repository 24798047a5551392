/**
 * Options of the commands that generate text.
 *
 * Owns: their names, help texts and parsers, and how they make one choice: sampling is asked for by any of
 * its options, beams by their number, and nothing means greedy.
 */
import { type Command, InvalidArgumentError } from "commander";
import type { OnnxProfile } from "../compiler/onnx/context.ts";
import { failure } from "../runtime/failure.ts";
import type { Choice } from "../runtime/generation/options.ts";
import type { AdapterOptions } from "./adapters.ts";
import type { Target } from "./execute.ts";
import {
  arithmeticOption,
  collect,
  collectPairs,
  type ModelOptions,
  positiveInteger,
  profileOption,
  storageOption,
  targetOption,
  tuneOption,
  weightsOption,
  withAdapterOptions,
  withModelOptions,
} from "./options.ts";
import type { StorageOptions } from "./storage.ts";

export interface GenerationCommandOptions extends ModelOptions, AdapterOptions, StorageOptions {
  readonly weights?: string;
  readonly randomWeights?: boolean;
  readonly tokenizer?: string;
  readonly prompt?: string;
  readonly promptIds?: readonly number[];
  readonly audio?: string;
  readonly in: ReadonlyMap<string, string>;
  readonly maxTokens?: number;
  readonly stop: readonly string[];
  readonly stopId: readonly number[];
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly beams?: number;
  readonly lengthPenalty?: number;
  readonly earlyStopping?: boolean;
  readonly repetitionPenalty?: number;
  readonly target: Target;
  readonly tune?: boolean;
  readonly arithmetic: "f32" | "f16";
  readonly profile: OnnxProfile;
}

export function withGenerationOptions(command: Command): Command {
  return withAdapterOptions(withModelOptions(command))
    .addOption(weightsOption())
    .addOption(storageOption())
    .option("--random-weights", "the same as --weights random:1, to try things out")
    .option(
      "--tokenizer <file>",
      "the checkpoint's tokenizer.json, by default the one beside the weights; `bytes` for one id a byte",
    )
    .option("-p, --prompt <text>", "the text to go on from; the model may declare one")
    .option("--prompt-ids <ids>", "the same as ids, such as 12,7,401", idList)
    .option(
      "-i, --in <name=source>",
      "any other input of the first entry: file.safetensors[:tensor], file.npy, or a literal (repeatable)",
      collectPairs,
      new Map(),
    )
    .option("-n, --max-tokens <count>", "how many tokens at most; as declared, or 64", positiveInteger)
    .option("--stop <text>", "end before this text, besides those declared (repeatable)", collect, [])
    .option("--stop-id <id>", "end at this id (repeatable)", collectIds, [])
    .option("--temperature <number>", "draw the tokens, with scores divided by this", number)
    .option("--top-k <count>", "draw among the best so many", positiveInteger)
    .option("--top-p <share>", "draw among the best that make up this share, such as 0.9", number)
    .option("--seed <number>", "draw, with this seed; 1 by default", wholeNumber)
    .option("--beams <count>", "the best of texts that are continued side by side", positiveInteger)
    .option("--length-penalty <number>", "with beams: above 0 favours longer texts; 1 by default", number)
    .option("--early-stopping", "with beams: end when as many texts are complete as there are beams")
    .option("--repetition-penalty <number>", "above 1 discourages what was said before", number)
    .addOption(targetOption())
    .addOption(tuneOption())
    .addOption(arithmeticOption())
    .addOption(profileOption());
}

/** @throws DiagnosticError `bad-generation-option` when beams are to be drawn */
export function choiceOf(options: GenerationCommandOptions): Choice {
  const { temperature, topK, topP, seed, beams, lengthPenalty, earlyStopping } = options;
  const drawn = temperature ?? topK ?? topP ?? seed;
  if (beams !== undefined) {
    if (drawn !== undefined) {
      throw failure("bad-generation-option", "Beams are searched, and what is searched is not drawn.", {
        hint: "leave out --beams, or --temperature, --top-k, --top-p and --seed",
      });
    }
    return { kind: "beams", count: beams, lengthPenalty: lengthPenalty ?? 1, early: earlyStopping === true };
  }
  if (lengthPenalty !== undefined || earlyStopping === true) {
    throw failure("bad-generation-option", "--length-penalty and --early-stopping are for beams.", {
      hint: "add --beams 4, for example",
    });
  }
  if (drawn === undefined) return { kind: "greedy" };
  return {
    kind: "sample",
    temperature: temperature ?? 1,
    ...(topK !== undefined && { topK }),
    ...(topP !== undefined && { topP }),
    seed: seed ?? 1,
  };
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("a number is needed");
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("a whole number is needed");
  }
  return value;
}

function idList(text: string): number[] {
  return text.split(/[\s,]+/).map(wholeNumber);
}

function collectIds(text: string, earlier: readonly number[]): number[] {
  return [...earlier, wholeNumber(text)];
}
