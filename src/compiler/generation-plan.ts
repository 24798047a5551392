/**
 * How two entries of a model generate together, as plain data.
 *
 * Owns: which input takes the prompt, which the chosen id, and where each state goes from one call to
 * the next. Whatever runs the entries (host tensors, a GPU, a server) is told by this alone.
 */
import { DiagnosticError } from "../lang/diagnostic.ts";
import type { Generation } from "../lang/plans.ts";
import type { DType } from "../lang/types.ts";
import type { Graph, GraphInput, Value } from "./graph.ts";
import type { PlanGeneration } from "./plan.ts";

export interface PlannedState {
  readonly name: string;
  /** The input of the next call that takes it. */
  readonly input: string;
  /** The outputs that leave it. */
  readonly afterFirst: string;
  readonly afterNext: string;
  /** The axis along which sequences lie side by side; absent when there is room for one alone. */
  readonly rowAxis?: number;
}

export interface TokenPort {
  readonly name: string;
  readonly dtype: DType;
  readonly rank: number;
}

export interface GenerationPlan {
  /** The entry that reads what comes before, and the one that reads one id more. */
  readonly first: string;
  readonly next: string;
  /** Inputs of the first entry: ids of a text, recordings, and anything else. */
  readonly prompt?: TokenPort;
  readonly audio?: { readonly name: string; readonly sampleRate: number };
  readonly others: readonly string[];
  /** Input of the next entry. */
  readonly token: TokenPort;
  /** Outputs with the scores of what follows, [rows, vocabulary] or [rows, positions, vocabulary]. */
  readonly firstScores: string;
  readonly nextScores: string;
  readonly states: readonly PlannedState[];
}

/** @throws DiagnosticError `not-a-generator` */
export function planGeneration(first: Graph, next: Graph): GenerationPlan {
  const given = first.inputs.filter((input) => input.state === undefined);
  const recordings = given.filter((input) => input.sampleRate !== undefined);
  const texts = given.filter(isTokens);
  const [audio] = recordings.length === 1 ? recordings : [];
  const [prompt] = texts.length === 1 ? texts : [];
  const tokens = next.inputs.filter((input) => input.state === undefined);
  const [token] = tokens;
  if (token === undefined || tokens.length !== 1 || !isTokens(token)) {
    const inputs = tokens.map((input) => input.name).join(", ") || "none";
    refuse(`The entry ${next.name} does not take one id for each sequence.`, `its inputs are ${inputs}`);
  }
  return {
    first: first.name,
    next: next.name,
    ...(prompt !== undefined && { prompt: port(prompt) }),
    ...(audio?.sampleRate !== undefined && { audio: { name: audio.name, sampleRate: audio.sampleRate } }),
    others: given.filter((input) => input !== audio && input !== prompt).map((input) => input.name),
    token: port(token),
    firstScores: scoresOf(first),
    nextScores: scoresOf(next),
    states: next.inputs.flatMap((input) => statesOf(input, token, first, next)),
  };
}

/** What a plan says of generation, from what the model declares. */
export function describeGeneration(
  entries: GenerationPlan,
  declared: Generation | undefined,
): Omit<PlanGeneration, "selection"> {
  return {
    name: declared?.name ?? "text",
    entries,
    ...(declared?.prompt !== undefined && { prompt: declared.prompt }),
    stop: declared?.stop ?? [],
    ...(declared?.limit !== undefined && { limit: declared.limit }),
  };
}

function statesOf(input: GraphInput, token: GraphInput, first: Graph, next: Graph): PlannedState[] {
  const { state: name } = input;
  if (name === undefined) return [];
  const leftBy = (graph: Graph): string => {
    const output = graph.outputs.find((candidate) => candidate.state === name);
    return output?.name ?? refuse(`The entry ${graph.name} leaves no state ${name}.`);
  };
  const rows = token.value.type.shape[0];
  const open = rows?.constant === undefined ? rows : undefined;
  const rowAxis = open && input.value.type.shape.findIndex((dim) => dim.equals(open));
  const states = { name, input: input.name, afterFirst: leftBy(first), afterNext: leftBy(next) };
  return [rowAxis === undefined || rowAxis < 0 ? states : { ...states, rowAxis }];
}

/** The first output that may be scores: a number for each row and id, or for each row, position and id. */
function scoresOf(graph: Graph): string {
  const output = graph.outputs.find(({ state, value: { type } }) => {
    return (
      state === undefined && type.dtype === "f32" && (type.shape.length === 2 || type.shape.length === 3)
    );
  });
  return output?.name ?? refuse(`The entry ${graph.name} gives no scores of the form [rows, vocabulary].`);
}

function isTokens({ value }: { readonly value: Value }): boolean {
  return value.type.dtype === "i64" && value.type.shape.length > 0 && value.type.shape.length <= 2;
}

function port({ name, value }: GraphInput): TokenPort {
  return { name, dtype: value.type.dtype, rank: value.type.shape.length };
}

function refuse(message: string, note?: string): never {
  throw new DiagnosticError([
    {
      code: "not-a-generator",
      severity: "error",
      message,
      related: [],
      notes: note === undefined ? [] : [note],
      hint: "generation needs entries such as `prefill(tokens) -> logits` and `step(token) continues prefill`",
      edits: [],
    },
  ]);
}
