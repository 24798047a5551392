/** Plans in the contest, through the runtime as users have it. */
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { GpuModel, readPlan, type WeightStream } from "../../src/runtime/gpu/browser.ts";
import { evaluateSize } from "../../src/runtime/gpu/sizes.ts";
import { bindSymbols } from "../../src/runtime/gpu/symbols.ts";
import { tuningInMemory } from "../../src/runtime/gpu/tuning-cache.ts";
import { type CallForm, type Entrant, inputsOf, type Output, oneByOne, type Spent } from "./contest.ts";
import type { TimedDispatch } from "./kernel-table.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface Contestant {
  run(call: CallForm): Promise<Spent>;
  readonly outputs: readonly Output[];
  trace(call: CallForm): Promise<readonly TimedDispatch[]>;
  close(): Promise<void>;
}

/** As much as the command line's `--tune` takes; what won for one model is known to the next. */
const tuned = { tune: "measure", tuningBudget: 30_000, tuningCache: tuningInMemory() } as const;

export async function openOurs(
  { model: name, isTuned }: Extract<Entrant, { readonly by: "ours" }>,
  planText: string,
  weights: WeightStream,
  gpu: GPU,
  stopwatch: Stopwatch,
): Promise<Contestant> {
  const model = await GpuModel.load(readPlan(name, planText), weights, { gpu, ...(isTuned && tuned) });
  const session = model.session();
  let outputs: readonly Output[] = [];
  const prepare = async (call: CallForm) => {
    if (call.fresh) await session.reset();
    const inputs = inputsOf(call);
    return call.idById === undefined ? [inputs] : oneByOne(inputs);
  };
  return {
    get outputs() {
      return outputs;
    },
    run: async (call) => {
      const rounds = await prepare(call);
      const unread = call.idById === "last" ? { read: [] } : {};
      const stop = stopwatch();
      for (const inputs of rounds.slice(0, -1)) await session.call(call.entry, inputs, unread);
      const result = await session.call(call.entry, rounds.at(-1) ?? new Map());
      const spent = stop();
      outputs = [...result.outputs].map(([output, { shape, data }]) => {
        return { name: output, shape, values: Array.from(data) };
      });
      return spent;
    },
    trace: async (call) => {
      const [inputs = new Map<string, HostTensor>()] = await prepare(call);
      const entry = model.entry(call.entry);
      const shapes = [...inputs].map(([input, { shape }]) => [input, shape] as const);
      const symbols = bindSymbols(entry, new Map(shapes));
      return (await session.trace(call.entry, inputs)).map(({ dispatch, ...time }) => {
        return { ...time, macs: evaluateSize(dispatch.executed, symbols) };
      });
    },
    close: async () => model.dispose(),
  };
}
