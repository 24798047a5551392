/**
 * Where a text ends, from words that a model or a user gives.
 */
import type { Tokenizer } from "./tokenizer.ts";

export interface Stops {
  readonly ids: ReadonlySet<number>;
  readonly texts: readonly string[];
}

/** A stop that is one token is an id; any other is looked for in the text. */
export function stopsFor(stops: readonly string[], tokenizer: Pick<Tokenizer, "idOf">): Stops {
  const ids = new Set<number>();
  const texts: string[] = [];
  for (const stop of stops) {
    const id = tokenizer.idOf(stop);
    if (id === undefined) texts.push(stop);
    else ids.add(id);
  }
  return { ids, texts };
}
