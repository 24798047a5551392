/**
 * Beam search: the best of several texts that are continued side by side.
 *
 * Owns: which continuations stay, which are complete, and when no better one can come, as Hugging Face
 * define it: each turn looks at twice as many continuations as there are beams, so that as many can go on
 * though all the best ones stop. A complete text scores the sum of its logarithms over length^penalty,
 * its stop id counted.
 */
import type { Generated } from "./generate.ts";
import type { Choice, GenerationOptions } from "./options.ts";
import { logSoftmax, penaliseRepetition, requireOneRow, rowOfScores } from "./scores.ts";
import type { GenerationSession } from "./session.ts";
import { firstStop } from "./text-stream.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface Beam {
  readonly ids: readonly number[];
  /** The sum of the logarithms of its ids. */
  readonly sum: number;
}

interface Continuation extends Beam {
  readonly row: number;
  readonly id: number;
}

interface Complete extends Beam {
  readonly score: number;
  readonly reason: "stop" | "limit";
}

export async function searchBeams(
  session: GenerationSession,
  choice: Extract<Choice, { readonly kind: "beams" }>,
  options: GenerationOptions,
  tokenizer: Tokenizer | undefined,
): Promise<Omit<Generated, "text">> {
  const { limit, signal } = options;
  let scores = await session.start();
  requireOneRow(scores);
  let beams: readonly Beam[] = [{ ids: [], sum: 0 }];
  let complete: readonly Complete[] = [];
  const finish = ({ ids, sum }: Beam, reason: Complete["reason"]): void => {
    const score = sum / ids.length ** choice.lengthPenalty;
    complete = [...complete, { ids, sum, score, reason }]
      .sort((a, b) => b.score - a.score)
      .slice(0, choice.count);
  };
  for (let length = 1; ; length++) {
    const candidates = bestContinuations(beams, scores, 2 * choice.count, options);
    const going: Continuation[] = [];
    for (const [rank, candidate] of candidates.entries()) {
      const stops = isComplete(candidate, options, tokenizer);
      // What stops without being among the best is neither kept nor continued.
      if (stops && rank < choice.count) finish(candidate, "stop");
      if (!stops && going.length < choice.count) going.push(candidate);
    }
    const over = length >= limit || signal?.aborted === true || going.length === 0;
    if (over) for (const beam of going) finish(beam, "limit");
    if (over || isDecided(complete, going, length, choice)) break;
    await session.reorder(going.map(({ row }) => row));
    scores = await session.step(going.map(({ id }) => id));
    beams = going;
  }
  const [winner] = complete;
  const reason = signal?.aborted === true && winner?.reason === "limit" ? "aborted" : winner?.reason;
  return { ids: winner?.ids ?? [], logProbability: winner?.sum ?? 0, reason: reason ?? "limit" };
}

/** The best of all beams' continuations; of equals, the earlier beam's and the lower id. */
function bestContinuations(
  beams: readonly Beam[],
  scores: Parameters<typeof rowOfScores>[0],
  count: number,
  { history = [], repetitionPenalty = 1 }: GenerationOptions,
): Continuation[] {
  const found: Continuation[] = [];
  for (const [row, beam] of beams.entries()) {
    const logarithms = logSoftmax(rowOfScores(scores, row));
    penaliseRepetition(logarithms, [...history, ...beam.ids], repetitionPenalty);
    for (const id of highest(logarithms, count)) {
      found.push({ ids: [...beam.ids, id], sum: beam.sum + (logarithms[id] ?? 0), row, id });
    }
  }
  return found.sort((a, b) => b.sum - a.sum || a.row - b.row || a.id - b.id).slice(0, count);
}

/** The ids of the `count` highest scores. */
function highest(scores: Float64Array, count: number): number[] {
  const least = scores.toSorted()[Math.max(0, scores.length - count)] ?? Number.NEGATIVE_INFINITY;
  const ids: number[] = [];
  for (let id = 0; id < scores.length; id++) if ((scores[id] ?? 0) >= least) ids.push(id);
  return ids;
}

function isComplete(
  { id, ids }: Continuation,
  { stopIds, stopTexts = [] }: GenerationOptions,
  tokenizer: Tokenizer | undefined,
): boolean {
  if (stopIds?.has(id) === true) return true;
  return stopTexts.length > 0 && firstStop(tokenizer?.decode(ids) ?? "", stopTexts) !== undefined;
}

/** Whether the best that still goes on can't beat the worst complete text, at its present length. */
function isDecided(
  complete: readonly Complete[],
  going: readonly Beam[],
  length: number,
  { count, lengthPenalty, early }: Extract<Choice, { readonly kind: "beams" }>,
): boolean {
  if (complete.length < count) return false;
  if (early) return true;
  const worst = complete.at(-1)?.score ?? Number.NEGATIVE_INFINITY;
  const hope = (going[0]?.sum ?? Number.NEGATIVE_INFINITY) / length ** lengthPenalty;
  return worst >= hope;
}
