/**
 * A language model small enough to be searched whole: what follows depends on the last two ids.
 *
 * Owns: its session, whose state is the last two ids of each row, and the score of any text. A row that
 * were continued from another row's state would be found out.
 */

import { logSoftmax } from "../../../src/runtime/generation/scores.ts";
import type { GenerationSession } from "../../../src/runtime/generation/session.ts";
import { randomNumbers } from "../../../src/runtime/random-numbers.ts";

export interface Markov {
  readonly session: () => GenerationSession;
  /** The logarithm of the probability of a text. */
  readonly logProbability: (ids: readonly number[]) => number;
  readonly scoresAfter: (ids: readonly number[]) => Float64Array;
}

export function markov(vocabulary: number, seed: number): Markov {
  const scoresAfter = (ids: readonly number[]): Float64Array => {
    const next = randomNumbers(seed, ids.slice(-2).join(" "));
    return Float64Array.from({ length: vocabulary }, () => 6 * next() - 3);
  };
  const tensor = (rows: readonly (readonly number[])[]) => ({
    dtype: "f32" as const,
    shape: [rows.length, vocabulary],
    data: Float64Array.from(rows.flatMap((ids) => [...scoresAfter(ids)])),
  });
  return {
    session: () => {
      let rows: (readonly number[])[] = [[]];
      return {
        start: async () => tensor(rows),
        step: async (ids) => {
          if (ids.length !== rows.length) throw new Error(`${ids.length} ids for ${rows.length} rows`);
          rows = rows.map((row, i) => [...row, ids[i] ?? 0].slice(-2));
          return tensor(rows);
        },
        reorder: async (from) => {
          rows = from.map((row) => rows[row] ?? []);
        },
      };
    },
    logProbability: (ids) =>
      ids.reduce((sum, id, i) => sum + (logSoftmax(scoresAfter(ids.slice(0, i)))[id] ?? 0), 0),
    scoresAfter,
  };
}

/** Every text that ends with `stop`, or has `limit` ids. */
export function allTexts(vocabulary: number, limit: number, stop: number | undefined): number[][] {
  const texts: number[][] = [];
  const extend = (ids: number[]): void => {
    if (ids.length === limit || (ids.length > 0 && ids.at(-1) === stop)) texts.push(ids);
    else for (let id = 0; id < vocabulary; id++) extend([...ids, id]);
  };
  extend([]);
  return texts;
}
