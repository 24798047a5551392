/**
 * Recurrent state during one entry.
 *
 * Owns: which state each stateful op starts from and what it leaves. An entry starts from nothing,
 * or, when it `continues` another, from inputs that carry what that entry left. A program never
 * names its state: the name is the path of the block and the op's own name for it.
 */

import type { Diagnostic } from "./diagnostic.ts";
import type { Emitter } from "./emitter.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import type { Span } from "./source.ts";
import type { TensorType } from "./types.ts";
import type { TensorValue, Value } from "./value.ts";

export interface SavedState {
  readonly name: string;
  readonly value: TensorValue;
}

interface Reporter {
  readonly emitter: Emitter;
  fail(diagnostic: Diagnostic): Value;
}

export class States {
  /** Whether the entry goes on from state that it is given. */
  #continues = false;
  readonly #current = new Map<string, TensorValue>();
  readonly #places = new Map<string, Span>();

  get continues(): boolean {
    return this.#continues;
  }

  /** Starts an entry: nothing is used yet. */
  begin(continues: boolean): void {
    this.#continues = continues;
    this.#current.clear();
    this.#places.clear();
  }

  take(
    path: string,
    name: string,
    type: TensorType,
    span: Span,
    reporter: Reporter,
  ): TensorValue | undefined {
    const full = joinPath(path, name);
    const earlier = this.#places.get(full);
    if (earlier !== undefined) {
      reporter.fail(messages.stateTwice(full, span, earlier));
      return undefined;
    }
    this.#places.set(full, span);
    if (!this.#continues) return undefined;
    const handle = reporter.emitter.state(full, type, { path, span });
    return { kind: "tensor", type, origins: type.shape.map(() => undefined), handle };
  }

  save(path: string, name: string, value: Value, reporter: Reporter): void {
    if (value.kind !== "tensor") return;
    this.#current.set(joinPath(path, name), value);
    reporter.emitter.name(joinPath(path, name), value.handle);
  }

  /** What every op left, in the order in which they ran. */
  saved(): SavedState[] {
    return [...this.#current].map(([name, value]) => ({ name, value }));
  }
}
