/** Generation on a model that can be searched whole: each choice is what its definition says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generate } from "../../../src/runtime/generation/generate.ts";
import type { Choice, GenerationOptions } from "../../../src/runtime/generation/options.ts";
import { best, penaliseRepetition } from "../../../src/runtime/generation/scores.ts";
import { codeOf } from "../support.ts";
import { allTexts, markov } from "./markov.ts";

const model = markov(5, 1);
const greedy: Choice = { kind: "greedy" };
const sample = (more: Partial<Extract<Choice, { kind: "sample" }>> = {}): Choice => ({
  kind: "sample",
  temperature: 1,
  seed: 1,
  ...more,
});
const beams = (count: number, more: Partial<Extract<Choice, { kind: "beams" }>> = {}): Choice => ({
  kind: "beams",
  count,
  lengthPenalty: 1,
  early: false,
  ...more,
});
const run = (choice: Choice, more: Partial<GenerationOptions> = {}, from = model) =>
  generate(from.session(), { choice, limit: 6, ...more });

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe("one id at a time", () => {
  test("greedy takes the best each time, and adds up its logarithms", async () => {
    const { ids, logProbability, reason } = await run(greedy);
    expect(ids).toHaveLength(6);
    for (const [i, id] of ids.entries()) {
      const scores = model.scoresAfter(ids.slice(0, i));
      expect(scores[id]).toBe(Math.max(...scores));
    }
    expect(logProbability).toBeCloseTo(model.logProbability(ids), 12);
    expect(reason).toBe("limit");
  });

  test("greedy is one beam, the best one of top-k, a tiny top-p, and a temperature near zero", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const from = markov(7, seed);
        const { ids } = await run(greedy, {}, from);
        for (const choice of [
          beams(1),
          sample({ topK: 1, seed }),
          sample({ topP: 1e-9, seed }),
          sample({ temperature: 1e-6, seed }),
        ]) {
          expect((await run(choice, {}, from)).ids).toEqual(ids);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a seed gives the same text again, and seeds differ", async () => {
    const texts = await Promise.all(
      [1, 1, 2, 3].map(async (seed) => (await run(sample({ seed }), { limit: 20 })).ids),
    );
    expect(texts[1]).toEqual(texts[0]);
    expect(texts[2]).not.toEqual(texts[0]);
    expect(texts[3]).not.toEqual(texts[2]);
  });

  test("is drawn by the model's probabilities", async () => {
    const counts = new Float64Array(5);
    const draws = 4000;
    for (let seed = 0; seed < draws; seed++) {
      const [id = 0] = (await run(sample({ seed }), { limit: 1 })).ids;
      counts[id] = (counts[id] ?? 0) + 1;
    }
    for (const [id, count] of counts.entries()) {
      const share = Math.exp(model.logProbability([id]));
      // Four standard deviations of a share of so many draws.
      expect(Math.abs(count / draws - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / draws));
    }
  });

  test("a repetition penalty counts what the prompt holds too", async () => {
    const [first = 0] = (await run(greedy)).ids;
    const penalised = await run(greedy, { repetitionPenalty: 3, history: [first] });
    for (const [i, id] of penalised.ids.entries()) {
      const scores = model.scoresAfter(penalised.ids.slice(0, i));
      penaliseRepetition(scores, [first, ...penalised.ids.slice(0, i)], 3);
      expect(id).toBe(best(scores));
    }
  });

  test("ends at a stop id, which counts and is given out", async () => {
    const { ids } = await run(greedy);
    const stop = ids[2] ?? 0;
    const end = ids.indexOf(stop) + 1;
    const seen: number[] = [];
    const stopped = await generate(
      model.session(),
      { choice: greedy, limit: 6, stopIds: new Set([stop]) },
      undefined,
      ({ id }) => seen.push(id),
    );
    expect(stopped).toMatchObject({ ids: ids.slice(0, end), reason: "stop", text: undefined });
    expect(seen).toEqual(stopped.ids);
  });

  test("ends when it is told to", async () => {
    const controller = new AbortController();
    let seen = 0;
    const options = { choice: greedy, limit: 50, signal: controller.signal };
    const { ids, reason } = await generate(model.session(), options, undefined, () => {
      if (++seen === 3) controller.abort();
    });
    expect({ count: ids.length, reason }).toEqual({ count: 4, reason: "aborted" });
  });
});

describe("beams", () => {
  const score = (ids: readonly number[], penalty: number, from = model): number =>
    from.logProbability(ids) / ids.length ** penalty;

  test("enough of them find the best text of a length", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const from = markov(4, seed);
        const texts = allTexts(4, 4, undefined).sort((a, b) => score(b, 1, from) - score(a, 1, from));
        const found = await run(beams(64), { limit: 4 }, from);
        expect(found.ids).toEqual(texts[0]);
        expect(found.logProbability).toBeCloseTo(from.logProbability(found.ids), 12);
      }),
      { numRuns: 20 },
    );
  });

  test.each([-1, 0, 1, 2])(
    "enough of them find the best of all that stop, with a length penalty of %d",
    async (penalty) => {
      for (let seed = 0; seed < 12; seed++) {
        const from = markov(3, seed);
        const texts = allTexts(3, 5, 0).sort((a, b) => score(b, penalty, from) - score(a, penalty, from));
        const choice = beams(200, { lengthPenalty: penalty });
        const found = await run(choice, { limit: 5, stopIds: new Set([0]) }, from);
        expect(found.ids, `seed ${seed}`).toEqual(texts[0]);
        expect(found.reason).toBe(found.ids.at(-1) === 0 ? "stop" : "limit");
      }
    },
  );

  test("are sorted along with their state", async () => {
    const found = await run(beams(3), { limit: 12 });
    expect(found.logProbability).toBeCloseTo(model.logProbability(found.ids), 12);
  });

  test("more of them are at least as good, and early ends are allowed", async () => {
    const stopIds = new Set([0]);
    for (let seed = 0; seed < 20; seed++) {
      const from = markov(6, seed);
      const early = await run(beams(4, { early: true }), { stopIds }, from);
      const late = await run(beams(4), { stopIds }, from);
      expect(score(late.ids, 1, from)).toBeGreaterThanOrEqual(score(early.ids, 1, from) - 1e-12);
    }
  });
});

describe("refused", () => {
  test.each<[string, Partial<GenerationOptions>]>([
    ["a limit of 0", { limit: 0 }],
    ["a temperature of 0", { choice: sample({ temperature: 0 }) }],
    ["a temperature that is no number", { choice: sample({ temperature: Number.NaN }) }],
    ["top-k of half", { choice: sample({ topK: 0.5 }) }],
    ["top-p above 1", { choice: sample({ topP: 1.5 }) }],
    ["top-p of 0", { choice: sample({ topP: 0 }) }],
    ["a negative seed", { choice: sample({ seed: -1 }) }],
    ["no beams", { choice: beams(0) }],
    ["an endless length penalty", { choice: beams(2, { lengthPenalty: Number.POSITIVE_INFINITY }) }],
    ["a repetition penalty of 0", { repetitionPenalty: 0 }],
  ])("%s", async (_, options) => {
    expect(await codeOf(() => run(greedy, options))).toBe("bad-generation-option");
  });

  test("stop texts without a tokenizer", async () => {
    expect(await codeOf(() => run(greedy, { stopTexts: ["."] }))).toBe("tokenizer-missing");
  });

  test("more than one prompt", async () => {
    const session = {
      ...model.session(),
      start: async () => ({ dtype: "f32", shape: [2, 1], data: new Float32Array(2) }) as const,
    };
    expect(await codeOf(() => generate(session, { choice: greedy, limit: 1 }))).toBe("one-prompt-only");
  });
});
