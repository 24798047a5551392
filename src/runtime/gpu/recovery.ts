/**
 * What a session needs to be where it was, on another device.
 *
 * Owns: the state as it was last copied to the host, and what has been done since. Doing that again gives
 * the same state: kernels are deterministic.
 */
import type { CallInputs } from "./call.ts";
import type { Symbols } from "./sizes.ts";
import type { HostState } from "./state-copies.ts";

export type JournalStep =
  | {
      readonly kind: "call";
      readonly entry: string;
      readonly inputs: CallInputs;
      readonly symbols: Symbols | undefined;
    }
  | {
      readonly kind: "reorder";
      readonly from: readonly number[];
      readonly axes: ReadonlyMap<string, number>;
    };

export class Journal {
  readonly #every: number;
  #base: HostState = new Map();
  #steps: JournalStep[] = [];

  /** @param every steps after which the state is copied to the host */
  constructor(every: number) {
    this.#every = Math.max(1, every);
  }

  get base(): HostState {
    return this.#base;
  }

  get steps(): readonly JournalStep[] {
    return this.#steps;
  }

  begin(base: HostState): void {
    this.#base = base;
    this.#steps = [];
  }

  async note(step: JournalStep, read: () => Promise<HostState>): Promise<void> {
    this.#steps.push(step);
    if (this.#steps.length >= this.#every) this.begin(await read());
  }
}
