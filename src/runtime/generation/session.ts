/**
 * A model that says what may come next, whatever computes it.
 *
 * Owns: the interface between generation and a backend, and its form over entries that run on host
 * tensors, such as onnxruntime's and the reference interpreter's. State belongs to the session: on a
 * GPU it need never leave the device.
 */
import type { GenerationPlan } from "../../compiler/generation-plan.ts";
import { elementCount, type HostTensor } from "../../compiler/host-tensor.ts";
import { failure } from "../failure.ts";

/** Sequences that are continued side by side, one row each. */
export interface GenerationSession {
  /** Reads what comes before the first id. Gives the scores [rows, vocabulary] of what follows it. */
  start(): Promise<HostTensor>;
  /** Reads one id for each row. Gives the scores [rows, vocabulary] of what follows them. */
  step(ids: readonly number[]): Promise<HostTensor>;
  /** Row i goes on from where row `from[i]` is; rows may be dropped, repeated and added. */
  reorder(from: readonly number[]): Promise<void>;
  /** Where the scores need not leave the backend for an id to be chosen. */
  readonly choosing?: ChoosingSession;
}

/** The best of what may come next, of one sequence. */
export interface Best {
  /** The best first, equal ones by id. */
  readonly ids: readonly number[];
  readonly scores: readonly number[];
  /** The logarithm of the sum of e^score over the whole vocabulary. */
  readonly logTotal: number;
}

/** A session of one sequence that gives only the best of its scores. */
export interface ChoosingSession {
  /** How many it gives; all where the vocabulary has no more. */
  readonly count: number;
  readonly isAll: boolean;
  start(): Promise<Best>;
  step(id: number): Promise<Best>;
  /** From the start on, the best id each time; each is read before it is known whether it is wanted. */
  greedy(limit: number): AsyncGenerator<Best, void>;
}

export type RunEntry = (inputs: ReadonlyMap<string, HostTensor>) => Promise<ReadonlyMap<string, HostTensor>>;

/**
 * @param first runs the entry that reads `inputs` and leaves state
 * @param next runs the entry that reads one id for each row, with that state
 */
export function hostSession(
  plan: GenerationPlan,
  first: RunEntry,
  next: RunEntry,
  inputs: ReadonlyMap<string, HostTensor>,
): GenerationSession {
  const { token, states } = plan;
  let held: readonly HostTensor[] = [];
  return {
    start: async () => {
      const outputs = await first(inputs);
      held = states.map(({ afterFirst }) => outputOf(outputs, afterFirst, plan.first));
      return lastScores(outputOf(outputs, plan.firstScores, plan.first));
    },
    step: async (ids) => {
      const shape = [ids.length, ...new Array<number>(token.rank - 1).fill(1)];
      const given = new Map<string, HostTensor>();
      given.set(token.name, { dtype: token.dtype, shape, data: Float64Array.from(ids) });
      for (const [i, { input }] of states.entries()) {
        const tensor = held[i];
        if (tensor !== undefined) given.set(input, tensor);
      }
      const outputs = await next(given);
      held = states.map(({ afterNext }) => outputOf(outputs, afterNext, plan.next));
      return lastScores(outputOf(outputs, plan.nextScores, plan.next));
    },
    reorder: async (from) => {
      held = states.map(({ rowAxis }, i) => {
        const tensor = held[i];
        if (tensor === undefined) throw failure("internal-error", "Rows were reordered before the start.");
        if (rowAxis === undefined && from.length === 1 && from[0] === 0) return tensor;
        if (rowAxis === undefined) throw oneRowOnly(plan);
        return takeRows(tensor, rowAxis, from);
      });
    },
  };
}

function oneRowOnly({ next, token }: GenerationPlan): Error {
  return failure("one-row-only", `The entry ${next} takes one sequence at a time.`, {
    notes: [`its input ${token.name} has no open first dimension that its state shares`],
    hint: "declare the input as tokens[B, 1], or generate with one beam",
  });
}

/** Scores behind the last position: [rows, positions, vocabulary] → [rows, vocabulary]. */
export function lastScores(tensor: HostTensor): HostTensor {
  const [rows = 1, positions = 1, size] = tensor.shape;
  if (size === undefined) return tensor;
  const last = Array.from({ length: rows }, (_, row) => (row + 1) * positions - 1);
  return takeRows({ ...tensor, shape: [rows * positions, size] }, 0, last);
}

/** The rows `from` along `axis`, in that order. */
export function takeRows(tensor: HostTensor, axis: number, from: readonly number[]): HostTensor {
  const rows = tensor.shape[axis] ?? 1;
  if (rows === from.length && from.every((row, i) => row === i)) return tensor;
  const outer = elementCount(tensor.shape.slice(0, axis));
  const inner = elementCount(tensor.shape.slice(axis + 1));
  const shape = tensor.shape.map((size, i) => (i === axis ? from.length : size));
  const taken = sameKind(tensor.data, outer * from.length * inner);
  for (let block = 0; block < outer; block++) {
    for (const [i, row] of from.entries()) {
      const start = (block * rows + row) * inner;
      taken.set(tensor.data.subarray(start, start + inner), (block * from.length + i) * inner);
    }
  }
  return { dtype: tensor.dtype, shape, data: taken };
}

function sameKind(like: HostTensor["data"], length: number): HostTensor["data"] {
  if (like instanceof Float32Array) return new Float32Array(length);
  if (like instanceof Float64Array) return new Float64Array(length);
  return like instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

function outputOf(outputs: ReadonlyMap<string, HostTensor>, name: string, entry: string): HostTensor {
  const tensor = outputs.get(name);
  if (tensor === undefined) throw failure("internal-error", `The entry ${entry} gave no output ${name}.`);
  return tensor;
}
