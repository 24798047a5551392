/**
 * Calls of blocks: giving a block its arguments, giving it a place, and running its `forward`.
 *
 * Owns: how arguments meet parameters. A block called with compile-time values is configured; a
 * configured block called with tensors runs.
 */

import { adapterMatches } from "./adapters.ts";
import { callBuiltin } from "./builtins.ts";
import type { AttachOptions, CallArguments, Evaluation } from "./evaluation.ts";
import { type Instance, instantiate } from "./instance.ts";
import { runMember } from "./members.ts";
import * as messages from "./messages.ts";
import { callOp } from "./op-calls.ts";
import { joinPath } from "./paths.ts";
import type { Scope } from "./scope.ts";
import { closeActivations, openActivations } from "./sites.ts";
import type { Span } from "./source.ts";
import {
  errorValue,
  type FunctionValue,
  isSilent,
  type StaticArgument,
  type Template,
  type Value,
} from "./value.ts";

export function callValue(
  callee: Value,
  arguments_: CallArguments,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value {
  switch (callee.kind) {
    case "error":
    case "unknown":
      return callee;
    case "function":
      return callFunction(callee, arguments_, scope, span, evaluation);
    case "template": {
      if (!isConfigured(callee, arguments_)) return configure(callee, arguments_, span, evaluation);
      const placed = evaluation.attach(callee, scope.path, span, { shared: true });
      // An extension has no place of its own: it is installed, not applied.
      if (placed === callee) return evaluation.fail(messages.noForward(callee.declaration, span));
      return evaluation.call(placed, arguments_, scope, span);
    }
    case "composition":
      return evaluation.call(
        evaluation.attach(callee, scope.path, span, { shared: true }),
        arguments_,
        scope,
        span,
      );
    case "instance":
      return callInstance(callee.instance, arguments_, span, evaluation);
    case "chain": {
      let result: Value | undefined;
      for (const part of callee.parts) {
        const next: CallArguments =
          result === undefined ? arguments_ : { positional: [{ value: result, span }], named: new Map() };
        result = evaluation.call(part, next, scope, span);
        if (isSilent(result)) return result;
      }
      return result ?? errorValue;
    }
    case "namespace": {
      const self = callee.self();
      if (self !== undefined) return evaluation.call(self, arguments_, scope, span);
      return evaluation.fail(messages.notCallable(span, callee));
    }
    default:
      return evaluation.fail(messages.notCallable(span, callee));
  }
}

function callFunction(
  callee: FunctionValue,
  arguments_: CallArguments,
  scope: Scope,
  span: Span,
  evaluation: Evaluation,
): Value {
  const builtin = callBuiltin(callee.name, arguments_, scope, span, evaluation);
  if (builtin !== undefined) return builtin;
  if (callee.op !== undefined) return callOp(callee.op, arguments_, scope, span, evaluation);
  return evaluation.fail(messages.notCallable(span, callee));
}

/** Whether a call runs the block rather than configures it: it brings a tensor, or all is set already. */
function isConfigured(template: Template, arguments_: CallArguments): boolean {
  const all = [...arguments_.positional, ...arguments_.named.values()];
  if (all.some((argument) => argument.value.kind === "tensor")) return true;
  if (template.configured) return true;
  return all.length > 0 && template.declaration.parameters.length === 0;
}

function configure(template: Template, arguments_: CallArguments, span: Span, evaluation: Evaluation): Value {
  const { declaration } = template;
  const given = new Map<string, StaticArgument>(template.arguments);
  const isBroken = evaluation.isBroken(declaration);
  let wrong = isBroken || arguments_.isFlawed === true;
  for (const [i, argument] of arguments_.positional.entries()) {
    const parameter = declaration.parameters[i];
    if (parameter !== undefined) {
      given.set(parameter.name.name, argument);
      continue;
    }
    wrong = true;
    if (isBroken) break;
    const { length } = declaration.parameters;
    evaluation.fail(
      messages.tooManyArguments(declaration.name.name, length, argument.span, declaration.name.span),
    );
    break;
  }
  for (const [name, argument] of arguments_.named) {
    const known = declaration.parameters.map((parameter) => parameter.name.name);
    if (!known.includes(name)) {
      if (!isBroken) {
        evaluation.fail(messages.unknownArgument(declaration.name.name, name, argument.nameSpan, known));
      }
      wrong = true;
      continue;
    }
    const positional = given.get(name);
    if (positional !== undefined && arguments_.positional.some((a) => a.span === positional.span)) {
      evaluation.fail(messages.argumentTwice(name, argument.nameSpan, positional.span));
    }
    given.set(name, argument);
  }
  // A misnamed argument was meant for one of those that are left: none of them is reported again.
  for (const { name } of wrong ? declaration.parameters : []) {
    if (!given.has(name.name)) given.set(name.name, { value: errorValue, span });
  }
  return { ...template, arguments: given, configured: true, span };
}

/** Gives templates, alone or in lists, a place; other values pass unchanged. */
export function attachValue(
  value: Value,
  path: string,
  span: Span,
  evaluation: Evaluation,
  options: AttachOptions = {},
): Value {
  if (value.kind === "template") {
    // Policies and adapters have no place of their own: `with` installs them.
    if (value.declaration.blockKind === "policy" || value.declaration.blockKind === "adapter") return value;
    const instance = instantiate(value, path, evaluation, options);
    if (instance === undefined) return errorValue;
    return {
      kind: "instance",
      instance: options.shared === true ? instance : adapt(instance, evaluation, options),
    };
  }
  const part = (item: Value, i: number): Value =>
    attachValue(item, joinPath(path, String(i)), span, evaluation, options);
  if (value.kind === "composition") {
    const parts = value.parts.map(part);
    return parts.some(isSilent) ? errorValue : { kind: "chain", parts };
  }
  if (
    value.kind === "list" &&
    value.items.some((item) => item.kind === "template" || item.kind === "composition")
  ) {
    return { kind: "list", items: value.items.map(part) };
  }
  return value;
}

/** Puts every adapter that matches the instance's path around it, the outermost last. */
function adapt(instance: Instance, evaluation: Evaluation, options: AttachOptions): Instance {
  let adapted = instance;
  for (const adapter of options.adapters ?? []) {
    evaluation.recorder?.note(instance.path, { kind: "offered", adapter });
    if (!adapterMatches(adapter, instance.path)) continue;
    const placed = { base: adapted, isMember: options.isMember === true };
    const around = instantiate(adapter.template, instance.path, evaluation, placed);
    // One that computes nothing, because it only says how weights are stored, leaves the part in its place.
    if (around?.forward !== undefined) adapted = around;
  }
  return adapted;
}

function callInstance(
  instance: Instance,
  arguments_: CallArguments,
  span: Span,
  evaluation: Evaluation,
): Value {
  const run = (): Value => runInstance(instance, arguments_, span, evaluation);
  return evaluation.recorder === undefined
    ? run()
    : evaluation.recorder.call(instance, arguments_, span, run);
}

function runInstance(
  instance: Instance,
  arguments_: CallArguments,
  span: Span,
  evaluation: Evaluation,
): Value {
  const { forward, declaration } = instance;
  if (forward === undefined) {
    return evaluation.isBroken(declaration)
      ? errorValue
      : evaluation.fail(messages.noForward(declaration, span));
  }
  const frame = evaluation.enter(declaration, span, { path: instance.path, made: instance.frame });
  if (frame === undefined) return errorValue;
  const activations = openActivations(instance, evaluation);
  let result: Value = errorValue;
  try {
    const view = instance.viewOf(forward);
    result = evaluation.within(frame, () =>
      runMember(instance, forward, arguments_, view, instance.path, span, evaluation),
    );
  } finally {
    closeActivations(activations, result, instance, evaluation);
  }
  if (!instance.shared) evaluation.name(instance.path, result);
  return result;
}
