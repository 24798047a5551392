/**
 * Functions and constants of the language itself: they work on what is known while compiling, and
 * `split` cuts a tensor into equal parts.
 *
 * Owns: their names and meanings. Where a function also exists as an op (sqrt, min, …), a tensor
 * argument chooses the op.
 */
import { Dim } from "./dims.ts";
import type { CallArguments, Evaluation } from "./evaluation.ts";
import { sliceTensor } from "./indexing.ts";
import { callInitializer } from "./initializers.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { asNumber, extreme, isStaticNumber, type StaticResult, toInteger } from "./static-arithmetic.ts";
import { resolve } from "./static-results.ts";
import { toDim } from "./tensor-types.ts";
import { type DimOrigin, describeValue, errorValue, intValue, isSilent, type Value } from "./value.ts";

const realFunctions: Readonly<Record<string, (x: number) => number>> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  abs: Math.abs,
};

const functionNames = new Set([
  ...Object.keys(realFunctions),
  "ceil",
  "floor",
  "round",
  "min",
  "max",
  "len",
  "split",
  "size",
]);

export function isLanguageFunction(name: string): boolean {
  return functionNames.has(name);
}

export function languageConstant(name: string): Value | undefined {
  return name === "pi" ? { kind: "real", value: Math.PI } : undefined;
}

export const languageFunctionNames: readonly string[] = [...functionNames];

/** `undefined` when the language has no such function for these arguments: an op may. */
export function callBuiltin(
  name: string,
  arguments_: CallArguments,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value | undefined {
  const initializer = callInitializer(name, arguments_, span, evaluation);
  if (initializer !== undefined) return initializer;
  if (!functionNames.has(name)) return undefined;
  const values = arguments_.positional.map((argument) => argument.value);
  if (name === "split") return splitTensor(arguments_, scope, span, evaluation);
  if (name === "size") return sizeOf(arguments_, span, evaluation);
  if (values.some((value) => value.kind === "tensor")) return undefined;
  const silent = values.find(isSilent);
  if (silent !== undefined) return silent;
  const [extra] = arguments_.named;
  if (extra !== undefined)
    return evaluation.fail(messages.unknownArgument(name, extra[0], extra[1].nameSpan, []));
  return resolve(callStatic(name, values), span, evaluation);
}

function callStatic(name: string, values: readonly Value[]): StaticResult {
  const [first] = values;
  if (name === "min" || name === "max") {
    return extreme(name, values.length === 1 && first?.kind === "list" ? first.items : values);
  }
  if (values.length !== 1 || first === undefined) {
    return { ok: false, problem: `${name}( ) takes one value and ${values.length} were given` };
  }
  if (name === "len") {
    return first.kind === "list" || first.kind === "tuple"
      ? { ok: true, value: intValue(Dim.of(first.items.length)) }
      : { ok: false, problem: `len( ) takes a list, and this is ${describeValue(first)}` };
  }
  if (name === "ceil" || name === "floor" || name === "round") return toInteger(name, first);
  const fn = realFunctions[name];
  const number = asNumber(first);
  if (fn === undefined || number === undefined) {
    const problem = `\`${name}\` needs a number that is known while compiling, and this is ${describeValue(first)}`;
    return isStaticNumber(first) ? { ok: false, problem, isOpen: true } : { ok: false, problem };
  }
  const value = fn(number);
  return Number.isFinite(value)
    ? { ok: true, value: { kind: "real", value } }
    : { ok: false, problem: `${name}(${number}) is not a finite number` };
}

/** `split(x, 3)`: equal parts along the last axis, or along `axis`. */
function splitTensor(arguments_: CallArguments, scope: Scope, span: Span, evaluation: Evaluation): Value {
  const [tensor, parts] = arguments_.positional;
  const axisArgument = arguments_.named.get("axis") ?? arguments_.positional[2];
  if (tensor === undefined || parts === undefined) return evaluation.fail(messages.splitArguments(span));
  if (isSilent(tensor.value)) return tensor.value;
  if (isSilent(parts.value)) return parts.value;
  const count = asNumber(parts.value);
  if (tensor.value.kind !== "tensor" || count === undefined || !Number.isInteger(count) || count < 1) {
    return evaluation.fail(messages.splitArguments(span));
  }
  const rank = tensor.value.type.shape.length;
  if (axisArgument !== undefined && isSilent(axisArgument.value)) return axisArgument.value;
  const given = axisArgument === undefined ? -1 : asNumber(axisArgument.value);
  const axis = given === undefined ? Number.NaN : given < 0 ? given + rank : given;
  const size = tensor.value.type.shape[axis];
  if (size === undefined)
    return evaluation.fail(messages.axisOutOfRange(axisArgument?.span ?? span, given ?? 0, rank));
  const origin = tensor.value.origins[axis];
  const part = partSize(size, Dim.of(count), origin, tensor.span, scope, evaluation);
  if (part === undefined) return errorValue;
  if (!evaluation.spend(span, count)) return errorValue;
  const items: Value[] = [];
  for (let i = 0; i < count; i++) {
    items.push(sliceTensor(tensor.value, axis, part.mul(i), part.mul(i + 1), scope, span, evaluation));
  }
  return { kind: "tuple", items };
}

/** One part's share of a dimension; a guard while the dimension is open. */
function partSize(
  size: Dim,
  count: Dim,
  origin: DimOrigin | undefined,
  span: Span,
  scope: Scope,
  evaluation: Evaluation,
): Dim | undefined {
  const part = size.divideExactly(count);
  if (part !== undefined) return part;
  if (size.constant !== undefined) {
    evaluation.fail(messages.partsUneven(size, count, span, origin));
    return undefined;
  }
  const share = toDim({ kind: "quotient", numerator: size, denominator: count }, span, scope, evaluation);
  return share === "unknown" ? undefined : share;
}

/** `size(x, 1)`: a dimension of a tensor as an integer. */
function sizeOf(arguments_: CallArguments, span: Span, evaluation: Evaluation): Value {
  const [tensor, second] = arguments_.positional;
  const axisArgument = second ?? arguments_.named.get("axis");
  if (tensor === undefined || axisArgument === undefined)
    return evaluation.fail(messages.sizeArguments(span));
  if (isSilent(tensor.value)) return tensor.value;
  if (isSilent(axisArgument.value)) return axisArgument.value;
  if (tensor.value.kind !== "tensor") return evaluation.fail(messages.sizeArguments(span));
  const rank = tensor.value.type.shape.length;
  const given = asNumber(axisArgument.value);
  if (given === undefined) return evaluation.fail(messages.sizeArguments(span));
  const dim = tensor.value.type.shape[given < 0 ? given + rank : given];
  return dim === undefined
    ? evaluation.fail(messages.axisOutOfRange(axisArgument.span, given, rank))
    : intValue(dim);
}
