/**
 * What a model says about itself besides what it computes.
 *
 * Owns: the meaning of `sweep`, `budget`, `weights`, `frozen` and `generate` as data, and whether they refer to
 * what exists. They are carried out by the command line and by accounting.
 */
import type {
  BudgetMember,
  EntryMember,
  Expression,
  FrozenMember,
  GenerateMember,
  NamedValue,
  StaticParameter,
  SweepMember,
  WeightsMember,
} from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { asNumber } from "./static-arithmetic.ts";
import { coerce } from "./static-types.ts";
import { isSilent, type Value } from "./value.ts";

/** Names of a checkpoint that fit `from` are the model's `to`; `*` stands for the same text in both. */
export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** Learned tensors at these paths, and below them, are not trained. */
export interface FrozenPattern {
  /** From the root; `*` stands for any text. */
  readonly pattern: string;
  readonly span: Span;
}

export interface SweepAxis {
  readonly parameter: string;
  /** The values as they were written: they are given to the model again, one variant each. */
  readonly values: readonly { readonly value: Value; readonly text: string }[];
}

export interface BudgetLimit {
  /** `macs`, `params`, … */
  readonly measure: string;
  /** Positional arguments name an entry (`dispatches(step)`), named ones bind symbols (`seconds: 10`). */
  readonly entry: string | undefined;
  readonly bindings: ReadonlyMap<string, number>;
  readonly limit: number;
  readonly span: Span;
}

export interface Generation {
  readonly name: string;
  readonly first: string;
  readonly next: string;
  readonly stop: readonly string[];
  readonly limit: number | undefined;
  /** What the model is asked where a user asks nothing. */
  readonly prompt: string | undefined;
}

/** What a model can be measured by. */
export const measures: readonly string[] = [
  "macs",
  "scalars",
  "params",
  "trainable",
  "weights",
  "state",
  "memory",
  "dispatches",
  "executed",
];

export function readRenames(member: WeightsMember, path: string, evaluation: Evaluation): Rename[] {
  const renames: Rename[] = [];
  for (const { from, to, span } of member.renames) {
    const stars = (text: string): number => text.split("*").length - 1;
    if (from.value === "" || to.value === "" || stars(from.value) !== stars(to.value)) {
      evaluation.fail(messages.badRename(span, stars(from.value), stars(to.value)));
      continue;
    }
    renames.push({ from: from.value, to: joinPath(path, to.value) });
  }
  return renames;
}

export function readFrozen(member: FrozenMember, path: string): FrozenPattern[] {
  return member.patterns.map(({ value, span }) => ({ pattern: joinPath(path, value), span }));
}

/** Whether a learned tensor is meant by a pattern: it is at that path, or below. */
export function fitsPath(path: string, pattern: string): boolean {
  const source = pattern.split("*").map(literally).join(".*");
  return new RegExp(`^${source}(?:\\..*)?$`).test(path);
}

/** Says of each pattern that means no learned tensor what there is. */
export function checkFrozen(
  patterns: readonly FrozenPattern[],
  paths: ReadonlySet<string>,
): readonly Diagnostic[] {
  return patterns
    .filter(({ pattern }) => ![...paths].some((path) => fitsPath(path, pattern)))
    .map(({ pattern, span }) => messages.frozenMatchesNothing(pattern, span, [...paths]));
}

/** The name under which a checkpoint holds the model's `path`, by the first renaming that fits. */
export function checkpointName(path: string, renames: readonly Rename[]): string {
  for (const { from, to } of renames) {
    const pattern = new RegExp(`^${to.split("*").map(literally).join("(.*)")}$`);
    const match = pattern.exec(path);
    if (match === null) continue;
    let star = 0;
    return from.replace(/\*/g, () => match[++star] ?? "");
  }
  return path;
}

/** The text as a pattern that only it fits. */
function literally(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}

export function readSweep(
  member: SweepMember,
  parameters: readonly StaticParameter[],
  scope: Scope,
  evaluation: Evaluation,
): SweepAxis[] {
  const axes: SweepAxis[] = [];
  for (const axis of member.axes) {
    const parameter = parameters.find((p) => p.name.name === axis.name.name);
    if (parameter === undefined) {
      evaluation.fail(
        messages.sweepUnknown(
          axis.name,
          parameters.map((p) => p.name.name),
        ),
      );
      continue;
    }
    const values = sweepValues(axis, parameter, scope, evaluation);
    if (values !== undefined) axes.push({ parameter: axis.name.name, values });
  }
  return axes;
}

function sweepValues(
  axis: NamedValue,
  parameter: StaticParameter,
  scope: Scope,
  evaluation: Evaluation,
): SweepAxis["values"] | undefined {
  const items = axis.value.kind === "list" ? axis.value.items : undefined;
  if (items === undefined || items.length === 0) {
    evaluation.fail(messages.sweepNotAList(axis.value.span));
    return undefined;
  }
  const values: { value: Value; text: string }[] = [];
  for (const item of items) {
    const value = evaluation.evaluate(item, scope);
    if (isSilent(value)) return undefined;
    const coerced = coerce(value, parameter.type);
    if (!coerced.ok) {
      evaluation.fail(messages.sweepValue(axis.name.name, item.span, coerced.problem, parameter));
      return undefined;
    }
    values.push({ value: coerced.value, text: item.span.file.text.slice(item.span.start, item.span.end) });
  }
  return values;
}

export function readBudget(member: BudgetMember, scope: Scope, evaluation: Evaluation): BudgetLimit[] {
  const limits: BudgetLimit[] = [];
  for (const expression of member.limits) {
    const limit = readLimit(expression, scope, evaluation);
    if (limit !== undefined) limits.push(limit);
  }
  return limits;
}

function readLimit(expression: Expression, scope: Scope, evaluation: Evaluation): BudgetLimit | undefined {
  const refuse = (span: Span): undefined => {
    evaluation.fail(messages.badBudget(span, measures));
    return undefined;
  };
  if (expression.kind === "error") return undefined;
  if (expression.kind !== "binary" || expression.operator !== "<=") return refuse(expression.span);
  const { left, right } = expression;
  const callee = left.kind === "call" ? left.callee : left;
  if (callee.kind !== "name" || !measures.includes(callee.name)) return refuse(left.span);
  const limit = evaluation.evaluate(right, scope);
  if (isSilent(limit)) return undefined;
  const number = asNumber(limit);
  if (number === undefined) return refuse(right.span);
  let entry: string | undefined;
  const bindings = new Map<string, number>();
  for (const argument of left.kind === "call" ? left.arguments : []) {
    if (argument.name === undefined) {
      // An entry may be called like a keyword: `macs("forward")`.
      if (argument.value.kind === "name") entry = argument.value.name;
      else if (argument.value.kind === "string") entry = argument.value.value;
      else return refuse(argument.span);
      continue;
    }
    const bound = asNumber(evaluation.evaluate(argument.value, scope));
    if (bound === undefined) return refuse(argument.span);
    bindings.set(argument.name.name, bound);
  }
  return { measure: callee.name, entry, bindings, limit: number, span: expression.span };
}

export function readGeneration(
  member: GenerateMember,
  entries: readonly EntryMember[],
  scope: Scope,
  evaluation: Evaluation,
): Generation | undefined {
  const names = entries.map((entry) => entry.name.name);
  for (const wanted of [member.first, member.next]) {
    if (names.includes(wanted.name)) continue;
    evaluation.fail(messages.generateUnknown(wanted, names));
    return undefined;
  }
  const next = entries.find((entry) => entry.name.name === member.next.name);
  if (next?.continues?.name !== member.first.name) {
    evaluation.fail(messages.generateNotContinuing(member.next, member.first));
    return undefined;
  }
  let stop: readonly string[] = [];
  let limit: number | undefined;
  let prompt: string | undefined;
  for (const option of member.options) {
    const value = evaluation.evaluate(option.value, scope);
    if (isSilent(value)) return undefined;
    if (
      option.name.name === "stop" &&
      value.kind === "list" &&
      value.items.every((i) => i.kind === "string")
    ) {
      stop = value.items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
    } else if (option.name.name === "limit" && value.kind === "int" && (value.dim.constant ?? 0) > 0) {
      limit = value.dim.constant;
    } else if (option.name.name === "prompt" && value.kind === "string") {
      prompt = value.value;
    } else {
      evaluation.fail(messages.generateOption(option.name, option.value.span));
      return undefined;
    }
  }
  return { name: member.name.name, first: member.first.name, next: member.next.name, stop, limit, prompt };
}
