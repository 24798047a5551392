/**
 * Names in sight.
 *
 * Owns: nested scopes with values that are computed when first asked for. A lazy value that asks
 * for itself is reported once and is silent from then on.
 */
import type { Expression } from "./ast.ts";
import type { Span } from "./source.ts";
import { errorValue, type Value } from "./value.ts";

/** What a value was computed from: the text, and where its names are looked up. */
export interface Derivation {
  readonly expression: Expression;
  readonly scope: Scope;
}

/** Where a value was first written. */
export interface Written {
  readonly span: Span;
  /** Absent where nothing led to it: a number that is written out. */
  readonly from: Derivation | undefined;
}

export interface Slot {
  readonly name: string;
  readonly span: Span | undefined;
  /** Where the value was first written, when that is known to be elsewhere, or to be computed. */
  readonly source: Written | undefined;
  /** `let` in a body, a carry, a handler's parameter: may be given a new value. */
  readonly assignable: boolean;
  get(): Value;
  /** The value, if it is known without computing anything. */
  peek(): Value | undefined;
  set(value: Value): void;
}

class EagerSlot implements Slot {
  readonly name: string;
  readonly span: Span | undefined;
  source: Written | undefined;
  readonly assignable: boolean;
  #value: Value;

  constructor(
    name: string,
    value: Value,
    span: Span | undefined,
    assignable: boolean,
    source: Written | undefined,
  ) {
    this.name = name;
    this.span = span;
    this.source = source;
    this.assignable = assignable;
    this.#value = value;
  }

  get(): Value {
    return this.#value;
  }

  peek(): Value {
    return this.#value;
  }

  set(value: Value): void {
    this.#value = value;
    // What it was computed from explains another value.
    this.source = undefined;
  }
}

class LazySlot implements Slot {
  readonly name: string;
  readonly span: Span | undefined;
  readonly source: Written | undefined;
  readonly assignable = false;
  #compute: (() => Value) | undefined;
  #value: Value | undefined;
  readonly #onCycle: () => void;

  constructor(name: string, compute: () => Value, place: Span | Written | undefined, onCycle: () => void) {
    this.name = name;
    this.span = place !== undefined && "from" in place ? place.span : place;
    this.source = place !== undefined && "from" in place ? place : undefined;
    this.#compute = compute;
    this.#onCycle = onCycle;
  }

  get(): Value {
    if (this.#value !== undefined) return this.#value;
    const compute = this.#compute;
    if (compute === undefined) {
      this.#onCycle();
      return errorValue;
    }
    this.#compute = undefined;
    this.#value = compute();
    return this.#value;
  }

  peek(): Value | undefined {
    return this.#value;
  }

  set(value: Value): void {
    this.#value = value;
  }
}

/** Names that get their slot when they are first looked up: a file can have thousands. */
export interface PendingNames {
  readonly names: readonly string[];
  /** Defines the name in `scope`, if it is one of them. */
  define(name: string, scope: Scope): void;
}

export class Scope {
  readonly parent: Scope | undefined;
  /** The path of the block instance that this scope belongs to. */
  readonly path: string;
  readonly #slots = new Map<string, Slot>();
  /** Scopes whose own names are in sight here as well, behind this one's: what a block extends. */
  readonly #overlays: readonly Scope[];
  readonly #pending: PendingNames | undefined;

  constructor(
    parent: Scope | undefined,
    path: string,
    overlays: readonly Scope[] = [],
    pending?: PendingNames,
  ) {
    this.parent = parent;
    this.path = path;
    this.#overlays = overlays;
    this.#pending = pending;
  }

  define(name: string, value: Value, span: Span | undefined, assignable = false, source?: Written): void {
    this.#slots.set(name, new EagerSlot(name, value, span, assignable, source));
  }

  defineLazy(
    name: string,
    compute: () => Value,
    place: Span | Written | undefined,
    onCycle: () => void,
  ): void {
    this.#slots.set(name, new LazySlot(name, compute, place, onCycle));
  }

  own(name: string): Slot | undefined {
    if (this.#pending !== undefined && !this.#slots.has(name)) this.#pending.define(name, this);
    const slot = this.#slots.get(name);
    if (slot !== undefined) return slot;
    for (const overlay of this.#overlays) {
      const found = overlay.own(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  lookup(name: string): Slot | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const slot = scope.own(name);
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  /** Every meaning of a name, the nearest first: a call takes the first that can be called. */
  *meanings(name: string): Iterable<Slot> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const slot = scope.own(name);
      if (slot !== undefined) yield slot;
    }
  }

  /** All names in sight, for suggestions. */
  names(): string[] {
    const found = new Set<string>();
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      for (const slot of scope.ownSlots()) found.add(slot.name);
    }
    return [...found];
  }

  *ownSlots(): Iterable<Slot> {
    for (const name of this.#pending?.names ?? []) this.own(name);
    yield* this.#slots.values();
    for (const overlay of this.#overlays) yield* overlay.ownSlots();
  }
}
