/**
 * What a page does with a plan in the tests: bundled for the browser, called with plain values.
 */
import {
  DiagnosticError,
  GpuModel,
  type LoadProgress,
  readPlan,
  weightsFromAddress,
} from "../../src/runtime/gpu/browser.ts";
import { f32 } from "./small-plan.ts";

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
