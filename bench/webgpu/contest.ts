/**
 * What is run side by side on a device, and what it gives: plain data, which can cross into a page.
 *
 * Owns: the types, inputs made from a description, and the comparison without which no time counts.
 */
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { noise } from "../products.ts";
import type { TimedDispatch } from "./kernel-table.ts";
import type { CopyWay, ProductSize } from "./plain-kernels.ts";

export type InputForm =
  | { readonly kind: "noise"; readonly shape: readonly number[]; readonly deviation: number }
  | { readonly kind: "ids"; readonly length: number };

export interface CallForm {
  readonly entry: string;
  readonly inputs: Readonly<Record<string, InputForm>>;
  /** Begins with zero state; otherwise it goes on from what the last call left. */
  readonly fresh: boolean;
  /** One call for each id, one after the other: outputs are read after each, or after the last. */
  readonly idById?: "each" | "last";
}

/** A compiled model and who runs it. `key` names it among those that are open. */
export type Entrant =
  | {
      readonly by: "ours";
      readonly key: string;
      readonly model: string;
      /** With the kernels that win when they are measured, as `--tune` has it; otherwise the plan's own. */
      readonly isTuned: boolean;
    }
  | {
      readonly by: "peer";
      readonly key: string;
      readonly model: string;
      readonly profile: string;
      /** Entries, and the state that each takes and leaves. */
      readonly entries: readonly PeerEntry[];
    };

/** Beside the models of a peer: entries share their weights. */
export const weightFile = "weights.data";

export interface PeerEntry {
  readonly name: string;
  readonly takes: readonly { readonly input: string; readonly state: string }[];
  readonly leaves: readonly { readonly output: string; readonly state: string }[];
}

export interface Output {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Seconds from the call until its outputs are in the host's memory. */
export interface Spent {
  readonly clock: number;
  /** Of all threads that took part; nothing where that can't be told. */
  readonly processor: number | undefined;
}

/** A device and those who run on it, in this process or in a page. */
export interface Stage {
  readonly adapter: string;
  open(entrant: Entrant): Promise<void>;
  run(key: string, call: CallForm): Promise<Spent>;
  /** Those of the last run, without states. */
  outputs(key: string): Promise<readonly Output[]>;
  /** Seconds by dispatch, of one's own plans. */
  trace(key: string, call: CallForm): Promise<readonly TimedDispatch[]>;
  close(key: string): Promise<void>;
  /** The forms of plain products that the device can run, and a product in one of them. */
  forms(): Promise<readonly string[]>;
  product(form: string, size: ProductSize): Promise<Spent>;
  /** A copy that reads and writes `bytes` together. */
  copy(way: CopyWay, bytes: number): Promise<Spent>;
}

export function inputsOf({ inputs }: CallForm): Map<string, HostTensor> {
  return new Map(Object.entries(inputs).map(([name, form]) => [name, tensorOf(form)]));
}

function tensorOf(form: InputForm): HostTensor {
  switch (form.kind) {
    case "noise":
      return noise(form.shape, form.deviation);
    case "ids": {
      const data = Float64Array.from({ length: form.length }, (_, i) => ((i + 1) * 7919) % 4_000);
      return { dtype: "i64", shape: [1, form.length], data };
    }
  }
}

/** The inputs of each call, where ids are given one by one. */
export function oneByOne(inputs: ReadonlyMap<string, HostTensor>): Map<string, HostTensor>[] {
  const [entry] = inputs;
  if (entry === undefined || inputs.size !== 1)
    throw new Error("ids are the only input where they come one by one");
  const [name, { dtype, data }] = entry;
  return Array.from({ length: data.length }, (_, i) => {
    return new Map([[name, { dtype, shape: [1, 1], data: data.slice(i, i + 1) }]]);
  });
}

/** How far outputs may be apart: this much, and this much of each value. */
export const closeness = 1e-4;

/** The largest distance, as a multiple of 1 + |want|. Throws where outputs are missing or differ by more. */
export function compareOutputs(
  what: string,
  got: readonly Output[],
  want: readonly Output[],
  most = closeness,
): number {
  let distance = 0;
  for (const { name, shape, values } of want) {
    const found = got.find((each) => each.name === name);
    if (found === undefined || found.shape.join() !== shape.join() || found.values.length !== values.length) {
      throw new Error(
        `${what}: the output ${name} is ${found === undefined ? "missing" : `of shape ${found.shape}`}`,
      );
    }
    for (const [i, value] of values.entries()) {
      const off = Math.abs((found.values[i] ?? Number.NaN) - value) / (1 + Math.abs(value));
      // Written so that what is no number differs.
      if (!(off <= most))
        throw new Error(`${what}: ${name}[${i}] is ${found.values[i]}, and should be ${value}`);
      distance = Math.max(distance, off);
    }
  }
  if (!want.some(({ values }) => values.some((value) => value !== 0)))
    throw new Error(`${what}: there is nothing to compare`);
  return distance;
}
