/**
 * From scores to what may be chosen, as Hugging Face's processors define it.
 *
 * Owns: repetition penalty, temperature, top-k and top-p on one row of scores (logits), changed in
 * place; what may not be chosen becomes -Infinity. Where scores are equal, all stay or none: the order of
 * a vocabulary decides nothing, except for the last doubt, which goes to the lower id.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import { failure } from "../failure.ts";

/** One row of scores [rows, vocabulary], to change. */
export function rowOfScores({ data, shape }: HostTensor, row: number): Float64Array {
  const size = shape[shape.length - 1] ?? 0;
  const scores = Float64Array.from(data.subarray(row * size, (row + 1) * size));
  if (scores.some((score) => Number.isNaN(score))) {
    throw failure("scores-not-numbers", "The model gave scores that are not numbers.", {
      hint: "the weights may be damaged, or too large for the precision that the model runs in",
    });
  }
  return scores;
}

export function requireOneRow({ shape }: HostTensor): void {
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (rows === 1) return;
  throw failure("one-prompt-only", `The model was given ${rows} prompts; one text is generated at a time.`);
}

/** Scores of ids that were seen: divided by `penalty` above zero, multiplied below (arXiv:1909.05858). */
export function penaliseRepetition(scores: Float64Array, seen: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(seen)) {
    const score = scores[id];
    if (score !== undefined) scores[id] = score < 0 ? score * penalty : score / penalty;
  }
}

export function applyTemperature(scores: Float64Array, temperature: number): void {
  for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] ?? 0) / temperature;
}

/** Keeps what scores at least as high as the k-th best. */
export function keepTopK(scores: Float64Array, k: number): void {
  if (k >= scores.length) return;
  const worst = scores.toSorted()[scores.length - k] ?? Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) if ((scores[i] ?? 0) < worst) scores[i] = Number.NEGATIVE_INFINITY;
}

/**
 * Keeps the fewest best whose probabilities reach `p` (arXiv:1904.09751), at least one: from the least
 * likely up, ids go while they sum to at most 1 - p.
 */
export function keepTopP(scores: Float64Array, p: number): void {
  if (p >= 1) return;
  const order = Array.from(scores, (_, id) => id).sort(
    (a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || b - a,
  );
  const probabilities = softmax(scores);
  let sum = 0;
  for (const id of order.slice(0, -1)) {
    sum += probabilities[id] ?? 0;
    if (sum > 1 - p) break;
    scores[id] = Number.NEGATIVE_INFINITY;
  }
}

export function softmax(scores: Float64Array): Float64Array {
  const highest = maximum(scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export function logSoftmax(scores: Float64Array): Float64Array {
  const highest = maximum(scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
  const logarithm = Math.log(sum);
  return scores.map((score) => score - highest - logarithm);
}

/** The id that scores best; the lowest of equals. */
export function best(scores: Float64Array): number {
  let found = 0;
  for (let id = 1; id < scores.length; id++) if ((scores[id] ?? 0) > (scores[found] ?? 0)) found = id;
  return found;
}

/** The id whose share of the probabilities holds `unit`, a number of the open interval from 0 to 1. */
export function draw(scores: Float64Array, unit: number): number {
  const probabilities = softmax(scores);
  let sum = 0;
  let last = 0;
  for (let id = 0; id < probabilities.length; id++) {
    const share = probabilities[id] ?? 0;
    if (share === 0) continue;
    sum += share;
    last = id;
    if (sum > unit) return id;
  }
  return last;
}

function maximum(scores: Float64Array): number {
  return scores.reduce((high, score) => Math.max(high, score), Number.NEGATIVE_INFINITY);
}
