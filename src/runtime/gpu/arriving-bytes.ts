/**
 * Bytes that arrive in pieces of any length, read in pieces of the length that is wanted.
 */
import { countOf, describeError, failure } from "../failure.ts";

export class ArrivingBytes {
  readonly #label: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #taken = 0;

  constructor(label: string, reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#label = label;
    this.#reader = reader;
  }

  /** The next `length` bytes, in an array that starts its own buffer. */
  async exactly(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#piece.length === 0) this.#piece = await this.#next();
      const part = this.#piece.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    this.#taken += length;
    return bytes;
  }

  async #next(): Promise<Uint8Array> {
    const { value, done } = await this.#reader.read().catch((error: unknown) => {
      throw failure("fetch-failed", `${this.#label} did not arrive whole.`, {
        notes: [describeError(error)],
      });
    });
    if (!done) return value;
    throw failure("fetch-failed", `${this.#label} ends too early.`, {
      notes: [`it was read up to ${countOf(this.#taken, "byte")}, and more were to come`],
      hint: "Try again; if it stays so, the file on the server is incomplete.",
    });
  }

  /** Stops what is still to come. */
  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}
