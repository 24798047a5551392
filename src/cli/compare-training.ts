/**
 * `ossicle cost --train compare`: ways to fine-tune a model in one table.
 *
 * Owns: one parameter may list several values, such as `--set rank=8,256`; and how the table reads.
 */
import { readAxisValues } from "../compiler/cost/axes.ts";
import { checkGiven } from "../compiler/cost/bindings.ts";
import type { EntryCost, ModelCost } from "../compiler/cost/model-cost.ts";
import { exactNumber, layTable, writeBytes, writeCount } from "../compiler/cost/numbers.ts";
import { trainingToJson } from "../compiler/cost/report-json.ts";
import { type CountedVariant, compareStrategies, type StrategyCost } from "../compiler/cost/strategies.ts";
import { notationOf } from "../lang/dims.ts";
import { failure } from "../runtime/failure.ts";
import { type CountOptions, countModel, givenBy, settingsOf } from "./cost-options.ts";
import type { Output } from "./output.ts";

/** Gives the exit status. */
export function compareTraining(file: string, options: CountOptions, output: Output): number {
  const variants = variantsOf(options).map(({ at, settings }): CountedVariant => {
    // The keep rate is among the settings already.
    const { keep: _, ...others } = options;
    return { at, model: countModel(file, { ...others, set: settings }, output) };
  });
  const given = givenBy(options);
  for (const { model } of variants) checkGiven(model.entries, given);
  const rows = compareStrategies(variants, entryOf, given);
  const [first] = variants;
  const title =
    first === undefined ? "" : `${first.model.model}: a step of training, ${entryOf(first.model).entry}`;
  output.set("training", {
    model: first?.model.model ?? "",
    entry: first === undefined ? "" : entryOf(first.model).entry,
    strategies: rows.map(({ strategy, at, cost }) => ({ strategy, at: at ?? null, ...trainingToJson(cost) })),
  });
  output.line(title);
  for (const line of tableOf(rows)) output.line(line);
  return output.finish();
}

/** The first that was counted: of a captioner it reads sound and prompt. */
function entryOf({ entries: [first], model }: ModelCost): EntryCost {
  if (first === undefined) throw failure("no-entry", `${model} has no entry.`);
  return first;
}

function variantsOf(options: CountOptions): readonly {
  readonly at: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
}[] {
  const settings = settingsOf(options);
  const lists = [...settings]
    .map(([name, text]) => ({ name, values: readAxisValues(name, text) }))
    .filter(({ values }) => values.length > 1);
  const [list, second] = lists;
  if (second !== undefined) {
    throw failure("wrong-usage", `Both ${list?.name} and ${second.name} list several values.`, {
      hint: "one parameter can vary here; `ossicle sweep` varies many",
    });
  }
  if (list === undefined) return [{ at: undefined, settings }];
  return list.values.map(({ text }) => ({
    at: `${list.name} = ${text}`,
    settings: new Map(settings).set(list.name, text),
  }));
}

function tableOf(rows: readonly StrategyCost[]): string[] {
  const dims = rows.flatMap(({ cost }) => Object.values(cost));
  const notation = notationOf(dims.filter((dim) => dim.constant === undefined));
  const where = notation.where.map(({ name, text }) => `${name} = ${text}`);
  const cells = rows.map(({ strategy, at, cost }) => [
    at === undefined ? strategy : `${strategy}, ${at}`,
    cost.trained.constant === undefined ? String(cost.trained) : exactNumber(cost.trained.constant),
    writeCount(cost.forward, notation),
    writeCount(cost.backward, notation),
    writeBytes(cost.gradients, notation),
    writeBytes(cost.optimizer, notation),
    writeBytes(cost.kept, notation),
  ]);
  const header = ["trained", "parameters", "forward", "backward", "gradients", "optimizer", "activations"];
  return [
    ...layTable([header, ...cells]),
    "MACs forward and backward; bytes of gradients, of AdamW's two moments, and of activations kept",
    ...(where.length === 0 ? [] : [`where ${where.join(", ")}`]),
  ];
}
