/**
 * Choosing among the kernels that a plan offers for a dispatch.
 *
 * Owns: what may be chosen, for how long it is measured, and remembering it. The plan's own kernels run, or those
 * that are known to suit the driver (known-drivers.ts), unless something else is asked for, so that results and
 * times are the same every time. How a kernel is timed is in variant-timer.ts.
 *
 * Dispatches of the same kernel over about the same amount of work are one family, which is measured
 * once: those that do most first, until the time is over.
 */
import type { KernelPlan, PlanDispatch, PlanEntry, PlanVariant } from "../../compiler/plan.ts";
import { adapterName, allows } from "./device.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { Kernels } from "./kernels.ts";
import { knownToSuit } from "./known-drivers.ts";
import type { PlanWeights } from "./plan-weights.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import type { SlotLayout } from "./slot-layout.ts";
import { fingerprint, type TuningCache } from "./tuning-cache.ts";
import { timeVariants } from "./variant-timer.ts";
import { dispatchBy } from "./variants.ts";

export interface TuningOptions {
  /**
   * Whose kernels run: the plan's own (`default`), those that won before where that is known (`cached`), or
   * those that win now as well (`measure`).
   */
  readonly tune?: "default" | "cached" | "measure";
  /** Milliseconds for measuring when an entry is made ready; a kernel that is being compiled then is waited for. */
  readonly tuningBudget?: number;
  /** Where winners are kept beyond this model. */
  readonly tuningCache?: TuningCache;
  /** Told of every kernel that was measured. */
  readonly onTuned?: (tuned: Tuned) => void;
}

/** What measuring came to for a family. */
export interface Tuned {
  /** Of one of its dispatches. */
  readonly path: string;
  /** The plan's kernel, and the one that won: `contract 16x8`. */
  readonly own: string;
  readonly chosen: string;
  readonly ownNanoseconds: number;
  readonly chosenNanoseconds: number;
}

const usualBudget = 3000;
/** Another kernel has to be better by so much: measurements differ by less. */
const gain = 0.95;

interface Family {
  readonly key: string;
  readonly dispatch: PlanDispatch;
  readonly variants: readonly PlanVariant[];
  /** Multiply-adds of all its dispatches. */
  work: number;
}

export class Tuner {
  readonly #memory: DeviceMemory;
  readonly #kernels: Kernels;
  readonly #weights: PlanWeights;
  readonly #plan: KernelPlan;
  readonly #options: TuningOptions;
  readonly #fingerprints = new Map<number, string>();
  #choices: Map<string, string> | undefined;
  /** Families of which time ran out before all kernels were measured: the best so far runs, and is not remembered. */
  readonly #unfinished = new Set<string>();

  constructor(
    memory: DeviceMemory,
    kernels: Kernels,
    weights: PlanWeights,
    plan: KernelPlan,
    options: TuningOptions,
  ) {
    this.#memory = memory;
    this.#kernels = kernels;
    this.#weights = weights;
    this.#plan = plan;
    this.#options = options;
  }

  /** The dispatches of an entry, each by the kernel that was chosen for it. */
  async chosen(entry: PlanEntry, symbols: Symbols, layout: SlotLayout): Promise<readonly PlanDispatch[]> {
    const { tune = "default", tuningCache } = this.#options;
    if (entry.dispatches.every(({ variants = [] }) => variants.length === 0)) return entry.dispatches;
    const adapter = adapterName(this.#memory.device.adapterInfo);
    const usual = (dispatch: PlanDispatch): PlanDispatch => this.#usual(dispatch, adapter);
    if (tune === "default") return entry.dispatches.map(usual);
    this.#choices ??= new Map(await tuningCache?.read(adapter));
    const families = this.#families(entry, symbols);
    if (tune === "measure" && (await this.#measure(entry, families, symbols, layout))) {
      const decided = [...this.#choices].filter(([key]) => !this.#unfinished.has(key));
      await tuningCache?.write(adapter, new Map(decided));
    }
    return entry.dispatches.map((dispatch) => {
      const winner = this.#choices?.get(this.#key(dispatch, symbols));
      if (winner === undefined) return usual(dispatch);
      const isWinner = ({ kernel }: PlanVariant): boolean => this.#fingerprint(kernel) === winner;
      return dispatchBy(dispatch, this.#usable(dispatch).find(isWinner));
    });
  }

  /** By the kernel that is known to suit the adapter, if one is. */
  #usual(dispatch: PlanDispatch, adapter: string): PlanDispatch {
    const suiting = knownToSuit(adapter, this.#label(dispatch));
    if (suiting === undefined) return dispatch;
    return dispatchBy(
      dispatch,
      this.#usable(dispatch).find((variant) => this.#label(variant) === suiting),
    );
  }

  #families(entry: PlanEntry, symbols: Symbols): readonly Family[] {
    const families = new Map<string, Family>();
    for (const dispatch of entry.dispatches) {
      const variants = this.#usable(dispatch);
      if (variants.length === 0) continue;
      const key = this.#key(dispatch, symbols);
      const known = families.get(key);
      const work = evaluateSize(dispatch.executed, symbols);
      if (known === undefined) families.set(key, { key, dispatch, variants, work });
      else known.work += work;
    }
    return [...families.values()].sort((a, b) => b.work - a.work);
  }

  /** Whether anything was found out that is worth remembering. */
  async #measure(
    entry: PlanEntry,
    families: readonly Family[],
    symbols: Symbols,
    layout: SlotLayout,
  ): Promise<boolean> {
    const deadline = performance.now() + (this.#options.tuningBudget ?? usualBudget);
    let isNew = false;
    for (const { key, dispatch, variants } of families) {
      const known = this.#choices?.get(key);
      const kernels = [dispatch, ...variants].map(({ kernel }) => this.#fingerprint(kernel));
      const isDecided = known !== undefined && kernels.includes(known) && !this.#unfinished.has(key);
      if (isDecided) continue;
      if (performance.now() >= deadline) break;
      const candidates = [dispatch, ...variants.map((variant) => dispatchBy(dispatch, variant))];
      const times = await timeVariants(
        { memory: this.#memory, kernels: this.#kernels, weights: this.#weights, plan: this.#plan },
        { entry, symbols, layout, candidates, deadline },
      );
      const [own] = times;
      if (own === undefined) continue;
      const least = Math.min(...times.filter((time) => time !== undefined));
      const chosen = least < gain * own ? times.indexOf(least) : 0;
      this.#choices?.set(key, kernels[chosen] ?? "");
      if (performance.now() < deadline) this.#unfinished.delete(key);
      else this.#unfinished.add(key);
      isNew ||= !this.#unfinished.has(key);
      this.#options.onTuned?.({
        path: dispatch.path,
        own: this.#label(candidates[0]),
        chosen: this.#label(candidates[chosen]),
        ownNanoseconds: own,
        chosenNanoseconds: times[chosen] ?? own,
      });
    }
    return isNew;
  }

  /** The other kernels that this device can run, and that could be better on it. */
  #usable({ kernel: own, variants = [] }: PlanDispatch): readonly PlanVariant[] {
    const { device } = this.#memory;
    const { workgroupBytes } = this.#kernels.kernel(own);
    return variants.filter(({ kernel }) => {
      const found = this.#kernels.kernel(kernel);
      // In software, workgroup memory is no faster than other memory, and its barriers take seconds to compile.
      const isHopeless = found.workgroupBytes > workgroupBytes && device.adapterInfo.isFallbackAdapter;
      return !isHopeless && allows(device, found);
    });
  }

  /** Equal for dispatches of one kernel over about as many workgroups: to the next power of two. */
  #key({ kernel, workgroups }: PlanDispatch, symbols: Symbols): string {
    const counts = workgroups.map((size) => evaluateSize(size, symbols));
    return [
      this.#fingerprint(kernel),
      ...counts.map((n) => (n <= 4 ? n : 2 ** Math.ceil(Math.log2(n)))),
    ].join(" ");
  }

  #fingerprint(kernel: number): string {
    const known = this.#fingerprints.get(kernel);
    if (known !== undefined) return known;
    const own = fingerprint(this.#kernels.kernel(kernel).code);
    this.#fingerprints.set(kernel, own);
    return own;
  }

  #label(dispatch: Pick<PlanDispatch, "kernel"> | undefined): string {
    return dispatch === undefined ? "" : this.#kernels.kernel(dispatch.kernel).label;
  }
}
