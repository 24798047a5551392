/**
 * Who runs for each side: the plain product that is fastest at each size, and the peer's models that give what ours do.
 *
 * Owns: the choices, made before anything is timed.
 */
import { type CallForm, compareOutputs, type Output, type Stage } from "./contest.ts";
import type { ProductSize } from "./plain-kernels.ts";
import { type Compiled, profiles } from "./workloads.ts";

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
      for (let i = 0; i < 2; i++) times.push(await secondsOf(stage.product(form, size)));
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

async function secondsOf(spent: ReturnType<Stage["product"]>): Promise<number> {
  const { clock, processor } = await spent;
  return processor === undefined || processor === 0 ? clock : processor;
}

export interface Peer {
  readonly key: string;
  readonly profile: string;
  /** How far its outputs are from ours, as a multiple of 1 + |value|. */
  readonly distance: number;
}

export interface Heat {
  readonly peers: ReadonlyMap<string, Peer>;
  /** Those that could not run here or gave something else, and why. */
  readonly refused: readonly string[];
}

/**
 * For each call, the profile of the peer that is fastest. It stays open.
 *
 * @param outputs ours, by call
 */
export async function choosePeers(
  stage: Stage,
  { workload, peerEntries }: Compiled,
  calls: ReadonlyMap<string, CallForm>,
  outputs: ReadonlyMap<string, readonly Output[]>,
  say: (line: string) => void,
): Promise<Heat> {
  const best = new Map<string, { readonly peer: Peer; readonly seconds: number }>();
  const refused: string[] = [];
  for (const profile of profiles) {
    const key = `${workload.name} ${profile}`;
    try {
      await stage.open({ by: "peer", key, model: workload.name, profile, entries: peerEntries });
    } catch (error) {
      refused.push(`${key}: ${messageOf(error)}`);
      continue;
    }
    let isUsed = false;
    for (const [name, call] of calls) {
      try {
        let seconds = await secondsOf(stage.run(key, call));
        const distance = compareOutputs(key, await stage.outputs(key), outputs.get(name) ?? []);
        // The first run also made kernels, which only matters where runs are short.
        if (seconds < short) seconds = await secondsOf(stage.run(key, call));
        say(`${key}, ${name}: ${seconds.toFixed(2)} s, ${distance.toExponential(1)} apart`);
        const known = best.get(name);
        if (known !== undefined && known.seconds <= seconds) continue;
        best.set(name, { peer: { key, profile, distance }, seconds });
        isUsed = true;
      } catch (error) {
        refused.push(`${key}, ${name}: ${messageOf(error)}`);
      }
    }
    if (!isUsed) await stage.close(key);
  }
  const peers = new Map([...best].map(([name, { peer }]) => [name, peer]));
  return { peers, refused };
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").slice(0, 2).join(" ");
}
