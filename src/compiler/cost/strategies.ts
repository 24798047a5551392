/**
 * Ways to fine-tune a model, held against each other: all of it, all but the encoder, or what the text
 * declares (its adapters, and what it does not freeze), as in the comparison of arXiv:2509.15680.
 *
 * Owns: which strategies a model has, and that one which values of a parameter do not change is counted
 * once.
 */
import type { Dim } from "../../lang/dims.ts";
import type { BlockFrame } from "../../lang/emitter.ts";
import { bindDim, bindEntry, type Given } from "./bindings.ts";
import type { ParameterCost } from "./count.ts";
import { allParameters, type EntryCost, type ModelCost } from "./model-cost.ts";
import { isAdapter, type TrainingCost, trainedByDefault, trainingCost } from "./training.ts";

export interface Strategy {
  readonly name: string;
  readonly trains: (parameter: ParameterCost) => boolean;
}

export interface StrategyCost {
  readonly strategy: string;
  /** The value of the parameter that was varied, where it makes a difference: `rank = 8`. */
  readonly at: string | undefined;
  readonly cost: TrainingCost;
}

/** A model as it was counted with one value of a parameter. */
export interface CountedVariant {
  /** `rank = 8`; undefined where nothing varies. */
  readonly at: string | undefined;
  readonly model: ModelCost;
}

/** From the one that trains most. Those that are the same are there once. */
export function strategiesOf({ entries, frozen }: ModelCost): readonly Strategy[] {
  const parameters = allParameters(entries);
  const declared = trainedByDefault(parameters, frozen);
  const own = parameters.filter((parameter) => !isAdapter(parameter));
  const hasAdapters = own.length < parameters.length;
  const outside = own.filter((parameter) => !isInEncoder(parameter));
  const strategies: Strategy[] = [{ name: "everything", trains: (parameter) => !isAdapter(parameter) }];
  if (outside.length > 0 && outside.length < own.length) {
    const trained = new Set(outside);
    strategies.push({ name: "everything but the encoder", trains: (parameter) => trained.has(parameter) });
  }
  const asDeclared = parameters.filter(declared);
  const isKnown = strategies.some(({ trains }) =>
    parameters.every((p) => trains(p) === asDeclared.includes(p)),
  );
  if (!isKnown) {
    strategies.push({ name: hasAdapters ? "as declared, with adapters" : "as declared", trains: declared });
  }
  return strategies;
}

function isInEncoder({ parameter }: ParameterCost): boolean {
  for (let use: BlockFrame | undefined = parameter.provenance.frame; use !== undefined; use = use.outer) {
    if (use.declaration.blockKind === "encoder") return true;
  }
  return false;
}

/** A step of training of `entry`, by every strategy and every variant. */
export function compareStrategies(
  variants: readonly CountedVariant[],
  entryOf: (model: ModelCost) => EntryCost,
  given: Given,
): readonly StrategyCost[] {
  const rows: StrategyCost[] = [];
  for (const { at, model } of variants) {
    const entry = entryOf(model);
    const bindings = bindEntry(entry, given);
    const bind = (dim: Dim): Dim => bindDim(dim, bindings);
    for (const { name, trains } of strategiesOf(model)) {
      const cost = bindTraining(trainingCost(entry.cost, trains), bind);
      const same = rows.findIndex((row) => row.strategy === name && isSame(row.cost, cost));
      const earlier = rows[same];
      // An adapter that is not trained may have any rank.
      if (earlier === undefined) rows.push({ strategy: name, at, cost });
      else rows[same] = { ...earlier, at: undefined };
    }
  }
  const order = [...new Set(rows.map((row) => row.strategy))];
  return rows.sort((a, b) => order.indexOf(a.strategy) - order.indexOf(b.strategy));
}

function isSame(a: TrainingCost, b: TrainingCost): boolean {
  return (["trained", "forward", "backward", "kept"] as const).every((name) => a[name].equals(b[name]));
}

export function bindTraining(training: TrainingCost, bind: (dim: Dim) => Dim): TrainingCost {
  return {
    trained: bind(training.trained),
    frozen: bind(training.frozen),
    forward: bind(training.forward),
    backward: bind(training.backward),
    gradients: bind(training.gradients),
    optimizer: bind(training.optimizer),
    kept: bind(training.kept),
  };
}
