/**
 * Calls of primitive ops.
 *
 * Owns: sorting a call's arguments into operands and attributes, turning numbers beside a tensor
 * into constants, and explaining a refusal. What an op accepts is the catalogue's.
 */
import type {
  AttributeSpec,
  Attributes,
  AttributeValue,
  Inference,
  InferredResult,
  OpProblem,
  OpSignature,
} from "./catalog.ts";
import type { Dim } from "./dims.ts";
import type { CallArgument, CallArguments, Evaluation } from "./evaluation.ts";
import { itemSpan } from "./item-span.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { asNumber, isStaticNumber } from "./static-arithmetic.ts";
import { rangeItems } from "./static-types.ts";
import { toDim } from "./tensor-types.ts";
import { isFloat, type TensorType } from "./types.ts";
import { errorValue, isSilent, type TensorValue, unknownValue, type Value } from "./value.ts";
import { workOfOp, workOfSizes } from "./work.ts";

/** Emits an op on operands that are tensors already. `spans` tell where each operand stands. */
export function emitOp(
  name: string,
  operands: readonly TensorValue[],
  attributes: Attributes,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
  spans: readonly Span[] = [],
): Value {
  const op = evaluation.catalog.find(name);
  if (op === undefined) return evaluation.fail(messages.opMissing(name, span));
  return emit(op, operands, attributes, scope, span, evaluation, spans);
}

function workOf(inference: Inference): number {
  const results = inference.ok ? inference.results : [];
  return results.reduce((sum, { type }) => sum + workOfSizes(type.shape), workOfOp);
}

function typesOf(operands: readonly TensorValue[]): TensorType[] {
  return operands.map((operand) => operand.type);
}

/** Whether an op refuses only because a size that it needs is a parameter that nobody set yet. */
function isOpenYet(problem: OpProblem, operands: readonly TensorValue[], evaluation: Evaluation): boolean {
  return problem.expected === undefined && operands.some((operand) => evaluation.open.reaches(operand));
}

/** The operands with the state that the entry goes on from, if it does. */
function withStates(
  op: OpSignature,
  operands: readonly TensorValue[],
  results: readonly InferredResult[],
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): readonly TensorValue[] {
  if (operands.length === op.operands.length) return operands;
  const states: TensorValue[] = [];
  for (const { name, result } of op.states) {
    const type = results[result]?.type;
    const state = type === undefined ? undefined : evaluation.state(scope.path, name, type, span);
    if (state !== undefined) states.push(state);
  }
  return states.length === 0 ? operands : [...operands, ...states];
}

function emit(
  op: OpSignature,
  given: readonly TensorValue[],
  attributes: Attributes,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
  spans: readonly Span[],
): Value {
  let operands = given;
  let inference = op.infer(typesOf(operands), attributes);
  if (inference.ok && op.states.length > 0) {
    operands = withStates(op, given, inference.results, scope, span, evaluation);
    if (operands !== given) inference = op.infer(typesOf(operands), attributes);
  }
  if (!evaluation.spend(span, workOf(inference))) return errorValue;
  if (!inference.ok && isOpenYet(inference.problem, operands, evaluation)) return unknownValue;
  if (!inference.ok) return evaluation.fail(refusal(op, inference.problem, operands, span, spans));
  const origin = evaluation.origin(scope, span);
  for (const requirement of inference.requirements) evaluation.emitter.require(requirement, origin);
  const handles = evaluation.emitter.op(
    op,
    operands.map((operand) => operand.handle),
    attributes,
    inference.results.map((result) => result.type),
    origin,
  );
  const values = inference.results.map((result, i): Value => {
    const handle = handles[i];
    if (handle === undefined) return errorValue;
    const origins = result.sources.map((source) => {
      if (source === undefined) return { span, name: undefined, op: op.name };
      return operands[source.operand]?.origins[source.axis];
    });
    return { kind: "tensor", type: result.type, origins, handle };
  });
  for (const { name, result } of op.states) {
    const value = values[result];
    if (value !== undefined) evaluation.saveState(scope.path, name, value);
  }
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : { kind: "tuple", items: values };
}

function refusal(
  op: OpSignature,
  problem: OpProblem,
  operands: readonly TensorValue[],
  span: Span,
  spans: readonly Span[],
): ReturnType<typeof messages.opRefused> {
  const placed = operands.map((value, i) => ({ value, span: spans[i] }));
  return messages.opRefused(op, problem, span, placed);
}

/** A value beside a tensor, as a tensor of the same element type. `undefined` once reported. */
export function lift(
  value: Value,
  like: TensorValue,
  user: string,
  span: Span,
  scope: Scope,
  evaluation: Evaluation,
): TensorValue | undefined {
  if (value.kind === "tensor") return value;
  const { dtype } = like.type;
  const origin = evaluation.origin(scope, span);
  const type = { dtype, shape: [] };
  const number = value.kind === "bool" ? Number(value.value) : asNumber(value);
  if (number !== undefined && value.kind !== "quantity") {
    if (!isFloat(dtype) && !Number.isInteger(number)) {
      evaluation.fail(messages.fractionForInteger(span, number, dtype));
      return undefined;
    }
    return { kind: "tensor", type, origins: [], handle: evaluation.emitter.constant([number], type, origin) };
  }
  if (value.kind === "int") {
    return {
      kind: "tensor",
      type,
      origins: [],
      handle: evaluation.emitter.dimension(value.dim, dtype, origin),
    };
  }
  if (value.kind === "quotient" && isFloat(dtype)) {
    const part = (dim: Dim): TensorValue => ({
      kind: "tensor",
      type,
      origins: [],
      handle: evaluation.emitter.dimension(dim, dtype, origin),
    });
    const result = emitOp(
      "div",
      [part(value.numerator), part(value.denominator)],
      {},
      scope,
      span,
      evaluation,
    );
    return result.kind === "tensor" ? result : undefined;
  }
  evaluation.fail(messages.tensorOperandWanted(`\`${user}\``, span, value));
  return undefined;
}

/** A call such as `softmax(x, axis: -1)`: operands first, then attributes in their declared order. */
export function callOp(
  op: OpSignature,
  arguments_: CallArguments,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value {
  const names = Object.keys(op.attributes);
  const operandArguments: CallArgument[] = [];
  const attributeArguments = new Map<string, CallArgument>();
  for (const [name, argument] of arguments_.named) {
    if (names.includes(name)) attributeArguments.set(name, argument);
    else if (!op.operands.some((operand) => operand.name === name)) {
      const known = [...op.operands.map((operand) => operand.name), ...names];
      return evaluation.fail(messages.unknownArgument(`\`${op.name}\``, name, argument.nameSpan, known));
    }
  }
  const rest = [...flattenRepeated(op, arguments_.positional)];
  for (const operand of op.operands) {
    const named = arguments_.named.get(operand.name);
    if (named !== undefined) {
      operandArguments.push(named);
      continue;
    }
    if (operand.repeated) {
      while (rest[0]?.value.kind === "tensor" || (rest[0] !== undefined && isSilent(rest[0].value))) {
        const next = rest.shift();
        if (next !== undefined) operandArguments.push(next);
      }
      continue;
    }
    const next = rest[0];
    if (next === undefined || (operand.optional && next.value.kind !== "tensor" && !isSilent(next.value))) {
      if (operand.optional) continue;
      return evaluation.fail(messages.missingOperand(op, operand.name, span));
    }
    if (next.value.kind === "none" && operand.optional) {
      rest.shift();
      continue;
    }
    rest.shift();
    operandArguments.push(next);
  }
  for (const name of names) {
    if (attributeArguments.has(name)) continue;
    const next = rest.shift();
    if (next === undefined) break;
    attributeArguments.set(name, next);
  }
  const [surplus] = rest;
  if (surplus !== undefined) {
    const takes = op.operands.length + names.length;
    return evaluation.fail(messages.tooManyArguments(`\`${op.name}\``, takes, surplus.span));
  }

  const attributes = readAttributes(op, attributeArguments, scope, span, evaluation);
  if (attributes === undefined) return errorValue;
  if (attributes === "unknown") return unknownValue;
  const operands = readOperands(op, operandArguments, scope, evaluation);
  if (operands === undefined) return errorValue;
  if (operands === "unknown") return unknownValue;
  return emit(
    op,
    operands,
    attributes,
    scope,
    span,
    evaluation,
    operandArguments.map((argument) => argument.span),
  );
}

/** `concat([a, b], axis: 1)` is `concat(a, b, axis: 1)`. */
function flattenRepeated(op: OpSignature, positional: readonly CallArgument[]): readonly CallArgument[] {
  if (!op.operands.some((operand) => operand.repeated)) return positional;
  return positional.flatMap((argument) => {
    const { value, span } = argument;
    if (value.kind !== "list" && value.kind !== "tuple") return [argument];
    if (!value.items.every((item) => item.kind === "tensor" || isSilent(item))) return [argument];
    return value.items.map((item) => ({ value: item, span }));
  });
}

function readOperands(
  op: OpSignature,
  arguments_: readonly CallArgument[],
  scope: Scope,
  evaluation: Evaluation,
): readonly TensorValue[] | "unknown" | undefined {
  if (arguments_.some((argument) => argument.value.kind === "error")) return undefined;
  if (arguments_.some((argument) => argument.value.kind === "unknown")) return "unknown";
  // A number takes the element type of its neighbours; beside a condition and a tensor, the tensor's.
  const tensors = arguments_.flatMap(({ value }) => (value.kind === "tensor" ? [value] : []));
  const like = tensors.find((tensor) => tensor.type.dtype !== "bool") ?? tensors[0];
  const operands: TensorValue[] = [];
  for (const [i, { value, span }] of arguments_.entries()) {
    if (value.kind === "tensor") {
      operands.push(value);
      continue;
    }
    if (value.kind === "scaled" && evaluation.open.reaches(value)) return "unknown";
    if (value.kind === "none") {
      evaluation.fail(
        messages.noneUsed(span, op.name, op.operands[Math.min(i, op.operands.length - 1)]?.name ?? ""),
      );
      return undefined;
    }
    if (like === undefined || !(isStaticNumber(value) || value.kind === "bool")) {
      evaluation.fail(messages.tensorOperandWanted(`\`${op.name}\``, span, value));
      return undefined;
    }
    const lifted = lift(value, like, op.name, span, scope, evaluation);
    if (lifted === undefined) return undefined;
    operands.push(lifted);
  }
  return operands;
}

function readAttributes(
  op: OpSignature,
  arguments_: ReadonlyMap<string, CallArgument>,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Attributes | "unknown" | undefined {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, spec] of Object.entries(op.attributes)) {
    const argument = arguments_.get(name);
    if (argument === undefined) {
      if (spec.default !== undefined) attributes[name] = spec.default;
      else {
        evaluation.fail(messages.missingOperand(op, name, span));
        return undefined;
      }
      continue;
    }
    if (argument.value.kind === "unknown") return "unknown";
    const value = attributeValue(op, name, spec, argument, scope, evaluation);
    if (value === undefined || value === "unknown-dim") return value === undefined ? undefined : "unknown";
    attributes[name] = value;
  }
  return attributes;
}

function attributeValue(
  op: OpSignature,
  name: string,
  spec: AttributeSpec,
  argument: CallArgument,
  scope: Scope,
  evaluation: Evaluation,
): AttributeValue | "unknown-dim" | undefined {
  const { value, span } = argument;
  if (value.kind === "error") return undefined;
  const wrong = (what: string): undefined => {
    evaluation.fail(messages.wrongAttribute(op.name, name, what, span, value));
    return undefined;
  };
  switch (spec.kind) {
    case "integer":
    case "real": {
      const number = asNumber(value);
      if (number === undefined && evaluation.open.reaches(value)) return "unknown-dim";
      if (number === undefined || value.kind === "quantity") return wrong("a number known while compiling");
      if (spec.kind === "integer" && !Number.isInteger(number)) return wrong("an integer");
      return number;
    }
    case "integers": {
      const items = listItems(value);
      if (items?.some((item) => item.kind === "error") === true) return undefined;
      if (evaluation.open.reaches(value)) return "unknown-dim";
      const numbers = items?.map(asNumber);
      if (numbers === undefined || numbers.some((n) => n === undefined || !Number.isInteger(n))) {
        return wrong("a list of integers");
      }
      return numbers.map((n) => n ?? 0);
    }
    case "dim": {
      const dim = toDim(value, span, scope, evaluation);
      return dim === "unknown" ? "unknown-dim" : dim;
    }
    case "dims": {
      const items = listItems(value);
      if (items === undefined) return wrong("a list of sizes");
      const dims: Dim[] = [];
      for (const [i, item] of items.entries()) {
        const dim = toDim(item, itemSpan(span, i), scope, evaluation);
        if (dim === undefined) return undefined;
        if (dim === "unknown") return "unknown-dim";
        dims.push(dim);
      }
      return dims;
    }
    case "boolean":
      return value.kind === "bool" ? value.value : wrong("true or false");
    case "string":
      if (value.kind !== "string") return wrong("a string");
      if (spec.options !== undefined && !spec.options.includes(value.value)) {
        return wrong(`one of ${spec.options.map((option) => JSON.stringify(option)).join(", ")}`);
      }
      return value.value;
    case "dtype":
      return value.kind === "dtype" ? value.dtype : wrong("an element type such as f32");
  }
}

function listItems(value: Value): readonly Value[] | undefined {
  if (value.kind === "list" || value.kind === "tuple") return value.items;
  return value.kind === "range" ? rangeItems(value.from, value.to) : undefined;
}
