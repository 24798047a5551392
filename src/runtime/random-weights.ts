/**
 * Weights drawn at random, for trying a model that has no checkpoint.
 *
 * Owns: a generator whose stream depends on the seed and the tensor's name alone, so that neither the
 * order of the tensors nor the presence of others changes a value. Bits: xoshiro128** 1.1 (D. Blackman,
 * S. Vigna, 2018), started from a hash of seed and name. One draw makes one value: a normal comes from
 * the inverse of its distribution (normal-quantile.ts), so that nothing is ever redrawn.
 */
import { elementCount, type HostTensor, type WeightSource } from "../compiler/host-tensor.ts";
import type { Initializer } from "../lang/emitter.ts";
import { failure } from "./failure.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** An initializer that needs no graph to be evaluated. */
export type RandomInitializer = Exclude<Initializer, { readonly kind: "value" }>;

export interface RandomTensorSpec {
  readonly shape: readonly number[];
  readonly initializer: RandomInitializer;
}

/** The share of a normal distribution that lies below two standard deviations under its mean. */
const belowMinusTwo = 0.02275013194817921;

/**
 * An `f32` tensor in Float32Array.
 * @param seed an integer of up to 32 bits; only these count
 */
export function randomTensor(
  seed: number,
  name: string,
  shape: readonly number[],
  initializer: RandomInitializer,
): HostTensor {
  const data = new Float32Array(elementCount(shape));
  fill(data, seed, name, initializer);
  return { dtype: "f32", shape, data };
}

/** All the tensors of a model, made when read. */
export function randomWeights(seed: number, tensors: ReadonlyMap<string, RandomTensorSpec>): WeightSource {
  const label = `random weights, seed ${seed}`;
  const names = [...tensors.keys()];
  return {
    label,
    names: () => names,
    info(name) {
      const spec = tensors.get(name);
      return spec && { dtype: "f32", shape: spec.shape };
    },
    async read(name) {
      const spec = tensors.get(name);
      if (spec === undefined)
        throw failure("weights-no-tensor", `The ${label} hold no tensor named '${name}'.`);
      return randomTensor(seed, name, spec.shape, spec.initializer);
    },
  };
}

function fill(data: Float32Array, seed: number, name: string, initializer: RandomInitializer): void {
  switch (initializer.kind) {
    case "zeros":
      break;
    case "ones":
      data.fill(1);
      break;
    case "uniform": {
      const { low, high } = initializer;
      fillFrom(data, seed, name, (unit) => low + (high - low) * unit);
      break;
    }
    case "normal": {
      const { mean, std } = initializer;
      fillFrom(data, seed, name, (unit) => mean + std * normalQuantile(unit));
      break;
    }
    case "truncated-normal": {
      const { std } = initializer;
      const share = 1 - 2 * belowMinusTwo;
      fillFrom(data, seed, name, (unit) => std * normalQuantile(belowMinusTwo + share * unit));
      break;
    }
  }
}

/** `value` gets numbers spread evenly over the open interval from 0 to 1, in steps of 2^-32. */
function fillFrom(data: Float32Array, seed: number, name: string, value: (unit: number) => number): void {
  let [a, b, c, d] = initialState(seed, name);
  for (let i = 0; i < data.length; i++) {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    data[i] = value((scrambled + 0.5) * 2 ** -32);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** Four words that are never all zero, the one state that the generator cannot leave. */
function initialState(seed: number, name: string): [number, number, number, number] {
  const bytes = new TextEncoder().encode(name);
  const words = [0, 1, 2, 3].map((lane) => {
    let hash = mix((seed ^ Math.imul(lane + 1, 0x9e37_79b9)) >>> 0);
    for (const byte of bytes) hash = mix(hash ^ byte);
    return mix(hash ^ bytes.length);
  });
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [a, b, c, (a | b | c | d) === 0 ? 1 : d];
}

/** A bijection of 32 bits in which each input bit changes half of the output (MurmurHash3's last step). */
function mix(value: number): number {
  let hash = (value + 0x6d2b_79f5) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
