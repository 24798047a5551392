/**
 * Messages about tensors: element types, ranks, sizes and indices. A mismatch shows both shapes
 * and where each size came from.
 */
import type { BlockDeclaration, Identifier, TensorParameter, TensorTypeExpression } from "../ast.ts";
import type { OpProblem, OpSignature } from "../catalog.ts";
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Dim } from "../dims.ts";
import type { Span } from "../source.ts";
import type { Arrival, Mismatch } from "../tensor-types.ts";
import { type DType, printType, type TensorType } from "../types.ts";
import { describeValue, type Value } from "../value.ts";
import { code, count, didYouMean, report } from "./build.ts";

function written(span: Span): string {
  return span.file.text.slice(span.start, span.end);
}

/** "`x` of Linear", "the result of Linear" */
function subject(arrival: Arrival, owner: string): string {
  return arrival.name === undefined ? `the result of ${owner}` : `\`${arrival.name}\` of ${owner}`;
}

function capital(text: string): string {
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
  const { arrival, type, dim, axis, value } = mismatch;
  const foundFrom = value.origins[axis];
  const message = `${capital(subject(arrival, owner))} has ${found} where ${wanted} is expected (dimension ${axis + 1} of ${value.type.shape.length}).`;
  const related: Label[] = [{ span: dim.span, text: `${wanted} is expected here` }, ...expectedFrom];
  if (foundFrom !== undefined) related.push({ span: foundFrom.span, text: `${found} is ${foundFrom.text}` });
  return report("shape-mismatch", message, arrival.span, `this is ${printType(value.type)}`, {
    related: distinct(related, arrival.span),
    notes: [`expected: ${written(type.span)}`, `found:    ${printType(value.type)}`],
    hint: role === "result" ? "change the declared result, or what the body computes" : undefined,
  });
}

/** Labels that would repeat a place are left out; a long chain is cut in the middle. */
function distinct(labels: readonly Label[], primary: Span): Label[] {
  const seen = new Set([`${primary.file.path}:${primary.start}:${primary.end}`]);
  const kept = labels.filter(({ span }) => {
    const key = `${span.file.path}:${span.start}:${span.end}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return kept.length <= 6 ? kept : [...kept.slice(0, 3), ...kept.slice(-3)];
}

export function rankMismatch(
  arrival: Arrival,
  type: TensorTypeExpression,
  owner: string,
  found: TensorType,
): Diagnostic {
  const message = `${capital(subject(arrival, owner))} has ${count(found.shape.length, "dimension")} where ${written(type.span)} is expected.`;
  return report("rank-mismatch", message, arrival.span, `this is ${printType(found)}`, {
    related: [{ span: type.span, text: "expected here" }],
  });
}

export function elementTypeMismatch(
  arrival: Arrival,
  type: TensorTypeExpression,
  owner: string,
  wanted: DType,
  found: TensorType,
): Diagnostic {
  const message = `${capital(subject(arrival, owner))} holds ${found.dtype} where ${wanted} is expected.`;
  return report("element-type-mismatch", message, arrival.span, `this is ${printType(found)}`, {
    related: [{ span: type.span, text: `${wanted} is expected here` }],
    hint: `convert it with cast(…, ${wanted})`,
  });
}

export function tensorWanted(arrival: Arrival, owner: string, value: Value): Diagnostic {
  const message = `${capital(subject(arrival, owner))} must be a tensor.`;
  return report("tensor-wanted", message, arrival.span, `this is ${describeValue(value)}`, {
    related: [{ span: arrival.type.span, text: "declared here" }],
  });
}

export function wrongValue(
  arrival: Arrival,
  owner: string,
  problem: string,
  hint: string | undefined,
): Diagnostic {
  const message = `${capital(subject(arrival, owner))} does not fit: ${problem}.`;
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
    notes: offered.length === 0 ? [] : [`given by name: ${offered.map(code).join(", ")}`],
  });
}

export function tensorTypeWanted(found: string, span: Span): Diagnostic {
  const message = "A tensor type is needed here.";
  return report("unknown-type", message, span, `${code(found)} is no tensor type`, {
    hint: "write it as f32[B, N, d]",
  });
}

export function unknownElementType(name: Identifier, known: readonly string[]): Diagnostic {
  const parts = didYouMean(name.name, name.span, known);
  return report("unknown-type", `\`${name.name}\` is not an element type.`, name.span, "not a type", parts);
}

export function variadicNotAllowed(span: Span): Diagnostic {
  const message = "`*` stands for any number of dimensions, once, in a parameter or result of `forward`.";
  return report("variadic-dimension", message, span, "not here");
}

export function variadicTwice(type: TensorTypeExpression): Diagnostic {
  const [first, second] = type.dims.filter((dim) => dim.kind === "variadic-dim").map((dim) => dim.span);
  const message =
    "A shape has room for one dimension with `*`: with two, nobody could tell where the first ends.";
  return report("variadic-dimension", message, second ?? type.span, "the second", {
    related: first === undefined ? [] : [{ span: first, text: "the first" }],
  });
}

export function tensorOperandWanted(span: Span, value: Value): Diagnostic {
  return report("tensor-wanted", "A tensor is needed here.", span, `this is ${describeValue(value)}`);
}

export function noneUsed(span: Span, op: string, operand: string): Diagnostic {
  const message = `\`${operand}\` of ${op} is none: nobody offered a value for it.`;
  return report("none-used", message, span, "none here", {
    hint: "the encoder has no site that offers this value",
  });
}

export function missingOperand(op: OpSignature, name: string, span: Span): Diagnostic {
  return report("missing-argument", `${op.name} needs \`${name}\`.`, span, `no \`${name}\` here`, {
    notes: [`${op.name}: ${op.signature}`],
  });
}

export function opRefused(
  op: OpSignature,
  problem: OpProblem,
  span: Span,
  related: readonly Label[],
  operands: readonly TensorType[],
): Diagnostic {
  const { expected, found } = problem;
  const sizes = expected === undefined || found === undefined ? [] : [`${expected} against ${found}`];
  return report(
    "shape-mismatch",
    `${capital(problem.message.replace(/\.$/, ""))}.`,
    span,
    `${op.name} refuses this`,
    {
      related: distinct(related, span),
      notes: [
        ...sizes,
        `${op.name}: ${op.signature}`,
        ...(operands.length === 0 ? [] : [`given: ${operands.map(printType).join(", ")}`]),
      ],
      hint: problem.hint,
    },
  );
}

export function tooManyIndices(span: Span, given: number, type: TensorType): Diagnostic {
  const message = `${count(given, "index item")} for a tensor of ${count(type.shape.length, "dimension")}.`;
  return report("too-many-indices", message, span, `this is ${printType(type)}`);
}

export function indexOutOfRange(span: Span, low: Dim, high: Dim): Diagnostic {
  const message = `This index leaves its axis: ${low} is more than ${high}.`;
  return report("index-out-of-range", message, span, "outside the axis");
}

export function badStep(span: Span, step: Dim): Diagnostic {
  const message = "A step must be a positive number that is known while compiling.";
  return report("bad-step", message, span, `this is ${step}`);
}

export function axisOutOfRange(span: Span, axis: number, rank: number): Diagnostic {
  const message = `A tensor of ${count(rank, "dimension")} has no axis ${axis}.`;
  return report("index-out-of-range", message, span, "no such axis");
}
