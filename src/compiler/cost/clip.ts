/**
 * One clip from sound to text: the first entry once, and the next for every token.
 *
 * Owns: which entries those are (what the model generates from, else one that continues another), what
 * their sizes have to do with each other, and the sums.
 */
import { Dim } from "../../lang/dims.ts";
import type { Plans } from "../../lang/instance.ts";
import type { Bindings } from "../bind.ts";
import { bindDim, costFailure } from "./bindings.ts";
import type { EntryCost, ModelCost } from "./model-cost.ts";

export interface ClipPart {
  readonly entry: string;
  readonly times: number;
  /** Of all its calls, under the convention of the report. */
  readonly count: Dim;
  readonly scalar: Dim;
  /** On the target, when there is one. */
  readonly dispatches: number | undefined;
  /** The same by component: where it goes. */
  readonly components: readonly { readonly name: string; readonly count: Dim }[];
}

export interface Clip {
  readonly tokens: number;
  readonly parts: readonly ClipPart[];
  readonly count: Dim;
  readonly scalar: Dim;
  readonly dispatches: number | undefined;
}

interface Counted {
  readonly entry: string;
  readonly bindings: Bindings;
  readonly total: { readonly count: Dim; readonly scalar: Dim };
  readonly target: { readonly dispatches: number } | undefined;
  readonly components: {
    readonly children: readonly { readonly name: string; readonly amounts: { readonly count: Dim } }[];
  };
}

/** The entries that generation runs: the one that reads the prompt, and the one that goes on from it. */
export function generationOf(model: {
  readonly plans: Pick<Plans, "generation">;
  readonly entries: readonly { readonly entry: string; readonly continues: string | undefined }[];
}): { readonly first: string; readonly next: string } | undefined {
  if (model.plans.generation !== undefined) return model.plans.generation;
  const next = model.entries.find(
    (entry) => entry.continues !== undefined && entry.continues !== entry.entry,
  );
  return next?.continues === undefined ? undefined : { first: next.continues, next: next.entry };
}

/** @throws DiagnosticError `no-generation` */
export function generatingEntries(model: ModelCost): readonly [first: EntryCost, next: EntryCost] {
  const generation = generationOf(model);
  const [first, next] = [generation?.first, generation?.next].map((name) =>
    model.entries.find((entry) => entry.entry === name),
  );
  if (first !== undefined && next !== undefined) return [first, next];
  if (generation !== undefined) {
    const counted = model.entries.map(({ entry }) => entry).join(", ");
    throw costFailure(
      "no-generation",
      `A clip is ${generation.first} and then ${generation.next}, and only ${counted} was counted.`,
      "leave --entry out, so that all entries are counted",
    );
  }
  throw costFailure(
    "no-generation",
    `${model.model} has no entry that continues another, so it generates no tokens.`,
    "leave --tokens out",
  );
}

/**
 * What the sizes of the next entry are in a clip: its state is what the first one left, so a batch of
 * one recording is continued by a batch of one.
 */
export function continuedSizes(first: EntryCost, next: EntryCost): ReadonlyMap<string, Dim> {
  const left = new Map(
    first.cost.graph.outputs.map(({ state, value }) => [state, value.type.shape] as const),
  );
  const sizes = new Map<string, Dim>();
  for (const { state, value } of next.cost.graph.inputs) {
    const shape = state === undefined ? undefined : left.get(state);
    if (shape === undefined) continue;
    for (const [axis, dim] of value.type.shape.entries()) {
      const size = shape[axis];
      const [name, ...others] = dim.symbols();
      if (size === undefined || name === undefined || others.length > 0) continue;
      if (dim.equals(Dim.symbol(name)) && !size.equals(dim)) sizes.set(name, size);
    }
  }
  return sizes;
}

export function clipOf(model: ModelCost, entries: readonly Counted[], tokens: number): Clip {
  const [first, next] = generatingEntries(model);
  const sizes = continuedSizes(first, next);
  const counted = (name: string): Counted | undefined => entries.find(({ entry }) => entry === name);
  const bindings = counted(first.entry)?.bindings ?? new Map<string, number>();
  const parts = entries.flatMap((entry) => {
    if (entry.entry === first.entry) return part(entry, 1, (dim) => dim);
    const inClip = (dim: Dim): Dim => bindDim(dim.substitute(sizes), bindings);
    return entry.entry === next.entry ? part(entry, tokens, inClip) : [];
  });
  const sum = (of: (part: ClipPart) => Dim): Dim =>
    parts.reduce((total, one) => total.add(of(one)), Dim.of(0));
  const ofTarget = parts.flatMap(({ dispatches }) => dispatches ?? []);
  const dispatches = ofTarget.length === 0 ? undefined : ofTarget.reduce((total, one) => total + one, 0);
  return { tokens, parts, count: sum((one) => one.count), scalar: sum((one) => one.scalar), dispatches };
}

function part(
  { entry, total, components, target }: Counted,
  times: number,
  inClip: (dim: Dim) => Dim,
): ClipPart {
  const all = (dim: Dim): Dim => inClip(dim).mul(times);
  const parts = components.children.map(({ name, amounts }) => ({ name, count: all(amounts.count) }));
  const worth = parts.filter(({ count }) => count.constant !== 0);
  const dispatches = target === undefined ? undefined : times * target.dispatches;
  return { entry, times, count: all(total.count), scalar: all(total.scalar), dispatches, components: worth };
}
