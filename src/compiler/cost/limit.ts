/**
 * One limit of a budget, measured: `macs(seconds: 10) <= 32G`.
 *
 * Owns: what its bindings and its entry mean. Without an entry it is the model's first; with `tokens` it
 * is a whole clip.
 */
import type { BudgetLimit } from "../../lang/plans.ts";
import { checkGiven, costFailure, type Given } from "./bindings.ts";
import { isAddedUp, measureClip, measureOne } from "./measurement.ts";
import { isMeasure, Measures, measureFacts } from "./measures.ts";
import type { EntryCost, ModelCost } from "./model-cost.ts";

export interface BudgetRequest {
  readonly model: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

/** The measure of a limit, given a model that was counted: the same for every variant of it. */
export function measureLimit(
  model: ModelCost,
  limit: BudgetLimit,
  more: ReadonlyMap<string, number>,
): number {
  const { measure } = limit;
  if (!isMeasure(measure)) throw new RangeError(`no measure is called ${measure}`);
  const measures = new Measures(model);
  const { seconds, tokens, at } = bindingsOf(limit);
  const given: Given = { at: new Map([...at, ...more]), seconds };
  if (tokens !== undefined) {
    if (!isAddedUp(measure)) {
      throw costFailure("bad-budget", `${measureFacts[measure].title} are not added up over tokens.`);
    }
    checkGiven(model.entries, given);
    return measureClip(measures, measure)(given, tokens);
  }
  const entry = entryOf(model, limit);
  checkGiven(measureFacts[measure].ofEntry ? [entry] : model.entries, given);
  return measureOne(measures, measure, entry)(given, undefined);
}

export function bindingsOf({ bindings }: BudgetLimit): {
  readonly seconds: number | undefined;
  readonly tokens: number | undefined;
  readonly at: ReadonlyMap<string, number>;
} {
  const at = new Map([...bindings].filter(([name]) => name !== "seconds" && name !== "tokens"));
  return { seconds: bindings.get("seconds"), tokens: bindings.get("tokens"), at };
}

export function entryOf(model: ModelCost, { entry: name }: BudgetLimit): EntryCost {
  const entry = name === undefined ? model.entries[0] : model.entries.find(({ entry }) => entry === name);
  if (entry !== undefined) return entry;
  const known = model.entries.map(({ entry }) => entry).join(", ");
  throw costFailure("bad-budget", `The model has no entry ${name ?? ""}.`, `there are ${known}`);
}
