/**
 * A call that was given to the device, until its results are here.
 *
 * Owns: one encoder, one compute pass and one submission; what of it is recorded for the outputs that are
 * wanted; and hearing what the device says. Who may make calls, and when, is the session's.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import type { Call, Wanted } from "./call.ts";
import type { DeviceModel } from "./device-model.ts";
import type { PreparedPort } from "./prepared-entry.ts";
import { placeStaged, readStaged, type Staged, stagedBytes } from "./readback.ts";

export class Submission {
  readonly #on: DeviceModel;
  readonly #call: Call;
  readonly #staged: readonly Staged[];
  readonly #staging: GPUBuffer | undefined;
  readonly #problem: Promise<Diagnostic | undefined>;

  private constructor(
    on: DeviceModel,
    call: Call,
    staged: readonly Staged[],
    staging: GPUBuffer | undefined,
    problem: Promise<Diagnostic | undefined>,
  ) {
    this.#on = on;
    this.#call = call;
    this.#staged = staged;
    this.#staging = staging;
    this.#problem = problem;
  }

  /**
   * @param read outputs to bring to the host
   * @param copied outputs to copy to buffers on the device
   */
  static async start(
    on: DeviceModel,
    call: Call,
    read: readonly PreparedPort[],
    copied: readonly Wanted[] = [],
  ): Promise<Submission> {
    const { memory } = on;
    const staged = placeStaged(
      read.map(({ port, shape, bytes }) => ({ name: port.name, dtype: port.dtype, shape, bytes })),
    );
    const bytes = stagedBytes(staged);
    const staging = bytes === 0 ? undefined : await on.staging.claim(bytes);
    const targets = [...copied];
    for (const [index, output] of read.entries()) {
      if (staging === undefined) continue;
      targets.push({ output, target: staging, targetOffset: staged[index]?.offset ?? 0 });
    }
    const wanted = new Set(targets.map(({ output }) => output.port.name));
    const submit = (): void => {
      call.write();
      const label = call.entry;
      const encoder = memory.device.createCommandEncoder({ label });
      call.recordStart(encoder);
      const pass = encoder.beginComputePass({ label });
      let before = -1;
      for (let index = 0; index < call.dispatchCount; index++) {
        if (!call.serves(index, wanted)) continue;
        call.recordDispatch(pass, index, before);
        before = index;
      }
      pass.end();
      call.recordEnd(encoder, targets);
      memory.device.queue.submit([encoder.finish()]);
    };
    try {
      return new Submission(on, call, staged, staging, memory.watch(submit).problem);
    } catch (error) {
      if (staging !== undefined) on.staging.release(staging);
      throw error;
    }
  }

  /** Waits for the device. @throws DiagnosticError for whatever it refused */
  async results(): Promise<ReadonlyMap<string, HostTensor>> {
    const { memory } = this.#on;
    const [outputs, problem] = await Promise.all([
      readStaged(this.#on, this.#staged, this.#staging),
      memory.await(this.#problem),
    ]);
    if (problem !== undefined) throw await this.#call.refused(problem);
    return outputs;
  }

  /** The state of the next call is what this one leaves. */
  commit(): void {
    this.#call.commit();
  }

  /** The state of the next call is what this one found. */
  undo(): void {
    this.#call.undo();
  }
}
