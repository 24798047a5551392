/**
 * Kernels ahead of the first call.
 *
 * Owns: having every kernel of some entries compiled, all at the same time, with what there is to show of it.
 * What a device has begun to compile it finishes; a cancelled preparation only no longer waits for it.
 */
import type { PlanEntry } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import type { DeviceModel } from "./device-model.ts";

export interface PrepareProgress {
  readonly compiledKernels: number;
  readonly totalKernels: number;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PrepareProgress) => void) | undefined;
}

/** @throws DiagnosticError `kernel-rejected`, `prepare-aborted` */
export async function prepareKernels(
  on: DeviceModel,
  entries: readonly PlanEntry[],
  { signal, onProgress }: PrepareOptions,
): Promise<void> {
  /** Where each kernel is used first. */
  const paths = new Map<number, string>();
  for (const { name, dispatches } of entries) {
    for (const { kernel, path } of dispatches) if (!paths.has(kernel)) paths.set(kernel, path || name);
  }
  let compiledKernels = 0;
  const totalKernels = paths.size;
  requireWanted(signal);
  onProgress?.({ compiledKernels, totalKernels });
  const all = [...paths].map(async ([kernel, path]) => {
    await on.kernels.pipeline(on.kernels.kernel(kernel), path);
    compiledKernels += 1;
    if (signal?.aborted !== true) onProgress?.({ compiledKernels, totalKernels });
  });
  await unlessAborted(Promise.all(all), signal);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled());
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
    // Nobody waits any more; what failed is said to whoever asks for it next.
    work.catch(() => undefined);
  }
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

function cancelled(): Error {
  return failure("prepare-aborted", "Preparing the kernels was cancelled.");
}
