/**
 * What a model may cost, as its text says: `budget { macs(seconds: 10) <= 32G, params <= 220M }`.
 *
 * Owns: measuring each limit, and what is reported of one that is broken: the parts that cost most.
 * Which change would fit is fit.ts's.
 */
import { type Diagnostic, DiagnosticError, DiagnosticSink } from "../../lang/diagnostic.ts";
import type { Dim } from "../../lang/dims.ts";
import * as messages from "../../lang/messages.ts";
import { type ModelOutline, openModel } from "../../lang/model.ts";
import type { BudgetLimit } from "../../lang/plans.ts";
import type { Program } from "../../lang/program.ts";
import { GraphBuilder } from "../graph-builder.ts";
import { catalog } from "../ops/index.ts";
import { bindDim, bindEntry } from "./bindings.ts";
import { dispatchesOf } from "./device-work.ts";
import { fittingChange } from "./fit.ts";
import { type BudgetRequest, bindingsOf, entryOf, measureLimit } from "./limit.ts";
import { isMeasure, type MeasureName, measureFacts } from "./measures.ts";
import { costModel, type ModelCost } from "./model-cost.ts";
import { share, shortBytes, shortCount } from "./numbers.ts";
import { type CostTree, condense, executedOf, rollUp } from "./tree.ts";

export interface MeasuredLimit {
  readonly limit: BudgetLimit;
  /** As it was written. */
  readonly text: string;
  readonly measure: MeasureName;
  readonly value: number;
}

/** Every limit of a counted model's budget. What can't be measured as it is written is in `sink`. */
export function measureBudget(model: ModelCost, sink: DiagnosticSink): readonly MeasuredLimit[] {
  return model.plans.budget.flatMap((limit): MeasuredLimit[] => {
    const { measure, span } = limit;
    if (!isMeasure(measure)) return [];
    const text = span.file.text.slice(span.start, span.end);
    try {
      return [{ limit, text, measure, value: measureLimit(model, limit, new Map()) }];
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      for (const { message, hint } of error.diagnostics) {
        sink.report(messages.unmeasurableLimit(span, message, hint && inBudget(hint)));
      }
      return [];
    }
  });
}

/**
 * Holds models to their budgets, each with the settings that are given for it. Costs no time where no
 * file of the program declares one.
 */
export function checkBudgets(
  program: Program,
  requests: readonly BudgetRequest[],
  sink: DiagnosticSink,
): void {
  const declared = [...program.modules.values()].some(({ unit }) =>
    unit.declarations.some((one) => one.kind === "block" && one.members.some((m) => m.kind === "budget")),
  );
  if (declared) for (const request of requests) checkBudget(program, request, sink);
}

function checkBudget(program: Program, request: BudgetRequest, sink: DiagnosticSink): void {
  const problems = new DiagnosticSink();
  const outline = openModel({ program, catalog, sink: problems }, request, new GraphBuilder("budget"));
  if (outline === undefined || outline.instance.plans().budget.length === 0 || problems.hasErrors) return;
  const model = costModel(program, request, problems);
  // Whatever is wrong with the model itself, checking it has said already.
  if (model === undefined || problems.hasErrors) return;
  for (const broken of overBudget(program, model, outline, request, sink)) sink.report(broken);
}

/** A hint that speaks of options, for a text that has arguments in their place. */
function inBudget(hint: string): string {
  return hint
    .replace(/--at (\w+)=([\d.]+)/g, "`$1: $2`")
    .replace(/--(\w+) (\d+)/g, "`$1: $2`")
    .replace(/--(\w+)/g, "`$1`")
    .replaceAll("` `", "`, `");
}

/** What the bytes of a measure are bytes of. */
const bytesOf: Readonly<Partial<Record<MeasureName, string>>> = {
  weights: "weights",
  state: "state",
  memory: "live memory at its peak",
};

/** A diagnostic for every limit that is broken. */
export function overBudget(
  program: Program,
  model: ModelCost,
  outline: ModelOutline,
  request: BudgetRequest,
  sink: DiagnosticSink,
): readonly Diagnostic[] {
  return measureBudget(model, sink).flatMap(({ limit, measure, value }) => {
    if (value <= limit.limit) return [];
    const { unit, title } = measureFacts[measure];
    const write = unit === "B" ? shortBytes : shortCount;
    const change = fittingChange(program, outline, request, limit);
    return messages.overBudget({
      model: model.model,
      title: unit === "B" ? `of ${bytesOf[measure] ?? "bytes"}` : title,
      span: limit.span,
      value: write(value),
      limit: write(limit.limit),
      over: write(value - limit.limit),
      parts: largestParts(model, limit, measure, value).map(
        ({ path, amount }) => `${path} ${write(amount)} (${share(amount, value)})`,
      ),
      change: change && { ...change, value: write(change.value) },
    });
  });
}

// ---------------------------------------------------------------- what costs most

interface Part {
  readonly path: string;
  readonly amount: number;
}

const mostParts = 4;
const isOfTarget = (measure: MeasureName): boolean => measure === "dispatches" || measure === "executed";

function largestParts(
  model: ModelCost,
  limit: BudgetLimit,
  measure: MeasureName,
  whole: number,
): readonly Part[] {
  const amount = amountOf(measure);
  if (amount === undefined) return [];
  const { seconds, at } = bindingsOf(limit);
  const entries =
    limit.bindings.has("tokens") || !measureFacts[measure].ofEntry ? model.entries : [entryOf(model, limit)];
  const parts = entries.flatMap((entry) => {
    const bindings = bindEntry(entry, { at, seconds });
    const dispatches = isOfTarget(measure) ? dispatchesOf(entry) : undefined;
    const tree = condense(rollUp(entry.cost, { by: "path", convention: "core", dispatches }));
    return opened(tree, (one) => bindDim(amount(one.amounts), bindings).constant ?? 0);
  });
  const byPath = new Map<string, Part>();
  // A learned tensor that several entries share is one.
  for (const part of parts) {
    if (part.amount > (byPath.get(part.path)?.amount ?? whole / 100)) byPath.set(part.path, part);
  }
  return [...byPath.values()].sort((a, b) => b.amount - a.amount).slice(0, mostParts);
}

/** The parts of a tree: the largest is opened until there are a few. */
function opened(tree: CostTree, amount: (tree: CostTree) => number): readonly Part[] {
  let parts = [{ tree, path: tree.name, amount: amount(tree) }];
  for (;;) {
    parts.sort((a, b) => b.amount - a.amount);
    const [largest, ...others] = parts;
    const large = parts.filter((part) => part.amount > amount(tree) / 20);
    if (largest === undefined || largest.tree.children.length === 0 || large.length >= mostParts) break;
    const inside = largest.tree.children.map((child) => ({
      tree: child,
      path: largest.path === "" ? child.name : `${largest.path}.${child.name}`,
      amount: amount(child),
    }));
    parts = [...inside, ...others];
  }
  return parts.map(({ path, amount: value }) => ({ path, amount: value }));
}

function amountOf(measure: MeasureName): ((amounts: CostTree["amounts"]) => Dim) | undefined {
  switch (measure) {
    case "macs":
      return ({ macs }) => macs;
    case "scalars":
      return ({ scalar }) => scalar;
    case "params":
    case "trainable":
      return ({ parameters }) => parameters;
    case "weights":
      return ({ weights }) => weights;
    case "dispatches":
      return ({ dispatches }) => dispatches;
    case "executed":
      return executedOf;
    case "state":
    case "memory":
      return undefined;
  }
}
