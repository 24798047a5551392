/**
 * Generation: one id after another, until something says to stop.
 *
 * Owns: the loop, and the choice of a single next id (greedy or drawn). Several texts at once are in
 * beams.ts. Knows sessions and tokenizers by their interfaces alone, so it runs over any backend, in Node
 * and in a page.
 */
import { failure } from "../failure.ts";
import { randomNumbers } from "../random-numbers.ts";
import { searchBeams } from "./beams.ts";
import { type Choice, checkOptions, type GenerationOptions } from "./options.ts";
import {
  applyTemperature,
  best,
  draw,
  keepTopK,
  keepTopP,
  logSoftmax,
  penaliseRepetition,
  requireOneRow,
  rowOfScores,
} from "./scores.ts";
import type { GenerationSession } from "./session.ts";
import { TextStream } from "./text-stream.ts";
import type { Tokenizer } from "./tokenizer.ts";

export type EndReason = "stop" | "limit" | "aborted";

export interface GeneratedToken {
  readonly id: number;
  /** What it adds to the text; often empty where a character or a stop text is not complete. */
  readonly text: string;
}

export interface Generated {
  /** With the id that stopped it, if one did. */
  readonly ids: readonly number[];
  /** Without the stop; absent without a tokenizer. */
  readonly text: string | undefined;
  /** The sum of the logarithms of the probabilities that the model gave to the ids, penalties included. */
  readonly logProbability: number;
  readonly reason: EndReason;
}

/**
 * Generates one text. `onToken` sees each id as it is chosen; with beams, all of them at the end.
 * @throws DiagnosticError for options that mean nothing, and whatever the session throws
 */
export async function generate(
  session: GenerationSession,
  options: GenerationOptions,
  tokenizer?: Tokenizer,
  onToken: (token: GeneratedToken) => void = () => {},
): Promise<Generated> {
  checkOptions(options);
  const { stopTexts = [], choice } = options;
  if (stopTexts.length > 0 && tokenizer === undefined) {
    throw failure("tokenizer-missing", "Stop texts are found in text, and there is no tokenizer.", {
      hint: "give the checkpoint's tokenizer.json, or stop ids",
    });
  }
  if (choice.kind === "beams") {
    const found = await searchBeams(session, choice, options, tokenizer);
    const stream = tokenizer && new TextStream(tokenizer, stopTexts);
    for (const id of found.ids) onToken({ id, text: textOf(id, stream, options) });
    const rest = stream?.finish() ?? "";
    if (rest !== "") onToken({ id: found.ids.at(-1) ?? 0, text: rest });
    return { ...found, text: stream?.text };
  }
  return await oneByOne(session, picker(choice), options, tokenizer, onToken);
}

async function oneByOne(
  session: GenerationSession,
  pick: (scores: Float64Array) => number,
  options: GenerationOptions,
  tokenizer: Tokenizer | undefined,
  onToken: (token: GeneratedToken) => void,
): Promise<Generated> {
  const { limit, stopIds, stopTexts = [], history = [], repetitionPenalty = 1, signal } = options;
  const stream = tokenizer && new TextStream(tokenizer, stopTexts);
  const ids: number[] = [];
  let logProbability = 0;
  let reason: EndReason = "limit";
  let scores = await session.start();
  requireOneRow(scores);
  for (;;) {
    const row = rowOfScores(scores, 0);
    penaliseRepetition(row, [...history, ...ids], repetitionPenalty);
    const logarithms = logSoftmax(row);
    const id = pick(row);
    logProbability += logarithms[id] ?? 0;
    ids.push(id);
    const stops = stopIds?.has(id) === true;
    const text = textOf(id, stream, options);
    const ends = stops || stream?.stopped === true;
    const last = ends || ids.length >= limit || signal?.aborted === true;
    onToken({ id, text: last ? text + (stream?.finish() ?? "") : text });
    if (ends) reason = "stop";
    else if (ids.length < limit && last) reason = "aborted";
    if (last) break;
    scores = await session.step([id]);
  }
  return { ids, text: stream?.text, logProbability, reason };
}

/** A stop id has no text. */
function textOf(id: number, stream: TextStream | undefined, { stopIds }: GenerationOptions): string {
  return stream === undefined || stopIds?.has(id) === true ? "" : stream.push(id);
}

function picker(choice: Exclude<Choice, { readonly kind: "beams" }>): (scores: Float64Array) => number {
  if (choice.kind === "greedy") return best;
  const { temperature, topK, topP, seed } = choice;
  const next = randomNumbers(seed, "generation");
  return (scores) => {
    applyTemperature(scores, temperature);
    if (topK !== undefined) keepTopK(scores, topK);
    if (topP !== undefined) keepTopP(scores, topP);
    return draw(scores, next());
  };
}
