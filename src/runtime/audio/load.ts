/**
 * From the bytes of a recording to what a model takes in: one channel at the model's rate.
 *
 * Owns: the order of the steps. Channels are mixed before the rate is changed, so that the costly
 * step is done once.
 */
import { decodeAudio } from "./decode.ts";
import { resample } from "./resample.ts";

export interface LoadedAudio {
  /** Mono, at the rate asked for. */
  readonly samples: Float32Array;
  /** What the recording had, in hertz. */
  readonly sourceRate: number;
  readonly seconds: number;
  readonly channels: number;
}

/** @throws DiagnosticError as decodeAudio */
export async function loadAudio(bytes: Uint8Array, label: string, rate: number): Promise<LoadedAudio> {
  const { sampleRate, channels } = await decodeAudio(bytes, label);
  const mono = mixDown(channels);
  return {
    samples: resample(mono, sampleRate, rate),
    sourceRate: sampleRate,
    seconds: mono.length / sampleRate,
    channels: channels.length,
  };
}

/** The mean of the channels; a single channel is returned as it is. */
export function mixDown(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(), ...others] = channels;
  if (others.length === 0) return first;
  const sums = Float64Array.from(first);
  for (const channel of others)
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (channel[i] ?? 0);
  return Float32Array.from(sums, (sum) => sum / channels.length);
}
