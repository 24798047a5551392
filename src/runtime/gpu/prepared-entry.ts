/**
 * An entry that is ready for one set of sizes.
 *
 * Owns: its place in the arena, its pipelines, the numbers that its kernels read (one uniform buffer),
 * and its bind groups. Bind groups are made once for each of the two sides that the state can be on, and
 * again only when a buffer that they name has grown.
 */
import type {
  KernelPlan,
  PlanDispatch,
  PlanDType,
  PlanEntry,
  PlanKernel,
  PlanPlace,
  PlanPort,
} from "../../compiler/plan.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { DiagnosticError } from "../../lang/diagnostic.ts";
import { failure } from "../failure.ts";
import type { DeviceModel } from "./device-model.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import { checkLayout, layOutSlots, type SlotLayout } from "./slot-layout.ts";
import type { StateLayout, StateShape, States } from "./states.ts";
import { UniformNumbers } from "./uniform-numbers.ts";
import { alignment, bufferUsage } from "./usage.ts";

export interface PreparedPort {
  readonly port: PlanPort;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface PreparedDispatch {
  /** Its number in the plan's entry. */
  readonly index: number;
  readonly dispatch: PlanDispatch;
  readonly kernel: PlanKernel;
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: readonly [number, number, number];
  /** Where its numbers lie in the uniform buffer; absent when it reads none. */
  readonly sizes: { readonly offset: number; readonly bytes: number } | undefined;
}

/** Where the state is while a call runs. */
export interface StatePlaces {
  readonly states: States;
  readonly side: 0 | 1;
  readonly past: StateLayout;
  readonly present: StateLayout;
}

interface MadeGroups extends Omit<StatePlaces, "states"> {
  readonly arena: number;
  readonly states: number;
  readonly groups: readonly GPUBindGroup[];
}

export class PreparedEntry {
  readonly entry: PlanEntry;
  readonly symbols: Symbols;
  readonly layout: SlotLayout;
  readonly inputs: readonly PreparedPort[];
  readonly outputs: readonly PreparedPort[];
  readonly dispatches: readonly PreparedDispatch[];
  readonly #on: DeviceModel;
  readonly #uniform: GPUBuffer;
  readonly #bindsState: boolean;
  #made: readonly MadeGroups[] = [];

  private constructor(
    on: DeviceModel,
    entry: PlanEntry,
    symbols: Symbols,
    layout: SlotLayout,
    dispatches: readonly PreparedDispatch[],
    uniform: GPUBuffer,
  ) {
    const ports = (list: readonly PlanPort[]): PreparedPort[] =>
      list.map((port) => {
        const shape = port.shape.map((size) => evaluateSize(size, symbols));
        return { port, shape, bytes: shape.reduce((product, size) => product * size, 4) };
      });
    this.#on = on;
    this.entry = entry;
    this.symbols = symbols;
    this.layout = layout;
    this.inputs = ports(entry.inputs);
    this.outputs = ports(entry.outputs);
    this.dispatches = dispatches;
    this.#bindsState = dispatches.some(({ dispatch }) =>
      dispatch.places.some(({ place }) => place.kind === "state"),
    );
    this.#uniform = uniform;
  }

  /** @throws DiagnosticError `webgpu-limit`, `kernel-rejected`, `gpu-memory`, `plan-damaged` */
  static async create(on: DeviceModel, entry: PlanEntry, symbols: Symbols): Promise<PreparedEntry> {
    const { limits } = on.memory.device;
    const layout = layOutSlots(entry, symbols);
    checkLayout(entry, layout, limits);
    const numbers = new UniformNumbers();
    const chosen = await on.tuner.chosen(entry, symbols, layout);
    const planned = chosen.flatMap((dispatch, index) => {
      const workgroups = workgroupsOf(dispatch, symbols, limits.maxComputeWorkgroupsPerDimension);
      // Nothing to compute: a sequence of no elements.
      if (workgroups.includes(0)) return [];
      const kernel = on.kernels.kernel(dispatch.kernel);
      const wanted = kernel.bindings.includes("sizes");
      const sizes = wanted
        ? numbers.add(dispatch.sizes.map((size) => evaluateSize(size, symbols)))
        : undefined;
      return [{ index, dispatch, kernel, workgroups, sizes }];
    });
    const dispatches = await Promise.all(
      planned.map(async (each) => ({
        ...each,
        pipeline: await on.kernels.pipeline(each.kernel, each.dispatch.path || entry.name),
      })),
    );
    const words = numbers.words();
    const usage = bufferUsage.uniform | bufferUsage.copyTarget;
    const uniform = await on.memory.allocate(`the sizes of ${entry.name}`, words.byteLength, usage);
    if (words.length > 0) on.memory.device.queue.writeBuffer(uniform, 0, words);
    return new PreparedEntry(on, entry, symbols, layout, dispatches, uniform);
  }

  statesIn(): StateShape[] {
    return statesOf(this.inputs);
  }

  statesOut(): StateShape[] {
    return statesOf(this.outputs);
  }

  /** A bind group for each dispatch. */
  async bindGroups(places: StatePlaces): Promise<readonly GPUBindGroup[]> {
    const arena = this.#on.arena.version;
    const states = places.states.version;
    const found = this.#made.find(
      (made) =>
        made.arena === arena &&
        (!this.#bindsState ||
          (made.states === states &&
            made.side === places.side &&
            made.past === places.past &&
            made.present === places.present)),
    );
    if (found !== undefined) return found.groups;
    const { memory } = this.#on;
    const watched = memory.watch(() => this.dispatches.map((each) => this.#group(each, places)));
    const problem = await memory.await(watched.problem);
    if (problem !== undefined) throw await this.#refused(problem, places);
    const fresh = this.#made.filter((made) => made.arena === arena && made.states === states);
    const { side, past, present } = places;
    this.#made = [...fresh.slice(-3), { arena, states, side, past, present, groups: watched.value }];
    return watched.value;
  }

  #group({ dispatch, kernel, sizes }: PreparedDispatch, places: StatePlaces): GPUBindGroup {
    const rest = dispatch.places.values();
    const entries = kernel.bindings.map((kind, binding): GPUBindGroupEntry => {
      if (kind === "sizes") {
        const { offset, bytes } = sizes ?? { offset: 0, bytes: alignment };
        return { binding, resource: { buffer: this.#uniform, offset, size: bytes } };
      }
      const next = rest.next();
      if (next.done === true) {
        throw failure("plan-damaged", `The dispatch at ${dispatch.path} binds fewer values than its kernel.`);
      }
      const { place, range } = next.value;
      return { binding, resource: this.resource(place, places, range) };
    });
    return this.#on.memory.device.createBindGroup({
      label: dispatch.path,
      layout: this.#on.kernels.layout(kernel),
      entries,
    });
  }

  /** Where a value is; `range` counts for weights alone. */
  resource(
    place: PlanPlace,
    { states, past, present, side }: StatePlaces,
    range?: { readonly start: number; readonly bytes: number },
  ): GPUBufferBinding {
    switch (place.kind) {
      case "slot": {
        const slot = this.layout.slots[place.slot];
        if (slot === undefined)
          throw failure("plan-damaged", `${this.entry.name} has no slot ${place.slot}.`);
        return { buffer: this.#on.arena.buffer, offset: slot.offset, size: bindable(slot.bytes) };
      }
      case "weight": {
        const weight = this.#on.plan.weights[place.weight];
        return this.#on.weights.binding(place.weight, range?.start ?? 0, range?.bytes ?? weight?.bytes ?? 0);
      }
      case "state": {
        const layout = place.time === "past" ? past : present;
        const found = layout.ranges.get(place.state);
        if (found === undefined) {
          throw failure("plan-damaged", `${this.entry.name} has no ${place.time} state ${place.state}.`);
        }
        const buffer = states.buffer(place.time === "past" ? side : side === 0 ? 1 : 0);
        return { buffer, offset: found.offset, size: bindable(found.bytes) };
      }
    }
  }

  /** Which dispatch the device refuses; asked only once it is known that there is one. */
  async #refused(problem: Diagnostic, places: StatePlaces): Promise<DiagnosticError> {
    const { memory } = this.#on;
    for (const each of this.dispatches) {
      const one = await memory.await(memory.watch(() => this.#group(each, places)).problem);
      if (one !== undefined) return refusal(each.dispatch.path, one);
    }
    return new DiagnosticError([problem]);
  }

  dispose(): void {
    this.#on.memory.free(this.#uniform);
    this.#made = [];
  }
}

export function refusal(path: string, problem: Diagnostic): DiagnosticError {
  return failure("gpu-failed", `The device refused the dispatch at ${path}.`, { notes: problem.notes });
}

/** Vectors of four are read whole, so that is what a binding is a multiple of. */
export function bindable(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

function statesOf(ports: readonly PreparedPort[]): StateShape[] {
  return ports.flatMap(({ port, shape }) => (port.state === undefined ? [] : [{ name: port.state, shape }]));
}

/** Every state of a plan, in the order in which its entries name them, and its element type. */
export function stateTypes({ entries }: KernelPlan): ReadonlyMap<string, PlanDType> {
  const types = new Map<string, PlanDType>();
  for (const { state, dtype } of entries.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])) {
    if (state !== undefined && !types.has(state)) types.set(state, dtype);
  }
  return types;
}

export function workgroupsOf(
  dispatch: PlanDispatch,
  symbols: Symbols,
  most: number,
): readonly [number, number, number] {
  const count = (axis: 0 | 1 | 2): number => {
    const value = evaluateSize(dispatch.workgroups[axis], symbols);
    if (value >= 0 && value <= most) return value;
    throw failure("webgpu-limit", `The dispatch at ${dispatch.path} has ${value} workgroups along an axis.`, {
      notes: [`the device allows ${most} (maxComputeWorkgroupsPerDimension)`],
      hint: "Give shorter inputs.",
    });
  };
  return [count(0), count(1), count(2)];
}
