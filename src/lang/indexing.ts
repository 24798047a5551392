/**
 * `x[:, 1:, ..., 0]` on tensors and `layers[3]` on lists.
 *
 * Owns: the meaning of index items. Bounds are exact, never clamped: a slice that may leave its
 * axis is an error, or a guard while the sizes are open.
 */
import type { IndexExpression, IndexItem } from "./ast.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import type { IndexPlace } from "./messages.ts";
import * as messages from "./messages.ts";
import { emitOp } from "./op-calls.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { asNumber } from "./static-arithmetic.ts";
import { evaluateDim } from "./tensor-types.ts";
import { errorValue, isSilent, type TensorValue, unknownValue, type Value } from "./value.ts";

export function evaluateIndex(expression: IndexExpression, scope: Scope, evaluation: Evaluation): Value {
  const object = evaluation.evaluate(expression.object, scope);
  if (isSilent(object)) return object;
  if (object.kind === "list" || object.kind === "tuple")
    return listItem(object.items, expression, scope, evaluation);
  if (object.kind === "tensor") return indexTensor(object, expression, scope, evaluation);
  return evaluation.fail(messages.notIndexable(expression.object.span, object));
}

function listItem(
  items: readonly Value[],
  expression: IndexExpression,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  const [item] = expression.items;
  if (item?.kind !== "at" || expression.items.length !== 1) {
    return evaluation.fail(messages.listIndex(expression.span));
  }
  const index = evaluation.evaluate(item.value, scope);
  if (index.kind === "unknown") return unknownValue;
  if (isSilent(index)) return index;
  const number = asNumber(index);
  if (number === undefined || index.kind !== "int")
    return evaluation.fail(messages.integerWanted(item.span, index));
  const found = items[number < 0 ? number + items.length : number];
  return found ?? evaluation.fail(messages.listIndexOutOfRange(item.span, number, items.length));
}

interface AxisSlice {
  start: Dim;
  stop: Dim;
  step: number;
  drop: boolean;
}

function indexTensor(
  tensor: TensorValue,
  expression: IndexExpression,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  const { shape } = tensor.type;
  const explicit = expression.items.filter((item) => item.kind !== "ellipsis").length;
  const extra = expression.items.filter((item) => item.kind === "ellipsis")[1];
  if (extra !== undefined) return evaluation.fail(messages.secondEllipsis(extra.span));
  const surplus = expression.items.filter((item) => item.kind !== "ellipsis")[shape.length];
  if (surplus !== undefined) {
    const object = expression.object.span;
    return evaluation.fail(messages.tooManyIndices(object, surplus.span, explicit, tensor.type));
  }
  const slices: AxisSlice[] = [];
  const whole = (size: Dim): AxisSlice => ({ start: Dim.of(0), stop: size, step: 1, drop: false });
  for (const item of expression.items) {
    if (item.kind === "ellipsis") {
      const last = slices.length + shape.length - explicit;
      for (const size of shape.slice(slices.length, last)) slices.push(whole(size));
      continue;
    }
    const size = shape[slices.length] ?? Dim.of(1);
    const place = { tensor, axis: slices.length, span: item.span };
    const slice = axisSlice(item, size, whole(size), place, scope, evaluation);
    if (slice === undefined) return errorValue;
    if (slice === "unknown") return unknownValue;
    slices.push(slice);
  }
  for (const size of shape.slice(slices.length)) slices.push(whole(size));
  return applySlices(tensor, slices, scope, expression.span, evaluation);
}

function axisSlice(
  item: Exclude<IndexItem, { kind: "ellipsis" }>,
  size: Dim,
  whole: AxisSlice,
  place: IndexPlace,
  scope: Scope,
  evaluation: Evaluation,
): AxisSlice | "unknown" | undefined {
  if (item.kind === "at") {
    const at = bound(item.value, size, scope, evaluation);
    if (at === undefined || at === "unknown") return at;
    const refuse = (): Diagnostic => messages.indexOutOfRange(at, size, place);
    if (!within(Dim.of(0), at, item.span, refuse, scope, evaluation)) return undefined;
    if (!within(at.add(1), size, item.span, refuse, scope, evaluation)) return undefined;
    return { start: at, stop: at.add(1), step: 1, drop: true };
  }
  const start = item.start === undefined ? whole.start : bound(item.start, size, scope, evaluation);
  const stop = item.stop === undefined ? whole.stop : bound(item.stop, size, scope, evaluation);
  if (start === undefined || stop === undefined) return undefined;
  if (start === "unknown" || stop === "unknown") return "unknown";
  let step = 1;
  if (item.step !== undefined) {
    const value = evaluateDim(item.step, scope, evaluation);
    if (value === undefined || value === "unknown") return value;
    if (evaluation.open.reaches({ kind: "int", dim: value })) return "unknown";
    step = value.constant ?? 0;
    if (step < 1) {
      evaluation.fail(messages.badStep(item.step.span, value));
      return undefined;
    }
  }
  const tooEarly = (): Diagnostic => messages.sliceTooEarly(start, size, place);
  const backwards = (): Diagnostic => messages.sliceBackwards(start, stop, place);
  const tooFar = (): Diagnostic => messages.sliceOutOfRange(stop, size, place);
  if (!within(Dim.of(0), start, item.span, tooEarly, scope, evaluation)) return undefined;
  if (!within(stop, size, item.span, tooFar, scope, evaluation)) return undefined;
  if (!within(start, stop, item.span, backwards, scope, evaluation)) return undefined;
  return { start, stop, step, drop: false };
}

/** A negative number counts from the end. */
function bound(
  expression: Parameters<typeof evaluateDim>[0],
  size: Dim,
  scope: Scope,
  evaluation: Evaluation,
): Dim | "unknown" | undefined {
  const value = evaluateDim(expression, scope, evaluation);
  if (value === undefined || value === "unknown") return value;
  return (value.constant ?? 0) < 0 ? size.add(value) : value;
}

function within(
  low: Dim,
  high: Dim,
  span: Span,
  refuse: () => Diagnostic,
  scope: Scope,
  evaluation: Evaluation,
): boolean {
  const { minimums } = evaluation.open;
  if (Dim.provablyAtMost(low, high, minimums)) return true;
  if (Dim.provablyAtMost(high.add(1), low, minimums)) {
    evaluation.fail(refuse());
    return false;
  }
  evaluation.emitter.require(
    { kind: "at-most", left: low, right: high, reason: "an index must lie inside its axis" },
    evaluation.origin(scope, span),
  );
  return true;
}

function applySlices(
  tensor: TensorValue,
  slices: readonly AxisSlice[],
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value {
  const { shape } = tensor.type;
  const untouched = slices.every(
    (s, i) => s.step === 1 && s.start.constant === 0 && shape[i]?.equals(s.stop) === true,
  );
  const attributes = {
    starts: slices.map((slice) => slice.start),
    stops: slices.map((slice) => slice.stop),
    steps: slices.map((slice) => slice.step),
  };
  const cut = untouched ? tensor : emitOp("slice", [tensor], attributes, scope, span, evaluation);
  if (cut.kind !== "tensor" || slices.every((slice) => !slice.drop)) return cut;
  const kept = cut.type.shape.filter((_, axis) => slices[axis]?.drop !== true);
  const reshaped = emitOp("reshape", [cut], { shape: kept }, scope, span, evaluation);
  if (reshaped.kind !== "tensor") return reshaped;
  return { ...reshaped, origins: cut.origins.filter((_, axis) => slices[axis]?.drop !== true) };
}

/** One part of one axis; bounds are known to be inside. */
export function sliceTensor(
  tensor: TensorValue,
  axis: number,
  start: Dim,
  stop: Dim,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value {
  const slices = tensor.type.shape.map((size, i) =>
    i === axis
      ? { start, stop, step: 1, drop: false }
      : { start: Dim.of(0), stop: size, step: 1, drop: false },
  );
  return applySlices(tensor, slices, scope, span, evaluation);
}
