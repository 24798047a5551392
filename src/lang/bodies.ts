/**
 * Statements: `let`, assignment, and loops and conditions that are unrolled while compiling.
 *
 * Owns: how a body runs. A body ends in the expression that is its value.
 */

import type {
  AssignStatement,
  Body,
  ForStatement,
  Identifier,
  IfStatement,
  LetStatement,
  Statement,
} from "./ast.ts";
import { decide, undecidedValue } from "./conditions.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import { checkRequirement } from "./requirements.ts";
import { Scope, type Slot } from "./scope.ts";
import type { Span } from "./source.ts";
import { rangeItems } from "./static-types.ts";
import { matchArrivals } from "./tensor-types.ts";
import { errorValue, intValue, isSilent, type Value } from "./value.ts";

export function runBody(body: Body, scope: Scope, evaluation: Evaluation): Value {
  runStatements(body.statements, scope, evaluation);
  return evaluation.evaluate(body.result, scope);
}

function runStatements(statements: readonly Statement[], scope: Scope, evaluation: Evaluation): void {
  for (const statement of statements) {
    switch (statement.kind) {
      case "let":
        runLet(statement, scope, evaluation);
        break;
      case "assign":
        runAssign(statement, scope, evaluation);
        break;
      case "for":
        runFor(statement, scope, evaluation);
        break;
      case "if":
        runIf(statement, scope, evaluation);
        break;
      case "require":
        checkRequirement(statement, scope, evaluation);
        break;
    }
  }
}

function runLet(statement: LetStatement, scope: Scope, evaluation: Evaluation): void {
  const value = evaluation.evaluate(statement.value, scope);
  let attached = evaluation.attach(value, scope.path, statement.span, { shared: true });
  const [only] = statement.names;
  if (statement.type !== undefined && only !== undefined && statement.names.length === 1) {
    const arrival = { name: only.name, type: statement.type, value: attached, span: statement.value.span };
    const [fit] = matchArrivals([arrival], { scope, evaluation, owner: "this `let`", role: "result" });
    if (fit === "error") attached = errorValue;
  }
  const values = spread(attached, statement.names, statement.value.span, evaluation);
  for (const [i, name] of statement.names.entries()) {
    const one = values[i] ?? errorValue;
    if (name.name === "_") continue;
    evaluation.name(joinPath(scope.path, name.name), one);
    const from = values.length === 1 ? { expression: statement.value, scope } : undefined;
    scope.define(name.name, one, name.span, true, { span: name.span, from });
  }
}

function runAssign(statement: AssignStatement, scope: Scope, evaluation: Evaluation): void {
  const value = evaluation.evaluate(statement.value, scope);
  const values = spread(value, statement.names, statement.value.span, evaluation);
  for (const [i, name] of statement.names.entries()) {
    if (name.name === "_") continue;
    const slot = scope.lookup(name.name);
    if (slot === undefined) evaluation.fail(messages.assignUnknown(name, scope.names()));
    else if (!slot.assignable) evaluation.fail(messages.notAssignable(name, slot.span));
    else {
      const one = values[i] ?? errorValue;
      evaluation.name(joinPath(scope.path, name.name), one, "replace");
      slot.set(one);
    }
  }
}

/** One value for each name. */
function spread(
  value: Value,
  names: readonly Identifier[],
  span: Span,
  evaluation: Evaluation,
): readonly Value[] {
  if (names.length === 1) return [value];
  if (isSilent(value)) return names.map(() => value);
  const items = value.kind === "tuple" || value.kind === "list" ? value.items : undefined;
  if (items?.length === names.length) return items;
  evaluation.fail(messages.wrongCount(names.length, "name", value, span));
  return names.map(() => errorValue);
}

function runFor(statement: ForStatement, scope: Scope, evaluation: Evaluation): void {
  const iterable = evaluation.evaluate(statement.iterable, scope);
  const items = iterate(iterable, statement.iterable.span, evaluation);
  const run = (index: Value, item: Value): void => {
    const inner = new Scope(scope, scope.path);
    if (statement.index !== undefined) inner.define(statement.index.name, index, statement.index.span);
    inner.define(statement.variable.name, item, statement.variable.span);
    evaluation.observe?.(statement.variable, item);
    runStatements(statement.statements, inner, evaluation);
  };
  if (items === "unknown" || items === "error") {
    // How often is not known: the body is checked once, and what it assigns is not known after it.
    const item = undecidedValue(items);
    run(item, item);
    for (const slot of assignedSlots(statement.statements, scope)) slot.set(item);
    return;
  }
  for (const [i, item] of items.entries()) {
    if (!evaluation.spend(statement.iterable.span)) return;
    run(intValue(Dim.of(i)), item);
  }
}

/** More turns than any loop of a model takes. */
const mostTurns = 100_000;

/** The items of a list or range. */
export function iterate(
  value: Value,
  span: Span,
  evaluation: Evaluation,
): readonly Value[] | "unknown" | "error" {
  if (value.kind === "unknown" || value.kind === "error") return value.kind;
  if (value.kind === "list" || value.kind === "tuple") return value.items;
  if (value.kind !== "range") {
    evaluation.fail(messages.notIterable(span, value));
    return "error";
  }
  const { from, to } = value;
  if (evaluation.open.reaches(value)) return "unknown";
  const turns = to.sub(from).constant;
  if (turns !== undefined && turns > mostTurns) {
    evaluation.fail(messages.tooManyTurns(span, turns, mostTurns));
    return "error";
  }
  const items = rangeItems(from, to);
  if (items !== undefined) return items;
  evaluation.fail(messages.openRange(span, from, to));
  return "error";
}

/** The names in sight that statements give new values. */
function assignedSlots(statements: readonly Statement[], scope: Scope): Slot[] {
  const slots: Slot[] = [];
  const collect = (parts: readonly Statement[]): void => {
    for (const part of parts) {
      if (part.kind === "for") collect(part.statements);
      else if (part.kind === "if") collect([...part.consequent, ...part.alternate]);
      else if (part.kind === "assign") {
        for (const { name } of part.names) {
          const slot = scope.lookup(name);
          if (slot?.assignable === true) slots.push(slot);
        }
      }
    }
  };
  collect(statements);
  return slots;
}

function runIf(statement: IfStatement, scope: Scope, evaluation: Evaluation): void {
  const decision = decide(statement.condition, scope, evaluation);
  const { consequent, alternate } = statement;
  const run = (chosen: readonly Statement[]): void =>
    runStatements(chosen, new Scope(scope, scope.path), evaluation);
  const runUndecided = (chosen: readonly Statement[]): void => evaluation.undecided(() => run(chosen));
  if (typeof decision === "boolean") {
    run(decision ? consequent : alternate);
    return;
  }
  // Both are checked from the same start, and what either assigns is not known after them.
  const slots = assignedSlots([...consequent, ...alternate], scope);
  const before = slots.map((slot) => slot.get());
  runUndecided(consequent);
  for (const [i, slot] of slots.entries()) slot.set(before[i] ?? errorValue);
  runUndecided(alternate);
  for (const slot of slots) slot.set(undecidedValue(decision));
}
