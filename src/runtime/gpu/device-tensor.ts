/**
 * A result that stays on the device, to be an input of another call.
 */
import type { PlanDType } from "../../compiler/plan.ts";
import type { DeviceMemory } from "./device-memory.ts";

export class DeviceTensor {
  readonly dtype: PlanDType;
  readonly shape: readonly number[];
  readonly buffer: GPUBuffer;
  readonly #memory: DeviceMemory;

  constructor(memory: DeviceMemory, dtype: PlanDType, shape: readonly number[], buffer: GPUBuffer) {
    this.#memory = memory;
    this.dtype = dtype;
    this.shape = shape;
    this.buffer = buffer;
  }

  isOn(memory: DeviceMemory): boolean {
    return this.#memory === memory;
  }

  dispose(): void {
    this.#memory.free(this.buffer);
  }
}
