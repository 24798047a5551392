/**
 * Calls that share a recurrent state.
 *
 * Owns: entries prepared for the sizes that were asked for, the state between calls, and copies of it. A
 * session serves anything that calls entries: a classifier, generation, a server.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { KernelPlan, PlanEntry } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { AheadCalls, callAhead } from "./ahead-calls.ts";
import { Call, type CallInputs, type Wanted } from "./call.ts";
import { type DeviceModel, GrowingBuffer } from "./device-model.ts";
import { DeviceTensor } from "./device-tensor.ts";
import type { GpuModel } from "./model.ts";
import { PreparedEntry, type PreparedPort, stateTypes } from "./prepared-entry.ts";
import { Journal } from "./recovery.ts";
import type { Symbols } from "./sizes.ts";
import {
  type HostState,
  readState,
  reorderState,
  restoreSnapshot,
  type StateSnapshot,
  takeSnapshot,
  writeState,
} from "./state-copies.ts";
import { States } from "./states.ts";
import { Submission } from "./submission.ts";
import { acceptSymbols, bindSymbols } from "./symbols.ts";
import { type DispatchTime, timeDispatches } from "./trace.ts";
import { bufferUsage } from "./usage.ts";

export interface CallOptions {
  /** Outputs to read; by default all but states and what a device chooses from scores. */
  readonly read?: readonly string[];
  /** Outputs to keep on the device as well: each takes a buffer of its own until it is disposed of. */
  readonly keep?: readonly string[];
  /** Values of symbols that no input shows. */
  readonly symbols?: Symbols;
}

export interface CallResult {
  readonly outputs: ReadonlyMap<string, HostTensor>;
  readonly kept: ReadonlyMap<string, DeviceTensor>;
}

/** An output of each call that is an input of the next. */
export interface Link {
  readonly output: string;
  readonly input: string;
}

export interface FollowOptions {
  /** Outputs to read of each call. */
  readonly read: readonly string[];
  /** Calls at most. */
  readonly limit: number;
}

/** More sizes than that are seldom used by turns; those used longest ago go first. */
const preparedAtOnce = 16;
/** Devices that are lost one after another are no accident. */
const lossesInOneCall = 3;

export class GpuSession {
  readonly #model: GpuModel;
  readonly #close: (session: GpuSession) => void;
  readonly #journal: Journal | undefined;
  readonly #prepared = new Map<string, PreparedEntry>();
  #on: DeviceModel;
  #states: States;
  /** What one call hands to the next. */
  #handed: GrowingBuffer;
  readonly #ahead = new AheadCalls();
  #disposed = false;

  constructor(model: GpuModel, close: (session: GpuSession) => void) {
    this.#model = model;
    this.#close = close;
    this.#on = model.current;
    this.#states = new States(this.#on.memory, stateTypes(model.plan));
    this.#handed = handedBuffer(this.#on);
    this.#journal = model.recovery && new Journal(model.recovery.every);
  }

  /**
   * Makes an entry ready for these sizes: a call with them then creates no buffer and compiles nothing.
   * @param link also for `follow` with this link
   */
  async prepare(entry: string, symbols: Symbols = new Map(), link?: Link): Promise<void> {
    await this.#inTurn(async () => {
      const prepared = await this.#prepare(this.#model.entry(entry), symbols, acceptSymbols);
      await Call.prepare(prepared, this.#states);
      if (link === undefined || this.#journal !== undefined) return;
      const [output] = outputsOf(prepared, [link.output], this.#model);
      await this.#handed.reserve(output?.bytes ?? 0);
      await this.#on.staging.reserve(this.#usualBytes(prepared), 2);
    });
  }

  /**
   * Runs an entry. States that are not given are what the last call left, and zero at the start.
   * @throws DiagnosticError for inputs that do not fit and for whatever the device refuses
   */
  async call(entry: string, inputs: CallInputs, options: CallOptions = {}): Promise<CallResult> {
    return await this.#inTurn(async () => {
      const result = await this.#run(entry, inputs, options);
      await this.#journal?.note({ kind: "call", entry, inputs, symbols: options.symbols }, () =>
        this.#read(),
      );
      return result;
    });
  }

  /**
   * Calls an entry again and again: an output of each call is an input of the next and does not leave the
   * device for that. Each call is made while the one before it is read. Whoever stops early, or asks something
   * else of the session in between, finds the state as the last call that was given out left it.
   * @param start the input of the first call
   */
  async *follow(
    entry: string,
    link: Link,
    start: HostTensor,
    options: FollowOptions,
  ): AsyncGenerator<ReadonlyMap<string, HostTensor>, void> {
    const { limit } = options;
    const read = [...new Set([...options.read, link.output])];
    if (this.#journal !== undefined) {
      // What a loss is recovered from has to be on the host: nothing is made ahead.
      let given: HostTensor = start;
      for (let made = 0; made < limit; made++) {
        const { outputs } = await this.call(entry, new Map([[link.input, given]]), { read });
        yield outputs;
        given = handedOn(outputs, link, start);
      }
      return;
    }
    yield* callAhead(
      {
        submit: (given) => this.#inTurn(() => this.#submitFollowing(entry, link, given ?? start, read)),
        submitAhead: () =>
          this.#inTurn(async () => {
            const given = this.#handedTensor(link, entry, start);
            return this.#ahead.made(await this.#submitFollowing(entry, link, given, read));
          }),
        undo: (call) => this.#model.alone(async () => this.#ahead.undo(call)),
        accept: (call) => this.#ahead.accept(call),
        next: (outputs) => handedOn(outputs, link, start),
      },
      limit,
    );
  }

  #handedTensor({ input }: Link, entry: string, like: HostTensor): DeviceTensor {
    const port = this.#model.entry(entry).inputs.find(({ name }) => name === input);
    return new DeviceTensor(this.#on.memory, port?.dtype ?? "i64", like.shape, this.#handed.buffer);
  }

  async #submitFollowing(
    entry: string,
    link: Link,
    given: HostTensor | DeviceTensor,
    read: readonly string[],
  ): Promise<Submission> {
    const { prepared, call } = await this.#begin(
      this.#model.entry(entry),
      new Map([[link.input, given]]),
      {},
    );
    const [output] = outputsOf(prepared, [link.output], this.#model);
    if (output === undefined) throw failure("internal-error", `The entry ${entry} hands nothing on.`);
    await this.#handed.reserve(output.bytes);
    const copied = { output, target: this.#handed.buffer, targetOffset: 0 };
    const submission = await Submission.start(this.#on, call, outputsOf(prepared, read, this.#model), [
      copied,
    ]);
    submission.commit();
    return submission;
  }

  /**
   * Runs an entry as `call` does and says how long each dispatch took. Slower than a call: every dispatch
   * is measured by itself, on the device where it has clocks and else from the host.
   */
  async trace(
    entry: string,
    inputs: CallInputs,
    options: CallOptions = {},
  ): Promise<readonly DispatchTime[]> {
    return await this.#inTurn(async () => {
      const { call } = await this.#begin(this.#model.entry(entry), inputs, options);
      const times = await timeDispatches(this.#on.memory, call);
      call.commit();
      await this.#journal?.note({ kind: "call", entry, inputs, symbols: options.symbols }, () =>
        this.#read(),
      );
      return times;
    });
  }

  /** Back to zero state. */
  async reset(): Promise<void> {
    await this.#model.alone(async () => {
      this.#ahead.undo();
      this.#states.reset();
      this.#journal?.begin(new Map());
    });
  }

  /** A copy of the state on the device, for going back to it. To be disposed of. */
  async snapshot(): Promise<StateSnapshot> {
    return await this.#inTurn(async () => {
      const kept = this.#journal === undefined ? undefined : await this.#read();
      return await takeSnapshot(this.#on.memory, this.#states, kept);
    });
  }

  /**
   * Goes on from where the snapshot was taken, by this session or another one of the same model.
   * @throws DiagnosticError `gpu-device-lost` where its device is gone and nothing of it was kept
   */
  async restore(snapshot: StateSnapshot): Promise<void> {
    await this.#inTurn(async () => {
      await restoreSnapshot(this.#on, this.#states, snapshot);
      this.#journal?.begin(snapshot.host ?? (await this.#read()));
    });
  }

  /** The state as tensors by the names of the states; empty at the start. */
  async readState(): Promise<HostState> {
    return await this.#inTurn(() => this.#read());
  }

  /** Goes on from these states. */
  async writeState(state: HostState): Promise<void> {
    await this.#inTurn(async () => {
      await writeState(this.#on, this.#states, state);
      this.#journal?.begin(state);
    });
  }

  /**
   * Row i goes on from where row `from[i]` is.
   * @param axes the axis of each state along which its rows lie; a state that is not there has one row
   */
  async reorder(from: readonly number[], axes: ReadonlyMap<string, number>): Promise<void> {
    await this.#inTurn(async () => {
      await reorderState(this.#on.memory, this.#states, from, axes);
      await this.#journal?.note({ kind: "reorder", from, axes }, () => this.#read());
    });
  }

  /** Frees what belongs to this session alone. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const prepared of this.#prepared.values()) prepared.dispose();
    this.#prepared.clear();
    this.#states.release();
    this.#handed.release();
    this.#close(this);
  }

  async #run(entryName: string, inputs: CallInputs, options: CallOptions): Promise<CallResult> {
    const { prepared, call } = await this.#begin(this.#model.entry(entryName), inputs, options);
    const read = outputsOf(prepared, options.read, this.#model);
    const copied: Wanted[] = [];
    const kept = await this.#keep(outputsOf(prepared, options.keep ?? [], this.#model), copied);
    try {
      const submission = await Submission.start(this.#on, call, read, copied);
      const outputs = await submission.results();
      submission.commit();
      return { outputs, kept };
    } catch (error) {
      for (const tensor of kept.values()) tensor.dispose();
      throw error;
    }
  }

  async #begin(
    entry: PlanEntry,
    inputs: CallInputs,
    { symbols = new Map() }: CallOptions,
  ): Promise<{ readonly prepared: PreparedEntry; readonly call: Call }> {
    const shapes = new Map<string, readonly number[]>();
    for (const { name, state } of entry.inputs) {
      const held = state === undefined ? undefined : this.#states.current?.ranges.get(state);
      if (held !== undefined) shapes.set(name, held.shape);
    }
    for (const [name, tensor] of inputs) {
      shapes.set(name, tensor.shape);
      if (tensor instanceof DeviceTensor && !tensor.isOn(this.#on.memory)) {
        throw failure("gpu-device-lost", `The device that held the input ${name} is gone.`);
      }
      const port = entry.inputs.find((input) => input.name === name);
      if (port !== undefined && tensor instanceof DeviceTensor && tensor.dtype !== port.dtype) {
        throw failure("input-dtype", `The input ${name} is ${tensor.dtype}; it must be ${port.dtype}.`);
      }
    }
    const prepared = await this.#prepare(entry, symbols, () => bindSymbols(entry, shapes, symbols));
    return { prepared, call: await Call.begin(this.#on, prepared, this.#states, inputs) };
  }

  async #prepare(
    entry: PlanEntry,
    given: Symbols,
    bind: (entry: PlanEntry, given: Symbols) => Symbols,
  ): Promise<PreparedEntry> {
    const symbols = bind(entry, given);
    const values = entry.symbols.map(({ name }) => symbols.get(name));
    const key = `${entry.name} ${values.join(" ")}`;
    const found = this.#prepared.get(key);
    const prepared = found ?? (await PreparedEntry.create(this.#on, entry, symbols));
    // Put at the end: what is at the front was used longest ago.
    this.#prepared.delete(key);
    this.#prepared.set(key, prepared);
    await this.#on.arena.reserve(prepared.layout.bytes);
    await this.#on.staging.reserve(this.#usualBytes(prepared));
    for (const [oldest, unused] of this.#prepared) {
      if (this.#prepared.size <= preparedAtOnce) break;
      unused.dispose();
      this.#prepared.delete(oldest);
    }
    return prepared;
  }

  /** Room for what is read by default. */
  #usualBytes(prepared: PreparedEntry): number {
    const usual = outputsOf(prepared, undefined, this.#model);
    return usual.reduce((total, { bytes }) => total + bytes + 256, 0);
  }

  async #keep(outputs: readonly PreparedPort[], targets: Wanted[]): Promise<Map<string, DeviceTensor>> {
    const kept = new Map<string, DeviceTensor>();
    for (const output of outputs) {
      const { port, shape, bytes } = output;
      const usage = bufferUsage.copySource | bufferUsage.copyTarget;
      const target = await this.#on.memory.allocate(`the output ${port.name}`, bytes, usage);
      kept.set(port.name, new DeviceTensor(this.#on.memory, port.dtype, shape, target));
      targets.push({ output, target, targetOffset: 0 });
    }
    return kept;
  }

  #read(): Promise<HostState> {
    return readState(this.#on, this.#states);
  }

  /** Runs `action` in its turn, and again where the device was lost and there is a way back. */
  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    return await this.#model.alone(async () => {
      for (let losses = 0; ; losses++) {
        try {
          if (this.#disposed) this.#on.memory.requireUsable();
          if (this.#on !== this.#model.current) await this.#follow(this.#model.current);
          this.#on.memory.requireUsable();
          this.#ahead.undo();
          return await action();
        } catch (error) {
          const { memory } = this.#on;
          if (this.#journal === undefined || !memory.isLost || losses === lossesInOneCall) throw error;
          await this.#model.reload(this.#on);
        }
      }
    });
  }

  /** Is on another device what it was on the last one. */
  async #follow(on: DeviceModel): Promise<void> {
    this.#on = on;
    this.#prepared.clear();
    this.#states = new States(on.memory, stateTypes(this.#model.plan));
    this.#handed = handedBuffer(on);
    this.#ahead.forget();
    if (this.#journal === undefined) return;
    await writeState(on, this.#states, this.#journal.base);
    for (const step of this.#journal.steps) {
      if (step.kind === "reorder") await reorderState(on.memory, this.#states, step.from, step.axes);
      else {
        const { entry, inputs, symbols } = step;
        await this.#run(entry, inputs, { read: [], ...(symbols !== undefined && { symbols }) });
      }
    }
  }
}

function outputsOf(
  prepared: PreparedEntry,
  names: readonly string[] | undefined,
  model: GpuModel,
): PreparedPort[] {
  if (names === undefined) {
    const chosen = chosenOutputs(model.plan);
    return prepared.outputs.filter(({ port }) => port.state === undefined && !chosen.has(port.name));
  }
  return names.map((name) => {
    const found = prepared.outputs.find(({ port }) => port.name === name);
    if (found !== undefined) return found;
    throw failure("output-unknown", `The entry ${prepared.entry.name} has no output ${name}.`, {
      hint: `its outputs are ${prepared.outputs.map(({ port }) => port.name).join(", ")}`,
    });
  });
}

/** What entries give for a device to choose from. */
function chosenOutputs({ generation }: KernelPlan): ReadonlySet<string> {
  const { first, next } = generation?.selection ?? {};
  return new Set(
    [first, next].flatMap((each) => (each ? [each.best, each.logSum, each.ids, each.scores] : [])),
  );
}

function handedBuffer({ memory }: DeviceModel): GrowingBuffer {
  return new GrowingBuffer(
    memory,
    "what is handed from call to call",
    bufferUsage.copySource | bufferUsage.copyTarget,
  );
}

/** The next input from what was read, in the shape of the first. */
function handedOn(
  outputs: ReadonlyMap<string, HostTensor>,
  { output }: Link,
  { dtype, shape }: HostTensor,
): HostTensor {
  const found = outputs.get(output);
  if (found === undefined) throw failure("internal-error", `The output ${output} was not read.`);
  return { dtype, shape, data: found.data };
}
