/**
 * What a user may ask of generation.
 *
 * Owns: the options, and refusing values that mean nothing. Names and meanings are Hugging Face's.
 */
import { failure } from "../failure.ts";

/** How the next id is chosen. */
export type Choice =
  | { readonly kind: "greedy" }
  | {
      readonly kind: "sample";
      /** Divides the scores; above 0. */
      readonly temperature: number;
      readonly topK?: number;
      readonly topP?: number;
      /** An integer of up to 32 bits. */
      readonly seed: number;
    }
  | {
      readonly kind: "beams";
      readonly count: number;
      /** Sums of logarithms are divided by length^penalty: above 0 favours longer texts. */
      readonly lengthPenalty: number;
      /** Ends as soon as `count` texts are complete, though another may score better yet. */
      readonly early: boolean;
    };

export interface GenerationOptions {
  readonly choice: Choice;
  /** Ids at most. */
  readonly limit: number;
  /** Above 1 discourages what was seen, in the prompt or since. */
  readonly repetitionPenalty?: number;
  readonly stopIds?: ReadonlySet<number>;
  /** These need a tokenizer. */
  readonly stopTexts?: readonly string[];
  /** Ids of the prompt, for the penalty alone: the session has read them. */
  readonly history?: readonly number[];
  readonly signal?: AbortSignal;
}

/** @throws DiagnosticError `bad-generation-option` */
export function checkOptions(options: GenerationOptions): void {
  const { choice, limit, repetitionPenalty } = options;
  const whole = (value: number, name: string): void => {
    if (!Number.isSafeInteger(value) || value < 1) refuse(name, value, "a whole number of at least 1");
  };
  const positive = (value: number, name: string): void => {
    if (!(value > 0) || !Number.isFinite(value)) refuse(name, value, "a number above 0");
  };
  whole(limit, "limit");
  if (repetitionPenalty !== undefined) positive(repetitionPenalty, "repetition penalty");
  switch (choice.kind) {
    case "greedy":
      break;
    case "sample":
      positive(choice.temperature, "temperature");
      if (choice.topK !== undefined) whole(choice.topK, "top-k");
      if (choice.topP !== undefined && !(choice.topP > 0 && choice.topP <= 1))
        refuse("top-p", choice.topP, "above 0 and at most 1");
      if (!Number.isSafeInteger(choice.seed) || choice.seed < 0)
        refuse("seed", choice.seed, "a whole number that is not negative");
      break;
    case "beams":
      whole(choice.count, "number of beams");
      if (!Number.isFinite(choice.lengthPenalty)) refuse("length penalty", choice.lengthPenalty, "a number");
      break;
  }
}

function refuse(name: string, value: number, wanted: string): never {
  throw failure("bad-generation-option", `The ${name} can't be ${value}.`, {
    notes: [`it must be ${wanted}`],
  });
}
