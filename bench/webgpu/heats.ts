/**
 * Who runs for each side: the plain product that is fastest at each size, and the peer's models that give what ours do.
 *
 * Owns: the choices, made before anything is timed.
 */

import type { OnnxProfile } from "../../src/compiler/onnx/context.ts";
import { type CallForm, compareOutputs, type Output, type Spent, type Stage } from "./contest.ts";
import type { ProductSize } from "./plain-kernels.ts";
import type { Compiled } from "./workloads.ts";

export interface BestProduct {
  readonly size: ProductSize;
  readonly form: string;
  /** How often the model has a product of this size. */
  readonly count: number;
}

/** Seconds. */
const short = 4;
/** Those that are that much slower than the best of a small product need not try at the sizes that count. */
const farBehind = 1.6;
const small: ProductSize = { rows: 128, depth: 256, columns: 512 };

export async function bestProducts(stage: Stage, sizes: readonly ProductSize[]): Promise<BestProduct[]> {
  const fastest = async (forms: readonly string[], size: ProductSize): Promise<[string, number][]> => {
    const found: [string, number][] = [];
    for (const form of forms) {
      // The first run compiles the kernel.
      await stage.product(form, size);
      const times: number[] = [];
      for (let i = 0; i < 2; i++) times.push(secondsOf(await stage.product(form, size)));
      found.push([form, Math.min(...times)]);
    }
    return found.sort(([, a], [, b]) => a - b);
  };
  const heat = await fastest(await stage.forms(), small);
  const least = heat[0]?.[1] ?? 0;
  const ahead = heat.filter(([, seconds]) => seconds <= farBehind * least).map(([form]) => form);
  const distinct = new Map(sizes.map((size) => [JSON.stringify(size), size]));
  const best: BestProduct[] = [];
  for (const [key, size] of distinct) {
    const [first] = await fastest(ahead, size);
    if (first === undefined) throw new Error("no plain product runs on this device");
    best.push({ size, form: first[0], count: sizes.filter((each) => JSON.stringify(each) === key).length });
  }
  return best;
}

function secondsOf({ clock, processor }: Spent): number {
  return processor === undefined || processor === 0 ? clock : processor;
}

export interface Peer {
  readonly key: string;
  readonly profile: OnnxProfile;
  /** What a run took: of the processors, where that is known, and by the clock. */
  readonly seconds: number;
  readonly clock: number;
  /** How far its outputs are from ours, as a multiple of 1 + |value|. */
  readonly distance: number;
}

export interface Heat<Call extends string> {
  readonly peers: ReadonlyMap<Call, Peer>;
  /** Those that could not run here or gave something else, and why. */
  readonly refused: readonly string[];
}

/**
 * For each call, the profile of the peer that is fastest. It stays open.
 *
 * @param profiles those that are tried
 * @param everyProfile for each call; otherwise the fastest at the first call has the others too, if it gives what ours do
 * @param outputs ours, by call
 */
export async function choosePeers<Call extends string>(
  stage: Stage,
  { workload, peerEntries }: Compiled,
  { profiles, everyProfile }: { readonly profiles: readonly OnnxProfile[]; readonly everyProfile: boolean },
  calls: ReadonlyMap<Call, CallForm>,
  outputs: ReadonlyMap<Call, readonly Output[]>,
  say: (line: string) => void,
): Promise<Heat<Call>> {
  const peers = new Map<Call, Peer>();
  const refused: string[] = [];
  const keyOf = (profile: OnnxProfile): string => `${workload.name} ${profile}`;
  const open: OnnxProfile[] = [];
  for (const profile of profiles) {
    const key = keyOf(profile);
    try {
      await stage.open({ by: "peer", key, model: workload.name, profile, entries: peerEntries });
      open.push(profile);
    } catch (error) {
      refused.push(`${key}: ${messageOf(error)}`);
    }
  }
  const tried = async (profile: OnnxProfile, name: Call, call: CallForm): Promise<Peer | undefined> => {
    const key = keyOf(profile);
    try {
      let spent = await stage.run(key, call);
      const distance = compareOutputs(key, await stage.outputs(key), outputs.get(name) ?? []);
      // The first run also made kernels, which only matters where runs are short.
      if (spent.clock < short) spent = await stage.run(key, call);
      say(`${key}, ${name}: ${spent.clock.toFixed(2)} s, ${distance.toExponential(1)} apart`);
      return { key, profile, seconds: secondsOf(spent), clock: spent.clock, distance };
    } catch (error) {
      refused.push(`${key}, ${name}: ${messageOf(error)}`);
      return undefined;
    }
  };
  let ahead: readonly OnnxProfile[] = open;
  for (const [name, call] of calls) {
    for (const some of [ahead, open.filter((profile) => !ahead.includes(profile))]) {
      if (peers.has(name)) break;
      for (const profile of some) {
        const peer = await tried(profile, name, call);
        const known = peers.get(name);
        if (peer !== undefined && !(known !== undefined && known.seconds <= peer.seconds))
          peers.set(name, peer);
      }
    }
    const winner = peers.get(name);
    if (!everyProfile && winner !== undefined) ahead = [winner.profile];
  }
  const used = new Set([...peers.values()].map(({ key }) => key));
  for (const profile of open) if (!used.has(keyOf(profile))) await stage.close(keyOf(profile));
  return { peers, refused };
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").slice(0, 2).join(" ");
}
