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
import { canChoose, drawer } from "./choosing.ts";
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
import type { ChoosingSession, GenerationSession } from "./session.ts";
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
  const tokens = generateTokens(session, options, tokenizer);
  for (;;) {
    const next = await tokens.next();
    if (next.done === true) return next.value;
    onToken(next.value);
  }
}

/**
 * The same as they come, for `for await`; what all of it came to is returned. Leaving the loop ends it.
 * @throws DiagnosticError as `generate` does
 */
export async function* generateTokens(
  session: GenerationSession,
  options: GenerationOptions,
  tokenizer?: Tokenizer,
): AsyncGenerator<GeneratedToken, Generated> {
  checkOptions(options);
  const { stopTexts = [], choice } = options;
  if (stopTexts.length > 0 && tokenizer === undefined) {
    throw failure("tokenizer-missing", "Stop texts are found in text, and there is no tokenizer.", {
      hint: "give the checkpoint's tokenizer.json, or stop ids",
    });
  }
  if (options.signal?.aborted === true)
    return { ids: [], text: tokenizer && "", logProbability: 0, reason: "aborted" };
  if (choice.kind === "beams") {
    const found = await searchBeams(session, choice, options, tokenizer);
    const stream = tokenizer && new TextStream(tokenizer, stopTexts);
    for (const id of found.ids) yield { id, text: textOf(id, stream, options) };
    const rest = stream?.finish() ?? "";
    if (rest !== "") yield { id: found.ids.at(-1) ?? 0, text: rest };
    return { ...found, text: stream?.text };
  }
  const { choosing } = session;
  const chosen =
    choosing !== undefined && canChoose(options, choosing)
      ? chooseThere(choosing, choice, options.limit)
      : chooseHere(session, choice, options);
  return yield* oneByOne(chosen, options, tokenizer);
}

interface Chosen {
  readonly id: number;
  /** The logarithm of the probability that the model gave it. */
  readonly logProbability: number;
}

/** Ids that are chosen from all scores. One is asked for only when the one before it is not the last. */
async function* chooseHere(
  session: GenerationSession,
  choice: SingleChoice,
  { history = [], repetitionPenalty = 1 }: GenerationOptions,
): AsyncGenerator<Chosen, void> {
  const pick = picker(choice);
  const ids: number[] = [];
  let scores = await session.start();
  requireOneRow(scores);
  for (;;) {
    const row = rowOfScores(scores, 0);
    penaliseRepetition(row, [...history, ...ids], repetitionPenalty);
    const logarithms = logSoftmax(row);
    const id = pick(row);
    ids.push(id);
    yield { id, logProbability: logarithms[id] ?? 0 };
    scores = await session.step([id]);
  }
}

/** Ids that are chosen from the best scores, which are found where the scores are. */
async function* chooseThere(
  session: ChoosingSession,
  choice: SingleChoice,
  limit: number,
): AsyncGenerator<Chosen, void> {
  if (choice.kind === "greedy") {
    for await (const { ids, scores, logTotal } of session.greedy(limit)) {
      yield { id: ids[0] ?? 0, logProbability: (scores[0] ?? 0) - logTotal };
    }
    return;
  }
  const pick = drawer(choice);
  let best = await session.start();
  for (;;) {
    const { id, score } = pick(best);
    yield { id, logProbability: score - best.logTotal };
    best = await session.step(id);
  }
}

async function* oneByOne(
  chosen: AsyncGenerator<Chosen, void>,
  options: GenerationOptions,
  tokenizer: Tokenizer | undefined,
): AsyncGenerator<GeneratedToken, Generated> {
  const { limit, stopIds, stopTexts = [], signal } = options;
  const stream = tokenizer && new TextStream(tokenizer, stopTexts);
  const ids: number[] = [];
  let sum = 0;
  let reason: EndReason = "limit";
  for await (const { id, logProbability } of chosen) {
    sum += logProbability;
    ids.push(id);
    const stops = stopIds?.has(id) === true;
    const text = textOf(id, stream, options);
    const ends = stops || stream?.stopped === true;
    const last = ends || ids.length >= limit || signal?.aborted === true;
    if (ends) reason = "stop";
    else if (ids.length < limit && last) reason = "aborted";
    yield { id, text: last ? text + (stream?.finish() ?? "") : text };
    if (last) break;
  }
  return { ids, text: stream?.text, logProbability: sum, reason };
}

/** A stop id has no text. */
function textOf(id: number, stream: TextStream | undefined, { stopIds }: GenerationOptions): string {
  return stream === undefined || stopIds?.has(id) === true ? "" : stream.push(id);
}

type SingleChoice = Exclude<Choice, { readonly kind: "beams" }>;

function picker(choice: SingleChoice): (scores: Float64Array) => number {
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
