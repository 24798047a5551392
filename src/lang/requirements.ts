/**
 * `require`: decided while compiling, or left as a guard for when inputs are bound.
 */
import type { Expression, RequireMember } from "./ast.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { originsOfNames } from "./provenance.ts";
import type { Scope } from "./scope.ts";
import { isSilent } from "./value.ts";

/** Decides a `require` now, or leaves it as a guard for when inputs are bound. */
export function checkRequirement(member: RequireMember, scope: Scope, evaluation: Evaluation): void {
  checkCondition(member.condition, member.message?.value, scope, evaluation);
}

export function checkCondition(
  expression: Expression,
  reason: string | undefined,
  scope: Scope,
  evaluation: Evaluation,
): void {
  const value = evaluation.evaluate(expression, scope);
  if (isSilent(value)) return;
  if (value.kind === "bool") {
    if (value.value) return;
    const owner = evaluation.frame?.declaration.name.name;
    const values = originsOfNames(expression, scope);
    evaluation.fail(messages.requirementFailed(expression, reason, owner, values));
    return;
  }
  if (value.kind === "condition") {
    const { condition, left, right } = value;
    const text = reason ?? "required by the model";
    const origin = evaluation.origin(scope, expression.span);
    evaluation.emitter.require({ kind: condition, left, right, reason: text }, origin);
    return;
  }
  evaluation.fail(messages.notACondition(expression.span, value));
}
