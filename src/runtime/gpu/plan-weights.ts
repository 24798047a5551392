/**
 * Weights on the device.
 *
 * Owns: where each weight lies, in as few buffers as the device's largest allows, and filling them with
 * what a source pushes, in pieces, so that no weight need be in memory whole. Sources are in
 * weight-streams.ts.
 */
import type { PlanWeight } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { aligned, bufferUsage } from "./usage.ts";
import { placedTensors, throwIfAborted, type WeightStream } from "./weight-streams.ts";

export interface LoadProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

interface WeightPlace {
  /** Which buffer. */
  readonly buffer: number;
  readonly offset: number;
}

export class PlanWeights {
  readonly #places: readonly WeightPlace[];
  readonly #buffers: readonly GPUBuffer[];

  private constructor(places: readonly WeightPlace[], buffers: readonly GPUBuffer[]) {
    this.#places = places;
    this.#buffers = buffers;
  }

  /** @throws DiagnosticError of the source, of the device, or `weights-aborted` */
  static async load(
    memory: DeviceMemory,
    weights: readonly PlanWeight[],
    stream: WeightStream,
    options: LoadOptions = {},
  ): Promise<PlanWeights> {
    const { places, sizes } = layOut(weights, memory.device.limits.maxBufferSize);
    const buffers: GPUBuffer[] = [];
    try {
      for (const size of sizes) {
        const usage = bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource;
        buffers.push(await memory.allocate("the weights", size, usage));
      }
      const loaded = new PlanWeights(places, buffers);
      await loaded.#fill(memory, weights, stream, options);
      return loaded;
    } catch (error) {
      for (const buffer of buffers) memory.free(buffer);
      throw error;
    }
  }

  async #fill(
    memory: DeviceMemory,
    weights: readonly PlanWeight[],
    stream: WeightStream,
    { signal, onProgress }: LoadOptions,
  ): Promise<void> {
    const tensors = placedTensors(weights);
    const totalBytes = tensors.reduce((total, { bytes }) => total + bytes, 0);
    const known = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const missing = new Map(tensors.map(({ name, bytes }) => [name, bytes]));
    let loadedBytes = 0;
    let unfinished = 0;
    const accept = async (name: string, offset: number, bytes: Uint8Array): Promise<void> => {
      throwIfAborted(signal);
      memory.requireUsable();
      const tensor = known.get(name);
      const place = this.#places[tensor?.weight ?? -1];
      if (tensor === undefined || place === undefined) return;
      write(memory.device, this.#bufferOf(place), place.offset + tensor.start + offset, bytes);
      missing.set(name, (missing.get(name) ?? 0) - bytes.length);
      loadedBytes += bytes.length;
      unfinished += bytes.length;
      onProgress?.({ loadedBytes, totalBytes });
      if (unfinished < copiedAtOnce) return;
      // Writes wait in memory for the device: let it catch up, or all weights are in memory at once.
      unfinished = 0;
      await memory.await(memory.device.queue.onSubmittedWorkDone());
    };
    onProgress?.({ loadedBytes, totalBytes });
    await stream.push(tensors, accept, signal);
    throwIfAborted(signal);
    const incomplete = [...missing].filter(([, bytes]) => bytes !== 0).map(([name]) => name);
    if (incomplete.length > 0) {
      throw failure("weights-incomplete", `${stream.label} does not hold all weights of the plan.`, {
        notes: [`without their values are ${incomplete.slice(0, 5).join(", ")}`],
        hint: "Use the weight file that was written with the plan.",
      });
    }
  }

  /** What a kernel binds of a weight, in bytes from its start. */
  binding(weight: number, start: number, bytes: number): GPUBufferBinding {
    const place = this.#places[weight];
    if (place === undefined) throw failure("plan-damaged", `The plan has no weight ${weight}.`);
    const buffer = this.#bufferOf(place);
    const offset = place.offset + start;
    // Vectors of four are read whole; weights begin far enough apart for that.
    const size = Math.min(Math.max(16, Math.ceil(bytes / 16) * 16), buffer.size - offset);
    return { buffer, offset, size };
  }

  #bufferOf(place: WeightPlace): GPUBuffer {
    const buffer = this.#buffers[place.buffer];
    if (buffer === undefined) throw failure("internal-error", "A weight lies in no buffer.");
    return buffer;
  }
}

const copiedAtOnce = 64 * 2 ** 20;

function layOut(
  weights: readonly PlanWeight[],
  maxBufferSize: number,
): { places: WeightPlace[]; sizes: number[] } {
  const places: WeightPlace[] = [];
  const sizes: number[] = [];
  // The order of the plan: neighbours in the file stay neighbours.
  for (const { bytes } of weights) {
    const last = sizes.length - 1;
    const used = sizes[last];
    const room = aligned(Math.max(bytes, 1));
    // A weight may end short of the next multiple of 256 when it fills its buffer.
    if (used === undefined || used + bytes > maxBufferSize) {
      places.push({ buffer: sizes.length, offset: 0 });
      sizes.push(Math.min(room, maxBufferSize));
    } else {
      places.push({ buffer: last, offset: used });
      sizes[last] = Math.min(used + room, maxBufferSize);
    }
  }
  return { places, sizes };
}

/** Whole words are written: the end of a weight of odd length is followed by nothing. */
function write(device: GPUDevice, buffer: GPUBuffer, offset: number, bytes: Uint8Array): void {
  const rest = bytes.length % 4;
  const whole = bytes.length - rest;
  if (whole > 0) device.queue.writeBuffer(buffer, offset, bytes, 0, whole);
  if (rest === 0) return;
  const word = new Uint8Array(4);
  word.set(bytes.subarray(whole));
  device.queue.writeBuffer(buffer, offset + whole, word);
}
