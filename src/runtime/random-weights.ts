/**
 * Weights drawn at random, for trying a model that has no checkpoint.
 *
 * Owns: a generator whose stream depends on the seed and the tensor's name alone, so that neither the
 * order of the tensors nor the presence of others changes a value (random-numbers.ts). One draw makes one
 * value: a normal comes from the inverse of its distribution (normal-quantile.ts), so that nothing is
 * ever redrawn.
 */
import { elementCount, type HostTensor, type WeightSource } from "../compiler/host-tensor.ts";
import type { Initializer } from "../lang/emitter.ts";
import { failure } from "./failure.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { randomNumbers } from "./random-numbers.ts";

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
  const next = randomNumbers(seed, name);
  for (let i = 0; i < data.length; i++) data[i] = value(next());
}
