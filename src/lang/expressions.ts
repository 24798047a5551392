/**
 * What each form of expression means.
 *
 * Owns: literals, names, lists, operators, conditions and pipes. Calls, indexing and sites have
 * their own files.
 */
import type {
  Argument,
  BinaryExpression,
  BinaryOperator,
  CallExpression,
  ComprehensionExpression,
  Expression,
  MemberExpression,
  NameExpression,
  NumberLiteral,
  PipeExpression,
  WithExpression,
} from "./ast.ts";
import { iterate } from "./bodies.ts";
import { isLanguageFunction, languageConstant, languageFunctionNames } from "./builtins.ts";
import { decide, decideValue, undecidedValue } from "./conditions.ts";
import { Dim } from "./dims.ts";
import type { CallArgument, CallArguments, Evaluation } from "./evaluation.ts";
import { evaluateIndex } from "./indexing.ts";
import { initializerConstant, initializerNames } from "./initializers.ts";
import * as messages from "./messages.ts";
import { emitOp, lift } from "./op-calls.ts";
import { sourceText, written } from "./provenance.ts";
import { Scope, type Written } from "./scope.ts";
import { evaluateSite } from "./sites.ts";
import * as arithmetic from "./static-arithmetic.ts";
import { resolve } from "./static-results.ts";
import { bindStatics } from "./statics.ts";
import { isDType } from "./types.ts";
import {
  describeValue,
  errorValue,
  intValue,
  isSilent,
  type Template,
  type TensorValue,
  unknownValue,
  type Value,
} from "./value.ts";

export function evaluateExpression(expression: Expression, scope: Scope, evaluation: Evaluation): Value {
  switch (expression.kind) {
    case "number":
      return numberValue(expression, evaluation);
    case "string":
      return { kind: "string", value: expression.value };
    case "boolean":
      return { kind: "bool", value: expression.value };
    case "name":
      return nameValue(expression, scope, evaluation);
    case "list":
      return { kind: "list", items: expression.items.map((item) => evaluation.evaluate(item, scope)) };
    case "tuple":
      return { kind: "tuple", items: expression.items.map((item) => evaluation.evaluate(item, scope)) };
    case "comprehension":
      return comprehensionValue(expression, scope, evaluation);
    case "range": {
      const from = evaluation.evaluate(expression.from, scope);
      const to = evaluation.evaluate(expression.to, scope);
      if (isSilent(from) || isSilent(to)) return isSilent(from) ? from : to;
      if (from.kind === "int" && to.kind === "int") return { kind: "range", from: from.dim, to: to.dim };
      const [span, wrong] = from.kind === "int" ? [expression.to.span, to] : [expression.from.span, from];
      return evaluation.fail(messages.integerWanted(span, wrong));
    }
    case "call":
      return callValue(expression, scope, evaluation);
    case "index":
      return evaluateIndex(expression, scope, evaluation);
    case "member":
      return memberValue(expression, scope, evaluation);
    case "unary": {
      const operand = evaluation.evaluate(expression.operand, scope);
      if (isSilent(operand)) return operand;
      if (expression.operator === "!") {
        if (operand.kind === "tensor")
          return emitOp("not", [operand], {}, scope, expression.span, evaluation);
        const decision = decideValue(operand, expression.operand.span, evaluation);
        return typeof decision === "boolean" ? { kind: "bool", value: !decision } : undecidedValue(decision);
      }
      if (operand.kind === "tensor") return emitOp("neg", [operand], {}, scope, expression.span, evaluation);
      return resolve(arithmetic.negate(operand), expression.span, evaluation);
    }
    case "binary":
      return binaryValue(expression, scope, evaluation);
    case "conditional-expression": {
      const decision = decide(expression.condition, scope, evaluation);
      if (typeof decision === "boolean") {
        return evaluation.evaluate(decision ? expression.consequent : expression.alternate, scope);
      }
      evaluation.undecided(() => {
        evaluation.evaluate(expression.consequent, scope);
        evaluation.evaluate(expression.alternate, scope);
      });
      return undecidedValue(decision);
    }
    case "pipe":
      return pipeValue(expression, scope, evaluation);
    case "with":
      return withValue(expression, scope, evaluation);
    case "site":
      return evaluateSite(expression, scope, evaluation);
    case "error":
      return errorValue;
  }
}

const unitScales: Readonly<
  Record<
    string,
    { readonly unit: "Hz" | "s" | "B" | ""; readonly divide?: number; readonly multiply?: number }
  >
> = {
  Hz: { unit: "Hz" },
  kHz: { unit: "Hz", multiply: 1000 },
  s: { unit: "s" },
  ms: { unit: "s", divide: 1000 },
  us: { unit: "s", divide: 1_000_000 },
  B: { unit: "B" },
  KiB: { unit: "B", multiply: 1024 },
  MiB: { unit: "B", multiply: 1024 ** 2 },
  GiB: { unit: "B", multiply: 1024 ** 3 },
  k: { unit: "", multiply: 1e3 },
  M: { unit: "", multiply: 1e6 },
  G: { unit: "", multiply: 1e9 },
  T: { unit: "", multiply: 1e12 },
};

function numberValue(literal: NumberLiteral, evaluation: Evaluation): Value {
  const number = Number(literal.text);
  const whole = /^[0-9]+$/.test(literal.text);
  if (!Number.isFinite(number) || (whole && !Number.isSafeInteger(number))) {
    return evaluation.fail(messages.numberTooLarge(literal.span));
  }
  if (literal.unit === undefined) return whole ? intValue(Dim.of(number)) : { kind: "real", value: number };
  // Correctly rounded: 70% is the same double as 0.7.
  if (literal.unit === "%") return { kind: "real", value: number / 100 };
  const scale = unitScales[literal.unit];
  if (scale === undefined) return errorValue;
  const value = scale.divide === undefined ? number * (scale.multiply ?? 1) : number / scale.divide;
  if (scale.unit !== "") return { kind: "quantity", unit: scale.unit, value };
  return Number.isSafeInteger(value) ? intValue(Dim.of(value)) : { kind: "real", value };
}

function nameValue(expression: NameExpression, scope: Scope, evaluation: Evaluation): Value {
  const slot = scope.lookup(expression.name);
  if (slot !== undefined) return slot.get();
  return builtinValue(expression.name, evaluation) ?? unknownName(expression, scope, evaluation);
}

function builtinValue(name: string, evaluation: Evaluation): Value | undefined {
  if (name === "none") return { kind: "none" };
  if (isDType(name)) return { kind: "dtype", dtype: name };
  if (name === "int8") return { kind: "storage", storage: name };
  const op = evaluation.catalog.find(name);
  if (op !== undefined || isLanguageFunction(name)) return { kind: "function", name, op };
  return languageConstant(name) ?? initializerConstant(name);
}

function unknownName(expression: NameExpression, scope: Scope, evaluation: Evaluation): Value {
  const all = (): string[] => [
    ...scope.names(),
    ...evaluation.catalog.names(),
    ...languageFunctionNames,
    ...initializerNames,
    "none",
    "pi",
    "int8",
  ];
  return evaluation.failOnce(expression, () => {
    const known = evaluation.isFlooded || evaluation.isLostName(expression.name) ? [] : all();
    return messages.unknownName(expression, known);
  });
}

function comprehensionValue(
  expression: ComprehensionExpression,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  const iterable = evaluation.evaluate(expression.iterable, scope);
  const found = iterate(iterable, expression.iterable.span, evaluation);
  let undecided: "unknown" | "error" | undefined = typeof found === "string" ? found : undefined;
  const items: Value[] = [];
  for (const item of typeof found === "string" ? [undecidedValue(found)] : found) {
    if (!evaluation.spend(expression.iterable.span)) return errorValue;
    const inner = new Scope(scope, scope.path);
    inner.define(expression.variable.name, item, expression.variable.span);
    evaluation.observe?.(expression.variable, item);
    const { condition } = expression;
    const decision = condition === undefined || decide(condition, inner, evaluation);
    if (decision === false) continue;
    if (decision !== true) undecided ??= decision;
    items.push(evaluation.evaluate(expression.element, inner));
  }
  return undecided === undefined ? { kind: "list", items } : undecidedValue(undecided);
}

function memberValue(expression: MemberExpression, scope: Scope, evaluation: Evaluation): Value {
  const object = evaluation.evaluate(expression.object, scope);
  if (isSilent(object)) return object;
  const { name } = expression.name;
  if (object.kind === "namespace") {
    const found = object.get(name);
    if (found !== undefined) return found;
    const self = object.self();
    if (self?.kind === "instance") return instanceMember(self, expression, evaluation);
    return evaluation.fail(messages.unknownMember(`\`${object.path}\``, expression.name, object.names));
  }
  if (object.kind === "instance") return instanceMember(object, expression, evaluation);
  if (object.kind === "template") return parameterOf(object, expression, evaluation);
  return evaluation.fail(messages.noMembers(expression.name, expression.object.span, object));
}

/**
 * A block that has no place yet has no members, but it knows its parameters, and those of what it is a
 * variant of or extends: `Mamba2("370m").width`.
 */
function parameterOf(
  template: Template,
  expression: MemberExpression,
  evaluation: Evaluation,
  asked: Template = template,
  known: readonly string[] = [],
): Value {
  const { declaration, module } = template;
  const statics = new Scope(evaluation.moduleScope(module), "");
  bindStatics(template, statics, evaluation, false);
  const slot = statics.own(expression.name.name);
  if (slot !== undefined) return slot.get();
  const names = [...known, ...declaration.parameters.map((parameter) => parameter.name.name)];
  const origin = declaration.value ?? declaration.base;
  const unknown = (): Value =>
    evaluation.fail(messages.unknownMember(asked.declaration.name.name, expression.name, names));
  if (origin === undefined) return unknown();
  const frame = evaluation.enter(declaration, template.span, { path: "" });
  if (frame === undefined) return errorValue;
  return evaluation.within(frame, () => {
    const value = evaluation.evaluate(origin, statics);
    if (isSilent(value)) return value;
    return value.kind === "template" ? parameterOf(value, expression, evaluation, asked, names) : unknown();
  });
}

function instanceMember(
  object: Extract<Value, { kind: "instance" }>,
  expression: MemberExpression,
  evaluation: Evaluation,
): Value {
  const { instance } = object;
  const { name } = expression.name;
  // Members first, then the block's own parameters: `decoder.d`.
  const slot = instance.scope.own(name) ?? instance.scope.parent?.own(name);
  if (slot !== undefined) return slot.get();
  if (instance.base !== undefined) {
    return instanceMember({ kind: "instance", instance: instance.base }, expression, evaluation);
  }
  const names = [...instance.scope.ownSlots(), ...(instance.scope.parent?.ownSlots() ?? [])].map(
    (s) => s.name,
  );
  return evaluation.fail(messages.unknownMember(instance.declaration.name.name, expression.name, names));
}

// ---------------------------------------------------------------- calls and pipes

function callValue(expression: CallExpression, scope: Scope, evaluation: Evaluation): Value {
  const callee = calleeValue(expression.callee, scope, evaluation);
  const arguments_ = callArguments(expression.arguments, scope, evaluation);
  return evaluation.call(callee, arguments_, scope, expression.span);
}

/** A name in call position means the nearest thing of that name that can be called. */
function calleeValue(callee: Expression, scope: Scope, evaluation: Evaluation): Value {
  if (callee.kind !== "name") return evaluation.evaluate(callee, scope);
  const value = namedCallee(callee, scope, evaluation);
  evaluation.observe?.(callee, value);
  return value;
}

function namedCallee(callee: NameExpression, scope: Scope, evaluation: Evaluation): Value {
  let first: Value | undefined;
  for (const slot of scope.meanings(callee.name)) {
    const value = slot.get();
    const meaning = value.kind === "namespace" ? (value.self() ?? value) : value;
    if (isCallable(meaning)) return meaning;
    first ??= meaning;
  }
  const builtin = builtinValue(callee.name, evaluation);
  if (builtin !== undefined && builtin.kind === "function") return builtin;
  if (initializerNames.includes(callee.name)) return { kind: "function", name: callee.name, op: undefined };
  return first ?? builtin ?? unknownName(callee, scope, evaluation);
}

function isCallable(value: Value): boolean {
  return ["template", "composition", "instance", "chain", "function", "unknown", "error"].includes(
    value.kind,
  );
}

function callArguments(arguments_: readonly Argument[], scope: Scope, evaluation: Evaluation): CallArguments {
  const positional: CallArgument[] = [];
  const named = new Map<string, CallArgument & { nameSpan: Argument["span"] }>();
  let isFlawed = false;
  for (const argument of arguments_) {
    const value = evaluation.evaluate(argument.value, scope);
    const { span } = argument.value;
    const source = sourceOf(argument.value, value, scope);
    const given = source === undefined ? { value, span } : { value, span, source };
    if (argument.name === undefined && named.size > 0) {
      evaluation.fail(messages.positionalAfterNamed(argument.span));
      isFlawed = true;
      continue;
    }
    if (argument.name === undefined) {
      positional.push(given);
      continue;
    }
    const earlier = named.get(argument.name.name);
    if (earlier !== undefined) {
      evaluation.fail(messages.argumentTwice(argument.name.name, argument.name.span, earlier.nameSpan));
    }
    named.set(argument.name.name, { ...given, nameSpan: argument.name.span });
  }
  return { positional, named, isFlawed };
}

/** Where the value of an argument was first written, and from what: the place of a name that passes it on. */
function sourceOf(argument: Expression, value: Value, scope: Scope): Written | undefined {
  if (argument.kind === "name") {
    const slot = scope.lookup(argument.name);
    return slot?.source ?? (slot?.span && { span: slot.span, from: undefined });
  }
  return written(argument, value, scope);
}

function pipeValue(expression: PipeExpression, scope: Scope, evaluation: Evaluation): Value {
  const left = evaluation.evaluate(expression.left, scope);
  const leftArgument = { value: left, span: expression.left.span };
  const right = expression.right;
  if (right.kind === "call") {
    // `x |> softmax(axis: 1)`: the value becomes the op's first operand.
    const callee = calleeValue(right.callee, scope, evaluation);
    const arguments_ = callArguments(right.arguments, scope, evaluation);
    const applies = callee.kind === "function" || callee.kind === "instance" || callee.kind === "chain";
    if (applies) {
      const joined = { ...arguments_, positional: [leftArgument, ...arguments_.positional] };
      return evaluation.call(callee, joined, scope, expression.span);
    }
    const bound = evaluation.call(callee, arguments_, scope, right.span);
    return applyOrCompose(left, bound, expression, scope, evaluation);
  }
  const callee =
    right.kind === "name" ? calleeValue(right, scope, evaluation) : evaluation.evaluate(right, scope);
  return applyOrCompose(left, callee, expression, scope, evaluation);
}

function applyOrCompose(
  left: Value,
  right: Value,
  expression: PipeExpression,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  if (isSilent(left)) return left;
  const parts = blockParts(left);
  const next = blockParts(right);
  if (parts !== undefined && next !== undefined) {
    return { kind: "composition", parts: [...parts, ...next], span: expression.span };
  }
  const argument = { value: left, span: expression.left.span };
  return evaluation.call(right, { positional: [argument], named: new Map() }, scope, expression.span);
}

/** What a composition is made of: blocks, with or without a place. */
function blockParts(value: Value): readonly Value[] | undefined {
  if (value.kind === "composition" || value.kind === "chain") return value.parts;
  if (value.kind === "namespace") return blockParts(value.self() ?? { kind: "none" });
  return value.kind === "template" || value.kind === "instance" || value.kind === "function"
    ? [value]
    : undefined;
}

function withValue(expression: WithExpression, scope: Scope, evaluation: Evaluation): Value {
  const subject = evaluation.evaluate(expression.subject, scope);
  const extension = evaluation.evaluate(expression.extension, scope);
  if (isSilent(subject) || isSilent(extension)) return isSilent(subject) ? subject : extension;
  if (subject.kind !== "template")
    return evaluation.fail(messages.withNeedsBlock("left", expression.subject.span, subject));
  if (extension.kind !== "template") {
    return evaluation.fail(messages.withNeedsBlock("right", expression.extension.span, extension));
  }
  const isFixed = isWrittenOut(expression.extension, scope);
  const added = { template: extension, span: expression.extension.span, isFixed };
  return { ...subject, extensions: [...subject.extensions, added] };
}

/** Whether an expression names nothing but blocks and functions: a reader sees its value. */
function isWrittenOut(expression: Expression, scope: Scope): boolean {
  switch (expression.kind) {
    case "name": {
      const value = scope.lookup(expression.name)?.get();
      return value === undefined || value.kind === "template" || value.kind === "function";
    }
    case "call": {
      const values = expression.arguments.map((argument) => argument.value);
      return [expression.callee, ...values].every((part) => isWrittenOut(part, scope));
    }
    case "list":
    case "tuple":
      return expression.items.every((item) => isWrittenOut(item, scope));
    default:
      return ["number", "string", "boolean"].includes(expression.kind);
  }
}

// ---------------------------------------------------------------- operators

const tensorOps: Readonly<Record<BinaryOperator, { readonly op: string; readonly negate?: boolean }>> = {
  "+": { op: "add" },
  "-": { op: "sub" },
  "*": { op: "mul" },
  "/": { op: "div" },
  "%": { op: "modulo" },
  "@": { op: "matmul" },
  "==": { op: "equal" },
  "!=": { op: "equal", negate: true },
  "<": { op: "less" },
  "<=": { op: "less_equal" },
  ">": { op: "greater" },
  ">=": { op: "greater_equal" },
  "&&": { op: "and" },
  "||": { op: "or" },
};

function binaryValue(expression: BinaryExpression, scope: Scope, evaluation: Evaluation): Value {
  const left = evaluation.evaluate(expression.left, scope);
  // The right side of a decided && or || may not even make sense: `origin == none || f(origin)`.
  if (left.kind === "bool" && expression.operator === "&&" && !left.value) return left;
  if (left.kind === "bool" && expression.operator === "||" && left.value) return left;
  const right = evaluation.evaluate(expression.right, scope);
  if (isSilent(left) || isSilent(right)) return left.kind === "error" ? left : isSilent(right) ? right : left;
  const comparesNone = left.kind === "none" || right.kind === "none";
  if ((left.kind === "tensor" || right.kind === "tensor") && !comparesNone) {
    return tensorBinary(expression, left, right, scope, evaluation);
  }
  const result = arithmetic.binary(expression.operator, left, right, evaluation.open);
  const operands = [
    { span: expression.left.span, text: describeValue(left) },
    { span: expression.right.span, text: describeValue(right) },
  ];
  // What can be read off the text needs no label.
  const told = operands.filter(({ span, text }) => !text.endsWith(sourceText(span)));
  return resolve(result, expression.span, evaluation, told);
}

function tensorBinary(
  expression: BinaryExpression,
  left: Value,
  right: Value,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  const { op, negate } = tensorOps[expression.operator];
  const like = left.kind === "tensor" ? left : right;
  if (like.kind !== "tensor") return errorValue;
  const isOpen = [left, right].some((value) => value.kind === "scaled" && evaluation.open.reaches(value));
  if (isOpen) return unknownValue;
  const { operator } = expression;
  const a = lift(left, like, operator, expression.left.span, scope, evaluation);
  const b = lift(right, like, operator, expression.right.span, scope, evaluation);
  if (a === undefined || b === undefined) return errorValue;
  const operands: readonly TensorValue[] = [a, b];
  const spans = [expression.left.span, expression.right.span];
  const result = emitOp(op, operands, {}, scope, expression.span, evaluation, spans);
  if (negate !== true || result.kind !== "tensor") return result;
  return emitOp("not", [result], {}, scope, expression.span, evaluation);
}
