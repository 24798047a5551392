/**
 * An emitter that also notes what it is told, for calls that are evaluated once.
 */
import type { CallEvent, PlacedEvent } from "./call-events.ts";
import type { TracedTensors } from "./call-trace.ts";
import type { Emitter, Handle, Initializer, Origin } from "./emitter.ts";
import type { TensorType } from "./types.ts";

/** Who is told. */
export interface Listener {
  note(path: string, event: CallEvent): void;
}

export class ListeningEmitter implements Emitter {
  readonly #emitter: Emitter;
  readonly #listener: Listener;
  /** Where a graph is made: ops are noted as well. */
  readonly #tensors: TracedTensors | undefined;
  readonly #learned = new Map<Handle, PlacedEvent>();

  constructor(emitter: Emitter, listener: Listener, tensors: TracedTensors | undefined) {
    this.#emitter = emitter;
    this.#listener = listener;
    this.#tensors = tensors;
  }

  input(...told: Parameters<Emitter["input"]>): Handle {
    return this.#emitter.input(...told);
  }

  state(...told: Parameters<Emitter["state"]>): Handle {
    return this.#emitter.state(...told);
  }

  parameter(path: string, type: TensorType, initial: Initializer, origin: Origin): Handle {
    const made = this.#emitter.parameter(path, type, initial, origin);
    this.#tensors?.addLearned(made, path);
    const event: CallEvent = { kind: "parameter", type, initial, origin, made };
    if (this.#tensors === undefined) this.#learned.set(made, { path, event });
    this.#listener.note(path, event);
    return made;
  }

  /** A learned tensor that was laid out before is asked for when it is read, or when a call gives it. */
  use(value: Handle): void {
    const learned = this.#learned.get(value);
    if (learned !== undefined) this.#listener.note(learned.path, learned.event);
  }

  constant(...told: Parameters<Emitter["constant"]>): Handle {
    const made = this.#emitter.constant(...told);
    this.#tensors?.addConstant(made);
    return made;
  }

  dimension(...told: Parameters<Emitter["dimension"]>): Handle {
    const made = this.#emitter.dimension(...told);
    const [dim, dtype, origin] = told;
    if (this.#tensors !== undefined && dim.constant === undefined) {
      this.#listener.note(origin.path, { kind: "dimension", dim, dtype, origin, made });
    } else this.#tensors?.addConstant(made);
    return made;
  }

  op(...told: Parameters<Emitter["op"]>): readonly Handle[] {
    const made = this.#emitter.op(...told);
    const [op, operands, attributes, results, origin] = told;
    if (this.#tensors === undefined) {
      for (const operand of operands) this.use(operand);
      return made;
    }
    this.#listener.note(origin.path, { kind: "op", op, operands, attributes, results, origin, made });
    return made;
  }

  name(path: string, value: Handle): void {
    this.#emitter.name(path, value);
  }

  require(...told: Parameters<Emitter["require"]>): void {
    const [requirement, origin] = told;
    this.#listener.note(origin.path, { kind: "require", requirement, origin });
    this.#emitter.require(requirement, origin);
  }
}
