/**
 * Generation on a device: what may come next is read, the state never leaves the device.
 */
import type { GenerationPlan } from "../../compiler/generation-plan.ts";
import type { HostTensor } from "../../compiler/host-tensor.ts";
import { failure } from "../failure.ts";
import type { GenerationSession } from "../generation/session.ts";
import type { GpuSession } from "./session.ts";

/** @param inputs of the first entry; the state begins at zero */
export function deviceGeneration(
  plan: GenerationPlan,
  session: GpuSession,
  inputs: ReadonlyMap<string, HostTensor>,
): GenerationSession {
  const { token, states, firstScores, nextScores } = plan;
  const axes = new Map(
    states.flatMap(({ name, rowAxis }) => (rowAxis === undefined ? [] : [[name, rowAxis] as const])),
  );
  const scores = async (
    entry: string,
    given: ReadonlyMap<string, HostTensor>,
    name: string,
  ): Promise<HostTensor> => {
    const { outputs } = await session.call(entry, given, { read: [name] });
    const found = outputs.get(name);
    if (found === undefined) throw failure("internal-error", `The entry ${entry} gave no output ${name}.`);
    return found;
  };
  return {
    start: async () => {
      await session.reset();
      return await scores(plan.first, inputs, firstScores);
    },
    step: async (ids) => {
      const shape = [ids.length, ...new Array<number>(token.rank - 1).fill(1)];
      const given: HostTensor = { dtype: token.dtype, shape, data: Float64Array.from(ids) };
      return await scores(plan.next, new Map([[token.name, given]]), nextScores);
    },
    reorder: (from) => session.reorder(from, axes),
  };
}
