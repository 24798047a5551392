/**
 * A contest on one device: outputs compared, then everybody's runs by turns.
 *
 * Owns: who is compared with whom, and how often. Times say nothing of a device by themselves; ratios of medians do, of
 * runs that took turns.
 */
import { loadavg } from "node:os";
import type { CallForm, Output, Spent, Stage } from "./contest.ts";
import { compareOutputs } from "./contest.ts";
import { type BestProduct, bestProducts, choosePeers, type Peer } from "./heats.ts";
import { type KernelRow, kernelTable } from "./kernel-table.ts";
import { type Pace, paceOf } from "./pace.ts";
import { type Compiled, callsOf, type Extent, type Workload } from "./workloads.ts";

export interface StageChoice {
  readonly name: string;
  readonly rounds: number;
  /** Whether onnxruntime runs too. */
  readonly contested: boolean;
  readonly say: (line: string) => void;
}

export interface StageResult {
  readonly name: string;
  readonly adapter: string;
  /** The average number of programs that wanted a processor, before and after. */
  readonly load: readonly [number, number];
  readonly rounds: number;
  /** By call: `dense`, `pruned`, `prefill`, `step`, `read`, `readOneByOne`. */
  readonly ours: Readonly<Record<string, CallResult>>;
  readonly peer: Readonly<Record<string, Pace & Pick<Peer, "profile" | "distance">>>;
  readonly refused: readonly string[];
  readonly products: { readonly forms: readonly BestProduct[]; readonly flops: number; readonly pace: Pace };
  readonly copies: { readonly bytes: number; readonly paces: Readonly<Record<string, Pace>> };
  readonly kernels: Readonly<Record<string, readonly KernelRow[]>>;
}

export interface CallResult extends Pace {
  readonly macs: number;
  readonly bytes: number;
  /** Calls of the entry that a run makes. */
  readonly calls: number;
}

const copiedBytes = 2 ** 27;

interface Turn {
  readonly key: string;
  readonly call: CallForm;
}

export async function measureStage(
  stage: Stage,
  compiled: readonly Compiled[],
  extent: Extent,
  { name, rounds, contested, say }: StageChoice,
): Promise<StageResult> {
  const loadBefore = loadavg()[0] ?? 0;
  const found = (wanted: Workload["name"]): Compiled => {
    const one = compiled.find(({ workload }) => workload.name === wanted);
    if (one === undefined) throw new Error(`there is no ${wanted} model`);
    return one;
  };
  const calls = callsOf(extent);
  const turns: Readonly<Record<string, Turn>> = {
    dense: { key: "dense", call: calls.encode },
    pruned: { key: "pruned", call: calls.encode },
    prefill: { key: "decoder", call: calls.prefill },
    step: { key: "decoder", call: calls.step },
    read: { key: "reading", call: calls.read },
    readOneByOne: { key: "reading", call: calls.readOneByOne },
  };

  // 1. what everybody gives, before anything is timed
  const outputs = new Map<string, readonly Output[]>();
  for (const { workload } of compiled) {
    await stage.open({ by: "ours", key: workload.name, model: workload.name });
    for (const [turn, { key, call }] of Object.entries(turns)) {
      if (key !== workload.name) continue;
      await stage.run(key, call);
      outputs.set(turn, await stage.outputs(key));
    }
  }
  compareOutputs("a text at once and id by id", outputs.get("read") ?? [], outputs.get("readOneByOne") ?? []);
  say(`${name}: ours ran on ${stage.adapter}`);
  const peers = new Map<string, Peer>();
  const refused: string[] = [];
  for (const each of contested ? compiled.filter(({ workload }) => workload.contested) : []) {
    const own = Object.entries(turns).filter(([, { key }]) => key === each.workload.name);
    const contestedCalls = new Map(own.map(([turn, { call }]) => [turn, call]));
    const heat = await choosePeers(stage, each, contestedCalls, outputs, (line) => say(`${name}: ${line}`));
    refused.push(...heat.refused);
    for (const [turn, peer] of heat.peers) peers.set(turn, peer);
    for (const [turn] of own) {
      if (!heat.peers.has(turn))
        throw new Error(`no peer gives what ours does for ${turn}: ${heat.refused.join("; ")}`);
    }
  }
  const products = await bestProducts(stage, found("dense").products);
  say(`${name}: the plain products are chosen`);

  // 2. by turns
  const runs = new Map<string, () => Promise<Spent>>();
  for (const [turn, { key, call }] of Object.entries(turns)) {
    runs.set(`ours ${turn}`, () => stage.run(key, call));
    const peer = peers.get(turn);
    if (peer !== undefined) runs.set(`peer ${turn}`, () => stage.run(peer.key, call));
  }
  runs.set("products", () => allProducts(stage, products));
  for (const way of ["kernel", "command"] as const) {
    await stage.copy(way, copiedBytes);
    runs.set(`copy ${way}`, () => stage.copy(way, copiedBytes));
  }
  const spent = await takeTurns(runs, rounds, (round) => say(`${name}: round ${round} of ${rounds}`));
  const pace = (run: string): Pace => paceOf(spent.get(run) ?? []);

  // 3. where our own time goes
  const kernels: Record<string, readonly KernelRow[]> = {};
  for (const turn of ["dense", "pruned", "prefill", "step"]) {
    const { key, call } = turns[turn] ?? { key: turn, call: calls.encode };
    kernels[turn] = kernelTable(await stage.trace(key, call));
  }
  const entries = Object.entries(turns);
  return {
    name,
    adapter: stage.adapter,
    load: [loadBefore, loadavg()[0] ?? 0],
    rounds,
    ours: Object.fromEntries(
      entries.map(([turn, { key, call }]) => {
        const model = compiled.find(({ workload }) => workload.name === key);
        const cost = model?.costs[call.entry] ?? { macs: 0, bytes: 0 };
        return [turn, { ...pace(`ours ${turn}`), ...cost, calls: callsIn(call) }];
      }),
    ),
    peer: Object.fromEntries(
      [...peers].map(([turn, { profile, distance }]) => [
        turn,
        { ...pace(`peer ${turn}`), profile, distance },
      ]),
    ),
    refused,
    products: { forms: products, flops: flopsOf(products), pace: pace("products") },
    copies: {
      bytes: copiedBytes,
      paces: { kernel: pace("copy kernel"), command: pace("copy command") },
    },
    kernels,
  };
}

function callsIn({ idById, inputs }: CallForm): number {
  if (idById === undefined) return 1;
  return Object.values(inputs).reduce((sum, form) => sum + (form.kind === "ids" ? form.length : 1), 0);
}

function flopsOf(products: readonly BestProduct[]): number {
  return products.reduce(
    (sum, { size, count }) => sum + 2 * count * size.rows * size.depth * size.columns,
    0,
  );
}

/** Each at its size as often as the model has it. */
async function allProducts(stage: Stage, products: readonly BestProduct[]): Promise<Spent> {
  let clock = 0;
  let processor: number | undefined = 0;
  for (const { size, form, count } of products) {
    for (let i = 0; i < count; i++) {
      const spent = await stage.product(form, size);
      clock += spent.clock;
      processor =
        processor === undefined || spent.processor === undefined ? undefined : processor + spent.processor;
    }
  }
  return { clock, processor };
}

async function takeTurns(
  runs: ReadonlyMap<string, () => Promise<Spent>>,
  rounds: number,
  onRound: (round: number) => void,
): Promise<ReadonlyMap<string, readonly Spent[]>> {
  const spent = new Map<string, Spent[]>();
  for (let round = 1; round <= rounds; round++) {
    onRound(round);
    // Backwards every other time: no run is always the one after the same other.
    const order = round % 2 === 1 ? [...runs] : [...runs].reverse();
    for (const [name, run] of order) spent.set(name, [...(spent.get(name) ?? []), await run()]);
  }
  return spent;
}
