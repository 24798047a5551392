/**
 * One call of a prepared entry: inputs in, dispatches, state on, results out.
 *
 * Owns: what is recorded for the device and in which order. Nothing waits for the device until results are
 * read (submission.ts). Which buffers hold the state after
 * the call is decided here, before anything is recorded.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { PlanDispatch } from "../../compiler/plan.ts";
import type { Diagnostic } from "../../lang/diagnostic.ts";
import { DiagnosticError } from "../../lang/diagnostic.ts";
import type { DeviceModel } from "./device-model.ts";
import type { DeviceTensor } from "./device-tensor.ts";
import { type PreparedEntry, type PreparedPort, refusal, type StatePlaces } from "./prepared-entry.ts";
import type { StateLayout, StateShape, States } from "./states.ts";
import { toWords } from "./transfers.ts";

/** A dispatch of a call, as it runs. */
export interface RanDispatch {
  /** Its number in the plan's entry: those that have nothing to compute are left out. */
  readonly index: number;
  /** As the plan has it, by the kernel that was chosen for it. */
  readonly dispatch: PlanDispatch;
  /** Where in the model: `encoder.layer.3.attention`. */
  readonly path: string;
  /** The kernel's kind and shape. */
  readonly kernel: string;
}

export type CallInputs = ReadonlyMap<string, HostTensor | DeviceTensor>;

export class Call {
  readonly #on: DeviceModel;
  readonly #prepared: PreparedEntry;
  readonly #inputs: CallInputs;
  readonly #places: StatePlaces;
  readonly #groups: readonly GPUBindGroup[];
  /** What has to happen to the state before the first dispatch. */
  readonly #moves: readonly StateMove[];
  readonly #writesState: boolean;

  private constructor(
    on: DeviceModel,
    prepared: PreparedEntry,
    inputs: CallInputs,
    plan: StatePlan,
    groups: readonly GPUBindGroup[],
  ) {
    this.#on = on;
    this.#prepared = prepared;
    this.#inputs = inputs;
    this.#places = plan.places;
    this.#moves = plan.moves;
    this.#writesState = plan.writesState;
    this.#groups = groups;
  }

  /** Makes bind groups ahead, for either side that the state can be on. */
  static async prepare(prepared: PreparedEntry, states: States): Promise<void> {
    const { places } = planStates(prepared, states, new Map());
    await states.reserve(Math.max(places.past.bytes, places.present.bytes));
    for (const side of [0, 1] as const) await prepared.bindGroups({ ...places, side });
  }

  static async begin(
    on: DeviceModel,
    prepared: PreparedEntry,
    states: States,
    inputs: CallInputs,
  ): Promise<Call> {
    const plan = planStates(prepared, states, inputs);
    await states.reserve(Math.max(plan.places.past.bytes, plan.places.present.bytes));
    const places = { ...plan.places, side: plan.flips ? other(states.side) : states.side };
    const groups = await prepared.bindGroups(places);
    return new Call(on, prepared, inputs, { ...plan, places }, groups);
  }

  /** Gives the inputs to the device, ahead of what is recorded. */
  write(): void {
    for (const { port, bytes } of this.#prepared.inputs) {
      const tensor = this.#inputs.get(port.name);
      if (tensor === undefined || "buffer" in tensor || port.at === undefined || bytes === 0) continue;
      const { buffer, offset } = this.#resource(port.at);
      this.#on.memory.device.queue.writeBuffer(buffer, offset ?? 0, toWords(port, tensor));
    }
  }

  /** Everything ahead of the dispatches. */
  recordStart(encoder: GPUCommandEncoder): void {
    const { states, side, past } = this.#places;
    for (const move of this.#moves) {
      const { offset, bytes } = move.to;
      if (bytes === 0) continue;
      if (move.kind === "clear") encoder.clearBuffer(states.buffer(side), offset, bytes);
      else {
        const [source, target] = move.kind === "carry" ? [side, other(side)] : [other(side), side];
        encoder.copyBufferToBuffer(states.buffer(source), move.from, states.buffer(target), offset, bytes);
      }
    }
    for (const { port, bytes } of this.#prepared.inputs) {
      if (port.at === undefined || bytes === 0) continue;
      const { buffer, offset = 0 } = this.#resource(port.at);
      const given = this.#inputs.get(port.name);
      if (given !== undefined && "buffer" in given) {
        encoder.copyBufferToBuffer(given.buffer, 0, buffer, offset, bytes);
      } else if (given === undefined && port.state !== undefined && port.at.kind !== "state") {
        const range = past.ranges.get(port.state);
        if (range !== undefined)
          encoder.copyBufferToBuffer(states.buffer(side), range.offset, buffer, offset, bytes);
      }
    }
  }

  /** The entry's name. */
  get entry(): string {
    return this.#prepared.entry.name;
  }

  /** Whether a dispatch is needed where these outputs are wanted. */
  serves(index: number, wanted: ReadonlySet<string>): boolean {
    const only = this.#prepared.dispatches[index]?.dispatch.only;
    return only === undefined || only.some((name) => wanted.has(name));
  }

  get dispatchCount(): number {
    return this.#prepared.dispatches.length;
  }

  recordDispatch(pass: GPUComputePassEncoder, index: number, before?: number): void {
    const each = this.#prepared.dispatches[index];
    if (each === undefined) return;
    if (before === undefined || this.#prepared.dispatches[before]?.pipeline !== each.pipeline) {
      pass.setPipeline(each.pipeline);
    }
    pass.setBindGroup(0, this.#groups[index]);
    pass.dispatchWorkgroups(...each.workgroups);
  }

  /** Which dispatch of the plan it is, where in the model, and what it runs. */
  describe(at: number): RanDispatch {
    const each = this.#prepared.dispatches[at];
    if (each === undefined) throw new RangeError(`the call has no dispatch ${at}`);
    const { index, dispatch, kernel } = each;
    return { index, dispatch, path: dispatch.path || this.#prepared.entry.name, kernel: kernel.label };
  }

  /** Everything after the dispatches: state that lies elsewhere, results that are wanted. */
  recordEnd(encoder: GPUCommandEncoder, wanted: readonly Wanted[]): void {
    const { states, side, present } = this.#places;
    for (const { port, bytes } of this.#prepared.outputs) {
      if (port.state === undefined || port.at === undefined || bytes === 0) continue;
      if (port.at.kind === "state" && port.at.time === "present" && port.at.state === port.state) continue;
      const { buffer, offset = 0 } = this.#resource(port.at);
      const range = present.ranges.get(port.state);
      if (range === undefined) continue;
      encoder.copyBufferToBuffer(buffer, offset, states.buffer(other(side)), range.offset, bytes);
    }
    for (const { output, target, targetOffset } of wanted) {
      const { port, bytes } = output;
      if (port.at === undefined || bytes === 0) continue;
      const { buffer, offset = 0 } = this.#resource(port.at);
      encoder.copyBufferToBuffer(buffer, offset, target, targetOffset, bytes);
    }
  }

  /** The state of the next call is what this one left. */
  commit(): void {
    const { states, side, past, present } = this.#places;
    if (this.#writesState) states.settle(other(side), present);
    else if (past.ranges.size > 0) states.settle(side, past);
  }

  /** The state of the next call is what this one found: it is there until the next call writes. */
  undo(): void {
    const { states, side, past } = this.#places;
    if (this.#writesState) states.settle(side, past);
  }

  /** Which dispatch the device refuses to have recorded. */
  async refused(problem: Diagnostic): Promise<DiagnosticError> {
    const { memory } = this.#on;
    for (const [index, { dispatch }] of this.#prepared.dispatches.entries()) {
      const watched = memory.watch(() => {
        const encoder = memory.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        this.recordDispatch(pass, index);
        pass.end();
        encoder.finish();
      });
      const one = await memory.await(watched.problem);
      if (one !== undefined) return refusal(dispatch.path, one);
    }
    return new DiagnosticError([problem]);
  }

  #resource(place: Parameters<PreparedEntry["resource"]>[0]): GPUBufferBinding {
    return this.#prepared.resource(place, this.#places);
  }
}

/** An output, and the buffer that it is copied to. */
export interface Wanted {
  readonly output: PreparedPort;
  readonly target: GPUBuffer;
  readonly targetOffset: number;
}

type StateMove =
  /** The past begins as zero. */
  | { readonly kind: "clear"; readonly to: { readonly offset: number; readonly bytes: number } }
  /** `carry`: past to present, what the entry does not touch. `shift`: to the other side, laid out anew. */
  | {
      readonly kind: "carry" | "shift";
      readonly from: number;
      readonly to: { readonly offset: number; readonly bytes: number };
    };

interface StatePlan {
  readonly places: StatePlaces;
  readonly moves: readonly StateMove[];
  readonly writesState: boolean;
  /** The past itself has to be laid out anew, which takes it to the other side. */
  readonly flips: boolean;
}

/** What this call reads of the state, what it leaves, and what has to be moved for that. */
function planStates(prepared: PreparedEntry, states: States, inputs: CallInputs): StatePlan {
  const { current } = states;
  const given = new Set(
    prepared.inputs.flatMap(({ port }) =>
      port.state !== undefined && inputs.has(port.name) ? [port.state] : [],
    ),
  );
  const past = states.layout(merge(current, prepared.statesIn()));
  const written = prepared.statesOut();
  const present = states.layout(merge(past, written));
  const moves: StateMove[] = [];
  const flips = current !== undefined && current !== past;
  for (const [name, to] of past.ranges) {
    const from = current?.ranges.get(name);
    if (given.has(name) || (from !== undefined && !flips)) continue;
    if (from === undefined || from.bytes !== to.bytes) moves.push({ kind: "clear", to });
    else moves.push({ kind: "shift", from: from.offset, to });
  }
  const writes = new Set(written.map(({ name }) => name));
  if (writes.size > 0) {
    for (const [name, to] of present.ranges) {
      const from = past.ranges.get(name);
      if (!writes.has(name) && from !== undefined) moves.push({ kind: "carry", from: from.offset, to });
    }
  }
  return { places: { states, side: states.side, past, present }, moves, writesState: writes.size > 0, flips };
}

/** The states of `layout`, those of `shapes` as they are there. */
function merge(layout: StateLayout | undefined, shapes: readonly StateShape[]): StateShape[] {
  const named = new Map<string, readonly number[]>();
  for (const [name, { shape }] of layout?.ranges ?? []) named.set(name, shape);
  for (const { name, shape } of shapes) named.set(name, shape);
  return [...named].map(([name, shape]) => ({ name, shape }));
}

function other(side: 0 | 1): 0 | 1 {
  return side === 0 ? 1 : 0;
}
