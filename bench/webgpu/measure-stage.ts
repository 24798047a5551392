/**
 * The contests on one device: outputs compared, then everybody's runs by turns, one contest after another.
 *
 * Owns: who is compared with whom, and how often. Times say nothing of a device by themselves; ratios of medians do, of
 * runs that took turns. What is known is told after each contest, so that what is cut off leaves what came before.
 */
import { loadavg } from "node:os";
import type { OnnxProfile } from "../../src/compiler/onnx/context.ts";
import type { CallForm, Output, Spent, Stage } from "./contest.ts";
import { compareOutputs } from "./contest.ts";
import type { Effort } from "./extents.ts";
import { type BestProduct, bestProducts, choosePeers, type Peer } from "./heats.ts";
import { type KernelRow, kernelTable } from "./kernel-table.ts";
import type { Pace } from "./pace.ts";
import { type Run, takeTurns } from "./turns.ts";
import { type Compiled, callsOf, type Extent, profiles, type Workload } from "./workloads.ts";

export interface StageChoice {
  readonly name: string;
  readonly effort: Effort;
  /** Whether onnxruntime runs too. */
  readonly contested: boolean;
  readonly say: (line: string) => void;
  /** Told after each contest, of all that is known. */
  readonly onContest: (contest: ContestName, soFar: StageResult) => void;
}

/** Calls that a peer runs too. */
export const contestedCalls = ["dense", "pruned", "prefill", "step"] as const;
export type ContestedCall = (typeof contestedCalls)[number];
export type ContestName = ContestedCall | "encoders" | "reading" | "moving";

export interface StageResult {
  readonly name: string;
  readonly adapter: string;
  /** The average number of programs that wanted a processor, at its most. */
  readonly load: number;
  readonly rounds: number;
  readonly calls: Readonly<Partial<Record<ContestedCall, CallResult>>>;
  readonly refused: readonly string[];
  /** Of our own: whole and pruned encoders, and plain products of the whole one's sizes. */
  readonly encoders?: {
    readonly paces: Readonly<Partial<Record<"dense" | "tuned" | "pruned" | "products", Pace>>>;
    readonly forms: readonly BestProduct[];
    readonly flops: number;
  };
  /** Of our own: ids at once, and one by one. */
  readonly reading?: {
    readonly ids: number;
    readonly paces: Readonly<Partial<Record<"atOnce" | "oneByOne", Pace>>>;
  };
  /** A step's bytes, and copies. */
  readonly moving?: {
    readonly bytes: number;
    readonly paces: Readonly<Partial<Record<"step" | CopyRun, Pace>>>;
  };
}

export type CopyRun = "copy kernel" | "copy command";

export interface CallResult {
  /** Of one call of the entry. */
  readonly macs: number;
  readonly bytes: number;
  /** Calls of the entry that a run makes. */
  readonly calls: number;
  readonly paces: Readonly<Partial<Record<"ours" | "tuned" | "peer", Pace>>>;
  readonly peer?: Pick<Peer, "profile" | "distance">;
  /** How far the outputs of tuned kernels are from those of the plan's own. */
  readonly tunedDistance?: number;
  /** Where our own time goes. */
  readonly kernels: readonly KernelRow[];
}

const copiedBytes = 2 ** 27;
const copyRuns = { "copy kernel": "kernel", "copy command": "command" } as const;

export async function measureStage(
  stage: Stage,
  compiled: readonly Compiled[],
  extent: Extent,
  choice: StageChoice,
): Promise<StageResult> {
  return new StageMeasurer(stage, compiled, extent, choice).run();
}

class StageMeasurer {
  readonly #stage: Stage;
  readonly #compiled: readonly Compiled[];
  readonly #calls: ReturnType<typeof callsOf>;
  readonly #choice: StageChoice;
  #result: StageResult;
  /** The peer's profile that won with the encoder. */
  #encoderProfile: OnnxProfile | undefined;

  constructor(stage: Stage, compiled: readonly Compiled[], extent: Extent, choice: StageChoice) {
    this.#stage = stage;
    this.#compiled = compiled;
    this.#calls = callsOf(extent);
    this.#choice = choice;
    const { name, effort } = choice;
    const { adapter } = stage;
    this.#result = { name, adapter, load: 0, rounds: effort.rounds, calls: {}, refused: [] };
  }

  async run(): Promise<StageResult> {
    const { encode, prefill, step } = this.#calls;
    await this.#contests("dense", { dense: encode });
    await this.#contests("pruned", { pruned: encode });
    await this.#encoders();
    await this.#contests("decoder", { prefill, step });
    await this.#moving();
    await this.#reading();
    return this.#result;
  }

  #found(wanted: Workload["name"]): Compiled {
    const one = this.#compiled.find(({ workload }) => workload.name === wanted);
    if (one === undefined) throw new Error(`there is no ${wanted} model`);
    return one;
  }

  #say(line: string): void {
    this.#choice.say(`${this.#choice.name}: ${line}`);
  }

  #tell(contest: ContestName, part: Partial<StageResult>): void {
    this.#result = { ...this.#result, ...part, load: Math.max(this.#result.load, loadavg()[0] ?? 0) };
    this.#choice.onContest(contest, this.#result);
  }

  #own(key: string, call: CallForm): Run {
    return { run: () => this.#stage.run(key, call), rounds: this.#choice.effort.rounds };
  }

  /** The calls of one model, each against the peer. */
  async #contests(name: Workload["name"], given: Partial<Record<ContestedCall, CallForm>>): Promise<void> {
    const { effort, contested } = this.#choice;
    const calls = new Map(
      contestedCalls.flatMap((call) => {
        const form = given[call];
        return form === undefined ? [] : [[call, form] as const];
      }),
    );
    const outputs = await this.#outputs(name, name, false, calls);
    const tunedKey = `${name} tuned`;
    const distances = new Map<ContestedCall, number>();
    if (effort.isTuned) {
      const tuned = await this.#outputs(tunedKey, name, true, calls);
      for (const call of calls.keys()) {
        distances.set(call, compareOutputs(`${call}, tuned`, tuned.get(call) ?? [], outputs.get(call) ?? []));
      }
    }
    this.#say(`${name}: ours ran on ${this.#stage.adapter}`);
    const peers = contested ? await this.#peers(name, calls, outputs) : new Map<ContestedCall, Peer>();
    for (const [call, form] of calls) {
      const peer = peers.get(call);
      const often = peer === undefined ? 0 : Math.max(1, Math.floor(effort.peerSeconds / peer.clock));
      const paces = await takeTurns([
        ["ours", this.#own(name, form)],
        ["tuned", effort.isTuned ? this.#own(tunedKey, form) : undefined],
        [
          "peer",
          peer && { run: () => this.#stage.run(peer.key, form), rounds: Math.min(effort.rounds, often) },
        ],
      ]);
      const tunedDistance = distances.get(call);
      const result: CallResult = {
        ...(this.#found(name).costs[form.entry] ?? { macs: 0, bytes: 0 }),
        calls: callsIn(form),
        paces,
        ...(peer !== undefined && { peer: { profile: peer.profile, distance: peer.distance } }),
        ...(tunedDistance !== undefined && { tunedDistance }),
        kernels: kernelTable(await this.#stage.trace(name, form)),
      };
      this.#tell(call, { calls: { ...this.#result.calls, [call]: result } });
    }
    for (const key of new Set([...peers.values()].map((peer) => peer.key))) await this.#stage.close(key);
    // The whole encoder is needed once more.
    if (effort.isTuned && name !== "dense") await this.#stage.close(tunedKey);
  }

  /** Opens one of our own, and runs each call once: what it gives, before anything is timed. */
  async #outputs<Call>(
    key: string,
    model: Workload["name"],
    isTuned: boolean,
    calls: ReadonlyMap<Call, CallForm>,
  ): Promise<ReadonlyMap<Call, readonly Output[]>> {
    await this.#stage.open({ by: "ours", key, model, isTuned });
    const outputs = new Map<Call, readonly Output[]>();
    for (const [call, form] of calls) {
      await this.#stage.run(key, form);
      outputs.set(call, await this.#stage.outputs(key));
    }
    return outputs;
  }

  async #peers(
    name: Workload["name"],
    calls: ReadonlyMap<ContestedCall, CallForm>,
    outputs: ReadonlyMap<ContestedCall, readonly Output[]>,
  ): Promise<ReadonlyMap<ContestedCall, Peer>> {
    const { everyProfile } = this.#choice.effort;
    // Whole and pruned, the encoder has the same kernels.
    const known = everyProfile || name !== "pruned" ? undefined : this.#encoderProfile;
    const tried = { profiles: known === undefined ? profiles : [known], everyProfile };
    const say = (line: string): void => this.#say(line);
    const heat = await choosePeers(this.#stage, this.#found(name), tried, calls, outputs, say);
    this.#result = { ...this.#result, refused: [...this.#result.refused, ...heat.refused] };
    for (const call of calls.keys()) {
      if (!heat.peers.has(call))
        throw new Error(`no peer gives what ours does for ${call}: ${heat.refused.join("; ")}`);
    }
    this.#encoderProfile ??= heat.peers.get("dense")?.profile;
    return heat.peers;
  }

  async #encoders(): Promise<void> {
    const { effort } = this.#choice;
    const { encode } = this.#calls;
    const forms = await bestProducts(this.#stage, this.#found("dense").products);
    this.#say("the plain products are chosen");
    const paces = await takeTurns([
      ["dense", this.#own("dense", encode)],
      ["tuned", effort.isTuned ? this.#own("dense tuned", encode) : undefined],
      ["pruned", this.#own("pruned", encode)],
      ["products", { run: () => allProducts(this.#stage, forms), rounds: effort.rounds }],
    ]);
    for (const key of ["dense", "pruned", ...(effort.isTuned ? ["dense tuned"] : [])])
      await this.#stage.close(key);
    this.#tell("encoders", { encoders: { paces, forms, flops: flopsOf(forms) } });
  }

  async #moving(): Promise<void> {
    const { effort } = this.#choice;
    const copy = async (run: CopyRun): Promise<Run> => {
      const made = (): Promise<Spent> => this.#stage.copy(copyRuns[run], copiedBytes);
      await made();
      return { run: made, rounds: effort.rounds };
    };
    const paces = await takeTurns([
      ["step", this.#own("decoder", this.#calls.step)],
      ["copy kernel", await copy("copy kernel")],
      ["copy command", await copy("copy command")],
    ]);
    await this.#stage.close("decoder");
    this.#tell("moving", { moving: { bytes: copiedBytes, paces } });
  }

  async #reading(): Promise<void> {
    const { read, readOneByOne } = this.#calls;
    const calls = new Map([
      ["atOnce", read],
      ["oneByOne", readOneByOne],
    ] as const);
    const outputs = await this.#outputs("reading", "reading", false, calls);
    compareOutputs("a text at once and id by id", outputs.get("atOnce") ?? [], outputs.get("oneByOne") ?? []);
    const paces = await takeTurns([
      ["atOnce", this.#own("reading", read)],
      ["oneByOne", this.#own("reading", readOneByOne)],
    ]);
    await this.#stage.close("reading");
    this.#tell("reading", { reading: { ids: callsIn(readOneByOne), paces } });
  }
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
