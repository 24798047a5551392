/**
 * One figure of a model as a function of what is bound: a column of a sweep, a limit of a budget.
 *
 * Owns: which entry or entries a measure is of, and that everything it depends on is bound.
 */
import { bindEntry, type Given, requireBound } from "./bindings.ts";
import { continuedSizes, generatingEntries } from "./clip.ts";
import { type MeasureName, type Measures, measureFacts } from "./measures.ts";
import type { EntryCost } from "./model-cost.ts";

export interface Column {
  /** `prefill.macs`, `clip.macs`, `params` */
  readonly name: string;
  readonly title: string;
  readonly unit: "" | "B";
}

export interface Measurement {
  readonly column: Column;
  measure(given: Given, tokens: number | undefined): number;
}

/** Of every entry, except that what adds up is of a clip where tokens are counted. */
export function measurementsOf(
  measures: Measures,
  names: readonly MeasureName[],
  hasTokens: boolean,
): Measurement[] {
  const { entries } = measures.model;
  const found: Measurement[] = [];
  for (const name of names) {
    const { title, unit, ofEntry } = measureFacts[name];
    const [first] = entries;
    if (!ofEntry && first !== undefined) {
      found.push({ column: { name, title, unit }, measure: measureOne(measures, name, first) });
    } else if (hasTokens && isAddedUp(name)) {
      const column = { name: `clip.${name}`, title: `${title} of a clip`, unit };
      found.push({ column, measure: measureClip(measures, name) });
    } else {
      for (const entry of entries) {
        const column = { name: `${entry.entry}.${name}`, title: `${title} of ${entry.entry}`, unit };
        found.push({ column, measure: measureOne(measures, name, entry) });
      }
    }
  }
  return found;
}

/** Whether a clip has so much of it as its calls have together. */
export function isAddedUp(name: MeasureName): boolean {
  return ["macs", "scalars", "dispatches", "executed"].includes(name);
}

export function measureOne(measures: Measures, name: MeasureName, entry: EntryCost): Measurement["measure"] {
  const measured = measures.of(name, entry);
  if (!measureFacts[name].ofEntry) return (given) => measured.value(given.at);
  return (given) => {
    const bindings = bindEntry(entry, given);
    if (measured.expression?.constant === undefined) requireBound(entry, bindings, `The measure ${name}`);
    return measured.value(bindings);
  };
}

export function measureClip(measures: Measures, name: MeasureName): Measurement["measure"] {
  const [first, next] = generatingEntries(measures.model);
  const sizes = continuedSizes(first, next);
  const [reading, writing] = [measures.of(name, first), measures.of(name, next)];
  const perToken = writing.expression?.substitute(sizes);
  return (given, tokens) => {
    const bindings = new Map([...bindEntry(next, given), ...bindEntry(first, given)]);
    if (reading.expression?.constant === undefined) requireBound(first, bindings, `The measure ${name}`);
    const open = [...(perToken?.symbols() ?? [])].filter((symbol) => !bindings.has(symbol));
    if (open.length > 0) requireBound(next, bindings, `The measure ${name}`);
    return reading.value(bindings) + (tokens ?? 0) * (perToken?.evaluate(bindings) ?? 0);
  };
}
