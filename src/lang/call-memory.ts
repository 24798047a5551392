/**
 * What calls of equal blocks have in common, so that `check` looks at one layer of twelve.
 *
 * Owns: when two calls are the same, what a call leaves behind besides its result (learned tensors, guards,
 * states, numbered sites, work), and leaving the same behind at another place. A call that is not sound is
 * remembered for the place that it was made at only: there, the same again is no news. Made for emitters to
 * which ops and names are nothing.
 */
import type { InstalledAdapter } from "./adapters.ts";
import type { Requirement } from "./catalog.ts";
import type { Emitter, Handle, Initializer, Origin } from "./emitter.ts";
import type { CallArguments } from "./evaluation.ts";
import { isAsked } from "./inert-parameters.ts";
import type { Instance } from "./instance.ts";
import type { Program } from "./program.ts";
import type { Span } from "./source.ts";
import type { StorageRule } from "./storage.ts";
import type { TensorType } from "./types.ts";
import type { TensorValue, Value } from "./value.ts";
import { ValueKeys } from "./value-keys.ts";

/** What happened during a call, at a path below that of the block. */
export type CallEvent =
  | {
      readonly kind: "parameter";
      readonly type: TensorType;
      readonly initial: Initializer;
      readonly origin: Origin;
    }
  | { readonly kind: "require"; readonly requirement: Requirement; readonly origin: Origin }
  | { readonly kind: "state"; readonly name: string; readonly type: TensorType; readonly span: Span }
  | { readonly kind: "saved"; readonly name: string; readonly value: TensorValue }
  | { readonly kind: "site"; readonly name: string }
  /** How the weights at a place are stored. */
  | { readonly kind: "stored"; readonly rule: StorageRule }
  /** A part that an adapter may go around. */
  | { readonly kind: "offered"; readonly adapter: InstalledAdapter };

interface PlacedEvent {
  readonly path: string;
  readonly event: CallEvent;
}

/** The same below the block; of an adapter, which of the block's. */
type KnownEvent =
  | PlacedEvent
  | { readonly path: string; readonly event: { readonly kind: "offered"; readonly index: number } };

/** How much there is to do, how much of that was done rather than known, and how deep in expressions and blocks. */
export interface Effort {
  work: number;
  done: number;
  depth: number;
  deepest: number;
  deepestBlock: number;
}

interface Remembered {
  readonly result: Value;
  /** Of the arguments that were tensors, in their order: a result may be one of them. */
  readonly handles: readonly Handle[];
  readonly events: readonly KnownEvent[];
  readonly sites: ReadonlyMap<string, number>;
  readonly work: number;
  readonly depth: number;
  readonly blocks: number;
}

/** What the evaluator does for the recorder. */
export interface Replayer {
  readonly effort: Effort;
  /** How many policies are at work. */
  readonly policyCount: number;
  /** How deep blocks are nested here. */
  readonly blockDepth: number;
  /** The block at work: an object of its own each time that a block is applied. */
  readonly user: object | undefined;
  /** Whether states are given. */
  readonly continues: boolean;
  /** The parameters that are left open. */
  readonly open: string;
  /** Whether the limits leave room for so much more. */
  hasRoom(effort: Pick<Remembered, "work" | "depth" | "blocks">): boolean;
  /** Whether a policy that is at work would act at one of the next sites of these names. */
  anyPolicyActs(sites: ReadonlyMap<string, number>): boolean;
  replay(path: string, event: CallEvent): void;
}

/** Shared by the evaluations of one program. */
export class CallMemory {
  readonly keys: ValueKeys;
  readonly known = new Map<string, Remembered>();

  constructor(program: Program) {
    this.keys = new ValueKeys((name) => isAsked(name, program));
  }
}

interface Recording {
  readonly policyCount: number;
  isSpoilt: boolean;
  /** Something was reported, for which the place matters. */
  isFlawed: boolean;
}

/** A call that is made, as far as it is told from others. */
interface Call {
  readonly key: string;
  /** What it is called as well, for others to ask for. */
  readonly alike?: string;
  /** Tells uses in one block apart. */
  readonly use: string;
  readonly instance: Instance;
  /** Of the arguments that are tensors. */
  readonly handles: readonly Handle[];
  /** Whether members are laid out: the same whether states are given or not. */
  readonly isForce: boolean;
}

export class Recorder {
  readonly #memory: CallMemory;
  readonly #replayer: Replayer;
  readonly #events: PlacedEvent[] = [];
  readonly #running: Recording[] = [];
  /** How often something was noted or reported. */
  #noted = 0;
  /** By the block at work. */
  readonly #flawed = new WeakMap<object, Map<string, Remembered>>();

  constructor(memory: CallMemory, replayer: Replayer) {
    this.#memory = memory;
    this.#replayer = replayer;
  }

  /** The emitter, with what it is told noted. */
  listening(emitter: Emitter): Emitter {
    return new ListeningEmitter(emitter, this);
  }

  /** Changes whenever something happens that a call leaves behind. */
  get noted(): number {
    return this.#noted;
  }

  note(path: string, event: CallEvent): void {
    this.#noted++;
    if (this.#running.length > 0) this.#events.push({ path, event });
  }

  /** Something was reported: the calls that are running are like another at the same place at most. */
  flaw(): void {
    this.#noted++;
    for (const recording of this.#running) recording.isFlawed = true;
  }

  /** A policy acted: a call is like another only when the policy belongs to it. */
  acted(policy: number): void {
    for (const recording of this.#running) if (policy < recording.policyCount) recording.isSpoilt = true;
  }

  call(instance: Instance, given: CallArguments, span: Span, run: () => Value): Value {
    const block = this.#memory.keys.called(instance);
    const arguments_ = block === undefined ? undefined : this.#memory.keys.arguments(given);
    if (arguments_ === undefined) return run();
    const key = `${block}(${arguments_})${this.#replayer.continues};${this.#replayer.open}`;
    const handles = [...given.positional, ...given.named.values()].flatMap(({ value }) =>
      value.kind === "tensor" ? [value.handle] : [],
    );
    const use = `${span.start} ${span.end} ${span.file.path} ${instance.frame?.isFailed}`;
    return this.#remembered({ key, use, instance, handles, isForce: false }, run);
  }

  /**
   * Laying out all members. Where an instance that differs in nothing but how its tensors start was laid out
   * before, `restart` looks at that alone.
   */
  force(instance: Instance, run: () => void, restart: () => void): void {
    const { keys, known } = this.#memory;
    const block = keys.instance(instance);
    if (block === undefined) {
      run();
      return;
    }
    const key = `${block}!${this.#replayer.open}`;
    const alike = `${keys.called(instance)}!${this.#replayer.open}`;
    const use = `${instance.frame?.isFailed}`;
    const forced = (): Value => {
      const other = known.get(alike);
      if (other === undefined || !this.#canRepeat(other)) run();
      else {
        this.#again(other, instance, []);
        restart();
      }
      return { kind: "none" };
    };
    this.#remembered({ key, alike, use, instance, handles: [], isForce: true }, forced);
  }

  #remembered(call: Call, run: () => Value): Value {
    const { key, use, instance, handles } = call;
    const known = this.#memory.known.get(key) ?? this.#flawedHere()?.get(`${key} ${use}`);
    if (known !== undefined && this.#canRepeat(known)) return this.#again(known, instance, handles);
    // What was computed before would not be seen.
    return known !== undefined || !instance.isFresh() ? run() : this.#record(call, run);
  }

  #canRepeat(known: Remembered): boolean {
    return this.#replayer.hasRoom(known) && !this.#replayer.anyPolicyActs(known.sites);
  }

  #flawedHere(): Map<string, Remembered> | undefined {
    const { user } = this.#replayer;
    if (user === undefined) return undefined;
    const known = this.#flawed.get(user) ?? new Map<string, Remembered>();
    this.#flawed.set(user, known);
    return known;
  }

  #record(call: Call, run: () => Value): Value {
    const { key, alike = key, use, handles, isForce } = call;
    const { path, adapters } = call.instance;
    const { effort, policyCount, blockDepth } = this.#replayer;
    const before = { ...effort };
    const start = this.#events.length;
    const recording: Recording = { policyCount, isSpoilt: false, isFlawed: false };
    effort.deepest = effort.depth;
    effort.deepestBlock = blockDepth;
    this.#running.push(recording);
    let result: Value;
    try {
      result = run();
    } finally {
      this.#running.pop();
    }
    const events: KnownEvent[] = [];
    const sites = new Map<string, number>();
    for (const { path: place, event } of this.#events.slice(start)) {
      const below = pathBelow(place, path);
      if (event.kind === "site") sites.set(event.name, (sites.get(event.name) ?? 0) + 1);
      else if (below === undefined) recording.isSpoilt = true;
      else if (isForce && (event.kind === "state" || event.kind === "saved")) recording.isSpoilt = true;
      else if (event.kind !== "offered") events.push({ path: below, event });
      else {
        // One that was installed further in has done its work.
        const index = adapters.indexOf(event.adapter);
        if (index >= 0) events.push({ path: below, event: { kind: "offered", index } });
      }
    }
    if (this.#running.length === 0) this.#events.length = 0;
    const depth = effort.deepest - before.depth;
    const blocks = effort.deepestBlock - blockDepth;
    effort.deepest = Math.max(effort.deepest, before.deepest);
    effort.deepestBlock = Math.max(effort.deepestBlock, before.deepestBlock);
    const work = effort.work - before.work;
    const known: Remembered = { result, handles, events, sites, work, depth, blocks };
    if (recording.isSpoilt) return result;
    if (recording.isFlawed) {
      if (result.kind === "error" || isPlain(result)) this.#flawedHere()?.set(`${key} ${use}`, known);
    } else if (isPlain(result)) {
      this.#memory.known.set(key, known);
      if (!this.#memory.known.has(alike)) this.#memory.known.set(alike, known);
    }
    return result;
  }

  #again(known: Remembered, { path, adapters }: Instance, handles: readonly Handle[]): Value {
    const { effort, blockDepth } = this.#replayer;
    effort.work += known.work;
    effort.deepest = Math.max(effort.deepest, effort.depth + known.depth);
    effort.deepestBlock = Math.max(effort.deepestBlock, blockDepth + known.blocks);
    for (const { path: below, event } of known.events) {
      const place = path === "" ? below : below === "" ? path : `${path}.${below}`;
      if (!("index" in event)) this.#replayer.replay(place, event);
      else {
        const adapter = adapters[event.index];
        if (adapter !== undefined) this.#replayer.replay(place, { kind: "offered", adapter });
      }
    }
    for (const [name, times] of known.sites) {
      for (let i = 0; i < times; i++) this.#replayer.replay(path, { kind: "site", name });
    }
    return withHandles(known.result, known.handles, handles);
  }
}

class ListeningEmitter implements Emitter {
  readonly #emitter: Emitter;
  readonly #recorder: Recorder;

  constructor(emitter: Emitter, recorder: Recorder) {
    this.#emitter = emitter;
    this.#recorder = recorder;
  }

  input(...told: Parameters<Emitter["input"]>): Handle {
    return this.#emitter.input(...told);
  }

  state(...told: Parameters<Emitter["state"]>): Handle {
    return this.#emitter.state(...told);
  }

  parameter(path: string, type: TensorType, initial: Initializer, origin: Origin): Handle {
    this.#recorder.note(path, { kind: "parameter", type, initial, origin });
    return this.#emitter.parameter(path, type, initial, origin);
  }

  constant(...told: Parameters<Emitter["constant"]>): Handle {
    return this.#emitter.constant(...told);
  }

  dimension(...told: Parameters<Emitter["dimension"]>): Handle {
    return this.#emitter.dimension(...told);
  }

  op(...told: Parameters<Emitter["op"]>): readonly Handle[] {
    return this.#emitter.op(...told);
  }

  name(path: string, value: Handle): void {
    this.#emitter.name(path, value);
  }

  require(requirement: Requirement, origin: Origin): void {
    this.#recorder.note(origin.path, { kind: "require", requirement, origin });
    this.#emitter.require(requirement, origin);
  }
}

/** The rest of a path that begins with `place`. */
function pathBelow(path: string, place: string): string | undefined {
  if (path === place) return "";
  if (place === "") return path;
  return path.startsWith(`${place}.`) ? path.slice(place.length + 1) : undefined;
}

/** Whether a value is nothing but sizes, numbers and tensors. */
function isPlain(value: Value): boolean {
  switch (value.kind) {
    case "tuple":
    case "list":
      return value.items.every(isPlain);
    case "tensor":
    case "int":
    case "quotient":
    case "real":
    case "bool":
    case "string":
    case "none":
    case "unknown":
      return true;
    default:
      return false;
  }
}

/** The same value, made of other tensors. */
function withHandles(value: Value, before: readonly Handle[], now: readonly Handle[]): Value {
  if (value.kind === "tensor") return { ...value, handle: now[before.indexOf(value.handle)] ?? {} };
  if (value.kind !== "tuple" && value.kind !== "list") return value;
  return { ...value, items: value.items.map((item) => withHandles(item, before, now)) };
}
