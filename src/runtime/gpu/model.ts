/**
 * A plan that is loaded and ready to be called.
 *
 * Owns: the device, its sessions, that calls come one after another, and what happens when the device is
 * lost. What a call does is in call.ts, what a session remembers in session.ts.
 */
import type { KernelPlan, PlanEntry } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { acquireDevice, adapterName, type DeviceOptions } from "./device.ts";
import { DeviceModel } from "./device-model.ts";
import type { LoadOptions } from "./plan-weights.ts";
import { type PrepareOptions, prepareKernels } from "./preparation.ts";
import { GpuSession } from "./session.ts";
import type { TuningOptions } from "./tuner.ts";
import { tuningInMemory } from "./tuning-cache.ts";
import type { WeightStream } from "./weight-streams.ts";

export interface Recovery {
  /**
   * Calls after which the state is copied to the host. After a loss, the calls since then are made again.
   */
  readonly every: number;
}

export interface GpuModelOptions extends DeviceOptions, LoadOptions, TuningOptions {
  /** A device that is there already, with the limits that the plan needs; it is not destroyed at the end. */
  readonly device?: GPUDevice;
  /** What to do when the device is lost: fail by default, or load again on a new one and go on. */
  readonly recovery?: Recovery;
}

export class GpuModel {
  readonly plan: KernelPlan;
  readonly recovery: Recovery | undefined;
  readonly #weights: WeightStream;
  readonly #options: GpuModelOptions;
  readonly #sessions = new Set<GpuSession>();
  #current: DeviceModel;
  #disposed = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    plan: KernelPlan,
    weights: WeightStream,
    options: GpuModelOptions,
    current: DeviceModel,
  ) {
    this.plan = plan;
    this.recovery = options.recovery;
    this.#weights = weights;
    this.#options = options;
    this.#current = current;
  }

  /**
   * Opens a device and loads the weights onto it.
   * @throws DiagnosticError that names what is missing, too large or refused; nothing is left on the device
   */
  static async load(plan: KernelPlan, weights: WeightStream, given: GpuModelOptions): Promise<GpuModel> {
    const options = { ...given, tuningCache: given.tuningCache ?? tuningInMemory() };
    const device = options.device ?? (await acquireDevice(plan, options));
    try {
      return new GpuModel(plan, weights, options, await DeviceModel.load(plan, device, weights, options));
    } catch (error) {
      if (options.device === undefined) device.destroy();
      throw error;
    }
  }

  get current(): DeviceModel {
    return this.#current;
  }

  /** `google swiftshader …`. */
  get adapter(): string {
    return adapterName(this.#current.memory.device.adapterInfo);
  }

  /** @throws DiagnosticError `no-entry` */
  entry(name: string): PlanEntry {
    const found = this.plan.entries.find((entry) => entry.name === name);
    if (found !== undefined) return found;
    throw failure("no-entry", `The plan of ${this.plan.model} has no entry ${name}.`, {
      hint: `its entries are ${this.plan.entries.map((entry) => entry.name).join(", ")}`,
    });
  }

  /** A conversation of its own: it starts from zero state. */
  session(): GpuSession {
    const session = new GpuSession(this, (closed) => this.#sessions.delete(closed));
    this.#sessions.add(session);
    return session;
  }

  /**
   * Compiles the kernels of entries, all of them by default. What calls need besides is a matter of sizes
   * (`GpuSession.prepare`).
   */
  async prepare(options: PrepareOptions & { readonly entries?: readonly string[] } = {}): Promise<void> {
    const entries = options.entries?.map((name) => this.entry(name)) ?? this.plan.entries;
    await prepareKernels(this.#current, entries, options);
  }

  /** Runs `action` when those before it are done. */
  async alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action, action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Loads everything again after the device was lost. Sessions find out at their next call.
   * @throws DiagnosticError `gpu-device-lost` where the device was the caller's own
   */
  async reload(lost: DeviceModel): Promise<DeviceModel> {
    if (this.#current !== lost) return this.#current;
    if (this.#disposed || this.#options.device !== undefined) lost.memory.requireUsable();
    const device = await acquireDevice(this.plan, this.#options);
    try {
      this.#current = await DeviceModel.load(this.plan, device, this.#weights, this.#options);
    } catch (error) {
      device.destroy();
      throw error;
    }
    lost.memory.dispose(false);
    return this.#current;
  }

  /** Frees everything on the device, sessions included; calls that run fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const session of [...this.#sessions]) session.dispose();
    this.#current.memory.dispose(this.#options.device === undefined);
  }
}
