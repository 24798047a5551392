/**
 * Calls that are made before it is known whether they are wanted.
 *
 * Owns: making each call while the one before it is read, and taking back the last where nobody wants it: a
 * call leaves the state that it found, in the other buffer, until another one writes there.
 */
import type { HostTensor } from "../../compiler/host-tensor.ts";
import type { Submission } from "./submission.ts";

type Outputs = ReadonlyMap<string, HostTensor>;

export interface AheadCall {
  readonly submission: Submission;
  isUndone: boolean;
}

/** The one call of a session that may yet be taken back. */
export class AheadCalls {
  #last: AheadCall | undefined;

  made(submission: Submission): AheadCall {
    this.#last = { submission, isUndone: false };
    return this.#last;
  }

  /** From now on it is like any other call. */
  accept(call: AheadCall): void {
    if (this.#last === call) this.#last = undefined;
  }

  /** Takes back this call, or whichever there is. */
  undo(call: AheadCall | undefined = this.#last): void {
    if (call === undefined || this.#last !== call) return;
    this.#last = undefined;
    call.isUndone = true;
    call.submission.undo();
  }

  /** There is nothing to go back to: the device is gone. */
  forget(): void {
    if (this.#last !== undefined) this.#last.isUndone = true;
    this.#last = undefined;
  }
}

/** What a chain of calls needs of its session. */
export interface Chain {
  /** Makes the next call with an input from the host; without one, the first call. */
  submit(given?: HostTensor): Promise<Submission>;
  /** Makes the next call with what the one before it left on the device. */
  submitAhead(): Promise<AheadCall>;
  accept(call: AheadCall): void;
  undo(call: AheadCall): Promise<void>;
  /** The next call's input, from what was read of the one before it. */
  next(outputs: Outputs): HostTensor;
}

/** @param limit calls at most */
export async function* callAhead(chain: Chain, limit: number): AsyncGenerator<Outputs, void> {
  let current = await chain.submit();
  for (let made = 1; ; made++) {
    let ahead: AheadCall | undefined;
    try {
      if (made < limit) ahead = await chain.submitAhead();
      const outputs = await current.results();
      yield outputs;
      if (ahead === undefined) return;
      chain.accept(ahead);
      current = ahead.submission;
      if (ahead.isUndone) {
        await current.results();
        current = await chain.submit(chain.next(outputs));
      }
      ahead = undefined;
    } finally {
      if (ahead !== undefined) {
        await chain.undo(ahead);
        await ahead.submission.results().catch(() => undefined);
      }
    }
  }
}
