/**
 * What calls of equal blocks have in common, so that `check` looks at one layer of twelve.
 *
 * Owns: when two calls are the same, what a call leaves behind besides its result (learned tensors, guards,
 * states, numbered sites, work; call-events.ts), and leaving the same behind at another place. A call that is not
 * sound is remembered for the place that it was made at only: there, the same again is no news. Where a graph is
 * made, ops and names are left behind as well (call-trace.ts).
 */
import type { CallEvent, PlacedEvent } from "./call-events.ts";
import { CallReplay, CallTrace, type TensorSource, TracedTensors, tensorsIn } from "./call-trace.ts";
import type { BlockFrame, Emitter, Handle } from "./emitter.ts";
import type { CallArguments } from "./evaluation.ts";
import { isAsked } from "./inert-parameters.ts";
import type { Instance } from "./instance.ts";
import { ListeningEmitter } from "./listening-emitter.ts";
import { pathBelow, pathUnder } from "./paths.ts";
import type { Program } from "./program.ts";
import type { Span } from "./source.ts";
import type { Value } from "./value.ts";
import { ValueKeys } from "./value-keys.ts";

/** The same below the block. */
interface KnownEvent extends PlacedEvent {
  /** Of a part offered to an adapter, which of the block's. */
  readonly adapter?: number;
  /** The tensors that it reads, where a graph is made. */
  readonly reads: readonly TensorSource[];
}

/** How much there is to do, how much of that was done rather than known, and how deep in expressions and blocks. */
export interface Effort {
  work: number;
  done: number;
  depth: number;
  deepest: number;
  deepestBlock: number;
}

/** What a call left behind. */
interface Left {
  /** Where a graph is made. */
  readonly trace: CallTrace | undefined;
  readonly events: readonly KnownEvent[];
  readonly sites: ReadonlyMap<string, number>;
}

interface Remembered {
  readonly result: Value;
  /** Of the arguments that were tensors, in their order: a result may be one of them. */
  readonly handles: readonly Handle[];
  /** Looked at when the call is made again, as most are not; `undefined` when it can't be left elsewhere. */
  readonly left: () => Left | undefined;
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
  readonly user: BlockFrame | undefined;
  /** Whether states are given. */
  readonly continues: boolean;
  /** The parameters that are left open. */
  readonly open: string;
  /** Whether the limits leave room for so much more. */
  hasRoom(effort: Pick<Remembered, "work" | "depth" | "blocks">): boolean;
  /** Whether a policy that is at work would act at one of the next sites of these names. */
  anyPolicyActs(sites: ReadonlyMap<string, number>): boolean;
  /** Gives the tensors that it makes. */
  replay(path: string, event: CallEvent): readonly Handle[];
}

/** Shared by the evaluations of one program that look for mistakes, or by those that make one model's graphs. */
export class CallMemory {
  readonly keys: ValueKeys;
  readonly known = new Map<string, Remembered>();
  /** The tensors of the graphs that are made. */
  readonly tensors: TracedTensors | undefined;
  /** Blocks of which it was looked at how their tensors start, where once is enough. */
  readonly started: Set<string> | undefined;

  /** @param made graphs to be counted leave out how the tensors of further equal layers start, and lay them out once */
  constructor(program: Program, made: "notes" | "graphs" | "counted graphs" = "notes") {
    this.keys = new ValueKeys((name) => isAsked(name, program));
    this.tensors = made === "notes" ? undefined : new TracedTensors();
    this.started = made === "counted graphs" ? new Set() : undefined;
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
  /** The innermost block at work outside of it. */
  readonly user: BlockFrame | undefined;
}

/** Ways to lay out the members of an instance. */
export interface Layouts {
  /** All of it. */
  readonly run: () => void;
  /** How tensors start alone. */
  readonly restart: () => void;
  /** From then on, how tensors start is left out. */
  readonly leaveStarts: () => void;
}

export class Recorder {
  readonly #memory: CallMemory;
  readonly #replayer: Replayer;
  readonly #events: PlacedEvent[] = [];
  readonly #running: Recording[] = [];
  #listening: ListeningEmitter | undefined;
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
    this.#listening = new ListeningEmitter(emitter, this, this.#memory.tensors);
    return this.#listening;
  }

  /** Whether ops and names are to be left behind too. */
  get isTracing(): boolean {
    return this.#memory.tensors !== undefined;
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

  /** Something happened that can't be left behind elsewhere. */
  spoil(): void {
    for (const recording of this.#running) recording.isSpoilt = true;
  }

  /** A policy acted: a call is like another only when the policy belongs to it. */
  acted(policy: number): void {
    for (const recording of this.#running) if (policy < recording.policyCount) recording.isSpoilt = true;
  }

  call(instance: Instance, given: CallArguments, span: Span, run: () => Value): Value {
    const { keys, tensors } = this.#memory;
    // Where a graph is made, how tensors start counts until they are there.
    const isAlike = tensors === undefined || instance.isForced();
    const block = isAlike ? keys.called(instance) : keys.instance(instance);
    const arguments_ = block === undefined ? undefined : keys.arguments(given);
    if (arguments_ === undefined) return run();
    const handles = [...given.positional, ...given.named.values()].flatMap(({ value }) =>
      value.kind === "tensor" ? [value.handle] : [],
    );
    // One of its own tensors as an argument: from then on the two could not be told apart.
    if (handles.some((handle) => tensors?.pathBelow(handle, instance.path) !== undefined)) return run();
    const same =
      tensors === undefined ? "" : `${isAlike} ${handles.map((handle) => handles.indexOf(handle))}`;
    const key = `${block}(${arguments_})${same}${this.#replayer.continues};${this.#replayer.open}`;
    const use = `${span.start} ${span.end} ${span.file.path} ${instance.frame?.isFailed}`;
    const { user } = this.#replayer;
    return this.#remembered({ key, use, instance, handles, isForce: false, user }, run);
  }

  /**
   * Laying out all members. Where an instance that differs in nothing but how its tensors start was laid out
   * before, that alone is looked at.
   */
  force(instance: Instance, layouts: Layouts): void {
    const { tensors, started } = this.#memory;
    if (tensors === undefined) this.#forceNoted(instance, layouts);
    else if (started !== undefined) this.#forceCounted(instance, layouts, started);
    // Where a graph is made, every tensor has a start of its own.
    else layouts.run();
  }

  /** The first looks at how tensors start; what the second leaves is what all others leave. */
  #forceCounted(instance: Instance, { run, leaveStarts }: Layouts, started: Set<string>): void {
    const block = this.#memory.keys.called(instance);
    if (block === undefined) {
      run();
      return;
    }
    const key = `${block}!${this.#replayer.open}`;
    const isStarted = started.has(key);
    started.add(key);
    if (isStarted) leaveStarts();
    const forced = (): Value => {
      run();
      return { kind: "none" };
    };
    const user = instance.frame?.outer;
    if (!isStarted) run();
    else this.#remembered({ key, use: "", instance, handles: [], isForce: true, user }, forced);
  }

  #forceNoted(instance: Instance, { run, restart }: Layouts): void {
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
      if (other === undefined || !this.#canRepeat(other, instance)) run();
      else {
        this.#again(other, instance, [], undefined);
        restart();
      }
      return { kind: "none" };
    };
    this.#remembered({ key, alike, use, instance, handles: [], isForce: true, user: undefined }, forced);
  }

  #remembered(call: Call, run: () => Value): Value {
    const { key, use, instance, handles, user } = call;
    const memory = this.#memory.known;
    const used = `${key} ${use}`;
    let known = memory.get(key) ?? memory.get(used) ?? this.#flawedHere()?.get(used);
    if (known !== undefined && known.left() === undefined) {
      memory.delete(key);
      memory.delete(used);
      known = undefined;
    }
    if (known !== undefined && this.#canRepeat(known, instance))
      return this.#again(known, instance, handles, user);
    // Of what was computed before, one part would be seen and another not; where all was, it is the same everywhere.
    const isWhole = instance.isFresh() || instance.isForced();
    return known !== undefined || !isWhole ? run() : this.#record(call, run);
  }

  #canRepeat(known: Remembered, { path }: Instance): boolean {
    const left = known.left();
    if (left === undefined || left.trace?.fits(path) === false) return false;
    return this.#replayer.hasRoom(known) && !this.#replayer.anyPolicyActs(left.sites);
  }

  #flawedHere(): Map<string, Remembered> | undefined {
    const { user } = this.#replayer;
    if (user === undefined) return undefined;
    const known = this.#flawed.get(user) ?? new Map<string, Remembered>();
    this.#flawed.set(user, known);
    return known;
  }

  #record(call: Call, run: () => Value): Value {
    const { key, alike = key, use, handles } = call;
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
      for (const handle of tensorsIn(result)) this.#listening?.use(handle);
    } finally {
      this.#running.pop();
    }
    const depth = effort.deepest - before.depth;
    const blocks = effort.deepestBlock - blockDepth;
    effort.deepest = Math.max(effort.deepest, before.deepest);
    effort.deepestBlock = Math.max(effort.deepestBlock, before.deepestBlock);
    const work = effort.work - before.work;
    if (recording.isSpoilt) return result;
    const end = this.#events.length;
    let left: { readonly found: Left | undefined } | undefined;
    const find = (): Left | undefined => {
      left ??= { found: leftBy(call, this.#events.slice(start, end), result, this.#memory.tensors) };
      return left.found;
    };
    const known: Remembered = { result, handles, left: find, work, depth, blocks };
    if (recording.isFlawed) {
      if (result.kind === "error" || isPlain(result)) this.#flawedHere()?.set(`${key} ${use}`, known);
    } else if (result.kind === "error") {
      // Of what it was given: the next layers are given the same. It may be silent only where something failed.
      this.#memory.known.set(`${key} ${use}`, known);
    } else if (isPlain(result)) {
      this.#memory.known.set(key, known);
      if (!this.#memory.known.has(alike)) this.#memory.known.set(alike, known);
    }
    return result;
  }

  #again(
    known: Remembered,
    { path, adapters }: Instance,
    handles: readonly Handle[],
    user: BlockFrame | undefined,
  ): Value {
    const { effort, blockDepth } = this.#replayer;
    effort.work += known.work;
    effort.deepest = Math.max(effort.deepest, effort.depth + known.depth);
    effort.deepestBlock = Math.max(effort.deepestBlock, blockDepth + known.blocks);
    const { trace, events, sites } = known.left() ?? nothing;
    const replay = trace && new CallReplay(trace, path, handles, user);
    for (const one of events) {
      const { path: below, event, adapter } = one;
      const place = pathUnder(path, below);
      if (adapter !== undefined) {
        const own = adapters[adapter];
        if (own !== undefined) this.#replayer.replay(place, { kind: "offered", adapter: own });
      } else if (replay === undefined) this.#replayer.replay(place, event);
      else replay.made(this.#replayer.replay(place, replay.moved(one)));
    }
    for (const [name, times] of sites) {
      for (let i = 0; i < times; i++) this.#replayer.replay(path, { kind: "site", name });
    }
    return replay?.result(known.result) ?? withHandles(known.result, known.handles, handles);
  }
}

const nothing: Left = { trace: undefined, events: [], sites: new Map() };

/** What a call left behind below its block, or `undefined` when there is more to it. */
function leftBy(
  { instance, handles, isForce, user }: Call,
  placed: readonly PlacedEvent[],
  result: Value,
  tensors: TracedTensors | undefined,
): Left | undefined {
  const { path, adapters } = instance;
  const trace = tensors && new CallTrace(tensors, handles, path, user);
  const events: KnownEvent[] = [];
  const sites = new Map<string, number>();
  for (const { path: place, event } of placed) {
    if (event.kind === "site") {
      sites.set(event.name, (sites.get(event.name) ?? 0) + 1);
      continue;
    }
    const below = pathBelow(place, path);
    const reads = trace === undefined ? [] : trace.add(event);
    if (below === undefined || reads === undefined) return undefined;
    if (isForce && (event.kind === "state" || event.kind === "saved")) return undefined;
    if (event.kind !== "offered") events.push({ path: below, event, reads });
    else {
      // One that was installed further in has done its work.
      const adapter = adapters.indexOf(event.adapter);
      if (adapter >= 0) events.push({ path: below, event, reads, adapter });
    }
  }
  return trace?.covers(result) === false ? undefined : { trace, events, sites };
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
