/**
 * Choosing from the best scores alone as one would from all of them.
 *
 * Owns: when the best are enough, and that the choice is then the same: what is drawn from is put back in the
 * order of the vocabulary, so that the same numbers are added in the same order. Where more ids share the
 * last score that may be drawn than were given, those with the lowest ids are drawn from.
 */
import { randomNumbers } from "../random-numbers.ts";
import type { Choice, GenerationOptions } from "./options.ts";
import { applyTemperature, draw, keepTopK, keepTopP } from "./scores.ts";
import type { Best, ChoosingSession } from "./session.ts";

/** Whether ids can be chosen without seeing every score. */
export function canChoose(
  { choice, repetitionPenalty = 1 }: GenerationOptions,
  { count, isAll }: ChoosingSession,
): boolean {
  if (repetitionPenalty !== 1) return false;
  switch (choice.kind) {
    case "greedy":
      return true;
    case "sample":
      // One more than is drawn from shows whether another scores the same as the last.
      return isAll || (choice.topK !== undefined && choice.topK < count);
    case "beams":
      return false;
  }
}

/** Draws ids as one would from all scores. */
export function drawer(
  choice: Extract<Choice, { readonly kind: "sample" }>,
): (best: Best) => { readonly id: number; readonly score: number } {
  const { temperature, topK, topP, seed } = choice;
  const next = randomNumbers(seed, "generation");
  return ({ ids, scores }) => {
    const order = ids.map((_, place) => place).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
    const known = Float64Array.from(order, (place) => scores[place] ?? 0);
    applyTemperature(known, temperature);
    if (topK !== undefined) keepTopK(known, topK);
    if (topP !== undefined) keepTopP(known, topP);
    const place = order[draw(known, next())] ?? 0;
    return { id: ids[place] ?? 0, score: scores[place] ?? 0 };
  };
}
