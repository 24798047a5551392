/**
 * Generation on a device: what may come next is read, the state never leaves the device.
 *
 * Owns: how the entries of a plan that generates are called. Where the plan has the outputs for it, ids are
 * chosen on the device and a token costs one small read.
 */
import type { GenerationPlan } from "../../compiler/generation-plan.ts";
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { PlanGeneration, PlanSelection } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import {
  type Best,
  type ChoosingSession,
  type GenerationSession,
  lastScores,
} from "../generation/session.ts";
import type { GpuSession, Link } from "./session.ts";

type Outputs = ReadonlyMap<string, HostTensor>;

/** How the first entry is run: with inputs from zero state, or by going back to where it was run. */
export type Beginning = (read: readonly string[]) => Promise<Outputs>;

/** @param inputs of the first entry; the state begins at zero */
export function beginWith(
  { first }: GenerationPlan,
  session: GpuSession,
  inputs: ReadonlyMap<string, HostTensor>,
): Beginning {
  return async (read) => {
    await session.reset();
    return (await session.call(first, inputs, { read })).outputs;
  };
}

export function deviceGeneration(
  plan: Pick<PlanGeneration, "entries" | "selection">,
  session: GpuSession,
  begin: Beginning,
): GenerationSession {
  const { next, token, states, firstScores, nextScores } = plan.entries;
  const axes = new Map(
    states.flatMap(({ name, rowAxis }) => (rowAxis === undefined ? [] : [[name, rowAxis] as const])),
  );
  const tokens = (ids: readonly number[]): HostTensor => tokensOf(plan.entries, ids);
  return {
    start: async () => lastScores(found(await begin([firstScores]), firstScores)),
    step: async (ids) => {
      const given = new Map([[token.name, tokens(ids)]]);
      const { outputs } = await session.call(next, given, { read: [nextScores] });
      return lastScores(found(outputs, nextScores));
    },
    reorder: (from) => session.reorder(from, axes),
    ...(plan.selection && { choosing: choosingOn(plan.entries, plan.selection, session, begin) }),
  };
}

/** What the best id of a step becomes in the next. */
export function greedyLink({ token }: GenerationPlan, { best }: PlanSelection): Link {
  return { output: best, input: token.name };
}

function choosingOn(
  entries: GenerationPlan,
  { first, next }: NonNullable<PlanGeneration["selection"]>,
  session: GpuSession,
  begin: Beginning,
): ChoosingSession {
  const drawn = ({ ids, scores, logSum }: PlanSelection): string[] => [ids, scores, logSum];
  const bestOf = (outputs: Outputs, selection: PlanSelection): Best => {
    const [ids, scores] = [selection.ids, selection.scores].map((name) => [...found(outputs, name).data]);
    const logSum = checked(outputs, selection);
    return { ids: ids ?? [], scores: scores ?? [], logTotal: (scores?.[0] ?? 0) + logSum };
  };
  /** Its score is not read: only how far it lies below the sum counts. */
  const highest = (outputs: Outputs, selection: PlanSelection): Best => {
    const [id = 0] = found(outputs, selection.best).data;
    return { ids: [id], scores: [0], logTotal: checked(outputs, selection) };
  };
  return {
    count: Math.min(first.count, next.count),
    isAll: first.isAll && next.isAll,
    start: async () => bestOf(await begin(drawn(first)), first),
    step: async (id) => {
      const given = new Map([[entries.token.name, tokensOf(entries, [id])]]);
      return bestOf((await session.call(entries.next, given, { read: drawn(next) })).outputs, next);
    },
    async *greedy(limit) {
      const start = highest(await begin([first.best, first.logSum]), first);
      yield start;
      if (limit < 2) return;
      const link = greedyLink(entries, next);
      const read = [next.best, next.logSum];
      const options = { read, limit: limit - 1 };
      for await (const outputs of session.follow(entries.next, link, tokensOf(entries, start.ids), options)) {
        yield highest(outputs, next);
      }
    },
  };
}

function tokensOf({ token }: GenerationPlan, ids: readonly number[]): HostTensor {
  const shape = [ids.length, ...new Array<number>(token.rank - 1).fill(1)];
  return { dtype: token.dtype, shape, data: Float64Array.from(ids) };
}

/** A sum that has the best score in it is at least 1: anything else was computed from what is no number. */
function checked(outputs: Outputs, { logSum }: PlanSelection): number {
  const { data } = found(outputs, logSum);
  const [value = Number.NaN] = data;
  if (data.length !== 1) {
    throw failure(
      "one-prompt-only",
      `The model was given ${data.length} prompts; one text is generated at a time.`,
    );
  }
  if (value > -1e-3 && value < Number.POSITIVE_INFINITY) return value;
  throw failure("scores-not-numbers", "The model gave scores that are not numbers.", {
    hint: "the weights may be damaged, or too large for the precision that the model runs in",
  });
}

function found(outputs: Outputs, name: string): HostTensor {
  const tensor = outputs.get(name);
  if (tensor === undefined) throw failure("internal-error", `An entry gave no output ${name}.`);
  return tensor;
}
