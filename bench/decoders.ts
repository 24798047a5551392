/**
 * A Mamba-2 decoder at full size through onnxruntime, in both profiles: steps against the memory that they
 * have to read, steps far into a text against steps at its start, a prompt against its matrix products.
 *
 * The bound of a step: every weight is read once, every state read and written, at the speed at which
 * this machine copies memory.
 */

import { compileEntry } from "../src/cli/program.ts";
import type { Progress } from "../src/cli/progress.ts";
import { openWeights } from "../src/cli/weights.ts";
import type { Graph } from "../src/compiler/graph.ts";
import { elementCount, type HostTensor } from "../src/compiler/host-tensor.ts";
import type { OnnxProfile } from "../src/compiler/onnx/context.ts";
import type { OnnxSession } from "../src/runtime/onnx-session.ts";
import { openCopier } from "./bandwidth.ts";
import { printSpread, ratio, type Spread, spread, type TimeRatio, type Times, takeTurns } from "./measure.ts";
import { type OpenSessions, openSessions, quiet } from "./models.ts";
import { productsOf } from "./products.ts";

export interface DecoderChoice {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Ids of the prompt that is timed. */
  readonly prompt: number;
  /** Ids before a step: few, and many. */
  readonly contexts: readonly [number, number];
}

export const decoder: DecoderChoice = {
  name: "Mamba-2 130m",
  settings: { size: "130m" },
  prompt: 256,
  contexts: [10, 10_000],
};

export interface DecoderResult {
  readonly name: string;
  /** What a step has to read and write. */
  readonly weightBytes: number;
  readonly stateBytes: number;
  readonly bytesPerSecond: Spread;
  readonly profiles: readonly ProfileResult[];
}

export interface ProfileResult {
  readonly profile: OnnxProfile;
  readonly stepSeconds: Spread;
  /** Tokens a second over what the bound allows. */
  readonly ofBound: TimeRatio;
  /** A step after many ids over one after few. */
  readonly farOverNear: TimeRatio;
  readonly promptSeconds: Spread;
  /** A prompt over its matrix products alone. */
  readonly overProducts: TimeRatio;
}

type Values = ReadonlyMap<string, HostTensor>;

const profiles: readonly OnnxProfile[] = ["portable", "ort"];

export async function measureDecoder(
  choice: DecoderChoice,
  rounds: number,
  progress: Progress,
): Promise<DecoderResult> {
  const settings = { set: new Map(Object.entries(choice.settings)), color: false };
  const [prefill, step] = ["prefill", "step"].map((entry) =>
    compileEntry("models/decoders/mamba2-lm.oss", settings, { entry }, quiet()),
  );
  if (prefill === undefined || step === undefined) throw new Error("an entry is missing");
  const graphs = [prefill.graph, step.graph];
  const weights = await openWeights("random:1", graphs, prefill, quiet());
  const bindings = new Map([
    ["B", 1],
    ["L", choice.prompt],
  ]);
  const products = productsOf(prefill.graph, bindings);
  const opened: OpenSessions[] = [];
  const weightBytes = bytesOf(
    step.graph.parameters.map(({ type }) => type.shape.map((dim) => dim.constant ?? 1)),
  );
  const stateBytes = 2 * bytesOf(statesOf(step.graph).map(({ shape }) => shape));
  const copier = openCopier(weightBytes + stateBytes);
  try {
    const bare = await openSessions([products.graph], products.weights, progress);
    opened.push(bare);
    const runs: Record<string, () => Promise<unknown>> = {
      copy: () => copier.run(),
      products: () => runOne(bare.sessions[0], products.inputs),
    };
    for (const profile of profiles) {
      const models = await openSessions(graphs, weights.source, progress, profile);
      opened.push(models);
      const prompt = new Map([["tokens", textOf(choice.prompt)]]);
      runs[`prompt ${profile}`] = () => runOne(models.sessions[0], prompt);
      for (const context of choice.contexts) {
        const left = await runOne(models.sessions[0], new Map([["tokens", textOf(context)]]));
        const inputs = continued(step.graph, left);
        requireFinite(await runOne(models.sessions[1], inputs));
        runs[`step ${context} ${profile}`] = () => runOne(models.sessions[1], inputs);
      }
    }
    const names = Object.keys(runs);
    progress.start(choice.name, names.length * (rounds + 1));
    const times = await takeTurns(runs, names, rounds, () => progress.advance());
    const of = (name: string): Times => times.get(name) ?? { clock: [], processor: [] };
    const [near, far] = choice.contexts;
    const bytes = weightBytes + stateBytes;
    return {
      name: choice.name,
      weightBytes,
      stateBytes,
      bytesPerSecond: spread(of("copy").clock.map((seconds) => bytes / seconds)),
      profiles: profiles.map((profile) => ({
        profile,
        stepSeconds: spread(of(`step ${near} ${profile}`).clock),
        ofBound: ratio(of("copy"), of(`step ${near} ${profile}`)),
        farOverNear: ratio(of(`step ${far} ${profile}`), of(`step ${near} ${profile}`)),
        promptSeconds: spread(of(`prompt ${profile}`).clock),
        overProducts: ratio(of(`prompt ${profile}`), of("products")),
      })),
    };
  } finally {
    progress.stop();
    await copier.release();
    for (const sessions of opened) await sessions.release();
    await weights.close();
  }
}

export function printDecoder(result: DecoderResult, { contexts, prompt }: DecoderChoice): string {
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const lines = [
    `${result.name}: a step reads ${mega(result.weightBytes)} MB of weights and moves ${mega(result.stateBytes)} MB of state; copying moves ${printSpread(result.bytesPerSecond, 1, 1e-9)} GB/s`,
  ];
  for (const { profile, stepSeconds, ofBound, farOverNear, promptSeconds, overProducts } of result.profiles) {
    lines.push(
      `  ${profile}: ${printSpread(stepSeconds, 1, 1000)} ms a step, ${printSpread(ofBound.clock, 2)} of what copying allows (aim 0.7)`,
      `    after ${contexts[1]} ids over after ${contexts[0]}: ${printSpread(farOverNear.clock, 2)}, at best ${farOverNear.least.toFixed(2)} (aim 1)`,
      `    a prompt of ${prompt} ids: ${printSpread(promptSeconds, 0, 1000)} ms, over its matrix products ${printSpread(overProducts.clock, 2)}, at best ${overProducts.least.toFixed(2)} (aim 1.5)`,
    );
  }
  return lines.join("\n");
}

function bytesOf(shapes: readonly (readonly number[])[]): number {
  return shapes.reduce((sum, shape) => sum + 4 * elementCount(shape), 0);
}

function statesOf({ inputs }: Graph): readonly { name: string; state: string; shape: readonly number[] }[] {
  return inputs.flatMap(({ name, state, value }) =>
    state === undefined ? [] : [{ name, state, shape: value.type.shape.map((dim) => dim.constant ?? 1) }],
  );
}

/** A step's inputs that go on from what an entry left. */
function continued(graph: Graph, left: Values): Values {
  const inputs = new Map<string, HostTensor>([["token", textOf(1)]]);
  for (const { name, state } of statesOf(graph)) {
    const tensor = left.get(`present.${state}`);
    if (tensor === undefined) throw new Error(`the state ${state} was not left`);
    inputs.set(name, tensor);
  }
  return inputs;
}

function textOf(length: number): HostTensor {
  const data = Float64Array.from({ length }, (_, i) => ((i + 1) * 7919) % 4_000);
  return { dtype: "i64", shape: [1, length], data };
}

/** Times of wrong results mean nothing. */
function requireFinite(values: Values): void {
  if (values.get("logits")?.data.every(Number.isFinite) !== true)
    throw new Error("the logits are not finite");
}

async function runOne(session: OnnxSession | undefined, inputs: Values): Promise<Values> {
  if (session === undefined) throw new Error("a session is missing");
  return await session.run(inputs);
}
