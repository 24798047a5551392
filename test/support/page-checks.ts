/**
 * What a page does with a plan in the tests: bundled for the browser, called with plain values.
 */
import {
  DiagnosticError,
  GpuModel,
  type LoadProgress,
  readPlan,
  TextGenerator,
  weightsFromAddress,
} from "../../src/runtime/gpu/browser.ts";
import { f32 } from "./small-plan.ts";
import { watchGpu } from "./watched-gpu.ts";

/** The types of a page are not those of Node. */
declare const navigator: { readonly gpu: GPU };

/** Everything that a session does, in numbers. */
export async function runSmallPlan(planAddress: string, weightAddress: string) {
  const plan = readPlan(planAddress, await (await fetch(planAddress)).text());
  const progress: LoadProgress[] = [];
  const model = await GpuModel.load(plan, weightsFromAddress(weightAddress), {
    gpu: navigator.gpu,
    onProgress: (each) => progress.push(each),
    recovery: { every: 2 },
  });
  const session = model.session();
  const numbers = async (
    entry: string,
    output: string,
    shape: readonly number[],
    values: readonly number[],
  ) => {
    const { outputs } = await session.call(entry, new Map([["x", f32(shape, values)]]));
    return [...(outputs.get(output)?.data ?? [])];
  };
  const classes = await numbers("classify", "y", [5], [1, 2, 3, 4, 5]);
  const sums = [
    await numbers("prefill", "sum", [1, 3], [1, 2, 3]),
    await numbers("step", "sum", [1, 1], [10]),
    await numbers("step", "sum", [1, 1], [20]),
  ];
  model.current.memory.device.destroy();
  const afterLoss = await numbers("step", "sum", [1, 1], [30]);
  const { adapter } = model;
  model.dispose();
  const aborted = new AbortController();
  aborted.abort();
  const messages: string[] = [];
  for (const [address, signal] of [
    [weightAddress, aborted.signal],
    ["missing.safetensors", undefined],
    [planAddress, undefined],
  ] as const) {
    await GpuModel.load(plan, weightsFromAddress(address), { gpu: navigator.gpu, signal }).catch(
      (error: unknown) => {
        if (!(error instanceof DiagnosticError)) throw error;
        messages.push(error.message);
      },
    );
  }
  return { adapter, progress, classes, sums, afterLoss, messages };
}

/** Greedy ids of a plan that generates, with the device destroyed after the third and the seventh. */
export async function generateAcrossLoss(address: string, prompt: readonly number[], every?: number) {
  const { gpu, devices } = watchGpu(navigator.gpu);
  const plan = readPlan(address, await (await fetch(`${address}.json`)).text());
  const model = await GpuModel.load(plan, weightsFromAddress(`${address}.safetensors`), {
    gpu,
    ...(every !== undefined && { recovery: { every } }),
  });
  const generator = new TextGenerator(model);
  await generator.prepare({ prompt });
  devices[0]?.counts.clear();
  const ids: number[] = [];
  let counts: Record<string, number> = {};
  let problem = "";
  try {
    for await (const { id } of generator.generate({ prompt })) {
      if (ids.push(id) === 2) counts = Object.fromEntries(devices[0]?.counts ?? []);
      if (ids.length === 3 || ids.length === 7) devices.at(-1)?.device.destroy();
    }
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    problem = error.diagnostics.map(({ code }) => code).join();
  }
  model.dispose();
  return { ids, problem, counts, left: devices.map(({ living }) => living.size) };
}

/** Greedy ids of a plan that generates, and what was created and submitted for them. */
export async function generateIds(folder: string, prompt: readonly number[], limit: number) {
  const { gpu, devices } = watchGpu(navigator.gpu);
  const plan = readPlan(folder, await (await fetch(`${folder}.json`)).text());
  const model = await GpuModel.load(plan, weightsFromAddress(`${folder}.safetensors`), { gpu });
  const generator = new TextGenerator(model);
  await generator.prepare({ prompt });
  devices[0]?.counts.clear();
  const ids: number[] = [];
  for await (const { id } of generator.generate({ prompt }, { limit })) ids.push(id);
  const counts = Object.fromEntries(devices[0]?.counts ?? []);
  model.dispose();
  return { ids, counts };
}

/** One call of an entry, on inputs and with outputs that can cross into the page as they are. */
export async function runEntry(
  folder: string,
  entry: string,
  inputs: readonly (readonly [
    name: string,
    dtype: "f32" | "i64",
    shape: readonly number[],
    values: readonly number[],
  ])[],
) {
  const plan = readPlan(folder, await (await fetch(`${folder}.json`)).text());
  const weights = weightsFromAddress(`${folder}.safetensors`);
  const model = await GpuModel.load(plan, weights, { gpu: navigator.gpu });
  const given = inputs.map(([name, dtype, shape, values]) => {
    return [
      name,
      { dtype, shape, data: dtype === "f32" ? Float32Array.from(values) : Float64Array.from(values) },
    ] as const;
  });
  const outputs = plan.entries.find(({ name }) => name === entry)?.outputs.map(({ name }) => name) ?? [];
  const result = await model.session().call(entry, new Map(given), { read: outputs });
  model.dispose();
  return [...result.outputs].map(([name, { shape, data }]) => ({ name, shape, values: [...data] }));
}
