/**
 * Tensor types as they are written: evaluating them, and matching values against them.
 *
 * Owns: named dimensions. A capital name that is not in sight stands for whatever size comes, and
 * is in sight from then on; everything else is an expression that must agree. What can't be decided
 * becomes a guard. A mismatch tells both sizes and where each came from.
 */
import type { DimExpression, Expression, TensorTypeExpression, TypeExpression } from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { originsOfNames, sourceText } from "./provenance.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { coerce, printStaticType } from "./static-types.ts";
import { type DType, isDType, type TensorType } from "./types.ts";
import { type DimOrigin, errorValue, intValue, type TensorValue, unknownValue, type Value } from "./value.ts";

export interface DeclaredType {
  readonly type: TensorType;
  readonly origins: readonly (DimOrigin | undefined)[];
}

/** Names of tensor types besides the element types: they say what the numbers are. */
const aliases: Readonly<Record<string, DType>> = { waveform: "f32", tokens: "i64" };

export function elementType(name: string): DType | undefined {
  return isDType(name) ? name : aliases[name];
}

export const tensorTypeNames: readonly string[] = [
  "f32",
  "f16",
  "bf16",
  "i64",
  "i32",
  "bool",
  ...Object.keys(aliases),
];

const symbolName = /^[A-Z]/;

/**
 * Evaluates a written type in which every dimension is in sight. With `introduce`, a capital name
 * that is not in sight becomes an open symbol (inputs of a model).
 */
export function declaredTensorType(
  type: TypeExpression,
  scope: Scope,
  evaluation: Evaluation,
  introduce?: (name: string, span: Span) => Dim,
): DeclaredType | "unknown" | undefined {
  if (type.kind !== "tensor-type") {
    evaluation.fail(messages.tensorTypeWanted(printStaticType(type), type.span));
    return undefined;
  }
  const dtype = elementType(type.name.name);
  if (dtype === undefined) {
    evaluation.fail(messages.unknownElementType(type.name, tensorTypeNames));
    return undefined;
  }
  const shape: Dim[] = [];
  const origins: (DimOrigin | undefined)[] = [];
  let unknown = false;
  for (const dim of type.dims) {
    if (dim.kind === "variadic-dim") {
      evaluation.fail(messages.variadicNotAllowed(dim.span));
      return undefined;
    }
    if (introduce !== undefined && isFreshName(dim.value, scope) && dim.value.kind === "name") {
      const symbol = introduce(dim.value.name, dim.span);
      scope.define(dim.value.name, intValue(symbol), dim.span);
    }
    const size = evaluateDim(dim.value, scope, evaluation);
    if (size === "unknown") unknown = true;
    else if (size === undefined) return undefined;
    else if (size.constant !== undefined && size.constant < 0) {
      evaluation.fail(messages.negativeSize(size, dim.span, originsOfNames(dim.value, scope)));
      return undefined;
    } else {
      shape.push(size);
      origins.push(originOf(dim, scope));
    }
  }
  return unknown ? "unknown" : { type: { dtype, shape }, origins };
}

/** A size that is a name comes from where the name got its value. */
function originOf(dim: Extract<DimExpression, { kind: "dim" }>, scope: Scope): DimOrigin {
  const { value, span } = dim;
  if (value.kind !== "name") {
    const from = value.kind === "number" ? undefined : { expression: value, scope };
    return { span, name: undefined, op: undefined, from };
  }
  const slot = scope.lookup(value.name);
  const place = slot?.source ?? { span: slot?.span ?? span, from: undefined };
  return { ...place, name: value.name, op: undefined };
}

/** An integer where the language needs one. A quotient of open dimensions leaves a guard. */
export function evaluateDim(
  expression: Expression,
  scope: Scope,
  evaluation: Evaluation,
): Dim | "unknown" | undefined {
  return toDim(evaluation.evaluate(expression, scope), expression.span, scope, evaluation);
}

/** A quotient of sizes that are not known yet: whether it divides is seen when inputs are bound. */
export function isOpenQuotient(value: Value): boolean {
  if (value.kind !== "quotient") return false;
  return value.numerator.constant === undefined || value.denominator.constant === undefined;
}

export function toDim(
  value: Value,
  span: Span,
  scope: Scope,
  evaluation: Evaluation,
): Dim | "unknown" | undefined {
  if (value.kind === "unknown") return "unknown";
  if (value.kind === "error") return undefined;
  if (value.kind === "int") return value.dim;
  if (value.kind === "quotient") {
    const { numerator, denominator } = value;
    if (numerator.constant === undefined || denominator.constant === undefined) {
      const reason = `\`${sourceText(span)}\` must be a whole number`;
      evaluation.emitter.require(
        { kind: "divides", left: denominator, right: numerator, reason },
        evaluation.origin(scope, span),
      );
      return numerator.floorDivide(denominator);
    }
    evaluation.fail(messages.notDivisible(numerator, denominator, span, originsOfNames(span, scope)));
    return undefined;
  }
  evaluation.fail(messages.integerWanted(span, value));
  return undefined;
}

// ---------------------------------------------------------------- matching values

/** A value that arrives at a parameter or a result with a written type. */
export interface Arrival {
  /** `x`, or `undefined` for a result without a name. */
  readonly name: string | undefined;
  readonly type: TypeExpression;
  readonly value: Value;
  /** The argument at the call, or the body's expression for a result. */
  readonly span: Span;
}

export interface MatchContext {
  readonly scope: Scope;
  readonly evaluation: Evaluation;
  /** As in "`x` of Linear": what the sizes are wanted by. */
  readonly owner: string;
  readonly role: "parameter" | "result";
}

/** Whether a value is of its type; `unknown` and `error` as the value is, or once reported. */
export type Fit = "fits" | "unknown" | "error";

/**
 * Matches all arrivals, binding names first, so that the order of parameters does not matter. Names
 * that only a value which does not fit would have given a size are in sight all the same.
 */
export function matchArrivals(arrivals: readonly Arrival[], context: MatchContext): readonly Fit[] {
  const tensors = new Map<Arrival, { type: TensorTypeExpression; value: TensorValue }>();
  const fits = arrivals.map((arrival): Fit => {
    const { value, type } = arrival;
    if (value.kind === "unknown" || value.kind === "error") return value.kind;
    if (value.kind === "none") return "fits";
    if (type.kind !== "tensor-type") {
      const coerced = coerce(value, type);
      if (coerced.ok) return "fits";
      context.evaluation.fail(messages.wrongValue(arrival, context.owner, coerced.problem, coerced.hint));
      return "error";
    }
    if (value.kind !== "tensor") {
      context.evaluation.fail(messages.tensorWanted(arrival, context.owner, value));
      return "error";
    }
    if (!checkElementType(arrival, type, value, context) || !checkRank(arrival, type, value, context)) {
      return "error";
    }
    tensors.set(arrival, { type, value });
    return "fits";
  });
  for (const { type, value } of tensors.values()) bindNames(type, value, context.scope);
  for (const [i, { type }] of arrivals.entries()) bindMissingNames(type, fits[i] ?? "error", context.scope);
  return arrivals.map((arrival, i) => {
    const tensor = tensors.get(arrival);
    if (tensor === undefined) return fits[i] ?? "error";
    return checkDims(arrival, tensor.type, tensor.value, context) ? "fits" : "error";
  });
}

function bindMissingNames(type: TypeExpression, fit: Fit, scope: Scope): void {
  if (type.kind !== "tensor-type") return;
  const size = fit === "error" ? errorValue : unknownValue;
  for (const dim of type.dims) {
    if (dim.kind === "variadic-dim") {
      const key = variadicKey(dim.name.name);
      if (scope.own(key) === undefined) scope.define(key, size, dim.span);
    } else if (dim.value.kind === "name" && isFreshName(dim.value, scope)) {
      scope.define(dim.value.name, size, dim.span);
    }
  }
}

function checkElementType(
  arrival: Arrival,
  type: TensorTypeExpression,
  value: TensorValue,
  context: MatchContext,
): boolean {
  const wanted = elementType(type.name.name);
  if (wanted === undefined) {
    context.evaluation.fail(messages.unknownElementType(type.name, tensorTypeNames));
    return false;
  }
  if (wanted === value.type.dtype) return true;
  context.evaluation.fail(messages.elementTypeMismatch(arrival, type, context.owner, wanted, value.type));
  return false;
}

function checkRank(
  arrival: Arrival,
  type: TensorTypeExpression,
  value: TensorValue,
  context: MatchContext,
): boolean {
  const variadics = type.dims.filter((dim) => dim.kind === "variadic-dim").length;
  const rank = value.type.shape.length;
  const fits = variadics === 0 ? rank === type.dims.length : rank >= type.dims.length - variadics;
  if (variadics <= 1 && fits) return true;
  if (variadics > 1) context.evaluation.fail(messages.variadicTwice(type));
  else context.evaluation.fail(messages.rankMismatch(arrival, type, context.owner, value.type));
  return false;
}

/** Pairs each written dimension with the axes of the value that it covers. */
function pairAxes(type: TensorTypeExpression, rank: number): { dim: DimExpression; axes: number[] }[] {
  const extra = rank - (type.dims.length - type.dims.filter((dim) => dim.kind === "variadic-dim").length);
  let axis = 0;
  return type.dims.map((dim) => {
    const count = dim.kind === "variadic-dim" ? extra : 1;
    const axes = Array.from({ length: count }, (_, i) => axis + i);
    axis += count;
    return { dim, axes };
  });
}

function isFreshName(expression: Expression, scope: Scope): boolean {
  if (expression.kind !== "name" || !symbolName.test(expression.name)) return false;
  for (const slot of scope.meanings(expression.name)) {
    // A block called N must not stop N from naming a dimension.
    if (slot.get().kind !== "template") return false;
  }
  return true;
}

function bindNames(type: TensorTypeExpression, value: TensorValue, scope: Scope): void {
  for (const { dim, axes } of pairAxes(type, value.type.shape.length)) {
    if (dim.kind === "variadic-dim") {
      const key = variadicKey(dim.name.name);
      if (scope.own(key)?.get().kind === "list") continue;
      const sizes = axes.map((axis) => intValue(value.type.shape[axis] ?? Dim.of(1)));
      scope.define(key, { kind: "list", items: sizes }, dim.span);
      continue;
    }
    if (dim.value.kind !== "name" || !isFreshName(dim.value, scope)) continue;
    const [axis = 0] = axes;
    const size = value.type.shape[axis];
    if (size === undefined) continue;
    const { span = dim.span, from } = value.origins[axis] ?? {};
    scope.define(dim.value.name, intValue(size), span, false, { span, from });
  }
}

/** Variadic names live beside ordinary ones without meeting them. */
function variadicKey(name: string): string {
  return `*${name}`;
}

function checkDims(
  arrival: Arrival,
  type: TensorTypeExpression,
  value: TensorValue,
  context: MatchContext,
): boolean {
  for (const { dim, axes } of pairAxes(type, value.type.shape.length)) {
    const expected = expectedSizes(dim, context);
    if (expected === undefined) return false;
    if (expected === "unknown") continue;
    if (expected.length !== axes.length) {
      context.evaluation.fail(messages.rankMismatch(arrival, type, context.owner, value.type));
      return false;
    }
    for (const [i, axis] of axes.entries()) {
      const wanted = expected[i];
      const found = value.type.shape[axis];
      if (wanted === undefined || found === undefined || wanted.equals(found)) continue;
      const mismatch = { arrival, type, dim, axis, value, expected: knownSizes(type, context.scope) };
      if (!agree(wanted, found, mismatch, context)) return false;
    }
  }
  return true;
}

/** `*b`, `768`, `N`: with a value for every name that has one. */
function knownSizes(type: TensorTypeExpression, scope: Scope): string[] {
  return type.dims.map((dim) => {
    const text = sourceText(dim.span);
    if (dim.kind === "variadic-dim" || dim.value.kind !== "name") return text;
    const value = scope.lookup(dim.value.name)?.get();
    return value?.kind === "int" ? String(value.dim) : text;
  });
}

function expectedSizes(dim: DimExpression, context: MatchContext): readonly Dim[] | "unknown" | undefined {
  if (dim.kind === "variadic-dim") {
    const bound = context.scope.lookup(variadicKey(dim.name.name))?.get();
    if (bound?.kind !== "list") return "unknown";
    return bound.items.map((item) => (item.kind === "int" ? item.dim : Dim.of(1)));
  }
  const size = evaluateDim(dim.value, context.scope, context.evaluation);
  return size === undefined || size === "unknown" ? size : [size];
}

export interface Mismatch {
  readonly arrival: Arrival;
  readonly type: TensorTypeExpression;
  readonly dim: DimExpression;
  readonly axis: number;
  readonly value: TensorValue;
  /** The expected sizes, as far as they are known. */
  readonly expected: readonly string[];
}

function agree(wanted: Dim, found: Dim, mismatch: Mismatch, context: MatchContext): boolean {
  const difference = wanted.sub(found).constant;
  if (difference === undefined && !neverEqual(wanted, found, context.evaluation.open.minimums)) {
    const name = mismatch.arrival.name === undefined ? "the result" : `\`${mismatch.arrival.name}\``;
    const reason = `dimension ${mismatch.axis + 1} of ${name} of ${context.owner}`;
    context.evaluation.emitter.require(
      { kind: "equal", left: wanted, right: found, reason },
      context.evaluation.origin(context.scope, mismatch.arrival.span),
    );
    return true;
  }
  const { dim } = mismatch;
  const expectedFrom = dim.kind === "dim" ? originsOfNames(dim.value, context.scope) : [];
  context.evaluation.fail(
    messages.shapeMismatch(mismatch, context.owner, context.role, wanted, found, expectedFrom),
  );
  return false;
}

/** Whether no binding of symbols, at least 1 unless `minimums` says otherwise, can make the two equal. */
function neverEqual(a: Dim, b: Dim, minimums: ReadonlyMap<string, number>): boolean {
  return Dim.provablyAtMost(a.add(1), b, minimums) || Dim.provablyAtMost(b.add(1), a, minimums);
}
