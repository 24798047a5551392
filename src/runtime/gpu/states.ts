/**
 * The recurrent state of one session, on the device.
 *
 * Owns: two buffers, of which one holds what the last call left (the past) and the other takes what this
 * one leaves (the present); they change places after each call. A layout says where each state lies;
 * states keep the order of the plan, so that entries with states of the same shapes share a layout.
 */
import type { PlanDType } from "../../compiler/plan.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { aligned, bufferUsage } from "./usage.ts";

export interface StateShape {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface StateRange {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
}

/** The same object for the same states and shapes of a session. */
export interface StateLayout {
  readonly ranges: ReadonlyMap<string, StateRange>;
  readonly bytes: number;
}

export class States {
  readonly #memory: DeviceMemory;
  /** In the order of the plan. */
  readonly types: ReadonlyMap<string, PlanDType>;
  readonly #layouts = new Map<string, StateLayout>();
  #buffers: readonly [GPUBuffer, GPUBuffer] | undefined;
  #capacity = 0;
  /** Which buffer is the past. */
  #side: 0 | 1 = 0;
  #current: StateLayout | undefined;
  /** Changes when the buffers do. */
  #version = 0;

  constructor(memory: DeviceMemory, types: ReadonlyMap<string, PlanDType>) {
    this.#memory = memory;
    this.types = types;
  }

  /** What the past holds; nothing at the start, which counts as zero. */
  get current(): StateLayout | undefined {
    return this.#current;
  }

  get version(): number {
    return this.#version;
  }

  get side(): 0 | 1 {
    return this.#side;
  }

  layout(shapes: readonly StateShape[]): StateLayout {
    const byName = new Map(shapes.map((state) => [state.name, state.shape]));
    const named = [...this.types.keys()].flatMap((name) => {
      const shape = byName.get(name);
      return shape === undefined ? [] : [{ name, shape }];
    });
    const key = JSON.stringify(named);
    const found = this.#layouts.get(key);
    if (found !== undefined) return found;
    const ranges = new Map<string, StateRange>();
    let offset = 0;
    for (const { name, shape } of named) {
      const bytes = shape.reduce((product, size) => product * size, 4);
      ranges.set(name, { shape, offset, bytes });
      offset += aligned(Math.max(bytes, 1));
    }
    const layout = { ranges, bytes: offset };
    this.#layouts.set(key, layout);
    return layout;
  }

  /** Makes room for layouts of `bytes`; what is held stays. */
  async reserve(bytes: number): Promise<void> {
    if (bytes <= this.#capacity) return;
    const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
    const first = await this.#memory.allocate("the recurrent state", bytes, usage);
    const second = await this.#memory
      .allocate("the recurrent state", bytes, usage)
      .catch((error: unknown) => {
        this.#memory.free(first);
        throw error;
      });
    if (this.#buffers !== undefined && this.#current !== undefined && this.#current.bytes > 0) {
      const encoder = this.#memory.device.createCommandEncoder({ label: "move the state" });
      encoder.copyBufferToBuffer(this.past, 0, first, 0, this.#current.bytes);
      this.#memory.device.queue.submit([encoder.finish()]);
    }
    this.release();
    this.#buffers = [first, second];
    this.#side = 0;
    this.#capacity = bytes;
    this.#version += 1;
  }

  get past(): GPUBuffer {
    return this.buffer(this.#side);
  }

  buffer(side: 0 | 1): GPUBuffer {
    const buffer = this.#buffers?.[side];
    if (buffer === undefined) throw new Error("no room was reserved for the state");
    return buffer;
  }

  /** From now on this side is the past, laid out like this. */
  settle(side: 0 | 1, layout: StateLayout): void {
    this.#side = side;
    this.#current = layout;
  }

  /** Back to the start: zero, which takes no memory to hold. */
  reset(): void {
    this.#current = undefined;
  }

  /** Frees the buffers. */
  release(): void {
    for (const buffer of this.#buffers ?? []) this.#memory.free(buffer);
    this.#buffers = undefined;
    this.#capacity = 0;
  }
}
