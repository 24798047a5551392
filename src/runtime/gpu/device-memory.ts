/**
 * A device with its errors and its buffers kept in one place.
 *
 * Owns: which buffers exist, turning what the device complains of into diagnostics, and knowing that it
 * is lost. Everything that is done with a device goes through here, so that nothing fails in silence and
 * nothing is left behind.
 */
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { describeError, failure, failureDiagnostic } from "../failure.ts";
import { alignment, printBytes } from "./usage.ts";

/** What an action gave, and what the device will have said about it. */
export interface Watched<T> {
  readonly value: T;
  readonly problem: Promise<Diagnostic | undefined>;
}

export class DeviceMemory {
  readonly device: GPUDevice;
  readonly #buffers = new Map<GPUBuffer, number>();
  readonly #unclaimed: Diagnostic[] = [];
  #lost: GPUDeviceLostInfo | undefined;
  #disposed = false;
  readonly #loss: Promise<never>;
  readonly #hear = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    this.#unclaimed.push(deviceProblem(event.error));
  };

  constructor(device: GPUDevice) {
    this.device = device;
    device.addEventListener("uncapturederror", this.#hear);
    this.#loss = device.lost.then((info) => {
      this.#lost = info;
      throw this.#gone();
    });
    // It is raced against below; with nobody waiting, a loss is found at the next call.
    this.#loss.catch(() => undefined);
  }

  get bufferCount(): number {
    return this.#buffers.size;
  }

  get bytes(): number {
    let total = 0;
    for (const size of this.#buffers.values()) total += size;
    return total;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws DiagnosticError `gpu-device-lost`, `gpu-disposed`, or what nobody was there to hear before */
  requireUsable(): void {
    if (this.#disposed || this.#lost !== undefined) throw this.#gone();
    if (this.#unclaimed.length > 0) throw new DiagnosticError(this.#unclaimed.splice(0));
  }

  /**
   * @param what for messages: `the weights`
   * @throws DiagnosticError `gpu-memory`
   */
  async allocate(what: string, size: number, usage: number): Promise<GPUBuffer> {
    this.requireUsable();
    const { maxBufferSize } = this.device.limits;
    if (size > maxBufferSize) {
      throw failure("webgpu-limit", `For ${what}, one buffer of ${printBytes(size)} is needed.`, {
        notes: [`the device allows ${printBytes(maxBufferSize)} (maxBufferSize)`],
      });
    }
    const watched = this.watch(() =>
      this.device.createBuffer({ label: what, size: Math.max(alignment, size), usage }),
    );
    const problem = await this.await(watched.problem);
    if (problem !== undefined) {
      watched.value.destroy();
      throw failure("gpu-memory", `The device has no ${printBytes(size)} for ${what}.`, {
        notes: [...problem.notes, `${printBytes(this.bytes)} are in use`],
        hint: "close other programs that use the GPU, or choose a smaller model or shorter inputs",
      });
    }
    this.#buffers.set(watched.value, watched.value.size);
    return watched.value;
  }

  free(buffer: GPUBuffer | undefined): void {
    if (buffer === undefined || !this.#buffers.delete(buffer)) return;
    buffer.destroy();
  }

  /** Runs what asks things of the device, and hears what the device says about just that. */
  watch<T>(action: () => T): Watched<T> {
    const filters = ["validation", "out-of-memory", "internal"] as const;
    for (const filter of filters) this.device.pushErrorScope(filter);
    try {
      const value = action();
      return { value, problem: this.#popScopes(filters.length) };
    } catch (error) {
      void this.#popScopes(filters.length).catch(() => undefined);
      throw error;
    }
  }

  async #popScopes(count: number): Promise<Diagnostic | undefined> {
    const scopes = Array.from({ length: count }, () => this.device.popErrorScope());
    const errors = await Promise.all(scopes).catch((error: unknown) => {
      if (this.isLost) return [];
      throw error;
    });
    const found = errors.find((error) => error !== null);
    return found === undefined || found === null ? undefined : deviceProblem(found);
  }

  /** Waits for the device, but not for one that is gone. */
  async await<T>(promise: Promise<T>): Promise<T> {
    try {
      return await Promise.race([promise, this.#loss]);
    } catch (error) {
      if (error instanceof DiagnosticError) throw error;
      // A loss reaches what waits on the device as an error of its own, and may do so first.
      await Promise.race([this.#loss, new Promise((done) => setTimeout(done, 50))]);
      throw failure("gpu-failed", "The device did not do what it was asked to.", {
        notes: [describeError(error)],
      });
    }
  }

  /** Frees every buffer and, with `device`, the device. */
  dispose(device: boolean): void {
    for (const buffer of this.#buffers.keys()) buffer.destroy();
    this.#buffers.clear();
    this.#disposed = true;
    this.device.removeEventListener("uncapturederror", this.#hear);
    if (device) this.device.destroy();
  }

  #gone(): DiagnosticError {
    if (this.#disposed) {
      return failure("gpu-disposed", "What was asked for has been disposed of.", {
        hint: "load the plan again",
      });
    }
    return failure("gpu-device-lost", "The GPU device was lost.", {
      notes: [this.#lost?.message || `reason: ${this.#lost?.reason ?? "unknown"}`],
      hint: "load the plan again, or ask for recovery when loading",
    });
  }
}

function deviceProblem(error: GPUError): Diagnostic {
  // The whole complaint: its later lines say what was being done.
  const notes = error.message.trim().split("\n");
  const kind = error.constructor.name;
  if (kind === "GPUOutOfMemoryError") {
    return failureDiagnostic("gpu-memory", "The device has no memory left.", { notes });
  }
  return failureDiagnostic("gpu-failed", "The device refused what it was asked to do.", { notes });
}
