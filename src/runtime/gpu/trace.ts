/**
 * How long each dispatch of a call takes.
 *
 * Owns: two ways of measuring. Where the device has clocks, each dispatch gets a compute pass of its own
 * that writes the time before and after. Elsewhere each is submitted by itself and waited for, which
 * also counts the way to the device and back: good for comparing dispatches, not for adding them up.
 */
import type { Call, RanDispatch } from "./call.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { bufferUsage, mapForReading } from "./usage.ts";

export interface DispatchTime extends RanDispatch {
  readonly nanoseconds: number;
  readonly clock: "device" | "host";
}

export async function timeDispatches(memory: DeviceMemory, call: Call): Promise<readonly DispatchTime[]> {
  return memory.device.features.has("timestamp-query") ? onDevice(memory, call) : fromHost(memory, call);
}

/** What a set of queries can hold, by the standard. */
const mostQueries = 4096;

async function onDevice(memory: DeviceMemory, call: Call): Promise<DispatchTime[]> {
  const { device } = memory;
  const times: DispatchTime[] = [];
  const chunk = mostQueries / 2;
  const bytes = Math.max(1, Math.min(chunk, call.dispatchCount)) * 16;
  const resolved = await memory.allocate("times", bytes, bufferUsage.queryResolve | bufferUsage.copySource);
  const staging = await memory.allocate("times", bytes, bufferUsage.mapRead | bufferUsage.copyTarget);
  const queries = device.createQuerySet({ type: "timestamp", count: bytes / 8 });
  try {
    // At least one round, so that a call without dispatches also gives its state on.
    for (let start = 0; start === 0 || start < call.dispatchCount; start += chunk) {
      const end = Math.min(start + chunk, call.dispatchCount);
      const watched = memory.watch(() => {
        const encoder = device.createCommandEncoder({ label: "trace" });
        if (start === 0) {
          call.write();
          call.recordStart(encoder);
        }
        for (let index = start; index < end; index++) {
          const at = 2 * (index - start);
          const timestampWrites = {
            querySet: queries,
            beginningOfPassWriteIndex: at,
            endOfPassWriteIndex: at + 1,
          };
          const pass = encoder.beginComputePass({ timestampWrites });
          call.recordDispatch(pass, index);
          pass.end();
        }
        if (end === call.dispatchCount) call.recordEnd(encoder, []);
        if (end > start) {
          encoder.resolveQuerySet(queries, 0, 2 * (end - start), resolved, 0);
          encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * (end - start));
        }
        device.queue.submit([encoder.finish()]);
      });
      const problem = await memory.await(watched.problem);
      if (problem !== undefined) throw await call.refused(problem);
      if (end === start) continue;
      await memory.await(staging.mapAsync(mapForReading, 0, 16 * (end - start)));
      const stamps = new BigUint64Array(staging.getMappedRange(0, 16 * (end - start)).slice(0));
      staging.unmap();
      for (let index = start; index < end; index++) {
        const at = 2 * (index - start);
        const took = (stamps[at + 1] ?? 0n) - (stamps[at] ?? 0n);
        times.push({ ...call.describe(index), nanoseconds: Math.max(0, Number(took)), clock: "device" });
      }
    }
  } finally {
    queries.destroy();
    memory.free(resolved);
    memory.free(staging);
  }
  return times;
}

async function fromHost(memory: DeviceMemory, call: Call): Promise<DispatchTime[]> {
  const { device } = memory;
  const submit = async (action: (encoder: GPUCommandEncoder) => void): Promise<number> => {
    const started = performance.now();
    const watched = memory.watch(() => {
      const encoder = device.createCommandEncoder({ label: "trace" });
      action(encoder);
      device.queue.submit([encoder.finish()]);
    });
    await memory.await(device.queue.onSubmittedWorkDone());
    const milliseconds = performance.now() - started;
    const problem = await memory.await(watched.problem);
    if (problem !== undefined) throw await call.refused(problem);
    return milliseconds * 1e6;
  };
  const times: DispatchTime[] = [];
  call.write();
  await submit((encoder) => call.recordStart(encoder));
  for (let index = 0; index < call.dispatchCount; index++) {
    const nanoseconds = await submit((encoder) => {
      const pass = encoder.beginComputePass();
      call.recordDispatch(pass, index);
      pass.end();
    });
    times.push({ ...call.describe(index), nanoseconds, clock: "host" });
  }
  await submit((encoder) => call.recordEnd(encoder, []));
  return times;
}
