/**
 * What a call makes of the tensors that it is given, so that it can be made of others.
 *
 * Owns: where each tensor that a call reads comes from (an argument, something made in the call, a learned tensor
 * below the block, a constant), and the same events with the tensors, paths and blocks at work of another place.
 * A call that reads anything else has no trace.
 */
import { type CallEvent, tensorsMade, tensorsRead, withTensorsRead } from "./call-events.ts";
import type { BlockFrame, Handle, Origin } from "./emitter.ts";
import { pathBelow, pathUnder } from "./paths.ts";
import type { Value } from "./value.ts";

/** What is known of the tensors of the graphs that are made, wherever they are read. */
export class TracedTensors {
  readonly #paths = new Map<Handle, string>();
  readonly #learned = new Map<string, Handle>();
  readonly #constants = new WeakSet<Handle>();

  addLearned(handle: Handle, path: string): void {
    this.#paths.set(handle, path);
    this.#learned.set(path, handle);
  }

  addConstant(handle: Handle): void {
    this.#constants.add(handle);
  }

  /** Constants are the same at every place. */
  isConstant(handle: Handle): boolean {
    return this.#constants.has(handle);
  }

  /** The path of a learned tensor below a block. */
  pathBelow(handle: Handle, place: string): string | undefined {
    const path = this.#paths.get(handle);
    return path === undefined ? undefined : pathBelow(path, place);
  }

  learned(path: string): Handle | undefined {
    return this.#learned.get(path);
  }
}

/** An argument or something made, by number; a learned tensor, by its path below the block; a constant. */
export type TensorSource = number | string | { readonly constant: Handle };

/** A call as it ran at one place. */
export class CallTrace {
  readonly path: string;
  /** The innermost block at work outside of the call. */
  readonly user: BlockFrame | undefined;
  readonly tensors: TracedTensors;
  readonly #sources = new Map<Handle, TensorSource>();
  readonly #arguments: ReadonlySet<Handle>;
  readonly #learned = new Set<string>();
  #count: number;

  constructor(
    tensors: TracedTensors,
    handles: readonly Handle[],
    path: string,
    user: BlockFrame | undefined,
  ) {
    this.tensors = tensors;
    this.path = path;
    this.user = user;
    this.#arguments = new Set(handles);
    this.#count = handles.length;
    for (const [i, handle] of handles.entries()) if (!this.#sources.has(handle)) this.#sources.set(handle, i);
  }

  /**
   * Where the tensors that the next event reads come from; `undefined` when one comes from elsewhere, or when what
   * it makes is the same as an argument: which of the two is read later could not be told.
   */
  add(event: CallEvent): readonly TensorSource[] | undefined {
    const sources = this.#sourcesOf(tensorsRead(event));
    for (const made of tensorsMade(event)) {
      if (this.#arguments.has(made)) return undefined;
      if (!this.#sources.has(made)) this.#sources.set(made, this.#count);
      this.#count++;
    }
    return sources;
  }

  /** Whether the tensors of the result are known, too. */
  covers(result: Value): boolean {
    return this.#sourcesOf(tensorsIn(result)) !== undefined;
  }

  /** Whether the block at `path` has the learned tensors that the call reads. */
  fits(path: string): boolean {
    for (const below of this.#learned) {
      if (this.tensors.learned(pathUnder(path, below)) === undefined) return false;
    }
    return true;
  }

  /** Of a tensor of the result. */
  source(handle: Handle): TensorSource | undefined {
    const known = this.#sources.get(handle);
    if (known !== undefined) return known;
    if (this.tensors.isConstant(handle)) return { constant: handle };
    const below = this.tensors.pathBelow(handle, this.path);
    if (below !== undefined) this.#learned.add(below);
    return below;
  }

  #sourcesOf(handles: readonly Handle[]): readonly TensorSource[] | undefined {
    const sources: TensorSource[] = [];
    for (const handle of handles) {
      const source = this.source(handle);
      if (source === undefined) return undefined;
      sources.push(source);
    }
    return sources;
  }
}

/** An event of a call, with what it reads. */
export interface TracedEvent {
  readonly event: CallEvent;
  readonly reads: readonly TensorSource[];
}

/** The same call at another place. */
export class CallReplay {
  readonly #trace: CallTrace;
  readonly #path: string;
  readonly #user: BlockFrame | undefined;
  /** The arguments, then what was made. */
  readonly #handles: Handle[];
  readonly #frames = new Map<BlockFrame, BlockFrame | undefined>();

  constructor(trace: CallTrace, path: string, handles: readonly Handle[], user: BlockFrame | undefined) {
    this.#trace = trace;
    this.#path = path;
    this.#user = user;
    this.#handles = [...handles];
  }

  /** The event as it happens here. */
  moved({ event, reads }: TracedEvent): CallEvent {
    const here = withTensorsRead(
      event,
      reads.map((source) => this.#handle(source)),
    );
    return "origin" in here ? { ...here, origin: this.#origin(here.origin) } : here;
  }

  /** Notes what the last event made here. */
  made(handles: readonly Handle[]): void {
    for (const handle of handles) this.#handles.push(handle);
  }

  /** The result, made of what there is here. */
  result(value: Value): Value {
    if (value.kind === "tensor") return { ...value, handle: this.#handle(this.#trace.source(value.handle)) };
    if (value.kind !== "tuple" && value.kind !== "list") return value;
    return { ...value, items: value.items.map((item) => this.result(item)) };
  }

  #handle(source: TensorSource | undefined): Handle {
    const { tensors } = this.#trace;
    const found =
      typeof source === "number"
        ? this.#handles[source]
        : typeof source === "string"
          ? tensors.learned(pathUnder(this.#path, source))
          : source?.constant;
    if (found === undefined)
      throw new Error(`a tensor of the call at ${this.#trace.path} is not at ${this.#path}`);
    return found;
  }

  #origin(origin: Origin): Origin {
    return { ...origin, path: this.#moved(origin.path), frame: this.#frame(origin.frame) };
  }

  #moved(path: string): string {
    const below = pathBelow(path, this.#trace.path);
    return below === undefined ? path : pathUnder(this.#path, below);
  }

  /** The chain of blocks at work, with the ones here instead of those outside of the call that was traced. */
  #frame(frame: BlockFrame | undefined): BlockFrame | undefined {
    if (frame === this.#trace.user) return this.#user;
    if (frame === undefined) return undefined;
    const known = this.#frames.get(frame);
    if (known !== undefined) return known;
    const { declaration, path, outer } = frame;
    const moved = {
      declaration,
      path: path === undefined ? undefined : this.#moved(path),
      outer: this.#frame(outer),
    };
    this.#frames.set(frame, moved);
    return moved;
  }
}

/** The tensors of a result. */
export function tensorsIn(value: Value): readonly Handle[] {
  if (value.kind === "tensor") return [value.handle];
  return value.kind === "tuple" || value.kind === "list" ? value.items.flatMap(tensorsIn) : [];
}
