/**
 * Running `forward` and handlers.
 *
 * Owns: pairing arguments with tensor parameters, the frame in which a body runs, and holding
 * results to their declared types.
 */
import type { BlockDeclaration, ForwardMember, HandlerMember, TensorParameter } from "./ast.ts";
import type { CallArgument, CallArguments, Evaluation } from "./evaluation.ts";
import type { Instance } from "./instance.ts";
import { checkRanks } from "./interfaces.ts";
import * as messages from "./messages.ts";
import { checkCondition } from "./requirements.ts";
import { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { type Arrival, matchArrivals } from "./tensor-types.ts";
import { errorValue, isSilent, noneValue, unknownValue, type Value } from "./value.ts";

/** Runs `forward` or a handler: binds arguments, evaluates the body, checks the results. */
export function runMember(
  instance: Instance,
  member: ForwardMember | HandlerMember,
  arguments_: CallArguments,
  parent: Scope,
  path: string,
  span: Span,
  evaluation: Evaluation,
): Value {
  const { declaration } = instance;
  const owner = declaration.name.name;
  const frame = new Scope(parent, path);
  const arrivals = pairArguments(declaration, member, arguments_, frame, span, evaluation);
  const fits = matchArrivals(arrivals, { scope: frame, evaluation, owner, role: "parameter" });
  // The body runs even without some of its arguments: what does not depend on them is checked.
  for (const [i, { name, value, span: place }] of arrivals.entries()) {
    const fit = fits[i] ?? "error";
    const given = fit === "fits" ? value : fit === "unknown" ? unknownValue : errorValue;
    if (name !== undefined) frame.define(name, given, place, true);
    const parameter = member.parameters[i];
    if (parameter !== undefined) evaluation.observe?.(parameter.name, given);
  }
  const result = evaluation.runBody(member.body, frame);
  const checked = checkResults(member, result, frame, owner, evaluation);
  for (const condition of member.where) checkCondition(condition, undefined, frame, evaluation);
  if (member.kind !== "forward") return checked;
  const broken = checkRanks(declaration, arrivals[0]?.value, checked, declaration.name.span);
  return broken === undefined ? checked : evaluation.fail(broken);
}

function pairArguments(
  declaration: BlockDeclaration,
  member: ForwardMember | HandlerMember,
  arguments_: CallArguments,
  frame: Scope,
  span: Span,
  evaluation: Evaluation,
): Arrival[] {
  const { parameters } = member;
  const owner = declaration.name.name;
  const known = parameters.map((parameter) => parameter.name.name);
  // A misnamed argument was meant for one that is missing then: it is not reported again.
  let isExcused = evaluation.isBroken(declaration) || arguments_.isFlawed === true;
  const surplus = arguments_.positional[parameters.length];
  if (surplus !== undefined && !isExcused) {
    const declared = parameters[parameters.length - 1]?.span ?? declaration.name.span;
    evaluation.fail(messages.tooManyArguments(owner, parameters.length, surplus.span, declared));
    isExcused = true;
  }
  for (const [name, argument] of arguments_.named) {
    if (member.open || known.includes(name) || isExcused) continue;
    evaluation.fail(messages.unknownArgument(owner, name, argument.nameSpan, known));
    isExcused = true;
  }
  return parameters.map((parameter, i) => {
    const argument = arguments_.positional[i] ?? arguments_.named.get(parameter.name.name);
    const { value: given, span: place } = argument ??
      defaultArgument(parameter, frame, evaluation) ?? { value: errorValue, span: undefined };
    if (place === undefined && !isExcused) {
      const offered = [...arguments_.named.keys()];
      evaluation.fail(messages.missingTensorArgument(declaration, parameter, span, offered));
    }
    const isNone = argument?.value.kind === "none" && parameter.initial === undefined;
    const value = isNone ? evaluation.fail(messages.noneGiven(declaration, parameter, argument.span)) : given;
    return { name: parameter.name.name, type: parameter.type, value, span: place ?? span };
  });
}

function defaultArgument(
  parameter: TensorParameter,
  frame: Scope,
  evaluation: Evaluation,
): CallArgument | undefined {
  if (parameter.initial === undefined) return undefined;
  if (parameter.initial.kind === "name" && parameter.initial.name === "none") {
    return { value: noneValue, span: parameter.initial.span };
  }
  return { value: evaluation.evaluate(parameter.initial, frame), span: parameter.initial.span };
}

/** Holds a result to its declared types, and names the parts of a result with several. */
export function checkResults(
  member: { readonly results: ForwardMember["results"]; readonly body: ForwardMember["body"] },
  result: Value,
  frame: Scope,
  owner: string,
  evaluation: Evaluation,
): Value {
  const { results, body } = member;
  if (isSilent(result) || results.length === 0) return result;
  const values = result.kind === "tuple" ? result.items : [result];
  const span = body.result.span;
  if (values.length !== results.length) {
    return evaluation.fail(messages.wrongCount(results.length, "result", result, span));
  }
  const arrivals = results.map((declared, i) => ({
    name: declared.name?.name,
    type: declared.type,
    value: values[i] ?? errorValue,
    span,
  }));
  // Where what was declared is wrong for the value, going on with either would only repeat it.
  const fits = matchArrivals(arrivals, { scope: frame, evaluation, owner, role: "result" });
  const kept = values.map((value, i): Value => (fits[i] === "error" ? errorValue : value));
  const [only] = kept;
  return result.kind === "tuple" ? { ...result, items: kept } : (only ?? errorValue);
}
