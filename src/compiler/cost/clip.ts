/**
 * One clip from sound to text: the first entry once, and the next for every token.
 *
 * Owns: which entries those are (what the model generates from, else one that continues another), and
 * the sums.
 */
import { Dim } from "../../lang/dims.ts";
import { costFailure } from "./bindings.ts";
import type { ModelCost } from "./model-cost.ts";

export interface ClipPart {
  readonly entry: string;
  readonly times: number;
  /** Of all its calls, under the convention of the report. */
  readonly count: Dim;
  readonly scalar: Dim;
}

export interface Clip {
  readonly tokens: number;
  readonly parts: readonly ClipPart[];
  readonly count: Dim;
  readonly scalar: Dim;
}

interface Counted {
  readonly entry: string;
  readonly total: { readonly count: Dim; readonly scalar: Dim };
}

/** The entries that generation runs: the one that reads the prompt, and the one that goes on from it. */
export function generationOf(
  model: ModelCost,
): { readonly first: string; readonly next: string } | undefined {
  if (model.plans.generation !== undefined) return model.plans.generation;
  const next = model.entries.find(
    (entry) => entry.continues !== undefined && entry.continues !== entry.entry,
  );
  return next?.continues === undefined ? undefined : { first: next.continues, next: next.entry };
}

export function clipOf(model: ModelCost, entries: readonly Counted[], tokens: number): Clip {
  const generation = generationOf(model);
  const [first, next] = [generation?.first, generation?.next].map((name) =>
    entries.find((entry) => entry.entry === name),
  );
  if (first === undefined || next === undefined) {
    throw costFailure(
      "no-generation",
      `${model.model} has no entry that continues another, so it generates no tokens.`,
      model.entries.length === 1
        ? "leave --entry out, so that all entries are counted"
        : "leave --tokens out",
    );
  }
  const parts = [part(first, 1), part(next, tokens)];
  const sum = (of: (part: ClipPart) => Dim): Dim =>
    parts.reduce((total, one) => total.add(of(one)), Dim.of(0));
  return { tokens, parts, count: sum((one) => one.count), scalar: sum((one) => one.scalar) };
}

function part({ entry, total }: Counted, times: number): ClipPart {
  return { entry, times, count: total.count.mul(times), scalar: total.scalar.mul(times) };
}
