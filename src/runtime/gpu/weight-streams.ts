/**
 * Where the bytes of a plan's weights come from.
 *
 * Owns: pushing them, in pieces, from a safetensors file that is read by range, from one that arrives
 * over the network, or from whatever makes them. A piece begins at a multiple of four bytes of its
 * weight. The bytes are as the plan stores them: nothing is widened on the way.
 */
import type { PlanWeight, StoredDType } from "../../compiler/plan.ts";
import type { ByteSource } from "../byte-source.ts";
import { describeError, failure } from "../failure.ts";
import { readSafetensorsHeader } from "../safetensors.ts";
import { parseSafetensorsHeader, type SafetensorsHeader, type Storage } from "../safetensors-header.ts";
import { ArrivingBytes } from "./arriving-bytes.ts";

/** Takes bytes of a weight from `offset` on, and is ready for more when it resolves. */
export type AcceptWeight = (name: string, offset: number, bytes: Uint8Array) => Promise<void>;

/** A tensor of the weight file: a weight, or the scales of one. */
export interface StoredTensor {
  readonly name: string;
  readonly stored: StoredDType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** A tensor of the file and where it goes: from `start` on in the weight number `weight`. */
export interface PlacedTensor extends StoredTensor {
  readonly weight: number;
  readonly start: number;
}

const widths: Readonly<Record<StoredDType, number>> = { f32: 4, i32: 4, f16: 2, i8: 1 };

export function placedTensors(weights: readonly PlanWeight[]): PlacedTensor[] {
  return weights.flatMap(({ name, stored, shape, scales }, weight) => {
    const placed = (of: string, as: StoredDType, sizes: readonly number[], start: number): PlacedTensor => ({
      name: of,
      stored: as,
      shape: sizes,
      bytes: sizes.reduce((product, size) => product * size, widths[as]),
      weight,
      start,
    });
    const own = placed(name, stored, shape, 0);
    return scales === undefined ? [own] : [own, placed(scales.name, "f32", scales.shape, scales.start)];
  });
}

export interface WeightStream {
  /** What to call it in messages. */
  readonly label: string;
  /** Every byte of every one of `weights`, in any order. May be called again: to load another device. */
  push(weights: readonly StoredTensor[], accept: AcceptWeight, signal?: AbortSignal): Promise<void>;
}

/** Bytes at a time: large enough to be fast, small beside the weights. */
const piece = 16 * 2 ** 20;

/** A safetensors file that is read by range. */
export function weightsFromFile(source: ByteSource): WeightStream {
  return {
    label: source.label,
    async push(weights, accept, signal) {
      const { header, dataStart } = await readSafetensorsHeader(source);
      checkHeader(source.label, header, weights);
      for (const { name, bytes } of weights) {
        const begin = dataStart + (header.tensors.get(name)?.begin ?? 0);
        for (let offset = 0; offset < bytes; offset += piece) {
          throwIfAborted(signal);
          await accept(name, offset, await source.read(begin + offset, Math.min(piece, bytes - offset)));
        }
      }
    },
  };
}

/** Weights that are made when they are asked for. */
export function weightsFrom(
  label: string,
  read: (weight: StoredTensor) => Uint8Array | Promise<Uint8Array>,
): WeightStream {
  return {
    label,
    async push(weights, accept, signal) {
      for (const weight of weights) {
        throwIfAborted(signal);
        await accept(weight.name, 0, await read(weight));
      }
    },
  };
}

/** A safetensors file at an address; it is used while it arrives, and is never in memory whole. */
export function weightsFromAddress(address: string): WeightStream {
  return {
    label: address,
    async push(weights, accept, signal) {
      const arriving = await request(address, signal);
      try {
        const start = await arriving.exactly(8);
        const headerLength = Number(new DataView(start.buffer).getBigUint64(0, true));
        if (headerLength < 2 || headerLength > largestArrivingHeader) {
          throw failure("not-safetensors", `What came from ${address} is not a safetensors file.`, {
            hint: "Give the address of the weight file that was written with the plan.",
          });
        }
        const header = parseSafetensorsHeader(address, await arriving.exactly(headerLength), undefined);
        checkHeader(address, header, weights);
        const wanted = new Set(weights.map(({ name }) => name));
        const inOrder = [...header.tensors].sort(([, a], [, b]) => a.begin - b.begin);
        for (const [name, { begin, end }] of inOrder) {
          for (let offset = 0; offset < end - begin; ) {
            const bytes = await arriving.exactly(Math.min(piece, end - begin - offset));
            if (wanted.has(name)) await accept(name, offset, bytes);
            offset += bytes.length;
          }
        }
      } catch (error) {
        throwIfAborted(signal);
        throw error;
      } finally {
        await arriving.close();
      }
    },
  };
}

const largestArrivingHeader = 16 * 2 ** 20;

async function request(address: string, signal: AbortSignal | undefined): Promise<ArrivingBytes> {
  let response: Response;
  try {
    response = await fetch(address, signal === undefined ? {} : { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw failure("fetch-failed", `${address} could not be fetched.`, { notes: [describeError(error)] });
  }
  if (!response.ok || response.body === null) {
    throw failure("fetch-failed", `${address} could not be fetched.`, {
      notes: [`the server answered ${response.status} ${response.statusText}`.trim()],
    });
  }
  return new ArrivingBytes(address, response.body.getReader());
}

const storageOf: Readonly<Record<StoredDType, readonly Storage[]>> = {
  f32: ["F32"],
  f16: ["F16"],
  i8: ["I8", "U8"],
  i32: ["I32", "U32"],
};

function checkHeader(label: string, { tensors }: SafetensorsHeader, weights: readonly StoredTensor[]): void {
  const problems: string[] = [];
  for (const { name, stored, shape, bytes } of weights) {
    const entry = tensors.get(name);
    if (entry === undefined) {
      problems.push(`${name} is missing`);
    } else if (!storageOf[stored].includes(entry.storage) || entry.end - entry.begin !== bytes) {
      problems.push(
        `${name} is ${entry.storage}[${entry.shape.join(", ")}]; the plan has ${stored}[${shape.join(", ")}]`,
      );
    }
  }
  if (problems.length === 0) return;
  const more = problems.length > 5 ? [`and ${problems.length - 5} more`] : [];
  throw failure("weights-mismatch", `${label} does not hold the weights of the plan.`, {
    notes: [...problems.slice(0, 5), ...more],
    hint: "Use the weight file that was written with the plan.",
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw failure("weights-aborted", "Loading the weights was cancelled.");
}
