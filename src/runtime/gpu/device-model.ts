/**
 * A plan's weights and kernels on one device, with the memory that all of its sessions share.
 *
 * Owns: what is lost with the device. The arena and the staging buffers only grow, and only while
 * something is prepared. Calls come one after another, so that one arena is enough.
 */
import type { KernelPlan } from "../../compiler/plan.ts";
import { DeviceMemory } from "./device-memory.ts";
import { Kernels } from "./kernels.ts";
import { type LoadOptions, PlanWeights } from "./plan-weights.ts";
import { StagingBuffers } from "./staging.ts";
import { Tuner, type TuningOptions } from "./tuner.ts";
import { bufferUsage } from "./usage.ts";
import type { WeightStream } from "./weight-streams.ts";

export class GrowingBuffer {
  readonly #memory: DeviceMemory;
  readonly #what: string;
  readonly #usage: number;
  #buffer: GPUBuffer | undefined;
  /** Changes when the buffer does. */
  #version = 0;

  constructor(memory: DeviceMemory, what: string, usage: number) {
    this.#memory = memory;
    this.#what = what;
    this.#usage = usage;
  }

  get version(): number {
    return this.#version;
  }

  get buffer(): GPUBuffer {
    if (this.#buffer === undefined) throw new Error(`no room was reserved for ${this.#what}`);
    return this.#buffer;
  }

  /** Makes room. What the buffer held is lost when it grows. */
  async reserve(bytes: number): Promise<void> {
    if (this.#buffer !== undefined && this.#buffer.size >= bytes) return;
    this.#memory.free(this.#buffer);
    this.#buffer = undefined;
    this.#buffer = await this.#memory.allocate(this.#what, bytes, this.#usage);
    this.#version += 1;
  }

  release(): void {
    this.#memory.free(this.#buffer);
    this.#buffer = undefined;
  }
}

export class DeviceModel {
  readonly plan: KernelPlan;
  readonly memory: DeviceMemory;
  readonly kernels: Kernels;
  readonly weights: PlanWeights;
  readonly tuner: Tuner;
  /** Values within a call. */
  readonly arena: GrowingBuffer;
  /** Results on their way to the host. */
  readonly staging: StagingBuffers;

  private constructor(plan: KernelPlan, memory: DeviceMemory, weights: PlanWeights, options: TuningOptions) {
    this.plan = plan;
    this.memory = memory;
    this.weights = weights;
    this.kernels = new Kernels(memory, plan);
    this.tuner = new Tuner(memory, this.kernels, weights, plan, options);
    const { storage, copySource, copyTarget } = bufferUsage;
    this.arena = new GrowingBuffer(memory, "values within a call", storage | copySource | copyTarget);
    this.staging = new StagingBuffers(memory);
  }

  static async load(
    plan: KernelPlan,
    device: GPUDevice,
    weights: WeightStream,
    options: LoadOptions & TuningOptions,
  ): Promise<DeviceModel> {
    const memory = new DeviceMemory(device);
    const loaded = await PlanWeights.load(memory, plan.weights, weights, options);
    return new DeviceModel(plan, memory, loaded, options);
  }
}
