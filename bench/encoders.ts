/**
 * Encoders at full size through onnxruntime: the whole against its matrix products, pruned against dense.
 *
 * The peer is onnxruntime itself on nothing but the products, the fastest dense code that these
 * machines have: what is above 1 is what the rest of a model costs.
 */
import type { Progress } from "../src/cli/progress.ts";
import { openWeights } from "../src/cli/weights.ts";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { totalsOf } from "../src/compiler/totals.ts";
import type { OnnxSession } from "../src/runtime/onnx-session.ts";
import { printSpread, ratio, type Spread, spread, type TimeRatio, type Times, takeTurns } from "./measure.ts";
import { compileModel, type ModelChoice, openSessions, quiet } from "./models.ts";
import { noise, productsOf } from "./products.ts";

export interface EncoderResult {
  readonly name: string;
  readonly gigaMacs: number;
  readonly denseSeconds: Spread;
  /** The model's time over that of its matrix products alone. */
  readonly overProducts: TimeRatio;
  readonly pruned: readonly PrunedResult[];
}

export interface PrunedResult {
  readonly keep: number;
  /** Pruned over dense. */
  readonly macs: number;
  readonly time: TimeRatio;
  /** Time saved over multiply-adds saved. */
  readonly saving: { readonly clock: number; readonly least: number };
}

const bindings = new Map([["B", 1]]);

export async function measureEncoder(
  choice: ModelChoice,
  keeps: readonly number[],
  rounds: number,
  progress: Progress,
): Promise<EncoderResult> {
  const rates = [1, ...keeps];
  const elaborations = rates.map((keep) => compileModel(choice, keep));
  const graphs = elaborations.map((elaboration) => elaboration.graph);
  const [dense] = elaborations;
  if (dense === undefined) throw new Error("there is no dense model");
  const weights = await openWeights("random:1", graphs, dense, quiet());
  const models = await openSessions(graphs, weights.source, progress);
  const products = productsOf(dense.graph, bindings);
  const bare = await openSessions([products.graph], products.weights, progress);
  try {
    const inputs = new Map([[choice.input, noise(choice.shape, 0.5)]]);
    const names = ["products", ...rates.map(String)];
    await compareOutputs(models.sessions, inputs);
    progress.start(choice.name, names.length * (rounds + 1));
    const runs: Record<string, () => Promise<unknown>> = {
      products: () => runOne(bare.sessions[0], products.inputs),
    };
    for (const [i, rate] of rates.entries()) runs[String(rate)] = () => runOne(models.sessions[i], inputs);
    const times = await takeTurns(runs, names, rounds, () => progress.advance());
    const of = (name: string): Times => times.get(name) ?? { clock: [], processor: [] };
    const macs = graphs.map((graph) => totalsOf(graph).macs.evaluate(bindings));
    const whole = macs[0] ?? 1;
    const pruned = keeps.map((keep, i): PrunedResult => {
      const time = ratio(of(String(keep)), of("1"));
      const share = (macs[i + 1] ?? whole) / whole;
      const saved = (part: number): number => (1 - part) / (1 - share);
      return {
        keep,
        macs: share,
        time,
        saving: { clock: saved(time.clock.median), least: saved(time.least) },
      };
    });
    return {
      name: choice.name,
      gigaMacs: whole / 1e9,
      denseSeconds: spread(of("1").clock),
      overProducts: ratio(of("1"), of("products")),
      pruned,
    };
  } finally {
    progress.stop();
    await models.release();
    await bare.release();
    await weights.close();
  }
}

export function printEncoder(result: EncoderResult): string {
  const { overProducts } = result;
  const lines = [
    `${result.name}: ${result.gigaMacs.toFixed(1)} GMACs, ${printSpread(result.denseSeconds, 2)} s`,
    `  over its matrix products alone: ${printSpread(overProducts.clock, 2)}, at best ${overProducts.least.toFixed(2)} (aim 1.15)`,
  ];
  for (const { keep, macs, time, saving } of result.pruned) {
    const percent = (share: number): string => (100 * share).toFixed(1);
    lines.push(
      `  keep ${keep}: ${percent(macs)} % of the MACs, ${printSpread(time.clock, 1, 100)} % of the time, at best ${percent(time.least)} %`,
      `    saves ${saving.clock.toFixed(2)} of what the MACs promise, at best ${saving.least.toFixed(2)} (aim 0.9)`,
    );
  }
  return lines.join("\n");
}

async function runOne(
  session: OnnxSession | undefined,
  inputs: ReadonlyMap<string, HostTensor>,
): Promise<ReadonlyMap<string, HostTensor>> {
  if (session === undefined) throw new Error("a session is missing");
  return await session.run(inputs);
}

/** Times of wrong results mean nothing: every model must give finite logits, and the same ones twice. */
async function compareOutputs(
  sessions: readonly OnnxSession[],
  inputs: ReadonlyMap<string, HostTensor>,
): Promise<void> {
  for (const session of sessions) {
    const first = (await runOne(session, inputs)).get("logits")?.data;
    const second = (await runOne(session, inputs)).get("logits")?.data;
    if (first === undefined || second === undefined || first.length === 0)
      throw new Error("there are no logits");
    if (!first.every((value, i) => Number.isFinite(value) && value === second[i])) {
      throw new Error("the logits are not finite, or differ from run to run");
    }
  }
}
