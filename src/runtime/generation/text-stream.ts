/**
 * Text from ids as they come.
 *
 * Owns: giving out each character once it is whole, and holding back what may yet turn out to be a
 * stop text. An id may be a part of a character (bytes), and its text may depend on the id before it (a
 * space): so ids are decoded in a window that starts at ids whose text is settled.
 */
import type { Tokenizer } from "./tokenizer.ts";

/** What a decoder writes for bytes that are no character, or not yet one. */
const replacement = "\ufffd";

export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #stops: readonly string[];
  #ids: number[] = [];
  /** Ids whose text is settled; they stay in the window as the context of what follows. */
  #settled = 0;
  /** Characters of the window's text beyond the settled ids that were taken already. */
  #taken = 0;
  /** Characters that are whole but may begin a stop text. */
  #held = "";
  #text = "";
  #stopped = false;

  constructor(tokenizer: Pick<Tokenizer, "decode">, stops: readonly string[] = []) {
    this.#tokenizer = tokenizer;
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** All that was given out. */
  get text(): string {
    return this.#text;
  }

  /** Whether a stop text came; nothing from it on is given out. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The characters that this id completes. */
  push(id: number): string {
    if (this.#stopped) return "";
    this.#ids.push(id);
    const settled = this.#tokenizer.decode(this.#ids.slice(0, this.#settled));
    const fresh = this.#tokenizer.decode(this.#ids).slice(settled.length);
    // Only the last character can still be completed: bytes that are followed by others are settled.
    const open = fresh.endsWith(replacement);
    const whole = open ? fresh.slice(0, -replacement.length) : fresh;
    const piece = whole.slice(this.#taken);
    this.#taken = Math.max(this.#taken, whole.length);
    if (!open && fresh !== "") {
      this.#ids = this.#ids.slice(this.#settled);
      this.#settled = this.#ids.length;
      this.#taken = 0;
    }
    return this.#release(piece, false);
  }

  /** What was held back, at the end. */
  finish(): string {
    if (this.#stopped) return "";
    const settled = this.#tokenizer.decode(this.#ids.slice(0, this.#settled));
    const fresh = this.#tokenizer.decode(this.#ids).slice(settled.length);
    const piece = fresh.slice(this.#taken);
    this.#ids = [];
    this.#settled = 0;
    this.#taken = 0;
    return this.#release(piece, true);
  }

  #release(piece: string, last: boolean): string {
    const waiting = this.#held + piece;
    const cut = firstStop(waiting, this.#stops);
    if (cut !== undefined) {
      this.#stopped = true;
      this.#held = "";
      return this.#give(waiting.slice(0, cut));
    }
    const held = last ? 0 : longestStart(waiting, this.#stops);
    this.#held = waiting.slice(waiting.length - held);
    return this.#give(waiting.slice(0, waiting.length - held));
  }

  #give(text: string): string {
    this.#text += text;
    return text;
  }
}

/** Where the first of the stop texts begins. */
export function firstStop(text: string, stops: readonly string[]): number | undefined {
  const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return places.length === 0 ? undefined : Math.min(...places);
}

/** How many characters at the end begin one of the stop texts. */
function longestStart(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
