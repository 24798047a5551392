/**
 * Messages about compile-time values: arguments of the wrong type, arithmetic that has no answer,
 * conditions that can't be decided.
 */
import type { BlockDeclaration, Expression, ParameterMember, StaticParameter } from "../ast.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Dim, DimError } from "../dims.ts";
import type { Frame } from "../frames.ts";
import { SourceFile, type Span } from "../source.ts";
import { printStaticType, staticTypeNames } from "../static-types.ts";
import { printType, type TensorType } from "../types.ts";
import { describeValue, type Value } from "../value.ts";
import { count, didYouMean, report, reportAnywhere } from "./build.ts";

export function wrongArgument(
  declaration: BlockDeclaration,
  parameter: StaticParameter,
  span: Span,
  problem: string,
  hint: string | undefined,
): Diagnostic {
  const name = parameter.name.name;
  const message = `The argument \`${name}\` of ${declaration.name.name} does not fit: ${problem}.`;
  return report("wrong-argument", message, span, `for \`${name}: ${printStaticType(parameter.type)}\``, {
    related: [{ span: parameter.span, text: `\`${name}\` is declared here` }],
    hint,
  });
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
    hint: `add \`${name}: …\` (${printStaticType(parameter.type)})`,
  });
}

export function unknownStaticType(written: string, span: Span): Diagnostic {
  const parts = didYouMean(written, span, staticTypeNames);
  const message = `\`${written}\` is not a type of compile-time values.`;
  return report("unknown-type", message, span, "not a type", parts);
}

export function badArithmetic(
  span: Span,
  result: { readonly problem: string; readonly hint?: string },
): Diagnostic {
  return report("bad-arithmetic", sentence(result.problem), span, "computed here", { hint: result.hint });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function integerWanted(span: Span, value: Value): Diagnostic {
  return report("integer-wanted", "An integer is needed here.", span, `this is ${describeValue(value)}`);
}

export function notDivisible(
  numerator: Dim,
  denominator: Dim,
  span: Span,
  related: readonly { readonly span: Span; readonly text: string }[],
): Diagnostic {
  return report(
    "not-divisible",
    `${numerator} is not divisible by ${denominator}.`,
    span,
    "must be a whole number",
    {
      related,
      notes: remainderNotes(numerator, denominator),
      hint: "choose sizes that divide, or say how to round with floor( ) or ceil( )",
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

export function tooMuchWork(span: Span): Diagnostic {
  const message = "Laying out this program takes more steps than any model needs.";
  return report("too-much-work", message, span, "given up here", {
    hint: "look for a long range, or for blocks that multiply at each level of nesting",
  });
}

export function tooManyTurns(span: Span, turns: number, most: number): Diagnostic {
  const message = `This would be unrolled ${turns} times, and ${most} is the most.`;
  return report("too-much-work", message, span, `${turns} turns`, {
    hint: "work along a tensor with ops on the whole tensor",
  });
}

export function endlessBlock(circle: readonly Frame[]): Diagnostic {
  const [first, ...others] = circle;
  const name = first?.declaration.name.name ?? "";
  const owner = circle[circle.length - 1]?.declaration.name.name ?? name;
  const span = first?.span ?? new SourceFile("", "").span(0, 0);
  return report("endless-block", `${owner} contains itself without end.`, span, `${owner} contains ${name}`, {
    related: others.map((use, i) => ({
      span: use.span,
      text: `${circle[i]?.declaration.name.name ?? ""} contains ${use.declaration.name.name}`,
    })),
    hint: "end it with an `if` on a parameter that gets smaller",
  });
}

export function notACondition(span: Span, value: Value): Diagnostic {
  if (value.kind === "condition") {
    const message = "This condition depends on sizes that are only known when inputs are bound.";
    return report("condition-not-static", message, span, describeValue(value), {
      hint: "conditions are decided while compiling; use `require` for what must hold at run time",
    });
  }
  return report(
    "not-a-condition",
    "A condition must be true or false.",
    span,
    `this is ${describeValue(value)}`,
  );
}

export function requirementFailed(condition: Expression, reason: string | undefined): Diagnostic {
  const message =
    reason === undefined ? "A requirement does not hold." : `A requirement does not hold: ${reason}.`;
  return report("requirement-failed", message, condition.span, "is false");
}

export function openRange(span: Span, from: Dim, to: Dim): Diagnostic {
  const message = "Loops are unrolled while compiling, so the ends of a range must be numbers by then.";
  return report("open-range", message, span, `runs from ${from} to ${to}`);
}

export function notIterable(span: Span, value: Value): Diagnostic {
  return report(
    "not-iterable",
    "A loop runs over a list or a range.",
    span,
    `this is ${describeValue(value)}`,
  );
}

export function wrongCount(wanted: number, value: Value, span: Span): Diagnostic {
  const message = `${count(wanted, "value")} ${wanted === 1 ? "is" : "are"} expected here.`;
  return report("wrong-count", message, span, `this is ${describeValue(value)}`);
}

export function notIndexable(span: Span, value: Value): Diagnostic {
  return report(
    "not-indexable",
    "Only tensors and lists can be indexed.",
    span,
    `this is ${describeValue(value)}`,
  );
}

export function listIndex(span: Span): Diagnostic {
  return report("list-index", "A list takes one integer as index.", span, "not one integer");
}

export function listIndexOutOfRange(span: Span, index: number, length: number): Diagnostic {
  const message = `The list has ${count(length, "item")}, so there is no item ${index}.`;
  return report("index-out-of-range", message, span, "outside the list");
}

export function initializerArgument(name: string, parameter: string, span: Span): Diagnostic {
  const message = `${name}( ) needs a number for \`${parameter}\` that is known while compiling.`;
  return report("wrong-argument", message, span, "not a number");
}

export function notAnInitializer(
  member: ParameterMember,
  value: Value,
  known: readonly string[],
): Diagnostic {
  const span = member.initial?.span ?? member.span;
  return report(
    "not-an-initialiser",
    "This does not say how the parameter starts.",
    span,
    `it is ${describeValue(value)}`,
    {
      hint: `use ${known.join(", ")} or a tensor`,
    },
  );
}

export function initializerShape(member: ParameterMember, wanted: TensorType, found: TensorType): Diagnostic {
  const span = member.initial?.span ?? member.span;
  const message = `The parameter is ${printType(wanted)} but starts as ${printType(found)}.`;
  return report("shape-mismatch", message, span, `this is ${printType(found)}`, {
    related: [{ span: member.type.span, text: `declared as ${printType(wanted)} here` }],
  });
}

export function evaluationTooDeep(span: Span): Diagnostic {
  const message = "Blocks are nested too deep here.";
  return report("nesting-too-deep", message, span, "too deep", { hint: "does a block contain itself?" });
}

export function fractionForInteger(span: Span, number: number, dtype: string): Diagnostic {
  return report(
    "element-type-mismatch",
    `${number} can't be used with a tensor of ${dtype}.`,
    span,
    "not an integer",
  );
}

export function wrongAttribute(name: string, wanted: string, span: Span, value: Value): Diagnostic {
  const message = `\`${name}\` must be ${wanted}.`;
  return report("wrong-argument", message, span, `this is ${describeValue(value)}`);
}

export function splitArguments(span: Span): Diagnostic {
  return report(
    "wrong-argument",
    "split( ) takes a tensor and a number of parts.",
    span,
    "as in split(x, 3)",
  );
}

export function sizeArguments(span: Span): Diagnostic {
  return report("wrong-argument", "size( ) takes a tensor and an axis.", span, "as in size(x, 1)");
}

export function badSetting(
  name: string,
  text: string,
  problem: string,
  span: Span | undefined,
  hint?: string,
): Diagnostic {
  const diagnostic = reportAnywhere("bad-setting", `--set ${name}=${text} does not fit: ${problem}.`, {
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
  const { hint } = didYouMean(name, span, known);
  return report(
    "bad-setting",
    `The model ${declaration.name.name} has no parameter \`${name}\` to set.`,
    span,
    "this model",
    {
      hint,
    },
  );
}

export function rateWanted(span: Span, value: Value): Diagnostic {
  return report("wrong-argument", "A sample rate is a frequency.", span, `this is ${describeValue(value)}`, {
    hint: "as in waveform[T] @ 16kHz",
  });
}
