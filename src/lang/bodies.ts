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
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import { checkRequirement } from "./requirements.ts";
import { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { rangeItems } from "./static-types.ts";
import { matchArrivals } from "./tensor-types.ts";
import { errorValue, intValue, isSilent, unknownValue, type Value } from "./value.ts";

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
  const attached = evaluation.attach(value, scope.path, statement.span, { shared: true });
  const values = spread(attached, statement.names, statement.value.span, evaluation);
  const [only] = statement.names;
  if (statement.type !== undefined && only !== undefined && statement.names.length === 1) {
    const arrival = { name: only.name, type: statement.type, value: attached, span: statement.value.span };
    matchArrivals([arrival], { scope, evaluation, owner: "this `let`", role: "result" });
  }
  for (const [i, name] of statement.names.entries()) {
    const one = values[i] ?? errorValue;
    if (name.name === "_") continue;
    evaluation.name(joinPath(scope.path, name.name), one);
    scope.define(name.name, one, name.span, true);
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
  evaluation.fail(messages.wrongCount(names.length, value, span));
  return names.map(() => errorValue);
}

function runFor(statement: ForStatement, scope: Scope, evaluation: Evaluation): void {
  const iterable = evaluation.evaluate(statement.iterable, scope);
  const items = iterate(iterable, statement.iterable.span, evaluation);
  for (const [i, item] of items.entries()) {
    const inner = new Scope(scope, scope.path);
    if (statement.index !== undefined) {
      const index = iterable.kind === "unknown" ? unknownValue : intValue(Dim.of(i));
      inner.define(statement.index.name, index, statement.index.span);
    }
    inner.define(statement.variable.name, item, statement.variable.span);
    runStatements(statement.statements, inner, evaluation);
  }
}

/** The items of a list or range. Of an unknown one, a single unknown: the body is checked once. */
export function iterate(value: Value, span: Span, evaluation: Evaluation): readonly Value[] {
  if (value.kind === "unknown") return [unknownValue];
  if (value.kind === "error") return [];
  if (value.kind === "list" || value.kind === "tuple") return value.items;
  if (value.kind === "range") {
    const items = rangeItems(value.from, value.to);
    if (items !== undefined) return items;
    evaluation.fail(messages.openRange(span, value.from, value.to));
    return [];
  }
  evaluation.fail(messages.notIterable(span, value));
  return [];
}

function runIf(statement: IfStatement, scope: Scope, evaluation: Evaluation): void {
  const condition = evaluation.evaluate(statement.condition, scope);
  if (condition.kind === "bool") {
    const chosen = condition.value ? statement.consequent : statement.alternate;
    runStatements(chosen, new Scope(scope, scope.path), evaluation);
  } else if (condition.kind === "unknown") {
    runStatements(statement.consequent, new Scope(scope, scope.path), evaluation);
    runStatements(statement.alternate, new Scope(scope, scope.path), evaluation);
  } else if (!isSilent(condition)) {
    evaluation.fail(messages.notACondition(statement.condition.span, condition));
  }
}
