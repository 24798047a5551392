/**
 * Results of static arithmetic as values of a program.
 *
 * Owns: which failures are mistakes. What only an open parameter leaves undecided is unknown; what
 * has no exact answer is reported.
 */
import type { Label } from "./diagnostic.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Span } from "./source.ts";
import type { StaticResult } from "./static-arithmetic.ts";
import { unknownValue, type Value } from "./value.ts";

/** `operands` say what was computed with, for a message. */
export function resolve(
  result: StaticResult,
  span: Span,
  evaluation: Evaluation,
  operands: readonly Label[] = [],
): Value {
  if (!result.ok) {
    if (result.isOpen === true && !evaluation.open.isEmpty) return unknownValue;
    return evaluation.fail(messages.badArithmetic(span, result, operands));
  }
  const { value } = result;
  const isInexact =
    value.kind === "int" && value.dim.constant === undefined && value.dim.symbols().size === 0;
  return isInexact ? evaluation.fail(messages.numberTooLarge(span)) : value;
}
