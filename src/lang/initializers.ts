/**
 * How learned tensors start: `zeros`, `ones`, `normal(std: 0.02)`, `truncated_normal(std: 0.02)`,
 * `uniform(low, high)`, or any tensor expression of constants.
 *
 * Owns: the names of initialisers and their arguments.
 */
import type { ParameterMember } from "./ast.ts";
import type { Initializer } from "./emitter.ts";
import type { CallArguments, Evaluation } from "./evaluation.ts";
import * as messages from "./messages.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { asNumber } from "./static-arithmetic.ts";
import type { TensorType } from "./types.ts";
import { isSilent, type Value } from "./value.ts";

interface InitializerSpec {
  readonly parameters: readonly { readonly name: string; readonly initial?: number }[];
  readonly build: (values: readonly number[]) => Initializer;
}

const specs: Readonly<Record<string, InitializerSpec>> = {
  normal: {
    parameters: [{ name: "std" }, { name: "mean", initial: 0 }],
    build: ([std = 1, mean = 0]) => ({ kind: "normal", mean, std }),
  },
  truncated_normal: {
    parameters: [{ name: "std" }],
    build: ([std = 1]) => ({ kind: "truncated-normal", std }),
  },
  uniform: {
    parameters: [{ name: "low" }, { name: "high" }],
    build: ([low = 0, high = 1]) => ({ kind: "uniform", low, high }),
  },
};

const constants: Readonly<Record<string, Initializer>> = { zeros: { kind: "zeros" }, ones: { kind: "ones" } };

export const initializerNames: readonly string[] = [...Object.keys(constants), ...Object.keys(specs)];

/** The initialiser that a bare name stands for. */
export function initializerConstant(name: string): Value | undefined {
  const initializer = Object.hasOwn(constants, name) ? constants[name] : undefined;
  return initializer === undefined ? undefined : { kind: "initializer", initializer };
}

export function callInitializer(
  name: string,
  arguments_: CallArguments,
  span: Span,
  evaluation: Evaluation,
): Value | undefined {
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
  if (spec === undefined) return undefined;
  const values: number[] = [];
  for (const [i, parameter] of spec.parameters.entries()) {
    const argument = arguments_.positional[i] ?? arguments_.named.get(parameter.name);
    if (argument !== undefined && isSilent(argument.value)) return argument.value;
    const value = argument === undefined ? parameter.initial : asNumber(argument.value);
    if (value === undefined || !Number.isFinite(value)) {
      return evaluation.fail(messages.initializerArgument(name, parameter.name, argument?.span ?? span));
    }
    values.push(value);
  }
  for (const [given, argument] of arguments_.named) {
    if (!spec.parameters.some((parameter) => parameter.name === given)) {
      const known = spec.parameters.map((parameter) => parameter.name);
      return evaluation.fail(messages.unknownArgument(name, given, argument.nameSpan, known));
    }
  }
  return { kind: "initializer", initializer: spec.build(values) };
}

/** How learned tensors start where nothing is said: as those of transformers do. */
export const usualInitializer: Initializer = { kind: "normal", mean: 0, std: 0.02 };

/** The written initialiser of a parameter, or the usual one. */
export function evaluateInitializer(
  member: ParameterMember,
  scope: Scope,
  evaluation: Evaluation,
  type: TensorType,
): Initializer {
  const usual = usualInitializer;
  if (member.initial === undefined) return usual;
  const value = evaluation.evaluate(member.initial, scope);
  if (isSilent(value)) return usual;
  if (value.kind === "initializer") return value.initializer;
  const number = asNumber(value);
  if (number !== undefined) return { kind: "uniform", low: number, high: number };
  if (value.kind === "tensor") {
    const { shape } = value.type;
    const fits = shape.length === type.shape.length && shape.every((dim, i) => type.shape[i]?.equals(dim));
    if (fits && value.type.dtype === type.dtype) return { kind: "value", value: value.handle };
    evaluation.fail(messages.initializerShape(member, type, value.type));
    return usual;
  }
  evaluation.fail(messages.notAnInitializer(member, value, initializerNames));
  return usual;
}
