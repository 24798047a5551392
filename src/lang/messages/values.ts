/**
 * Messages about compile-time values: arguments of the wrong type, arithmetic that has no answer,
 * conditions that can't be decided.
 */
import type { BlockDeclaration, Expression, ParameterMember, StaticParameter } from "../ast.ts";
import type { Diagnostic, Label } from "../diagnostic.ts";
import type { Dim, DimError } from "../dims.ts";
import type { Frame } from "../frames.ts";
import { itemSpan } from "../item-span.ts";
import { SourceFile, type Span } from "../source.ts";
import { printStaticType, staticTypeNames } from "../static-types.ts";
import { printType, type TensorType } from "../types.ts";
import { type DimOrigin, describeValue, type Value } from "../value.ts";
import {
  code,
  count,
  didYouMean,
  enumeration,
  type MessageParts,
  quoted,
  report,
  reportAnywhere,
  sentence,
  show,
} from "./build.ts";
import { originLabel } from "./shapes.ts";

/** `problem` goes on from the parameter: "must be an integer, not true". */
export function wrongArgument(
  declaration: BlockDeclaration,
  parameter: StaticParameter,
  span: Span,
  problem: Problem,
): Diagnostic {
  const name = parameter.name.name;
  const { item } = problem;
  const subject = item === undefined ? `\`${name}\`` : `An item of \`${name}\``;
  const message = `${subject} of ${declaration.name.name} ${problem.problem}.`;
  const place = item === undefined ? span : itemSpan(span, item);
  return report("wrong-argument", message, place, `for \`${name}: ${printStaticType(parameter.type)}\``, {
    related:
      span === parameter.initial?.span
        ? []
        : [{ span: parameter.span, text: `\`${name}\` is declared here` }],
    ...adviceOn(problem, place),
  });
}

/** What is wrong with a value, and how it could be put right. */
export interface Problem {
  readonly problem: string;
  readonly hint?: string;
  /** What to write instead. */
  readonly replacement?: string;
  /** Which item of a list it is about. */
  readonly item?: number;
}

function adviceOn({ hint, replacement }: Problem, span: Span): MessageParts {
  return {
    ...(hint === undefined ? {} : { hint }),
    ...(replacement === undefined ? {} : { edits: [{ span, replacement }] }),
  };
}

export function missingArgument(
  declaration: BlockDeclaration,
  parameter: StaticParameter,
  span: Span,
): Diagnostic {
  const name = parameter.name.name;
  const message = `${declaration.name.name} needs a value for \`${name}\`.`;
  return report("missing-argument", message, span, `\`${name}\` is missing`, {
    related: [{ span: parameter.span, text: "declared here, without a default" }],
    hint: `add \`${name}: …\`, of type \`${printStaticType(parameter.type)}\``,
  });
}

export function unknownStaticType(written: string, span: Span): Diagnostic {
  const meant = Object.hasOwn(usualTypes, written) ? usualTypes[written] : undefined;
  const parts =
    meant === undefined
      ? didYouMean(written, span, staticTypeNames)
      : { hint: `write \`${meant}\``, edits: [{ span, replacement: meant }] };
  return report("unknown-type", `There is no type \`${written}\` of parameters.`, span, "not a type", {
    ...(parts.edits === undefined ? { notes: [`the types are ${staticTypeNames.join(", ")}`] } : parts),
  });
}

/** As other languages call them. */
const usualTypes: Readonly<Record<string, string>> = {
  float: "real",
  double: "real",
  number: "real",
  integer: "int",
  size: "int",
  boolean: "bool",
  str: "string",
  text: "string",
  percent: "ratio",
  fraction: "ratio",
  time: "duration",
  rate: "frequency",
  module: "block",
  layer: "block",
};

export function badArithmetic(
  span: Span,
  result: { readonly problem: string; readonly hint?: string },
  operands: readonly Label[] = [],
): Diagnostic {
  return report(
    "bad-arithmetic",
    sentence(result.problem),
    span,
    operands.length === 0 ? "computed here" : "",
    {
      related: operands,
      hint: result.hint,
    },
  );
}

export function integerWanted(span: Span, value: Value): Diagnostic {
  const isReal = value.kind === "real" || value.kind === "scaled" || value.kind === "quotient";
  const text = quoted(span);
  return report("integer-wanted", "An integer is needed here.", span, `this is ${describeValue(value)}`, {
    hint: isReal && text !== undefined ? `round it: \`ceil(${text})\` or \`floor(${text})\`` : undefined,
  });
}

export function notDivisible(
  numerator: Dim,
  denominator: Dim,
  span: Span,
  related: readonly Label[],
): Diagnostic {
  const message = `${show(numerator)} is not divisible by ${show(denominator)}.`;
  return report("not-divisible", message, span, "must be a whole number", {
    related,
    notes: remainderNotes(numerator, denominator),
    hint: "choose sizes that divide, or say how to round with `floor(…)` or `ceil(…)`",
  });
}

/** A tensor that can't be cut into equal parts. */
export function partsUneven(size: Dim, count: Dim, span: Span, origin: DimOrigin | undefined): Diagnostic {
  const from = originLabel(size, origin);
  return report(
    "not-divisible",
    `${show(size)} can't be split into ${count} equal parts.`,
    span,
    `${show(size)} long`,
    {
      related: from === undefined ? [] : [from],
      notes: remainderNotes(size, count),
    },
  );
}

function remainderNotes(numerator: Dim, denominator: Dim): string[] {
  const a = numerator.constant;
  const b = denominator.constant;
  return a === undefined || b === undefined || b === 0 ? [] : [`${a} / ${b} leaves ${a % b}`];
}

export function numberTooLarge(span: Span): Diagnostic {
  const message = "This number is too large to be exact.";
  return report("number-too-large", message, span, `integers go up to ${Number.MAX_SAFE_INTEGER}`);
}

export function sizeTooLarge(span: Span, error: DimError): Diagnostic {
  if (error.kind === "division-by-zero") {
    return report("bad-arithmetic", "A division by zero has no value.", span, "divides by zero");
  }
  const message = "The sizes computed here are too large, or too long an expression, to be exact.";
  return report("number-too-large", message, span, "computed here");
}

export function tooMuchWork(span: Span, most: number): Diagnostic {
  const message = `Laying out this program takes more than ${most} steps, and no model needs as many.`;
  return report("too-much-work", message, span, "given up here", {
    hint: "look for a long range, or for blocks that multiply at each level of nesting",
  });
}

export function tooManyTurns(span: Span, turns: number, most: number): Diagnostic {
  const message = `This would be unrolled ${turns} times, and the limit is ${most}.`;
  return report("too-much-work", message, span, `${turns} turns`, {
    hint: "work along a tensor with ops on the whole tensor",
  });
}

/** `circle` holds the uses that lead from a block back to itself, in turn. */
export function endlessBlock(circle: readonly Frame[]): Diagnostic {
  const [first, ...others] = circle;
  const owner = circle[circle.length - 1]?.declaration.name.name ?? "";
  const span = first?.span ?? new SourceFile("", "").span(0, 0);
  const contained = first?.declaration.name.name ?? owner;
  const label = others.length === 0 ? "the same block again" : `${owner} contains ${contained}`;
  return report("endless-block", `${owner} contains itself without end.`, span, label, {
    related: others.map((use, i) => ({
      span: use.span,
      text: `${circle[i]?.declaration.name.name ?? ""} contains ${use.declaration.name.name}`,
    })),
    hint: "end it with an `if` on a parameter that gets smaller",
  });
}

export function notACondition(span: Span, value: Value): Diagnostic {
  if (value.kind === "condition") {
    const symbols = [...new Set([...value.left.symbols(), ...value.right.symbols()])].map(code);
    const message = "This condition can't be decided while compiling.";
    const known = symbols.length === 1 ? "is" : "are";
    return report(
      "condition-not-static",
      message,
      span,
      `${enumeration(symbols)} ${known} only known when inputs are bound`,
      {
        hint: "decide by a static parameter; for what must hold at run time, use `require`",
      },
    );
  }
  const text = quoted(span);
  const isNumber = value.kind === "int" || value.kind === "real" || value.kind === "scaled";
  return report(
    "not-a-condition",
    "A condition must be true or false.",
    span,
    `this is ${describeValue(value)}`,
    {
      hint:
        value.kind === "tensor"
          ? "to choose number by number when run, use the op `where`: `where(x > 0, x, -x)`"
          : isNumber && text !== undefined
            ? `compare it: \`${text} > 0\``
            : undefined,
    },
  );
}

/** `owner` is the block that requires it; `values` tell what the names in the condition are. */
export function requirementFailed(
  condition: Expression,
  reason: string | undefined,
  owner: string | undefined,
  values: readonly Label[],
): Diagnostic {
  const text = reason ?? quoted(condition.span);
  const message =
    text === undefined
      ? "A requirement does not hold."
      : `${owner ?? "The model"} requires: ${text.replace(/\.$/, "")}.`;
  return report("requirement-failed", message, condition.span, "is false", { related: values });
}

export function openRange(span: Span, from: Dim, to: Dim): Diagnostic {
  const symbols = [...new Set([...from.symbols(), ...to.symbols()])].map((name) => `\`${name}\``);
  const message = "Loops are unrolled while compiling, so the ends of a range must be known by then.";
  const known = symbols.length === 1 ? "is" : "are";
  return report(
    "open-range",
    message,
    span,
    `${enumeration(symbols)} ${known} only known when inputs are bound`,
    {
      hint: "work on the whole tensor with ops such as `sum` or `cumsum`",
    },
  );
}

export function notIterable(span: Span, value: Value): Diagnostic {
  const text = quoted(span);
  const isNumber = value.kind === "int" && text !== undefined;
  return report(
    "not-iterable",
    "A loop runs over a list or a range.",
    span,
    `this is ${describeValue(value)}`,
    {
      hint: isNumber ? `count with a range: \`0..${text}\`` : undefined,
      edits: isNumber ? [{ span, replacement: `0..${text}` }] : [],
    },
  );
}

/** Names or declared results, and the values for them. */
export function wrongCount(wanted: number, what: "name" | "result", value: Value, span: Span): Diagnostic {
  const given =
    value.kind === "tuple" || value.kind === "list" ? count(value.items.length, "value") : "one value";
  const message =
    what === "name"
      ? `${count(wanted, "name")} can't take ${given}.`
      : `${count(wanted, "result")} ${wanted === 1 ? "is" : "are"} declared, and the body gives ${given}.`;
  return report("wrong-count", message, span, `this is ${describeValue(value)}`, {
    hint:
      what === "name"
        ? "give each value a name; `_` for one that is not needed"
        : "end the body in as many values: `(a, b)`",
  });
}

export function notIndexable(span: Span, value: Value): Diagnostic {
  const message = "Only tensors and lists have parts to take by number.";
  return report("not-indexable", message, span, `this is ${describeValue(value)}`);
}

export function listIndex(span: Span): Diagnostic {
  return report("list-index", "A list takes one integer as index.", span, "not one integer", {
    hint: "for a part of a list, write `[layers[i] for i in 0..6]`",
  });
}

export function listIndexOutOfRange(span: Span, index: number, length: number): Diagnostic {
  const message = `There is no item ${index} in a list of ${length}.`;
  const label = length === 0 ? "the list is empty" : `items are numbered from 0 to ${length - 1}`;
  return report("index-out-of-range", message, span, label);
}

export function initializerArgument(name: string, parameter: string, span: Span): Diagnostic {
  const message = `\`${parameter}\` of \`${name}\` must be a number that is known while compiling.`;
  return report("wrong-argument", message, span, "not such a number");
}

export function notAnInitializer(
  member: ParameterMember,
  value: Value,
  known: readonly string[],
): Diagnostic {
  const span = member.initial?.span ?? member.span;
  const name = member.name.parts.map((part) => part.name).join(".");
  const message = `This does not say how \`${name}\` starts.`;
  const isQuoted = value.kind === "string" && known.includes(value.value);
  return report("not-an-initialiser", message, span, `this is ${describeValue(value)}`, {
    hint: isQuoted
      ? `write \`${value.value}\` without quotes`
      : `use ${known.map(code).join(", ")}, a number or a tensor`,
    edits: isQuoted ? [{ span, replacement: value.value }] : [],
  });
}

export function initializerShape(member: ParameterMember, wanted: TensorType, found: TensorType): Diagnostic {
  const span = member.initial?.span ?? member.span;
  const name = member.name.parts.map((part) => part.name).join(".");
  const message = `\`${name}\` is ${printType(wanted)}, but starts as ${printType(found)}.`;
  return report("shape-mismatch", message, span, `this is ${printType(found)}`, {
    related: [{ span: member.type.span, text: `declared as ${printType(wanted)} here` }],
  });
}

export function evaluationTooDeep(span: Span): Diagnostic {
  return report("nesting-too-deep", "Blocks and expressions are nested too deep here.", span, "too deep");
}

export function fractionForInteger(span: Span, number: number, dtype: string): Diagnostic {
  const message = `${number} is not an integer, and the tensor beside it holds ${dtype}.`;
  return report("element-type-mismatch", message, span, "not an integer", {
    hint: "convert the tensor: `cast(x, f32)`",
  });
}

export function wrongAttribute(
  op: string,
  name: string,
  wanted: string,
  span: Span,
  value: Value,
): Diagnostic {
  const message = `\`${name}\` of \`${op}\` must be ${wanted}.`;
  const isDuration = value.kind === "quantity" && value.unit === "s";
  const text = quoted(span);
  return report("wrong-argument", message, span, `this is ${describeValue(value)}`, {
    hint:
      isDuration && text !== undefined
        ? `a number of samples is a duration times a rate: \`${text} * 16kHz\``
        : undefined,
  });
}

export function splitArguments(span: Span): Diagnostic {
  const message = "`split` takes a tensor and a number of parts.";
  return report("wrong-argument", message, span, "not called so", { hint: "as in `split(x, 3)`" });
}

export function sizeArguments(span: Span): Diagnostic {
  const message = "`size` takes a tensor and an axis.";
  return report("wrong-argument", message, span, "not called so", { hint: "as in `size(x, 1)`" });
}

/** `problem` goes on from the parameter: "must be an integer, not true". */
export function badSetting(name: string, text: string, problem: Problem, span: Span | undefined): Diagnostic {
  const { hint } = problem;
  const diagnostic = reportAnywhere("bad-setting", `--set ${name}=${text}: \`${name}\` ${problem.problem}.`, {
    hint,
  });
  return span === undefined ? diagnostic : { ...diagnostic, primary: { span, text: "declared here" } };
}

export function unknownSetting(
  declaration: BlockDeclaration,
  name: string,
  known: readonly string[],
): Diagnostic {
  const { span } = declaration.name;
  const { hint } = didYouMean(name, span, known, "its parameters are");
  const message = `--set ${name}: the model ${declaration.name.name} has no parameter \`${name}\`.`;
  return report("bad-setting", message, span, "this model", { hint });
}

export function cannotStayOpen(
  declaration: BlockDeclaration,
  name: string,
  known: readonly string[],
): Diagnostic {
  const message = `The parameter \`${name}\` of ${declaration.name.name} can't be left open.`;
  const hint =
    known.length === 0
      ? "it has no ratios and no integers"
      : `only ratios and integers can: ${known.map(code).join(", ")}`;
  return report("bad-setting", message, declaration.name.span, "this model", { hint });
}

export function rateWanted(span: Span, value: Value): Diagnostic {
  const text = value.kind === "int" ? quoted(span) : undefined;
  const rate = (value.kind === "int" ? (value.dim.constant ?? 0) : 0) >= 1000 ? `${text}Hz` : `${text}kHz`;
  return report(
    "wrong-argument",
    "A sample rate must be a frequency.",
    span,
    `this is ${describeValue(value)}`,
    {
      hint: text === undefined ? "as in `waveform[T] @ 16kHz`" : `write its unit: \`${rate}\``,
      edits: text === undefined ? [] : [{ span, replacement: rate }],
    },
  );
}
