/**
 * Messages about tensors: element types, ranks, sizes and indices. A mismatch shows both shapes
 * and where each size came from.
 */
import type { BlockDeclaration, Identifier, TensorParameter, TensorTypeExpression } from "../ast.ts";
import type { OpProblem, OpSignature } from "../catalog.ts";
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Dim } from "../dims.ts";
import { originsOfNames } from "../provenance.ts";
import type { Span } from "../source.ts";
import type { Arrival, Mismatch } from "../tensor-types.ts";
import { type DType, printType, type TensorType } from "../types.ts";
import { type DimOrigin, describeValue, type TensorValue, type Value } from "../value.ts";
import {
  code,
  count,
  cut,
  didYouMean,
  enumeration,
  type MessageParts,
  quoted,
  report,
  sentence,
  show,
} from "./build.ts";

/** What stands at a place, as far as a reader takes it in. */
function written(span: Span): string {
  return cut(span.file.text.slice(span.start, span.end));
}

/** "`x` of Linear", "the result of Linear" */
function subject(arrival: Arrival, owner: string): string {
  return arrival.name === undefined ? `the result of ${owner}` : `\`${arrival.name}\` of ${owner}`;
}

function sentenceStart(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

export function shapeMismatch(
  mismatch: Mismatch,
  owner: string,
  role: "parameter" | "result",
  wanted: Dim,
  found: Dim,
  expectedFrom: readonly Label[],
): Diagnostic {
  const { arrival, type, dim, axis, value, expected } = mismatch;
  const place = `dimension ${axis + 1} of ${value.type.shape.length}`;
  const message = `${sentenceStart(subject(arrival, owner))} has ${show(found)} where ${show(wanted)} is expected (${place}).`;
  const related = distinct(
    [
      expectedFrom,
      originLabels(found, value.origins[axis]),
      [{ span: dim.span, text: `${show(wanted)} is expected here` }],
    ],
    arrival.span,
  );
  return report("shape-mismatch", message, arrival.span, `this is ${printType(value.type)}`, {
    related,
    notes: [`expected: ${type.name.name}[${expected.join(", ")}]`, `found:    ${printType(value.type)}`],
    hint: role === "result" ? "change the declared result, or what the body computes" : undefined,
  });
}

/** Where a size came from, and what led there, up the chain of blocks. */
export function originLabels(size: Dim, origin: DimOrigin | undefined): readonly Label[] {
  const label = originLabel(size, origin);
  if (label === undefined) return [];
  const { from } = origin ?? {};
  return from === undefined ? [label] : [label, ...originsOfNames(from.expression, from.scope)];
}

/** Where a size came from. */
export function originLabel(size: Dim, origin: DimOrigin | undefined): Label | undefined {
  if (origin === undefined) return undefined;
  const { span, name, op } = origin;
  if (op !== undefined) return { span, text: `${code(op)} makes it ${show(size)} here` };
  if (name === undefined || name === String(size)) return { span, text: `${show(size)} comes from here` };
  return { span, text: `${code(name)} is ${show(size)} here` };
}

export function negativeSize(dim: Dim, span: Span, from: readonly Label[]): Diagnostic {
  const message = `The size ${code(written(span))} is ${show(dim)}, less than 0.`;
  return report("negative-size", message, span, "counts elements", { related: distinct([from], span) });
}

/** Places of one chain that are shown: this many of its beginning and of its end. */
const mostFirst = 3;
const mostLast = 2;

/** Labels that would repeat a place are left out; of a long chain, those in the middle. */
function distinct(chains: readonly (readonly Label[])[], primary: Span): Label[] {
  const seen = new Set([`${primary.file.path}:${primary.start}:${primary.end}`]);
  return chains.flatMap((labels) => {
    const kept = labels.filter(({ span }) => {
      const key = `${span.file.path}:${span.start}:${span.end}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    const left = kept.length - mostFirst - mostLast;
    if (left <= 0) return kept;
    const more = `… ${left} more ${left === 1 ? "place" : "places"} between this and the next`;
    const first = kept.slice(0, mostFirst).map((label, i) => {
      return i < mostFirst - 1 ? label : { ...label, text: `${label.text} (${more})` };
    });
    return [...first, ...kept.slice(-mostLast)];
  });
}

export function rankMismatch(
  arrival: Arrival,
  type: TensorTypeExpression,
  owner: string,
  found: TensorType,
): Diagnostic {
  const message = `${sentenceStart(subject(arrival, owner))} has ${count(found.shape.length, "dimension")} where ${written(type.span)} is expected.`;
  return report("rank-mismatch", message, arrival.span, `this is ${printType(found)}`, {
    related: distinct([[{ span: type.span, text: "expected here" }]], arrival.span),
    hint:
      found.shape.length < type.dims.length
        ? "add a dimension with `reshape`"
        : "take a dimension away with an index such as `x[:, 0]`, or with `reshape`",
  });
}

export function elementTypeMismatch(
  arrival: Arrival,
  type: TensorTypeExpression,
  owner: string,
  wanted: DType,
  found: TensorType,
): Diagnostic {
  const message = `${sentenceStart(subject(arrival, owner))} holds ${found.dtype} where ${wanted} is expected.`;
  const text = quoted(arrival.span);
  const replacement = `cast(${text ?? "…"}, ${wanted})`;
  return report("element-type-mismatch", message, arrival.span, `this is ${printType(found)}`, {
    related: [{ span: type.span, text: `${wanted} is expected here` }],
    hint: `if a conversion is meant, write ${code(replacement)}`,
    edits: text === undefined ? [] : [{ span: arrival.span, replacement }],
  });
}

export function tensorWanted(arrival: Arrival, owner: string, value: Value): Diagnostic {
  const message = `${sentenceStart(subject(arrival, owner))} must be a tensor.`;
  return report("tensor-wanted", message, arrival.span, `this is ${describeValue(value)}`, {
    related: [{ span: arrival.type.span, text: "declared here" }],
    hint: applyHint(arrival.span, value),
  });
}

/** A block stands where its result was meant. */
function applyHint(span: Span, value: Value): string | undefined {
  const isBlock = value.kind === "instance" || value.kind === "chain" || value.kind === "function";
  const text = quoted(span);
  return isBlock && text !== undefined ? `apply it to a tensor: ${code(`${text}(…)`)}` : undefined;
}

export function wrongValue(
  arrival: Arrival,
  owner: string,
  problem: string,
  hint: string | undefined,
): Diagnostic {
  const message = `${sentenceStart(subject(arrival, owner))} ${problem}.`;
  return report("wrong-argument", message, arrival.span, "given here", {
    related: [{ span: arrival.type.span, text: "declared here" }],
    hint,
  });
}

export function missingTensorArgument(
  declaration: BlockDeclaration,
  parameter: TensorParameter,
  span: Span,
  offered: readonly string[],
): Diagnostic {
  const name = parameter.name.name;
  const message = `${declaration.name.name} needs \`${name}\`, which is not given.`;
  return report("missing-argument", message, span, `no \`${name}\` here`, {
    related: [{ span: parameter.span, text: "needed here" }],
    notes: offered.length === 0 ? [] : [`given by name: ${enumeration(offered.map(code))}`],
  });
}

/** Nobody offered a value, and the parameter has no default to say what then. */
export function noneGiven(declaration: BlockDeclaration, parameter: TensorParameter, span: Span): Diagnostic {
  const name = parameter.name.name;
  const message = `${declaration.name.name} needs \`${name}\`, and nobody offered a value for it.`;
  return report("none-used", message, span, "this is none", {
    related: [{ span: parameter.span, text: "needed here" }],
    hint: `use what is offered, or offer it: \`site name(…, ${name}: …)\``,
  });
}

export function tensorTypeWanted(found: string, span: Span): Diagnostic {
  const message = "A tensor type is needed here.";
  return report("unknown-type", message, span, `${code(found)} is not one`, {
    hint: "write it as in `f32[B, N, width]`",
  });
}

export function unknownElementType(name: Identifier, known: readonly string[]): Diagnostic {
  const meant = Object.hasOwn(usualElementTypes, name.name) ? usualElementTypes[name.name] : undefined;
  const parts =
    meant === undefined
      ? didYouMean(name.name, name.span, known, "the element types are")
      : { hint: `write ${code(meant)}`, edits: [{ span: name.span, replacement: meant }] };
  return report("unknown-type", `There is no element type \`${name.name}\`.`, name.span, "not a type", parts);
}

/** As other languages call them. */
const usualElementTypes: Readonly<Record<string, string>> = {
  float: "f32",
  float32: "f32",
  fp32: "f32",
  half: "f16",
  float16: "f16",
  fp16: "f16",
  bfloat16: "bf16",
  int: "i64",
  int64: "i64",
  long: "i64",
  int32: "i32",
  boolean: "bool",
};

export function variadicNotAllowed(span: Span): Diagnostic {
  const message = `\`${written(span)}\` stands for any number of dimensions, and here their number is fixed.`;
  return report("variadic-dimension", message, span, "only in parameters and results of `forward`", {
    hint: "write one name for each dimension",
  });
}

export function variadicTwice(type: TensorTypeExpression): Diagnostic {
  const [first, second] = type.dims.filter((dim) => dim.kind === "variadic-dim").map((dim) => dim.span);
  const message =
    "A shape has room for one dimension with `*`: with two, nobody could tell where the first ends.";
  return report("variadic-dimension", message, second ?? type.span, "the second", {
    related: first === undefined ? [] : [{ span: first, text: "the first" }],
  });
}

/** `what` needs it: "`+`", "`softmax`", "an entry". */
export function tensorOperandWanted(what: string, span: Span, value: Value): Diagnostic {
  return report(
    "tensor-wanted",
    `${sentenceStart(what)} needs a tensor here.`,
    span,
    `this is ${describeValue(value)}`,
    {
      hint: applyHint(span, value),
    },
  );
}

export function noneUsed(span: Span, op: string, operand: string): Diagnostic {
  const message = `\`${operand}\` of \`${op}\` is none: nobody offered a value for it.`;
  return report("none-used", message, span, "this is none", {
    hint: "use what is offered, or ask first: `if x == none { … }`",
  });
}

export function missingOperand(op: OpSignature, name: string, span: Span): Diagnostic {
  const doc = op.attributes[name]?.doc;
  return report("missing-argument", `\`${op.name}\` needs \`${name}\`.`, span, `no \`${name}\` here`, {
    notes: [...(doc === undefined ? [] : [`${name}: ${doc}`]), `it is called as in ${code(callForm(op))}`],
  });
}

/** How an op is called, without what has a default. */
function callForm(op: OpSignature): string {
  const operands = op.operands.filter((operand) => !operand.optional).map((operand) => operand.name);
  const attributes = Object.entries(op.attributes).flatMap(([name, spec]) =>
    spec.default === undefined ? [`${name}: …`] : [],
  );
  return `${op.name}(${[...operands, ...attributes].join(", ")})`;
}

export function opRefused(
  op: OpSignature,
  problem: OpProblem,
  span: Span,
  operands: readonly { readonly value: TensorValue; readonly span: Span | undefined }[],
): Diagnostic {
  const { expected, found } = problem;
  const operator = operatorOf(op, span);
  const symbol = operator ?? op.name;
  const [first, second] = problem.operands;
  const left = first === undefined ? undefined : operands[first.operand];
  const right = second === undefined ? undefined : operands[second.operand];
  const clash = expected !== undefined && found !== undefined && left !== undefined && right !== undefined;
  const message =
    clash && left !== right
      ? `${code(symbol)} can't join ${printType(left.value.type)} and ${printType(right.value.type)}: ${show(expected)} and ${show(found)} must be equal.`
      : sentence(problem.message);
  return report(
    "shape-mismatch",
    message,
    span,
    clash ? `${show(expected)} is not ${show(found)}` : `${code(symbol)} refuses this`,
    {
      related: distinct(operandLabels(problem, operands), span),
      notes: [...summaryNote(op, operator), ...(clash ? [] : givenNote(operands))],
      ...(operator === "@" ? transposeAdvice(operands) : {}),
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    },
  );
}

/** What an op does; an operator between equal shapes needs no explanation. */
function summaryNote(op: OpSignature, operator: string | undefined): string[] {
  if (operator !== undefined && operator !== "@") return [];
  const summary = op.summary.replace(/\.$/, "");
  const isWord = /^[A-Z][a-z]/.test(summary);
  return [`${op.name}: ${isWord ? summary.charAt(0).toLowerCase() + summary.slice(1) : summary}`];
}

const symbols: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  modulo: "%",
  matmul: "@",
  equal: "==",
  less: "<",
  less_equal: "<=",
  greater: ">",
  greater_equal: ">=",
  and: "&&",
  or: "||",
  neg: "-",
  not: "!",
};

/** How the text writes an op, when that is not by its name. */
function operatorOf(op: OpSignature, span: Span): string | undefined {
  const isCalled = new RegExp(`\\b${op.name}\\b`).test(span.file.text.slice(span.start, span.end));
  return isCalled ? undefined : symbols[op.name];
}

function givenNote(operands: readonly { readonly value: TensorValue }[]): string[] {
  const types = operands.map(({ value }) => printType(value.type));
  return types.length === 0 ? [] : [`given: ${types.join(", ")}`];
}

/** The operands that clash, and where the sizes that do came from. */
function operandLabels(
  problem: OpProblem,
  operands: readonly { readonly value: TensorValue; readonly span: Span | undefined }[],
): (readonly Label[])[] {
  return problem.operands.map(({ operand, axis }) => {
    const given = operands[operand];
    const size = given?.value.type.shape[axis];
    const origins = size === undefined ? [] : originLabels(size, given?.value.origins[axis]);
    if (given?.span === undefined) return origins;
    return [{ span: given.span, text: printType(given.value.type) }, ...origins];
  });
}

/** A product that fits with its second matrix transposed. */
function transposeAdvice(
  operands: readonly { readonly value: TensorValue; readonly span: Span | undefined }[],
): MessageParts {
  const [left, right] = operands;
  const text = right?.span === undefined ? undefined : quoted(right.span);
  if (left === undefined || right?.span === undefined || text === undefined) return {};
  const columns = left.value.type.shape.at(-1);
  if (columns === undefined || right.value.type.shape.at(-1)?.equals(columns) !== true) return {};
  const replacement = `transpose(${text})`;
  return { hint: `did you mean ${code(replacement)}?`, edits: [{ span: right.span, replacement }] };
}

export function tooManyIndices(object: Span, surplus: Span, given: number, type: TensorType): Diagnostic {
  const message = `There are ${given} indices for ${count(type.shape.length, "dimension")}.`;
  return report("too-many-indices", message, surplus, "no dimension is left for this", {
    related: [{ span: object, text: `this is ${printType(type)}` }],
  });
}

export function secondEllipsis(span: Span): Diagnostic {
  const message = "`...` can stand only once in an index: with two, nobody could tell where the first ends.";
  return report("too-many-indices", message, span, "the second one");
}

/** An index or a bound of a slice on one axis of a tensor. */
export interface IndexPlace {
  readonly tensor: TensorValue;
  readonly axis: number;
  readonly span: Span;
}

export function indexOutOfRange(index: Dim, size: Dim, { tensor, axis, span }: IndexPlace): Diagnostic {
  const message = `There is no index ${show(index)} in a dimension of ${show(size)}.`;
  return report("index-out-of-range", message, span, outside(size, index), place(tensor, axis, span));
}

export function sliceOutOfRange(stop: Dim, size: Dim, { tensor, axis, span }: IndexPlace): Diagnostic {
  const message = `This slice ends at ${show(stop)}, beyond a dimension of ${show(size)}.`;
  return report("index-out-of-range", message, span, "reaches too far", place(tensor, axis, span));
}

export function sliceTooEarly(start: Dim, size: Dim, { tensor, axis, span }: IndexPlace): Diagnostic {
  const message = `This slice starts before the beginning of a dimension of ${show(size)}.`;
  return report("index-out-of-range", message, span, `starts at ${show(start)}`, place(tensor, axis, span));
}

export function sliceBackwards(start: Dim, stop: Dim, { tensor, axis, span }: IndexPlace): Diagnostic {
  const message = `This slice starts at ${show(start)} and ends before it, at ${show(stop)}.`;
  return report("index-out-of-range", message, span, "holds less than nothing", place(tensor, axis, span));
}

function outside(size: Dim, index: Dim): string {
  const last = size.constant === undefined ? undefined : size.constant - 1;
  if (last === undefined || last < 0 || index.constant === undefined) return "outside the dimension";
  return `indices go from 0 to ${last}`;
}

function place(tensor: TensorValue, axis: number, span: Span): MessageParts {
  const size = tensor.type.shape[axis];
  const origins = size === undefined ? [] : originLabels(size, tensor.origins[axis]);
  return {
    related: distinct([origins], span),
    notes: [`this is dimension ${axis + 1} of ${printType(tensor.type)}`],
  };
}

export function badStep(span: Span, step: Dim): Diagnostic {
  const message = "A step must be a positive number that is known while compiling.";
  return report("bad-step", message, span, `this is ${show(step)}`);
}

export function axisOutOfRange(span: Span, axis: number, rank: number): Diagnostic {
  const message = `There is no axis ${axis} in a tensor of ${count(rank, "dimension")}.`;
  const label = rank === 0 ? "no such axis" : `axes go from 0 to ${rank - 1}, or from -1 backwards`;
  return report("index-out-of-range", message, span, label);
}
