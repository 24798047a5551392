/**
 * Text from a plan on a device: the ids of the reference, what a token costs, and what is left when
 * something ends it.
 */
import { expect, test } from "vitest";
import type { Generated, GeneratedToken } from "../../../src/runtime/generation/generate.ts";
import type { GenerationOptions } from "../../../src/runtime/generation/options.ts";
import { GpuModel, type GpuModelOptions } from "../../../src/runtime/gpu/model.ts";
import { ReadPrompt, TextGenerator } from "../../../src/runtime/gpu/text-generator.ts";
import { describeWebGpu, openTestGpu } from "../../support/gpu.ts";
import { openTalker, type Talker, tokensOf } from "../../support/talkers.ts";
import { type WatchedDevice, watchGpu } from "../../support/watched-gpu.ts";

const prompt = [5, 17, 100];
const greedy: GenerationOptions = { choice: { kind: "greedy" }, limit: 12 };

interface Opened {
  readonly generator: TextGenerator;
  readonly model: GpuModel;
  readonly devices: readonly WatchedDevice[];
}

async function open(talker: Talker, more: Partial<GpuModelOptions> = {}): Promise<Opened> {
  const { gpu, devices } = watchGpu(await openTestGpu());
  const model = await GpuModel.load(talker.plan, talker.weights, { gpu, ...more });
  return { generator: new TextGenerator(model), model, devices };
}

/** All tokens, and what they came to. */
async function collect(
  tokens: AsyncGenerator<GeneratedToken, Generated>,
  onToken: (count: number) => void = () => {},
): Promise<Generated> {
  for (let count = 1; ; count++) {
    const next = await tokens.next();
    if (next.done === true) return next.value;
    onToken(count);
  }
}

function countsOf({ devices }: Opened): Record<string, number> {
  return Object.fromEntries(devices[0]?.counts ?? []);
}

describeWebGpu("a plan that generates", () => {
  test.each([272, 5000])("with %i ids: the reference's, greedy and drawn", async (vocabulary) => {
    const talker = await openTalker("Parrot", vocabulary);
    const opened = await open(talker);
    const { generator, model, devices } = opened;
    const inputs = new Map([["tokens", tokensOf(prompt)]]);
    await generator.prepare({ prompt });
    const started = countsOf(opened);
    devices[0]?.counts.clear();

    const want = await talker.reference(inputs, greedy);
    const got = await collect(generator.generate({ prompt }, greedy));
    expect(got.ids).toEqual(want.ids);
    expect(new Set(want.ids).size).toBeGreaterThan(4);
    expect(got.logProbability).toBeCloseTo(want.logProbability, 3);
    // One pass and one submission for each id, and nothing is created.
    expect(countsOf(opened)).toEqual({ passes: 12, submissions: 12 });
    expect(started["buffers"]).toBeGreaterThan(5);

    devices[0]?.counts.clear();
    const drawn = { kind: "sample", temperature: 3, topK: 40, seed: 11 } as const;
    for (const choice of [drawn, { ...drawn, topP: 0.8 }, { ...drawn, topK: 1 }]) {
      const options = { ...greedy, choice };
      const wanted = await talker.reference(inputs, options);
      const found = await collect(generator.generate({ prompt }, options));
      expect(found.ids).toEqual(wanted.ids);
      expect(found.logProbability).toBeCloseTo(wanted.logProbability, 3);
    }
    expect(countsOf(opened)).toEqual({ passes: 36, submissions: 36 });
    // What the best are not enough for reads every score.
    for (const more of [
      { choice: { kind: "sample", temperature: 2, seed: 3 } as const },
      { repetitionPenalty: 1.5 },
      { choice: { kind: "beams", count: 3, lengthPenalty: 1, early: false } as const },
    ]) {
      const options = { ...greedy, ...more };
      const found = await collect(generator.generate({ prompt }, options));
      expect(found.ids).toEqual((await talker.reference(inputs, options)).ids);
    }
    model.dispose();
    expect(devices[0]?.living.size).toBe(0);
  });

  test("ended early, the state is that behind the last id that was read", async () => {
    const talker = await openTalker("Parrot", 272);
    const { generator, model } = await open(talker);
    const all = await collect(generator.generate({ prompt }, greedy));
    const plain = new TextGenerator(model);
    const stepwise = plain.session;
    await stepwise.call("prefill", new Map([["tokens", tokensOf(prompt)]]));
    for (const id of all.ids.slice(0, 4))
      await stepwise.call("step", new Map([["token", tokensOf([id])]]), { read: [] });
    const wanted = await stepwise.readState();

    const read: number[] = [];
    for await (const { id } of generator.generate({ prompt }, greedy)) if (read.push(id) === 5) break;
    expect(read).toEqual(all.ids.slice(0, 5));
    expect(await generator.session.readState()).toEqual(wanted);
    // Asked in the middle, the session answers for the ids that were given out, and goes on.
    const went: number[] = [];
    for await (const { id } of generator.generate({ prompt }, greedy)) {
      if (went.push(id) === 5) expect(await generator.session.readState()).toEqual(wanted);
      if (went.length === 7) await generator.session.restore(await generator.session.snapshot());
    }
    expect(went).toEqual(all.ids);
    model.dispose();
  });

  test("a prompt that was read is gone on from several times", async () => {
    const talker = await openTalker("Echo", 272);
    const opened = await open(talker);
    const { generator, model, devices } = opened;
    const audio = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i / 9) / 2);
    const asked = { prompt, audio };
    await expect(generator.generate({ audio }, greedy).next()).rejects.toThrow("there is no tokenizer");
    const plain = await collect(generator.generate(asked, greedy));
    const reading = await generator.read(asked);
    expect(reading).toBeInstanceOf(ReadPrompt);
    await collect(generator.generate(reading, greedy));
    devices[0]?.counts.clear();
    const choice = { kind: "sample", temperature: 2, topK: 30, seed: 5 } as const;
    expect((await collect(generator.generate(reading, greedy))).ids).toEqual(plain.ids);
    // Going back is a copy; the sound is not heard again.
    expect(countsOf(opened)).toEqual({ passes: 11, submissions: 12 });
    const drawn = await collect(generator.generate(reading, { choice }));
    expect(drawn.ids).toEqual((await collect(generator.generate(asked, { choice }))).ids);
    const beams = { choice: { kind: "beams", count: 3, lengthPenalty: 1, early: false } } as const;
    const found = await collect(generator.generate(reading, beams));
    expect(found.ids).toEqual((await collect(generator.generate(asked, beams))).ids);
    expect(found.logProbability).toBeGreaterThanOrEqual(plain.logProbability - 1e-4);
    reading.dispose();
    model.dispose();
    expect(devices[0]?.living.size).toBe(0);
  });

  test.each([undefined, 1, 5])(
    "the device lost in the middle of it (state kept every %s calls)",
    async (every) => {
      const talker = await openTalker("Parrot", 272);
      const inputs = new Map([["tokens", tokensOf(prompt)]]);
      const want = await talker.reference(inputs, greedy);
      const { generator, model, devices } = await open(
        talker,
        every === undefined ? {} : { recovery: { every } },
      );
      const got: number[] = [];
      const lose = async (): Promise<void> => {
        for await (const { id } of generator.generate({ prompt }, greedy)) {
          got.push(id);
          if (got.length === 4 || got.length === 9) devices.at(-1)?.device.destroy();
        }
      };
      if (every === undefined) {
        await expect(lose()).rejects.toThrow("The GPU device was lost.");
        expect(got).toEqual(want.ids.slice(0, got.length));
        await expect(generator.generate({ prompt }, greedy).next()).rejects.toMatchObject({
          diagnostics: [
            { code: "gpu-device-lost", hint: "load the plan again, or ask for recovery when loading" },
          ],
        });
      } else {
        await lose();
        expect(got).toEqual(want.ids);
        expect(devices).toHaveLength(3);
      }
      model.dispose();
      for (const { living } of devices) expect(living.size).toBe(0);
    },
  );

  test("cancelled while it loads, prepares and generates", async () => {
    const talker = await openTalker("Parrot", 272);
    const { gpu, devices } = watchGpu(await openTestGpu());
    const loading = new AbortController();
    const onProgress = ({ loadedBytes }: { readonly loadedBytes: number }): void => {
      if (loadedBytes > 0) loading.abort();
    };
    const load = GpuModel.load(talker.plan, talker.weights, { gpu, signal: loading.signal, onProgress });
    await expect(load).rejects.toThrow("Loading the weights was cancelled.");
    expect(devices[0]?.living.size).toBe(0);

    const { generator, model, devices: later } = await open(talker);
    const preparing = new AbortController();
    const seen: number[] = [];
    const prepare = model.prepare({
      signal: preparing.signal,
      onProgress: ({ compiledKernels, totalKernels }) => {
        seen.push(compiledKernels / totalKernels);
        if (compiledKernels === 2) preparing.abort();
      },
    });
    await expect(prepare).rejects.toThrow("Preparing the kernels was cancelled.");
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBeLessThan(1);
    await model.prepare();

    const stop = new AbortController();
    const found = await collect(
      generator.generate({ prompt }, { ...greedy, signal: stop.signal }),
      (count) => {
        if (count === 3) stop.abort();
      },
    );
    expect(found).toMatchObject({ reason: "aborted" });
    expect(found.ids.length).toBeLessThanOrEqual(4);
    const never = await collect(generator.generate({ prompt }, { ...greedy, signal: stop.signal }));
    expect(never).toMatchObject({ reason: "aborted", ids: [] });
    // It can go on as if nothing had been.
    expect((await collect(generator.generate({ prompt }, greedy))).ids).toHaveLength(12);
    model.dispose();
    expect(later[0]?.living.size).toBe(0);
  });
});
