/**
 * Copies of a session's state: kept on the device, moved to and from the host, with rows in another
 * order.
 *
 * Each ends with the past of the states being what it should be; none of them touches a call.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import { failure } from "../failure.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { DeviceModel } from "./device-model.ts";
import { placeStaged, readStaged, stagedBytes } from "./readback.ts";
import type { StateLayout, StateRange, States } from "./states.ts";
import { toWords } from "./transfers.ts";
import { bufferUsage } from "./usage.ts";

/** States by name; one that is not there is zero. */
export type HostState = ReadonlyMap<string, HostTensor>;

export class StateSnapshot {
  readonly layout: StateLayout | undefined;
  /** Absent for zero state. */
  readonly buffer: GPUBuffer | undefined;
  /** The same on the host, where losses are recovered from. */
  readonly host: HostState | undefined;
  readonly #memory: DeviceMemory;

  constructor(
    memory: DeviceMemory,
    layout: StateLayout | undefined,
    buffer: GPUBuffer | undefined,
    host: HostState | undefined,
  ) {
    this.#memory = memory;
    this.layout = layout;
    this.buffer = buffer;
    this.host = host;
  }

  isOn(memory: DeviceMemory): boolean {
    return this.#memory === memory;
  }

  get bytes(): number {
    return this.layout?.bytes ?? 0;
  }

  dispose(): void {
    this.#memory.free(this.buffer);
  }
}

export async function takeSnapshot(
  memory: DeviceMemory,
  states: States,
  host: HostState | undefined,
): Promise<StateSnapshot> {
  const { current } = states;
  if (current === undefined || current.bytes === 0)
    return new StateSnapshot(memory, current, undefined, host);
  const usage = bufferUsage.copySource | bufferUsage.copyTarget;
  const buffer = await memory.allocate("a snapshot of the state", current.bytes, usage);
  await record(memory, "snapshot", (encoder) => {
    encoder.copyBufferToBuffer(states.past, 0, buffer, 0, current.bytes);
  });
  return new StateSnapshot(memory, current, buffer, host);
}

export async function restoreSnapshot(
  on: DeviceModel,
  states: States,
  snapshot: StateSnapshot,
): Promise<void> {
  const { memory } = on;
  if (!snapshot.isOn(memory)) {
    if (snapshot.host !== undefined) return await writeState(on, states, snapshot.host);
    throw failure("gpu-device-lost", "The device that the snapshot was on is gone.", {
      hint: "ask for recovery when loading: then snapshots are kept on the host too",
    });
  }
  const { layout, buffer } = snapshot;
  if (layout === undefined || buffer === undefined) {
    states.reset();
    return;
  }
  await states.reserve(layout.bytes);
  await record(memory, "restore", (encoder) => {
    encoder.copyBufferToBuffer(buffer, 0, states.past, 0, layout.bytes);
  });
  // Another session's layout: the same places by the order of the plan, another object.
  const shapes = [...layout.ranges].map(([name, { shape }]) => ({ name, shape }));
  states.settle(states.side, states.layout(shapes));
}

export async function readState(on: DeviceModel, states: States): Promise<Map<string, HostTensor>> {
  const { current } = states;
  if (current === undefined) return new Map();
  const ranges = [...current.ranges];
  const staged = placeStaged(
    ranges.map(([name, { shape, bytes }]) => ({
      name,
      shape,
      bytes,
      dtype: states.types.get(name) ?? "f32",
    })),
  );
  if (stagedBytes(staged) === 0) return await readStaged(on, staged, undefined);
  const staging = await on.staging.claim(stagedBytes(staged));
  await record(on.memory, "read the state", (encoder) => {
    for (const [index, [, { offset, bytes }]] of ranges.entries()) {
      if (bytes === 0) continue;
      encoder.copyBufferToBuffer(states.past, offset, staging, staged[index]?.offset ?? 0, bytes);
    }
  }).catch((error: unknown) => {
    on.staging.discard(staging);
    throw error;
  });
  return await readStaged(on, staged, staging);
}

export async function writeState(on: DeviceModel, states: States, state: HostState): Promise<void> {
  const layout = states.layout([...state].map(([name, { shape }]) => ({ name, shape })));
  for (const name of state.keys()) {
    if (layout.ranges.has(name)) continue;
    throw failure("input-unknown", `The plan has no state ${name}.`, {
      hint: `its states are ${[...states.types.keys()].join(", ") || "none"}`,
    });
  }
  if (layout.ranges.size === 0) {
    states.reset();
    return;
  }
  await states.reserve(layout.bytes);
  for (const [name, { shape, offset, bytes }] of layout.ranges) {
    const tensor = state.get(name);
    if (tensor === undefined || bytes === 0) continue;
    const port = { name, shape, dtype: states.types.get(name) ?? "f32", at: undefined };
    on.memory.device.queue.writeBuffer(states.past, offset, toWords(port, tensor));
  }
  states.settle(states.side, layout);
}

/**
 * Row i becomes what row `from[i]` is. The rows of a state lie along its axis in `axes`.
 * @throws DiagnosticError `row-unknown`, `one-row-only`
 */
export async function reorderState(
  memory: DeviceMemory,
  states: States,
  from: readonly number[],
  axes: ReadonlyMap<string, number>,
): Promise<void> {
  const { current } = states;
  if (current === undefined) return;
  const shapes = [...current.ranges].map(([name, { shape }]) => {
    const axis = axes.get(name);
    return { name, shape: axis === undefined ? shape : shape.with(axis, from.length) };
  });
  const target = states.layout(shapes);
  let stays = target === current;
  for (const [name, { shape }] of current.ranges) {
    const axis = axes.get(name);
    const rows = axis === undefined ? 1 : (shape[axis] ?? 1);
    const unknown = from.find((row) => row < 0 || row >= rows || !Number.isInteger(row));
    if (unknown !== undefined) {
      throw failure("row-unknown", `There is no row ${unknown} of the state ${name}, which has ${rows}.`);
    }
    if (axis === undefined && from.length !== 1) {
      throw failure(
        "one-row-only",
        `The state ${name} holds one sequence, and ${from.length} were asked for.`,
      );
    }
    if (from.some((row, index) => row !== index)) stays = false;
  }
  if (stays) return;
  await states.reserve(target.bytes);
  const other = states.side === 0 ? 1 : 0;
  await record(memory, "reorder", (encoder) => {
    for (const [name, source] of current.ranges) {
      const moved = target.ranges.get(name);
      if (moved === undefined) continue;
      for (const copy of rowCopies(source, moved, from, axes.get(name))) {
        if (copy.bytes === 0) continue;
        encoder.copyBufferToBuffer(states.past, copy.from, states.buffer(other), copy.to, copy.bytes);
      }
    }
  });
  states.settle(other, target);
}

function* rowCopies(
  source: StateRange,
  target: StateRange,
  from: readonly number[],
  axis: number | undefined,
): Generator<{ readonly from: number; readonly to: number; readonly bytes: number }> {
  if (axis === undefined) {
    yield { from: source.offset, to: target.offset, bytes: source.bytes };
    return;
  }
  const rows = source.shape[axis] ?? 1;
  const outer = source.shape.slice(0, axis).reduce((product, size) => product * size, 1);
  const bytes = source.shape.slice(axis + 1).reduce((product, size) => product * size, 4);
  for (let block = 0; block < outer; block++) {
    for (const [index, row] of from.entries()) {
      yield {
        from: source.offset + (block * rows + row) * bytes,
        to: target.offset + (block * from.length + index) * bytes,
        bytes,
      };
    }
  }
}

/** Records copies and hears of them at once. */
async function record(
  memory: DeviceMemory,
  label: string,
  action: (encoder: GPUCommandEncoder) => void,
): Promise<void> {
  const watched = memory.watch(() => {
    const encoder = memory.device.createCommandEncoder({ label });
    action(encoder);
    memory.device.queue.submit([encoder.finish()]);
  });
  const problem = await memory.await(watched.problem);
  if (problem !== undefined)
    throw failure("gpu-failed", `The device refused to ${label}.`, { notes: problem.notes });
}
