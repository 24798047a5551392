/**
 * Results on their way to the host: places in the staging buffer, and reading them all at once.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { PlanDType } from "../../compiler/plan.ts";
import type { DeviceModel } from "./device-model.ts";
import { fromWords } from "./transfers.ts";
import { aligned, mapForReading } from "./usage.ts";

export interface Staged {
  readonly name: string;
  readonly dtype: PlanDType;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Within the staging buffer. */
  readonly offset: number;
}

/** Gives each value a place of its own, one after the other. */
export function placeStaged(values: readonly Omit<Staged, "offset">[]): Staged[] {
  let offset = 0;
  return values.map((value) => {
    const placed = { ...value, offset };
    offset += aligned(value.bytes);
    return placed;
  });
}

export function stagedBytes(staged: readonly Staged[]): number {
  const last = staged[staged.length - 1];
  return last === undefined ? 0 : last.offset + aligned(last.bytes);
}

/** Waits for the device and reads what was copied to a staging buffer, which is then free again. */
export async function readStaged(
  on: DeviceModel,
  staged: readonly Staged[],
  buffer: GPUBuffer | undefined,
): Promise<Map<string, HostTensor>> {
  const results = new Map<string, HostTensor>();
  const bytes = stagedBytes(staged);
  if (bytes === 0 || buffer === undefined) {
    for (const { name, dtype, shape } of staged)
      results.set(name, fromWords(dtype, shape, new ArrayBuffer(0)));
    return results;
  }
  await on.memory.await(buffer.mapAsync(mapForReading, 0, bytes)).catch((error: unknown) => {
    on.staging.discard(buffer);
    throw error;
  });
  try {
    const mapped = buffer.getMappedRange(0, bytes);
    for (const { name, dtype, shape, offset, bytes: length } of staged) {
      results.set(name, fromWords(dtype, shape, mapped.slice(offset, offset + length)));
    }
  } finally {
    buffer.unmap();
    on.staging.release(buffer);
  }
  return results;
}
