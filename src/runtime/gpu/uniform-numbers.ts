/**
 * The numbers that kernels read, in one uniform buffer.
 */
import { alignment } from "./usage.ts";

/** The numbers of all dispatches, the same ones once. */
export class UniformNumbers {
  readonly #offsets = new Map<string, number>();
  readonly #lists: (readonly number[])[] = [];

  add(numbers: readonly number[]): { offset: number; bytes: number } {
    const key = numbers.join(" ");
    const bytes = Math.max(16, Math.ceil(numbers.length / 4) * 16);
    const offset = this.#offsets.get(key) ?? this.#lists.length * alignment;
    if (!this.#offsets.has(key)) {
      this.#offsets.set(key, offset);
      // A list takes as many strides as it needs; there are seldom more than 64 numbers.
      for (let start = 0; start < Math.max(1, numbers.length); start += alignment / 4) {
        this.#lists.push(numbers.slice(start, start + alignment / 4));
      }
    }
    return { offset, bytes };
  }

  words(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array((this.#lists.length * alignment) / 4);
    // Negative numbers become what an i32 reads.
    for (const [index, list] of this.#lists.entries()) words.set(list, (index * alignment) / 4);
    return words;
  }
}
