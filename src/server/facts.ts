/**
 * The values that an evaluation computed, by the place in the text that they belong to.
 *
 * Owns: recording and finding them. A place that is evaluated many times (a layer of a list) keeps its
 * first values.
 */
import type { Observed, Observer } from "../lang/evaluation.ts";
import type { SourceFile, Span } from "../lang/source.ts";
import { isSilent, type Value } from "../lang/value.ts";

/** Enough to show how a value changes from layer to layer. */
const mostValues = 48;

export class Facts {
  readonly #values = new Map<Observed, Value[]>();
  #index: Map<SourceFile, Map<number, readonly Value[]>> | undefined;

  readonly observe: Observer = (place, value) => {
    if (value.kind === "error") return;
    const values = this.#values.get(place);
    if (values !== undefined) {
      if (values.length < mostValues) values.push(value);
      return;
    }
    this.#values.set(place, [value]);
    this.#index = undefined;
  };

  /** What was computed at exactly this place, in the order of the evaluation. */
  at(place: Span): readonly Value[] {
    this.#index ??= this.#build();
    return this.#index.get(place.file)?.get(keyOf(place)) ?? [];
  }

  #build(): Map<SourceFile, Map<number, readonly Value[]>> {
    const index = new Map<SourceFile, Map<number, readonly Value[]>>();
    for (const [{ span }, values] of this.#values) {
      let places = index.get(span.file);
      if (places === undefined) {
        places = new Map();
        index.set(span.file, places);
      }
      const known = values.filter((value) => !isSilent(value));
      const key = keyOf(span);
      if (known.length > 0 && !places.has(key)) places.set(key, known);
    }
    return index;
  }
}

/** Both offsets in one number: texts are shorter than 2^26. */
function keyOf({ start, end }: Span): number {
  return start * 0x4000000 + end;
}
