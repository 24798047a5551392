/** The parts of the contests on WebGPU that need no device: comparing, ratios, reports. */
import { describe, expect, test } from "vitest";
import {
  compareOutputs,
  type Entrant,
  inputsOf,
  type Output,
  oneByOne,
  type Stage,
} from "../bench/webgpu/contest.ts";
import { driversHere } from "../bench/webgpu/drivers.ts";
import { brief, hasty, thorough, tiny, whole } from "../bench/webgpu/extents.ts";
import { choosePeers } from "../bench/webgpu/heats.ts";
import { kernelTable } from "../bench/webgpu/kernel-table.ts";
import { measureStage, type StageResult } from "../bench/webgpu/measure-stage.ts";
import { paceOf, paceRatio, printRatio } from "../bench/webgpu/pace.ts";
import { productForms, productKernel } from "../bench/webgpu/plain-kernels.ts";
import { printContest } from "../bench/webgpu/report.ts";
import { takeTurns } from "../bench/webgpu/turns.ts";
import type { Compiled, Workload } from "../bench/webgpu/workloads.ts";

const logits = (...values: number[]): readonly Output[] => [
  { name: "logits", shape: [1, values.length], values },
];

describe("outputs are compared before anything is timed", () => {
  test("the distance is a multiple of 1 + |value|", () => {
    expect(compareOutputs("peer", logits(1, 3.0004, -5), logits(1, 3, -5))).toBeCloseTo(1e-4, 6);
  });

  test.each<[string, readonly Output[], string]>([
    ["a value that is off", logits(1, 3.001, -5), "logits[1] is 3.001, and should be 3"],
    ["what is no number", logits(1, Number.NaN, -5), "logits[1] is NaN"],
    ["another shape", [{ name: "logits", shape: [3], values: [1, 3, -5] }], "of shape 3"],
    ["a missing output", [], "logits is missing"],
  ])("%s is refused", (_, got, message) => {
    expect(() => compareOutputs("peer", got, logits(1, 3, -5))).toThrow(message);
  });

  test("zeros prove nothing", () => {
    expect(() => compareOutputs("peer", logits(0, 0), logits(0, 0))).toThrow("nothing to compare");
    expect(() => compareOutputs("peer", [], [])).toThrow("nothing to compare");
  });
});

test("ids that come one by one are those that come at once", () => {
  const ids = { entry: "read", inputs: { tokens: { kind: "ids", length: 5 } }, fresh: true } as const;
  const whole = inputsOf(ids).get("tokens");
  const parts = oneByOne(inputsOf(ids)).map((inputs) => inputs.get("tokens"));
  expect(parts.map((part) => part?.shape)).toEqual(Array.from({ length: 5 }, () => [1, 1]));
  expect(parts.flatMap((part) => Array.from(part?.data ?? []))).toEqual(Array.from(whole?.data ?? []));
});

describe("ratios", () => {
  const pace = (...seconds: number[]) => paceOf(seconds.map((clock) => ({ clock, processor: 2 * clock })));

  test("are of medians, by either clock", () => {
    expect(paceRatio(pace(6, 100, 5), pace(2, 1, 3))).toEqual({ clock: 3, processor: 3 });
    expect(printRatio({ clock: 3, processor: 2.5 })).toBe("3.00 (2.50 by processor time)");
  });

  test("leave out a clock that one side lacks", () => {
    const without = paceOf([{ clock: 2, processor: undefined }]);
    expect(paceRatio(without, pace(1))).toEqual({ clock: 2, processor: undefined });
    expect(printRatio(paceRatio(without, pace(1)))).toBe("2.00");
  });
});

test("kernels are added up, the slowest first", () => {
  const time = (kernel: string, nanoseconds: number) =>
    ({ index: 0, path: "encoder", kernel, nanoseconds, clock: "device", macs: 3e9 }) as const;
  expect(
    kernelTable([time("row", 1e9), time("contract", 2e9), time("row", 1e9), time("contract", 4e9)]),
  ).toEqual([
    { kernel: "contract", dispatches: 2, seconds: 6, share: 0.75, flopsPerSecond: 2e9 },
    { kernel: "row", dispatches: 2, seconds: 2, share: 0.25, flopsPerSecond: 6e9 },
  ]);
});

test("plain products cover rows and columns that their blocks don't divide", () => {
  for (const form of productForms) {
    const { workgroups } = productKernel(form, { rows: 513, depth: 768, columns: 2304 });
    expect(workgroups[0] * 4 * form.quads * form.across).toBeGreaterThanOrEqual(2304);
    expect(workgroups[1] * form.rows * form.down).toBeGreaterThanOrEqual(513);
  }
});

test("a driver that the environment names is one contest, SwiftShader the other", () => {
  const named = driversHere({ VK_ICD_FILENAMES: "/drivers/lvp_icd.json", HOME: "/home" });
  expect(named.map(({ name, driver }) => [name, driver])).toEqual([
    ["Node, SwiftShader", "packaged"],
    ["Node, lvp_icd.json", "system"],
  ]);
  expect(named[0]?.environment).toEqual({ HOME: "/home" });
  expect(driversHere({}).map(({ name }) => name)).toEqual(["Node, SwiftShader", "Node, the system's driver"]);
});

test("who takes long runs less often, between the others, who change their order", async () => {
  const ran: string[] = [];
  const run = (name: string, rounds: number) => ({
    rounds,
    run: async () => {
      ran.push(name);
      return { clock: ran.length, processor: undefined };
    },
  });
  const paces = await takeTurns([
    ["ours", run("ours", 3)],
    ["tuned", undefined],
    ["peer", run("peer", 2)],
  ]);
  expect(ran).toEqual(["ours", "peer", "peer", "ours", "ours"]);
  expect(Object.keys(paces)).toEqual(["ours", "peer"]);
  expect(paces.ours?.clock).toEqual({ median: 4, least: 1, most: 5 });
});

test("every id of every extent has a row of the vocabulary", () => {
  for (const { prompt, steps, vocabulary } of [whole, brief, tiny]) {
    const ids = { kind: "ids", length: Math.max(prompt, steps) } as const;
    const values = inputsOf({ entry: "read", inputs: { ids }, fresh: true }).get("ids")?.data ?? [];
    expect(Math.max(...Array.from(values, Number))).toBeLessThan(vocabulary);
  }
});

describe("contests on a stage", () => {
  /** Runs take as many seconds as `seconds` says of their key; `wrong` gives other outputs than the rest. */
  function stageOf(seconds: (key: string) => number, wrong: readonly string[] = []) {
    const opened: Entrant[] = [];
    const open = new Set<string>();
    const runs: string[] = [];
    const stage: Stage = {
      adapter: "an adapter",
      open: async (entrant) => {
        opened.push(entrant);
        open.add(entrant.key);
      },
      run: async (key, { entry }) => {
        if (!open.has(key)) throw new Error(`${key} is not open`);
        runs.push(`${key}: ${entry}`);
        return { clock: seconds(key), processor: undefined };
      },
      outputs: async (key) => logits(wrong.includes(key) ? 2 : 1),
      trace: async () => [],
      close: async (key) => void open.delete(key),
      forms: async () => ["plain"],
      product: async () => ({ clock: 1, processor: undefined }),
      copy: async () => ({ clock: 1, processor: undefined }),
    };
    return { stage, open, opened, runs };
  }
  const compiledOf = (name: Workload["name"]): Compiled => ({
    workload: { name, title: name, file: "", settings: {}, entries: [], contested: name !== "reading" },
    peerEntries: [],
    costs: {
      forward: { macs: 1e9, bytes: 1 },
      prefill: { macs: 1e9, bytes: 1 },
      step: { macs: 1, bytes: 1e9 },
    },
    products: [{ rows: 16, depth: 4, columns: 4 }],
  });
  const all = (["dense", "pruned", "decoder", "reading"] as const).map(compiledOf);
  const choice = { name: "here", contested: true, say: () => undefined } as const;
  const aims = { encoder: 6, decoder: 4 };

  test("each is told when it is over, in what is known by then", async () => {
    const { stage, open, runs } = stageOf((key) =>
      key.endsWith("portable") ? 40 : key.endsWith("ort") ? 20 : 5,
    );
    const told: string[] = [];
    const said: string[] = [];
    const result = await measureStage(stage, all, tiny, {
      ...choice,
      effort: hasty,
      onContest: (contest, soFar) => {
        told.push(contest);
        said.push(...printContest(contest, soFar, aims));
      },
    });
    expect(told).toEqual(["dense", "pruned", "encoders", "prefill", "step", "moving", "reading"]);
    expect(said[0]).toMatch(/^ {2}dense: 4\.00 times as fast as onnxruntime \(aim 6; its profile ort; /);
    expect(result.calls.step?.peer?.profile).toBe("ort");
    expect([...open]).toEqual([]);
    // The peer is looked at in both profiles for the first calls alone, and then timed once.
    const peer = runs.filter((run) => run.includes("portable") || run.includes(" ort"));
    expect(peer).toEqual([
      ...["dense portable: forward", "dense ort: forward", "dense ort: forward"],
      ...["pruned ort: forward", "pruned ort: forward"],
      ...["decoder portable: prefill", "decoder ort: prefill", "decoder ort: step"],
      ...["decoder ort: prefill", "decoder ort: step"],
    ]);
  });

  test("tuned kernels run too where there is time, and have to give the same", async () => {
    const effort = { ...thorough, rounds: 2 };
    const { stage, opened } = stageOf((key) => (key.endsWith("tuned") ? 1 : 2));
    let last: StageResult | undefined;
    await measureStage(stage, all, tiny, {
      ...choice,
      contested: false,
      effort,
      onContest: (_, soFar) => {
        last = soFar;
      },
    });
    expect(opened.flatMap((each) => (each.by === "ours" && each.isTuned ? [each.key] : []))).toEqual([
      "dense tuned",
      "pruned tuned",
      "decoder tuned",
    ]);
    if (last === undefined) throw new Error("nothing was told");
    expect(printContest("dense", last, aims)[1]).toMatch(
      /tuned: 2\.00 times as fast as the plan's own kernels/,
    );
    const other = stageOf(() => 1, ["dense tuned"]);
    const onContest = () => undefined;
    await expect(measureStage(other.stage, all, tiny, { ...choice, effort, onContest })).rejects.toThrow(
      "dense, tuned: logits[0] is 2",
    );
  });

  test("a profile that gives something else is left out, and the next one tried", async () => {
    const { stage, open } = stageOf(() => 9, ["decoder portable"]);
    const call = { entry: "prefill", inputs: {}, fresh: true } as const;
    const heat = await choosePeers(
      stage,
      compiledOf("decoder"),
      { profiles: ["portable", "ort"], everyProfile: false },
      new Map([["prefill", call]]),
      new Map([["prefill", logits(1)]]),
      () => undefined,
    );
    expect(heat.peers.get("prefill")?.profile).toBe("ort");
    expect(heat.refused).toEqual([expect.stringContaining("logits[0] is 2")]);
    expect([...open]).toEqual(["decoder ort"]);
  });
});
