/**
 * How long kernels for the same work take on a device.
 *
 * Owns: room of their own to work in, so that nothing that a session holds is touched, and measuring them
 * by turns, so that whatever else the machine does meets all alike. Values are zeros: a product takes the
 * same time over all numbers.
 */
import type { KernelPlan, PlanDispatch, PlanEntry, PlanKernel, PlanPlace } from "../../compiler/plan.ts";
import { DiagnosticError } from "../../lang/diagnostic.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { Kernels } from "./kernels.ts";
import type { PlanWeights } from "./plan-weights.ts";
import { bindable, workgroupsOf } from "./prepared-entry.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import type { SlotLayout } from "./slot-layout.ts";
import { UniformNumbers } from "./uniform-numbers.ts";
import { aligned, alignment, bufferUsage, mapForReading } from "./usage.ts";

export interface TimedOn {
  readonly memory: DeviceMemory;
  readonly kernels: Kernels;
  readonly weights: PlanWeights;
  readonly plan: KernelPlan;
}

export interface TimedWork {
  readonly entry: PlanEntry;
  readonly symbols: Symbols;
  readonly layout: SlotLayout;
  /** The same dispatch by different kernels; the first is what the others are compared with. */
  readonly candidates: readonly PlanDispatch[];
  /** By the clock of `performance.now`: nothing is started after it. */
  readonly deadline: number;
}

/** Runs after the first, and how long each should last at least, in nanoseconds. */
const rounds = 3;
const lastsAtLeast = 2e6;
const mostTurns = 32;
/** Kernels that are compiled side by side. */
const compiledAtOnce = 4;
/** What takes so much longer than the first candidate is not measured again. */
const hopeless = 3;

interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** Nanoseconds for each candidate; undefined for one that was not measured to the end. */
export async function timeVariants(on: TimedOn, work: TimedWork): Promise<readonly (number | undefined)[]> {
  const { memory } = on;
  const { candidates, deadline } = work;
  const pipelines = await compiledInTime(on, work);
  const room = new Room(on, work);
  const numbers = new UniformNumbers();
  const offsets = candidates.map(({ sizes }) =>
    numbers.add(sizes.map((size) => evaluateSize(size, work.symbols))),
  );
  const words = numbers.words();
  const usage = bufferUsage.uniform | bufferUsage.copyTarget;
  const uniform = await memory.allocate("numbers for measuring", words.byteLength, usage);
  const scratch = await memory.allocate("room for measuring", room.bytes, bufferUsage.storage);
  const stopwatch = await Stopwatch.create(memory);
  try {
    memory.device.queue.writeBuffer(uniform, 0, words);
    const { limits } = memory.device;
    const ready = candidates.map((candidate, at): Ready | undefined => {
      const pipeline = pipelines[at];
      if (pipeline === undefined) return undefined;
      const kernel = on.kernels.kernel(candidate.kernel);
      const group = memory.device.createBindGroup({
        layout: on.kernels.layout(kernel),
        entries: room.entries(kernel, candidate, scratch, { buffer: uniform, ...offsets[at] }),
      });
      const workgroups = workgroupsOf(candidate, work.symbols, limits.maxComputeWorkgroupsPerDimension);
      return { pipeline, group, workgroups };
    });
    return await timed(stopwatch, ready, deadline);
  } finally {
    stopwatch.dispose();
    memory.free(scratch);
    memory.free(uniform);
  }
}

/** Some at a time, so that the deadline is seen: in software, one takes seconds to compile. The first is needed anyway. */
async function compiledInTime(
  on: TimedOn,
  { candidates, deadline }: TimedWork,
): Promise<readonly (GPUComputePipeline | undefined)[]> {
  const pipelines: (GPUComputePipeline | undefined)[] = candidates.map(() => undefined);
  const rest = candidates.entries();
  const compileRest = async (): Promise<void> => {
    for (const [at, candidate] of rest) {
      if (at === 0 || performance.now() < deadline) pipelines[at] = await compiled(on, candidate);
    }
  };
  await Promise.all(Array.from({ length: compiledAtOnce }, compileRest));
  return pipelines;
}

/** A kernel that this device does not take is no candidate; a lost device is an error. */
async function compiled(
  { memory, kernels }: TimedOn,
  { kernel, path }: PlanDispatch,
): Promise<GPUComputePipeline | undefined> {
  try {
    return await kernels.pipeline(kernels.kernel(kernel), path);
  } catch (error) {
    memory.requireUsable();
    if (error instanceof DiagnosticError) return undefined;
    throw error;
  }
}

async function timed(
  stopwatch: Stopwatch,
  ready: readonly (Ready | undefined)[],
  deadline: number,
): Promise<readonly (number | undefined)[]> {
  const first: (number | undefined)[] = [];
  for (const each of ready) {
    if (each === undefined || performance.now() >= deadline) {
      first.push(undefined);
      continue;
    }
    // Once for whatever a first run has to do, and once for how long it takes.
    await stopwatch.time(each, 1);
    first.push(await stopwatch.time(each, 1));
  }
  const [own] = first;
  if (own === undefined) return first.map(() => undefined);
  const isWorth = first.map((time) => time !== undefined && time <= hopeless * own);
  const turns = first.map((time) =>
    Math.max(1, Math.min(mostTurns, Math.ceil(lastsAtLeast / Math.max(1, time ?? 1)))),
  );
  const least = first.map((time, at) => (isWorth[at] === true ? time : undefined));
  for (let round = 0; round < rounds; round++) {
    for (const [at, each] of ready.entries()) {
      if (each === undefined || isWorth[at] !== true || performance.now() >= deadline) continue;
      const count = turns[at] ?? 1;
      const time = (await stopwatch.time(each, count)) / count;
      least[at] = Math.min(least[at] ?? time, time);
    }
  }
  return least;
}

/** Places for what a dispatch binds, one after another. */
class Room {
  readonly #on: TimedOn;
  readonly #ranges = new Map<string, { readonly offset: number; readonly size: number }>();
  #end = 0;

  constructor(on: TimedOn, { entry, symbols, layout, candidates }: TimedWork) {
    this.#on = on;
    const states = new Map(
      [...entry.inputs, ...entry.outputs].flatMap(({ state, shape }) => {
        const bytes = shape.reduce<number>((product, size) => product * evaluateSize(size, symbols), 4);
        return state === undefined ? [] : [[state, bytes] as const];
      }),
    );
    for (const { place } of candidates[0]?.places ?? []) {
      const key = JSON.stringify(place);
      if (place.kind === "weight" || this.#ranges.has(key)) continue;
      const bytes = place.kind === "slot" ? layout.slots[place.slot]?.bytes : states.get(place.state);
      const size = bindable(bytes ?? 0);
      this.#ranges.set(key, { offset: this.#end, size });
      this.#end += aligned(size);
    }
  }

  get bytes(): number {
    return Math.max(alignment, this.#end);
  }

  entries(
    { bindings }: PlanKernel,
    { places }: PlanDispatch,
    scratch: GPUBuffer,
    uniform: { readonly buffer: GPUBuffer; readonly offset?: number; readonly bytes?: number },
  ): GPUBindGroupEntry[] {
    const rest = places.values();
    return bindings.map((kind, binding): GPUBindGroupEntry => {
      if (kind === "sizes") {
        const { buffer, offset = 0, bytes = alignment } = uniform;
        return { binding, resource: { buffer, offset, size: bytes } };
      }
      const next = rest.next();
      const at = next.done === true ? undefined : next.value;
      return { binding, resource: this.#resource(at?.place, at?.range, scratch) };
    });
  }

  #resource(
    place: PlanPlace | undefined,
    range: { readonly start: number; readonly bytes: number } | undefined,
    scratch: GPUBuffer,
  ): GPUBufferBinding {
    if (place?.kind === "weight") {
      const bytes = range?.bytes ?? this.#on.plan.weights[place.weight]?.bytes ?? 0;
      return this.#on.weights.binding(place.weight, range?.start ?? 0, bytes);
    }
    return { buffer: scratch, ...this.#ranges.get(JSON.stringify(place)) };
  }
}

/** Times submissions: by the device's clock where it has one, from the host elsewhere. */
class Stopwatch {
  readonly #memory: DeviceMemory;
  readonly #queries: GPUQuerySet | undefined;
  readonly #resolved: GPUBuffer | undefined;
  readonly #staging: GPUBuffer | undefined;

  private constructor(
    memory: DeviceMemory,
    queries: GPUQuerySet | undefined,
    resolved: GPUBuffer | undefined,
    staging: GPUBuffer | undefined,
  ) {
    this.#memory = memory;
    this.#queries = queries;
    this.#resolved = resolved;
    this.#staging = staging;
  }

  static async create(memory: DeviceMemory): Promise<Stopwatch> {
    const { device } = memory;
    if (!device.features.has("timestamp-query"))
      return new Stopwatch(memory, undefined, undefined, undefined);
    const { queryResolve, copySource, copyTarget, mapRead } = bufferUsage;
    const resolved = await memory.allocate("times", 16, queryResolve | copySource);
    const staging = await memory.allocate("times", 16, mapRead | copyTarget);
    return new Stopwatch(memory, device.createQuerySet({ type: "timestamp", count: 2 }), resolved, staging);
  }

  /** Nanoseconds for so many dispatches. */
  async time({ pipeline, group, workgroups }: Ready, count: number): Promise<number> {
    const { device } = this.#memory;
    const querySet = this.#queries;
    const started = performance.now();
    const watched = this.#memory.watch(() => {
      const encoder = device.createCommandEncoder({ label: "measuring" });
      const stamps = { beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
      const pass = encoder.beginComputePass(
        querySet === undefined ? {} : { timestampWrites: { querySet, ...stamps } },
      );
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let turn = 0; turn < count; turn++) pass.dispatchWorkgroups(...workgroups);
      pass.end();
      if (querySet !== undefined && this.#resolved !== undefined && this.#staging !== undefined) {
        encoder.resolveQuerySet(querySet, 0, 2, this.#resolved, 0);
        encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16);
      }
      device.queue.submit([encoder.finish()]);
    });
    await this.#memory.await(device.queue.onSubmittedWorkDone());
    const waited = (performance.now() - started) * 1e6;
    const problem = await this.#memory.await(watched.problem);
    if (problem !== undefined) throw new DiagnosticError([problem]);
    if (this.#staging === undefined) return waited;
    await this.#memory.await(this.#staging.mapAsync(mapForReading));
    const [before = 0n, after = 0n] = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    // A clock that stands still says nothing.
    return after > before ? Number(after - before) : waited;
  }

  dispose(): void {
    this.#queries?.destroy();
    this.#memory.free(this.#resolved);
    this.#memory.free(this.#staging);
  }
}
