/**
 * Compile-time parameters of a block meeting their arguments.
 *
 * Owns: defaults, types, and what is reported when an argument is missing or does not fit.
 */
import type { BlockDeclaration, StaticParameter } from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import { coerce, printStaticType, unknownStaticType } from "./static-types.ts";
import {
  errorValue,
  intValue,
  type StaticArgument,
  type Template,
  unknownValue,
  type Value,
} from "./value.ts";

/** Defines every parameter in `scope`. `open`: those without a value stay open instead of being reported. */
export function bindStatics(
  template: Template,
  scope: Scope,
  evaluation: Evaluation,
  open: boolean,
): boolean {
  const { declaration } = template;
  const seen = new Set<string>();
  let complete = true;
  for (const parameter of declaration.parameters) {
    const name = parameter.name.name;
    if (seen.has(name)) {
      evaluation.fail(messages.duplicateParameter(name, parameter.name.span));
      continue;
    }
    seen.add(name);
    const unknownType = unknownStaticType(parameter.type);
    if (unknownType !== undefined) {
      evaluation.fail(messages.unknownStaticType(printStaticType(unknownType), unknownType.span));
      scope.define(name, errorValue, parameter.name.span);
      continue;
    }
    const given = template.arguments.get(name);
    if (given !== undefined) {
      scope.define(name, checkArgument(given, parameter, declaration, evaluation), given.span);
    } else if (parameter.initial !== undefined) {
      const value = evaluation.evaluate(parameter.initial, scope);
      const argument = { value, span: parameter.initial.span };
      scope.define(name, checkArgument(argument, parameter, declaration, evaluation), parameter.initial.span);
    } else if (open) {
      scope.define(name, openStatic(parameter), parameter.name.span);
    } else {
      evaluation.fail(messages.missingArgument(declaration, parameter, template.span));
      complete = false;
    }
  }
  return complete;
}

/** A parameter that nobody gave a value: an integer stays a symbol, so shapes can still be checked. */
function openStatic(parameter: StaticParameter): Value {
  const { type, name } = parameter;
  if (type.kind !== "named-type") return unknownValue;
  if (type.name.name === "int") return intValue(Dim.symbol(name.name));
  if (type.name.name === "ratio") return { kind: "scaled", factor: name.name, dim: Dim.of(1) };
  return unknownValue;
}

function checkArgument(
  argument: StaticArgument,
  parameter: StaticParameter,
  declaration: BlockDeclaration,
  evaluation: Evaluation,
): Value {
  const coerced = coerce(argument.value, parameter.type);
  if (coerced.ok) return coerced.value;
  return evaluation.fail(
    messages.wrongArgument(declaration, parameter, argument.span, coerced.problem, coerced.hint),
  );
}
