/**
 * Sites and policies.
 *
 * Owns: what happens at `site tokens(x, attention: p, extra: 2)`. Without a policy the site is `x`.
 * With one, its handler of that name runs: always, or at the numbers that `on tokens[at]` lists,
 * where sites of one name are numbered in the order they run. Carries live as long as one call of
 * the block that the policy is installed on.
 */

import type { HandlerMember, SiteExpression } from "./ast.ts";
import type { Activation, CallArguments, Evaluation } from "./evaluation.ts";
import { innerFrame } from "./frames.ts";
import type { Instance } from "./instance.ts";
import { itemSpan } from "./item-span.ts";
import { runMember } from "./members.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import { Scope } from "./scope.ts";
import { asNumber } from "./static-arithmetic.ts";
import { isSilent, type Value } from "./value.ts";

export function openActivations(instance: Instance, evaluation: Evaluation): Activation[] {
  const opened = instance.policies.map(({ instance: policy, span, isFixed }): Activation => {
    const scope = new Scope(policy.scope, policy.path);
    for (const carry of policy.carries) {
      scope.define(carry.name.name, evaluation.evaluate(carry.initial, policy.scope), carry.name.span, true);
    }
    return { policy, scope, counts: new Map(), handled: new Set(), changed: false, span, isFixed };
  });
  evaluation.activations.push(...opened);
  return opened;
}

/** Takes the policies down again, and reports those that met no site or asked for one that is not there. */
export function closeActivations(
  opened: readonly Activation[],
  result: Value,
  instance: Instance,
  evaluation: Evaluation,
): void {
  evaluation.activations.length -= opened.length;
  // Where something failed on the way, sites may have been left out.
  if (hasSilent(result) || evaluation.isBroken(instance.declaration)) return;
  for (const activation of opened) {
    const { policy, counts } = activation;
    const met = policy.handlers.filter((handler) => counts.has(handler.site.name));
    if (met.length === 0) {
      evaluation.fail(
        messages.policyMeetsNothing(policy.declaration, activation.span, instance, [...counts.keys()]),
      );
      continue;
    }
    const isWhole = met.every(
      ({ at }) => at === undefined || !isSilent(evaluation.evaluate(at, activation.scope)),
    );
    if (activation.isFixed && isWhole && activation.handled.size > 0 && !activation.changed) {
      const sites = [...activation.handled];
      evaluation.warn(messages.policyChangesNothing(policy.declaration, sites, activation.span));
    }
    for (const handler of met) {
      const numbers = handlerNumbers(handler, activation, evaluation);
      const count = counts.get(handler.site.name) ?? 0;
      const index = numbers?.findIndex((number) => number >= count || number < 0) ?? -1;
      const beyond = numbers?.[index];
      if (beyond !== undefined) {
        const given = activation.policy.scope.lookup(indexName(handler) ?? "")?.span ?? activation.span;
        const span = itemSpan(given, index);
        evaluation.fail(messages.siteOutOfRange(beyond, handler.site.name, count, span, instance));
      }
    }
  }
}

function hasSilent(result: Value): boolean {
  return result.kind === "tuple" ? result.items.some(hasSilent) : isSilent(result);
}

function indexName(handler: HandlerMember): string | undefined {
  return handler.at?.kind === "name" ? handler.at.name : undefined;
}

function handlerNumbers(
  handler: HandlerMember,
  activation: Activation,
  evaluation: Evaluation,
): readonly number[] | undefined {
  if (handler.at === undefined) return undefined;
  const value = evaluation.evaluate(handler.at, activation.scope);
  if (isSilent(value)) return [];
  const items = value.kind === "list" ? value.items : [value];
  if (!evaluation.spend(handler.at.span, items.length)) return [];
  const numbers = items.map(asNumber);
  if (numbers.every((number) => number !== undefined && Number.isInteger(number))) {
    return numbers.flatMap((number) => number ?? []);
  }
  evaluation.fail(messages.siteNumbers(handler.at.span, value));
  return [];
}

export function evaluateSite(expression: SiteExpression, scope: Scope, evaluation: Evaluation): Value {
  const site = expression.name.name;
  let subject = evaluation.evaluate(expression.subject, scope);
  const fields = new Map<
    string,
    { value: Value; span: typeof expression.span; nameSpan: typeof expression.span }
  >();
  for (const field of expression.fields) {
    const value = evaluation.evaluate(field.value, scope);
    if (field.name === undefined) evaluation.fail(messages.siteFieldUnnamed(field.span));
    else fields.set(field.name.name, { value, span: field.value.span, nameSpan: field.name.span });
  }
  evaluation.recorder?.note(scope.path, { kind: "site", name: site });
  for (const [i, activation] of evaluation.activations.entries()) {
    const number = countSite(activation, site);
    for (const handler of activation.policy.handlers) {
      if (handler.site.name !== site) continue;
      const numbers = handlerNumbers(handler, activation, evaluation);
      if (numbers !== undefined && !numbers.includes(number)) continue;
      activation.handled.add(site);
      evaluation.recorder?.acted(i);
      if (isSilent(subject)) return subject;
      const offered = new Map([...fields].filter(([name]) => takes(handler, name)));
      const arguments_: CallArguments = {
        positional: [{ value: subject, span: expression.subject.span }],
        named: offered,
      };
      const path = joinPath(scope.path, site);
      const before = subject;
      const { policy, span } = activation;
      const view = handlerScope(activation, handler);
      const frame = innerFrame(policy.declaration, span, evaluation.frame, { path });
      subject = evaluation.within(frame, () =>
        runMember(policy, handler, arguments_, view, path, expression.span, evaluation),
      );
      if (!isSameTensor(before, subject)) activation.changed = true;
      evaluation.name(path, subject);
    }
  }
  return subject;
}

/** The number of a site that is met now. */
export function countSite({ counts }: Activation, site: string): number {
  const number = counts.get(site) ?? 0;
  counts.set(site, number + 1);
  return number;
}

/** Whether a policy would act at one of the next so many sites of each name. */
export function anyActs(next: ReadonlyMap<string, number>, evaluation: Evaluation): boolean {
  return evaluation.activations.some((activation) =>
    activation.policy.handlers.some((handler) => {
      const times = next.get(handler.site.name);
      if (times === undefined) return false;
      const first = activation.counts.get(handler.site.name) ?? 0;
      const numbers = handlerNumbers(handler, activation, evaluation);
      return numbers?.some((number) => number >= first && number < first + times) ?? true;
    }),
  );
}

function isSameTensor(a: Value, b: Value): boolean {
  return a.kind === "tensor" && b.kind === "tensor" && a.handle === b.handle;
}

/** An inherited handler sees the names of its own file, and the carries like any other. */
function handlerScope(activation: Activation, handler: HandlerMember): Scope {
  const view = activation.policy.viewOf(handler);
  if (view === activation.policy.scope) return activation.scope;
  return new Scope(view, activation.policy.path, [activation.scope]);
}

/** A handler takes what it needs of what the site offers. */
function takes(handler: HandlerMember, name: string): boolean {
  return handler.parameters.some((parameter) => parameter.name.name === name);
}
