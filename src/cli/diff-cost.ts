/**
 * `ossicle diff --cost`: two variants counted and held against each other.
 *
 * Owns: counting both under the same numbers. A number for what only one of them leaves open is for
 * that one.
 */
import type { Given } from "../compiler/cost/bindings.ts";
import type { Convention } from "../compiler/cost/conventions.ts";
import {
  compareCosts,
  costChangeLines,
  costChangesToJson,
  isChanged,
} from "../compiler/cost/cost-difference.ts";
import type { Target } from "../compiler/cost/device-work.ts";
import { costModel, type ModelCost } from "../compiler/cost/model-cost.ts";
import { type CostReport, reportCost } from "../compiler/cost/report.ts";
import { DiagnosticError, DiagnosticSink } from "../lang/diagnostic.ts";
import type { CommonOptions } from "./options.ts";
import type { Output } from "./output.ts";
import { openProgram } from "./program.ts";

export interface CountedVariant {
  readonly file: string;
  readonly model: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
}

export interface CostDifferenceOptions {
  readonly given: Given;
  readonly tokens: number | undefined;
  readonly convention: Convention;
  readonly target: Target | undefined;
  /** All when empty. */
  readonly entries: readonly string[];
}

/** Whether the two cost the same. */
export function diffCosts(
  a: CountedVariant,
  b: CountedVariant,
  options: CostDifferenceOptions,
  common: CommonOptions,
  output: Output,
): boolean {
  const [left, right] = [count(a, options, common, output), count(b, options, common, output)];
  const [before, after] = [report(left, right, options), report(right, left, options)];
  const changes = compareCosts(before, after);
  output.set("cost", costChangesToJson(changes));
  for (const line of costChangeLines(changes, before)) output.line(line);
  return !changes.some(isChanged);
}

function count(
  { file, model, settings }: CountedVariant,
  { entries }: CostDifferenceOptions,
  common: CommonOptions,
  output: Output,
): ModelCost {
  const sink = new DiagnosticSink();
  const program = openProgram(file, { ...common, set: settings }, sink);
  const request = { model, settings, entries: entries.length === 0 ? undefined : entries };
  const counted = costModel(program, request, sink);
  if (counted === undefined || sink.hasErrors) throw new DiagnosticError(sink.sorted());
  output.diagnostics(sink.sorted());
  return counted;
}

function report(model: ModelCost, other: ModelCost, options: CostDifferenceOptions): CostReport {
  const open = (of: ModelCost) =>
    new Set(of.entries.flatMap(({ symbols }) => symbols.map(({ name }) => name)));
  const [own, others] = [open(model), open(other)];
  const at = new Map([...options.given.at].filter(([name]) => own.has(name) || !others.has(name)));
  return reportCost(model, {
    given: { at, seconds: options.given.seconds },
    settings: new Map(),
    convention: options.convention,
    by: "component",
    tokens: options.tokens,
    target: options.target,
  });
}
