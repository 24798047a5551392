/**
 * Compile-time parameters of a block meeting their arguments.
 *
 * Owns: defaults, types, and what is reported when an argument is missing or does not fit.
 */
import { adapterTarget, asPatterns } from "./adapters.ts";
import type { BlockDeclaration, Identifier, StaticParameter, TypeExpression } from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import { written } from "./provenance.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { coerce, printStaticType, unknownStaticType } from "./static-types.ts";
import { isOpenQuotient, toDim } from "./tensor-types.ts";
import {
  errorValue,
  intValue,
  type StaticArgument,
  type Template,
  unknownValue,
  type Value,
} from "./value.ts";

/** Defines every parameter in `scope`. `open`: those without a value stay open instead of being reported. */
export function bindStatics(template: Template, scope: Scope, evaluation: Evaluation, open: boolean): void {
  const { declaration } = template;
  const seen = new Map<string, Span>();
  for (const parameter of declaration.parameters) {
    const name = parameter.name.name;
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      evaluation.fail(messages.duplicateParameter(name, parameter.name.span, earlier));
      continue;
    }
    seen.set(name, parameter.name.span);
    const unknownType = unknownStaticType(parameter.type);
    if (unknownType !== undefined) {
      evaluation.fail(messages.unknownStaticType(printStaticType(unknownType), unknownType.span));
      scope.define(name, errorValue, parameter.name.span);
      continue;
    }
    const given = template.arguments.get(name);
    if (given !== undefined) {
      const value = checkArgument(given, parameter, declaration, scope, evaluation);
      scope.define(name, value, given.span, false, given.source);
    } else if (parameter.initial !== undefined) {
      const value = evaluation.evaluate(parameter.initial, scope);
      const argument = { value, span: parameter.initial.span };
      const checked = checkArgument(argument, parameter, declaration, scope, evaluation);
      scope.define(name, checked, argument.span, false, written(parameter.initial, checked, scope));
    } else if (open) {
      const { name: identifier, type } = parameter;
      const isSize = isSizeIn(declaration, name);
      scope.define(name, openValue(identifier, type, isSize, evaluation), identifier.span);
    } else {
      if (!evaluation.isBroken(declaration)) {
        evaluation.fail(messages.missingArgument(declaration, parameter, template.span));
      }
      scope.define(name, errorValue, parameter.name.span);
    }
    evaluation.observe?.(parameter.name, scope.own(name)?.get() ?? errorValue);
  }
}

/** What nobody gave a value: an integer stays a symbol, so that shapes can still be checked. */
export function openValue(
  name: Identifier,
  type: TypeExpression,
  isSize: boolean,
  evaluation: Evaluation,
): Value {
  if (type.kind !== "named-type") return unknownValue;
  if (type.name.name === "int") {
    evaluation.open.add(name.name, isSize);
    return intValue(Dim.symbol(name.name));
  }
  if (type.name.name === "ratio" || type.name.name === "real") {
    evaluation.open.add(name.name, false);
    return { kind: "scaled", factor: name.name, dim: Dim.of(1) };
  }
  return unknownValue;
}

/** Whether a `param`, or a parameter or result of `forward`, has a dimension of just this name. */
function isSizeIn(declaration: BlockDeclaration, name: string): boolean {
  return declaration.members.some((member) => {
    if (member.kind === "parameter") return hasSize(member.type, name);
    if (member.kind !== "forward" && member.kind !== "handler") return false;
    return [...member.parameters, ...member.results].some(({ type }) => hasSize(type, name));
  });
}

function hasSize(type: TypeExpression, name: string): boolean {
  if (type.kind !== "tensor-type") return false;
  return type.dims.some((dim) => dim.kind === "dim" && dim.value.kind === "name" && dim.value.name === name);
}

function checkArgument(
  argument: StaticArgument,
  parameter: StaticParameter,
  declaration: BlockDeclaration,
  scope: Scope,
  evaluation: Evaluation,
): Value {
  const { type } = parameter;
  const wantsInteger = type.kind === "named-type" && type.name.name === "int";
  if (wantsInteger && isOpenQuotient(argument.value)) {
    const size = toDim(argument.value, argument.span, scope, evaluation);
    return size === undefined ? errorValue : size === "unknown" ? unknownValue : intValue(size);
  }
  const isTarget = declaration.blockKind === "adapter" && parameter.name.name === adapterTarget;
  const coerced = coerce(isTarget ? asPatterns(argument.value) : argument.value, type);
  if (coerced.ok) return coerced.value;
  return evaluation.fail(messages.wrongArgument(declaration, parameter, argument.span, coerced));
}
