/** Every score that a token can be ranked by, on both targets, against scores computed here. */
import { describe, expect, test } from "vitest";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import {
  closenessOf,
  goldenInputs,
  requestFor,
  runToTensors,
  smallModel,
  type Target,
  targets,
} from "./support/golden.ts";
import { expectClose, expectSame, type Tensors, tensorOf } from "./support/tensors.ts";

/** How a model cuts its input into patches of 16 x 16. */
interface Patches {
  readonly name: string;
  readonly timeSteps: number;
  readonly frequencySteps: number;
  readonly stride: number;
  /** Of the patch at a place of the grid. */
  readonly index: (time: number, frequency: number) => number;
}

const astPatches: Patches = {
  name: "prune-ast-tiny",
  timeSteps: 12,
  frequencySteps: 5,
  stride: 10,
  index: (time, frequency) => frequency * 12 + time,
};
const audioMaePatches: Patches = {
  name: "prune-audiomae-tiny",
  timeSteps: 8,
  frequencySteps: 8,
  stride: 16,
  index: (time, frequency) => time * 8 + frequency,
};

const sites = [1, 2, 3];
const keep = 0.7;

/** The spectrogram is [batch, time, frequency], whatever axes of one element it has between. */
function patchesOf(spectrogram: HostTensor, row: number, patches: Patches): number[][] {
  const frequencies = spectrogram.shape[spectrogram.shape.length - 1] ?? 0;
  const times = spectrogram.shape[spectrogram.shape.length - 2] ?? 0;
  const found: number[][] = [];
  for (let time = 0; time < patches.timeSteps; time++) {
    for (let frequency = 0; frequency < patches.frequencySteps; frequency++) {
      const pixels: number[] = [];
      for (let t = 0; t < 16; t++) {
        for (let f = 0; f < 16; f++) {
          const line = row * times + time * patches.stride + t;
          pixels.push(spectrogram.data[line * frequencies + frequency * patches.stride + f] ?? Number.NaN);
        }
      }
      found[patches.index(time, frequency)] = pixels;
    }
  }
  return found;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** As torch.std: divided by one less than the number of values. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

async function runWith(name: string, score: string, target: Target): Promise<Tensors> {
  const { layer } = smallModel(name);
  const taps = sites.flatMap((site) => [
    `${layer(site)}.tokens`,
    ...["scores", "kept", "origin"].map((value) => `${layer(site)}.tokens.${value}`),
  ]);
  return await runToTensors(requestFor(name, target, { settings: { keep, score }, taps }));
}

/** Keeping the best of what is left, again and again, is keeping the first of one ranking. */
function expectRanking(got: Tensors, name: string, row: number, ranking: readonly number[]): void {
  const { layer } = smallModel(name);
  let count = ranking.length;
  for (const [nth, site] of sites.entries()) {
    count = Math.ceil(keep * count);
    const origin = tensorOf(got, `${layer(site)}.tokens.origin`);
    const kept = tensorOf(got, `${layer(site)}.tokens.kept`);
    expect(origin.shape).toEqual([2, count]);
    expect([...origin.data.subarray(row * count, (row + 1) * count)]).toEqual(ranking.slice(0, count));
    const places = nth === 0 ? ranking.slice(0, count) : ranking.slice(0, count).map((_, place) => place);
    expect([...kept.data.subarray(row * count, (row + 1) * count)]).toEqual(places);
  }
}

const descending = (scores: readonly number[]): number[] =>
  scores.map((_, index) => index).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));

describe.each(targets)("on %s", (target) => {
  describe.each([astPatches, audioMaePatches])("$name", (patches) => {
    const { name } = patches;
    const { layer, input, extraTokens } = smallModel(name);

    test.each([
      ["PatchMean", mean],
      ["PatchDeviation", deviation],
    ])("%s ranks by the pixels of the input", async (score, measure) => {
      const got = await runWith(name, score, target);
      const spectrogram = tensorOf(await goldenInputs(name), input);
      const first = tensorOf(got, `${layer(1)}.tokens.scores`);
      const count = patches.timeSteps * patches.frequencySteps;
      for (const row of [0, 1]) {
        const scores = patchesOf(spectrogram, row, patches).map(measure);
        expect(scores).toHaveLength(count);
        const data = Float64Array.from(scores);
        const given = { ...first, shape: [count], data: first.data.subarray(row * count, (row + 1) * count) };
        expectClose(given, { ...given, data }, closenessOf(target), score);
        expectRanking(got, name, row, descending(scores));
      }
    });

    test("the tokens that stay are those that were chosen, behind the extra ones", async () => {
      const got = await runWith(name, "PatchMean", target);
      const tokens = `${layer(1)}.tokens`;
      const all = tensorOf(
        await runToTensors(requestFor(name, target, { settings: { keep: 1 }, taps: [tokens] })),
        tokens,
      );
      const [rows = 0, before = 0, width = 0] = all.shape;
      const kept = tensorOf(got, `${tokens}.kept`);
      const count = kept.shape[1] ?? 0;
      const expected: number[] = [];
      for (let row = 0; row < rows; row++) {
        const chosen = [...kept.data.subarray(row * count, (row + 1) * count)].map(
          (place) => place + extraTokens,
        );
        const extra = Array.from({ length: extraTokens }, (_, index) => index);
        for (const token of [...extra, ...chosen]) {
          const start = (row * before + token) * width;
          expected.push(...all.data.subarray(start, start + width));
        }
      }
      const want = { ...all, shape: [rows, extraTokens + count, width], data: Float64Array.from(expected) };
      expectClose(tensorOf(got, tokens), want, closenessOf(target), tokens);
    });

    test("RandomScore: a seed gives its own ranking, the same for every row and site", async () => {
      const origin = `${layer(1)}.tokens.origin`;
      const got = await runWith(name, "RandomScore(seed: 3)", target);
      const ranking = [...tensorOf(got, `${layer(1)}.tokens.scores`).data];
      const count = patches.timeSteps * patches.frequencySteps;
      expect(new Set(ranking.slice(0, count)).size).toBe(count);
      for (const row of [0, 1]) expectRanking(got, name, row, descending(ranking.slice(0, count)));
      expectSame(
        tensorOf(await runWith(name, "RandomScore(3)", target), origin),
        tensorOf(got, origin),
        "again",
      );
      const other = await runWith(name, "RandomScore(seed: 4)", target);
      expect([...tensorOf(other, origin).data]).not.toEqual([...tensorOf(got, origin).data]);
    });
  });
});

describe.each([astPatches, audioMaePatches])("$name: targets agree", ({ name }) => {
  test.each([
    "ClsAttention",
    "MeanAttention",
    "PatchMean",
    "PatchDeviation",
    "RandomScore",
    "RandomScore(seed: 9)",
  ])("%s", async (score) => {
    const reference = await runWith(name, score, "reference");
    const onnx = await runWith(name, score, "onnx");
    expect([...onnx.keys()]).toEqual([...reference.keys()]);
    for (const [path, want] of reference) {
      if (want.dtype === "i64") expectSame(tensorOf(onnx, path), want, path);
      else expectClose(tensorOf(onnx, path), want, closenessOf("onnx"), path);
    }
  });
});
