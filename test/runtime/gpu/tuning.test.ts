/**
 * Choosing kernels by measuring: what is chosen, what is remembered, and that nothing else changes.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { tuningFolder, tuningInFolder } from "../../../src/cli/tuning-file.ts";
import type { KernelPlan, PlanVariant } from "../../../src/compiler/plan.ts";
import { GpuModel, type GpuModelOptions } from "../../../src/runtime/gpu/model.ts";
import { readPlan } from "../../../src/runtime/gpu/plan-reader.ts";
import { layOutSlots } from "../../../src/runtime/gpu/slot-layout.ts";
import { bindSymbols } from "../../../src/runtime/gpu/symbols.ts";
import type { Tuned } from "../../../src/runtime/gpu/tuner.ts";
import {
  fingerprint,
  parseChoices,
  printChoices,
  type TuningCache,
  tuningInStorage,
} from "../../../src/runtime/gpu/tuning-cache.ts";
import { timeVariants } from "../../../src/runtime/gpu/variant-timer.ts";
import { dispatchBy } from "../../../src/runtime/gpu/variants.ts";
import { describeWebGpu, openTestGpu } from "../../support/gpu.ts";
import { classified, f32, ramp, smallPlan, smallWeights } from "../../support/small-plan.ts";

/** A square that takes thousands of times as long, and one that binds its values the other way round. */
const slow = `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> count: u32;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count) { return; }
  var found = x[id.x] * x[id.x];
  for (var i = 0u; i < 50000u; i++) { if (found < -1.0) { found = found * f32(i); } }
  y[id.x] = found;
}`;
const turned = `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < count) { y[id.x] = x[id.x] * x[id.x]; }
}`;
const refused = "@compute @workgroup_size(64) fn main() { nothing(); }";

const square = smallPlan.kernels[1];
const [classify] = smallPlan.entries;
if (square === undefined || classify === undefined) throw new Error("the small plan has changed");

/** `classify` with a slow kernel of its own, and the others to choose from. */
function tunablePlan(others: readonly number[]): KernelPlan {
  const kernels = [
    ...smallPlan.kernels,
    { ...square, label: "slow", code: slow },
    { ...square, label: "turned", code: turned, bindings: ["sizes", "read-write", "read-write"] },
    { ...square, label: "refused", code: refused },
    { ...square, label: "shared", code: turned, workgroupBytes: 2 ** 30 },
  ] as KernelPlan["kernels"];
  const entry = {
    ...classify,
    dispatches: (classify?.dispatches ?? []).map((dispatch) => {
      if (dispatch.kernel !== 1) return dispatch;
      const { sizes, workgroups, executed } = dispatch;
      const variants = others.map((kernel): PlanVariant => {
        return { kernel, order: kernel === 4 ? [1, 0] : [0, 1], sizes, workgroups, executed };
      });
      return { ...dispatch, kernel: 3, variants };
    }),
  };
  return { ...smallPlan, kernels, entries: [entry as KernelPlan["entries"][number]] };
}

/** A cache in memory that says what it was asked. */
function noted(): TuningCache & { readonly choices: Map<string, string>; readonly calls: string[] } {
  const choices = new Map<string, string>();
  const calls: string[] = [];
  return {
    choices,
    calls,
    read: async () => {
      calls.push("read");
      return choices;
    },
    write: async (_, given) => {
      calls.push("write");
      for (const [key, value] of given) choices.set(key, value);
    },
  };
}

/** The same, whose devices are changed before anyone sees them. */
function changedGpu(gpu: GPU, change: (device: GPUDevice) => void): Pick<GPU, "requestAdapter"> {
  return {
    requestAdapter: async (options) => {
      const adapter = await gpu.requestAdapter(options);
      const make = adapter?.requestDevice.bind(adapter);
      if (adapter === null || make === undefined) return null;
      const requestDevice: GPUAdapter["requestDevice"] = async (descriptor) => {
        const device = await make(descriptor);
        change(device);
        return device;
      };
      return Object.defineProperty(adapter, "requestDevice", { value: requestDevice });
    },
  };
}

/** The same, whose adapter goes by another name. */
function namedGpu(gpu: GPU, architecture: string): Pick<GPU, "requestAdapter"> {
  const adapterInfo = { vendor: "mesa", architecture, device: "", description: "" };
  return changedGpu(gpu, (device) => Object.defineProperty(device, "adapterInfo", { value: adapterInfo }));
}

describeWebGpu("choosing kernels", () => {
  let gpu: GPU;
  beforeAll(async () => {
    gpu = await openTestGpu();
  });

  /** What a call gives and runs, and what was measured for it. */
  async function called(plan: KernelPlan, options: Partial<GpuModelOptions>) {
    const tuned: Tuned[] = [];
    const model = await GpuModel.load(plan, smallWeights, {
      gpu,
      tuningBudget: 60_000,
      onTuned: (each) => tuned.push(each),
      ...options,
    });
    const session = model.session();
    const inputs = new Map([["x", f32([100], ramp(100))]]);
    const { outputs } = await session.call("classify", inputs);
    const ran = (await session.trace("classify", inputs)).map(({ kernel }) => kernel);
    const buffers = model.current.memory.bufferCount;
    model.dispose();
    expect([...(outputs.get("y")?.data ?? [])]).toEqual(classified(ramp(100)));
    return { ran, tuned, buffers };
  }

  test("the plan's own kernels run unless something else is asked for", async () => {
    const cache = noted();
    const { ran, tuned } = await called(tunablePlan([1, 4]), { tuningCache: cache });
    expect(new Set(ran)).toEqual(new Set(["affine", "slow"]));
    expect(tuned).toEqual([]);
    expect(cache.calls).toEqual([]);
  });

  test("a driver that is known runs what is known to suit it, until something better is measured", async () => {
    const suiting = {
      ...square,
      label: "slow, term by term",
      code: turned,
      bindings: ["sizes", "read-write", "read-write"],
    };
    const plan = tunablePlan([4]);
    const kernels = plan.kernels.map((kernel, i) => (i === 4 ? suiting : kernel)) as KernelPlan["kernels"];
    const known = { ...plan, kernels };
    const llvmpipe = { gpu: namedGpu(gpu, "llvmpipe-llvm-19-1-7-256-bits") };
    expect(new Set((await called(known, {})).ran)).toEqual(new Set(["affine", "slow"]));
    expect(new Set((await called(known, llvmpipe)).ran)).toEqual(new Set(["affine", "slow, term by term"]));
    // Of those that won before, none is of this plan.
    const cached = await called(known, { ...llvmpipe, tune: "cached", tuningCache: noted() });
    expect(new Set(cached.ran)).toEqual(new Set(["affine", "slow, term by term"]));
  });

  test("what is fastest is chosen, remembered, and not measured again", async () => {
    const cache = noted();
    const plan = tunablePlan([4]);
    const first = await called(plan, { tune: "measure", tuningCache: cache });
    expect(new Set(first.ran)).toEqual(new Set(["affine", "turned"]));
    // Two dispatches of one kernel are one family.
    expect(first.tuned.map(({ own, chosen }) => [own, chosen])).toEqual([["slow", "turned"]]);
    expect(cache.calls).toEqual(["read", "write"]);
    expect([...cache.choices.values()]).toEqual([fingerprint(turned)]);
    for (const tune of ["cached", "measure"] as const) {
      const again = await called(plan, { tune, tuningCache: cache });
      expect(again.ran).toEqual(first.ran);
      expect(again.tuned).toEqual([]);
    }
    expect(cache.calls).toEqual(["read", "write", "read", "read"]);
  });

  test("a model that is loaded again on a new device runs the kernels that it chose", async () => {
    const tuned: Tuned[] = [];
    const model = await GpuModel.load(tunablePlan([4]), smallWeights, {
      gpu,
      ...({ tune: "measure", tuningBudget: 60_000, recovery: { every: 1 } } as const),
      onTuned: (each) => tuned.push(each),
    });
    const session = model.session();
    const inputs = new Map([["x", f32([100], ramp(100))]]);
    await session.call("classify", inputs);
    model.current.memory.device.destroy();
    const { outputs } = await session.call("classify", inputs);
    expect([...(outputs.get("y")?.data ?? [])]).toEqual(classified(ramp(100)));
    expect(tuned.map(({ chosen }) => chosen)).toEqual(["turned"]);
    model.dispose();
  });

  test("measuring leaves nothing behind", async () => {
    const plain = await called(tunablePlan([4]), {});
    const measured = await called(tunablePlan([4]), { tune: "measure" });
    expect(measured.buffers).toBe(plain.buffers);
  });

  test("without time nothing is measured, and nothing remembered", async () => {
    const cache = noted();
    const { ran, tuned } = await called(tunablePlan([4]), {
      tune: "measure",
      tuningBudget: 0,
      tuningCache: cache,
    });
    expect(new Set(ran)).toEqual(new Set(["affine", "slow"]));
    expect(tuned).toEqual([]);
    expect(cache.calls).toEqual(["read"]);
  });

  test("what was not measured to the end runs, and is not remembered", async () => {
    const cache = noted();
    const real = performance.now.bind(performance);
    let submitted = 0;
    // Time is over once the plan's own kernel was run twice, and none of the others.
    const clock = vi.spyOn(performance, "now").mockImplementation(() => real() + (submitted >= 2 ? 1e9 : 0));
    const counting = changedGpu(gpu, ({ queue }) => {
      const submit = queue.submit.bind(queue);
      const counted: GPUQueue["submit"] = (buffers) => {
        submitted++;
        submit(buffers);
      };
      Object.defineProperty(queue, "submit", { value: counted });
    });
    try {
      const options = { gpu: counting, tune: "measure", tuningCache: cache } as const;
      const { ran, tuned } = await called(tunablePlan([4]), options);
      expect(new Set(ran)).toEqual(new Set(["affine", "slow"]));
      expect(tuned.map(({ chosen }) => chosen)).toEqual(["slow"]);
      expect(cache.calls).toEqual(["read"]);
    } finally {
      clock.mockRestore();
    }
  });

  test("what is not begun in time is not compiled", async () => {
    const plan = tunablePlan([1, 4]);
    const model = await GpuModel.load(plan, smallWeights, { gpu });
    const { memory, kernels, weights } = model.current;
    const asked = vi.spyOn(kernels, "pipeline");
    const [entry] = plan.entries;
    const dispatch = entry?.dispatches.find(({ variants }) => variants !== undefined);
    if (entry === undefined || dispatch === undefined) throw new Error("the small plan has changed");
    const symbols = bindSymbols(entry, new Map([["x", [100]]]));
    const layout = layOutSlots(entry, symbols);
    const candidates = [dispatch, ...(dispatch.variants ?? []).map((each) => dispatchBy(dispatch, each))];
    const work = { entry, symbols, layout, candidates };
    const on = { memory, kernels, weights, plan };
    expect(await timeVariants(on, { ...work, deadline: 0 })).toEqual([undefined, undefined, undefined]);
    expect(asked.mock.calls.map(([{ label }]) => label)).toEqual(["slow"]);
    const deadline = performance.now() + 60_000;
    expect((await timeVariants(on, { ...work, deadline })).map((time) => typeof time)).toEqual(
      Array.from({ length: 3 }, () => "number"),
    );
    model.dispose();
  });

  test("kernels that the device refuses or has no room for are not chosen", async () => {
    const { ran, tuned } = await called(tunablePlan([5, 6]), { tune: "measure" });
    expect(new Set(ran)).toEqual(new Set(["affine", "slow"]));
    expect(tuned.map(({ chosen }) => chosen)).toEqual(["slow"]);
  });

  test("a plan file says what its variants bind", () => {
    const plan = tunablePlan([1, 4]);
    expect(readPlan("plan", JSON.stringify(plan))).toEqual(plan);
    const text = JSON.stringify(plan);
    expect(() => readPlan("plan", text.replace('"order":[1,0]', '"order":[1,7]'))).toThrow(/variant/);
    expect(() => readPlan("plan", text.replace('"order":[1,0]', '"order":[1]'))).toThrow(/variant/);
    expect(() => readPlan("plan", text.replace('"order":[1,0]', '"order":"01"'))).toThrow(/no list/);
  });
});

test("choices are kept as text, and what is no such text holds none", () => {
  const choices = new Map([
    ["b", "2"],
    ["a", "1"],
  ]);
  const text = printChoices("some adapter", choices);
  expect(parseChoices("some adapter", text)).toEqual(choices);
  for (const [adapter, damaged] of [
    ["another adapter", text],
    ["some adapter", ""],
    ["some adapter", "[]"],
    ["some adapter", text.replace('"version": 1', '"version": 2')],
    ["some adapter", text.replace(/"choices".*/s, '"choices": 3 }')],
  ] as const) {
    expect(parseChoices(adapter, damaged)).toEqual(new Map());
  }
});

test("a page keeps choices in its storage, and does without where that is full", async () => {
  const texts = new Map<string, string>();
  const storage = {
    getItem: (key: string) => texts.get(key) ?? null,
    setItem: (key: string, text: string) => void texts.set(key, text),
  };
  const cache = tuningInStorage(storage);
  expect(await cache.read("x")).toEqual(new Map());
  await cache.write("x", new Map([["k", "v"]]));
  expect(await cache.read("x")).toEqual(new Map([["k", "v"]]));
  expect(await cache.read("y")).toEqual(new Map());
  const full = tuningInStorage({
    getItem: () => null,
    setItem: () => {
      throw new Error("full");
    },
  });
  await expect(full.write("x", new Map())).resolves.toBeUndefined();
});

test("Node keeps choices in a file for each adapter", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ossicle-tuning-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  expect(tuningFolder({ XDG_CACHE_HOME: folder })).toBe(join(folder, "ossicle", "tuning"));
  const cache = tuningInFolder(join(folder, "deep", "er"));
  expect(await cache.read("a")).toEqual(new Map());
  await cache.write("a", new Map([["k", "v"]]));
  await cache.write("b", new Map([["k", "w"]]));
  expect(await cache.read("a")).toEqual(new Map([["k", "v"]]));
  const files = readdirSync(join(folder, "deep", "er"));
  expect(files.length).toBe(2);
  const path = join(folder, "deep", "er", files[0] ?? "");
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ format: "ossicle-tuning", version: 1 });
  writeFileSync(path, "{");
  expect(
    (await Promise.all(["a", "b"].map((name) => cache.read(name)))).filter(({ size }) => size === 0),
  ).toEqual([new Map()]);
  // A folder that can't be made: measured again next time, and no error.
  await expect(tuningInFolder(join(path, "below")).write("a", new Map())).resolves.toBeUndefined();
});
