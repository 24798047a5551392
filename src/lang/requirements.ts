/**
 * `require`: decided while compiling, or left as a guard for when inputs are bound.
 */
import type { RequireMember } from "./ast.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import { isSilent } from "./value.ts";

/** Decides a `require` now, or leaves it as a guard for when inputs are bound. */
export function checkRequirement(member: RequireMember, scope: Scope, evaluation: Evaluation): void {
  const value = evaluation.evaluate(member.condition, scope);
  if (isSilent(value)) return;
  const reason = member.message?.value;
  if (value.kind === "bool") {
    if (!value.value) evaluation.fail(messages.requirementFailed(member, reason));
    return;
  }
  if (value.kind === "condition") {
    const { condition, left, right } = value;
    const text = reason ?? "required by the model";
    const origin = evaluation.origin(scope, member.condition.span);
    evaluation.emitter.require({ kind: condition, left, right, reason: text }, origin);
    return;
  }
  evaluation.fail(messages.notACondition(member.condition.span, value));
}
