/**
 * Buffers through which results come to the host.
 *
 * Owns: which of them are in use. One is enough while every call waits for its results; a call that is made
 * ahead takes a second. They grow while something is prepared, and a call takes what is there.
 */
import type { DeviceMemory } from "./device-memory.ts";
import { bufferUsage } from "./usage.ts";

const usage = bufferUsage.mapRead | bufferUsage.copyTarget;

export class StagingBuffers {
  readonly #memory: DeviceMemory;
  #free: readonly GPUBuffer[] = [];
  #used: ReadonlySet<GPUBuffer> = new Set();

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  /** Makes room for `count` results of `bytes` at once, those that are in use included. */
  async reserve(bytes: number, count = 1): Promise<void> {
    for (const small of this.#free.filter(({ size }) => size < bytes)) {
      if (this.#fitting(bytes).length + this.#used.size >= count) break;
      await this.#replace(small, bytes);
    }
    while (this.#fitting(bytes).length + this.#used.size < count) await this.#replace(undefined, bytes);
  }

  /** A buffer of at least so many bytes, until it is released. */
  async claim(bytes: number): Promise<GPUBuffer> {
    if (this.#fitting(bytes).length === 0) await this.#replace(this.#free[0], bytes);
    const [buffer] = this.#fitting(bytes).toSorted((a, b) => a.size - b.size);
    if (buffer === undefined) throw new Error("no room was made for results");
    this.#free = this.#free.filter((other) => other !== buffer);
    this.#used = new Set([...this.#used, buffer]);
    return buffer;
  }

  release(buffer: GPUBuffer): void {
    if (!this.#used.has(buffer)) return;
    this.#used = new Set([...this.#used].filter((other) => other !== buffer));
    this.#free = [...this.#free, buffer];
  }

  /** Gives up a buffer that could not be read. */
  discard(buffer: GPUBuffer): void {
    this.#used = new Set([...this.#used].filter((other) => other !== buffer));
    this.#memory.free(buffer);
  }

  #fitting(bytes: number): readonly GPUBuffer[] {
    return this.#free.filter(({ size }) => size >= bytes);
  }

  async #replace(old: GPUBuffer | undefined, bytes: number): Promise<void> {
    if (old !== undefined) {
      this.#free = this.#free.filter((other) => other !== old);
      this.#memory.free(old);
    }
    this.#free = [...this.#free, await this.#memory.allocate("results", bytes, usage)];
  }
}
