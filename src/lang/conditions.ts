/**
 * Conditions that are decided while compiling.
 *
 * Owns: what counts as true, false or undecided, and the complaint about anything else.
 */
import type { Expression } from "./ast.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { errorValue, unknownValue, type Value } from "./value.ts";

/** `unknown` depends on an open parameter; `error` is reported. Neither chooses a branch: check both. */
export type Decision = boolean | "unknown" | "error";

export function decide(expression: Expression, scope: Scope, evaluation: Evaluation): Decision {
  return decideValue(evaluation.evaluate(expression, scope), expression.span, evaluation);
}

export function decideValue(value: Value, span: Span, evaluation: Evaluation): Decision {
  if (value.kind === "bool") return value.value;
  if (value.kind === "unknown" || value.kind === "error") return value.kind;
  if (value.kind === "condition" && evaluation.open.reaches(value)) return "unknown";
  evaluation.fail(messages.notACondition(span, value));
  return "error";
}

/** What becomes of a value that an undecided branch may have changed. */
export function undecidedValue(decision: "unknown" | "error"): Value {
  return decision === "unknown" ? unknownValue : errorValue;
}
