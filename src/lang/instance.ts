/**
 * Block instances: a block with its arguments and a place in the tree of parameters.
 *
 * Owns: making an instance, variants, and installing policies and adapters. Arguments are bound in
 * statics.ts, members laid out in layout.ts.
 */
import { adapterTarget, type InstalledAdapter, offeredNames, pathIndices } from "./adapters.ts";
import type {
  BlockDeclaration,
  CarryMember,
  EntryMember,
  ForwardMember,
  HandlerMember,
  InputMember,
} from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import { Layout } from "./layout.ts";
import * as messages from "./messages.ts";
import type { ModuleScope } from "./program.ts";
import { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { bindStatics } from "./statics.ts";
import { errorValue, intValue, isSilent, type Template, type Value } from "./value.ts";

export interface Instance {
  readonly declaration: BlockDeclaration;
  readonly module: ModuleScope;
  readonly path: string;
  /** Bound by `let`: it lives at its parent's place, and the path does not name its results. */
  readonly shared: boolean;
  /** Members, then static parameters, then the file's names. */
  readonly scope: Scope;
  /** What an adapter is put around; its members show through. */
  readonly base: Instance | undefined;
  readonly forward: ForwardMember | undefined;
  readonly handlers: readonly HandlerMember[];
  readonly carries: readonly CarryMember[];
  readonly inputs: readonly InputMember[];
  readonly entries: readonly EntryMember[];
  /** Policies installed on this instance. */
  readonly policies: readonly { readonly instance: Instance; readonly span: Span }[];
  /** Computes every lazy member, here and in all blocks below, so that unused ones are checked too. */
  force(): void;
}

/** A scope with the names of a file; values of top-level `let`s are computed when asked for. */
export function moduleScope(module: ModuleScope, evaluation: Evaluation): Scope {
  const scope = new Scope(undefined, "");
  for (const [name, declared] of module.names) {
    if (declared === undefined) {
      scope.define(name, errorValue, undefined);
      continue;
    }
    const { declaration, module: home } = declared;
    if (declaration.kind === "block") {
      scope.define(name, bareTemplate(declaration, home), declaration.name.span);
    } else {
      const compute = (): Value => evaluation.evaluate(declaration.value, evaluation.moduleScope(home));
      const span = declaration.name.span;
      scope.defineLazy(name, compute, span, () => evaluation.fail(messages.circularDefinition(name, span)));
    }
  }
  return scope;
}

/** A block's name alone: no arguments yet. */
export function bareTemplate(declaration: BlockDeclaration, module: ModuleScope): Template {
  const span = declaration.name.span;
  return {
    kind: "template",
    declaration,
    module,
    arguments: new Map(),
    configured: false,
    extensions: [],
    span,
  };
}

export interface InstantiateOptions {
  readonly shared?: boolean;
  /** Parameters without a value stay open instead of being reported: to check a block on its own. */
  readonly open?: boolean;
  /** Adapters installed further up. */
  readonly adapters?: readonly InstalledAdapter[];
  /** For an adapter: the block that it is put around. */
  readonly base?: Instance;
}

/**
 * Makes an instance of `template` at `path`. Reports wrong, missing and unknown arguments; returns
 * `undefined` when nothing useful is left.
 */
export function instantiate(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions = {},
): Instance | undefined {
  const { declaration, module } = template;
  evaluation.use(declaration);
  const statics = new Scope(evaluation.moduleScope(module), path);
  if (options.base !== undefined) defineBase(options.base, statics);
  if (!bindStatics(template, statics, evaluation, options.open === true)) return undefined;
  if (declaration.value !== undefined) {
    return instantiateVariant(template, statics, path, evaluation, options);
  }
  const { policies, adapters } = installExtensions(template, path, evaluation, options);
  const scope = new Scope(statics, path);
  const layout = new Layout(scope, path, evaluation, [...(options.adapters ?? []), ...adapters]);
  layout.place(declaration.members);
  layout.finish();
  const instance: Instance = {
    declaration,
    module,
    path,
    shared: options.shared === true,
    scope,
    base: options.base,
    forward: layout.forward,
    handlers: layout.handlers,
    carries: layout.carries,
    inputs: layout.inputs,
    entries: layout.entries,
    policies,
    force: () => {
      layout.force();
      for (const policy of policies) policy.instance.force();
    },
  };
  if (adapters.length > 0) {
    instance.force();
    for (const adapter of adapters) checkMatched(adapter, evaluation);
  }
  return instance;
}

/** An adapter sees what it is put around as `base`, and the list positions of the place as `indices`. */
function defineBase(base: Instance, scope: Scope): void {
  scope.define("base", { kind: "instance", instance: base }, undefined);
  const indices = pathIndices(base.path).map((index) => intValue(Dim.of(index)));
  scope.define("indices", { kind: "list", items: indices }, undefined);
}

function installExtensions(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): { policies: { instance: Instance; span: Span }[]; adapters: InstalledAdapter[] } {
  const policies: { instance: Instance; span: Span }[] = [];
  const adapters: InstalledAdapter[] = [];
  for (const extension of template.extensions) {
    const { declaration } = extension.template;
    if (declaration.blockKind === "policy") {
      const instance = instantiate(extension.template, path, evaluation, {
        open: options.open === true,
        shared: true,
      });
      if (instance !== undefined) policies.push({ instance, span: extension.span });
    } else if (declaration.blockKind === "adapter") {
      const patterns = adapterPatterns(extension.template, evaluation);
      if (patterns === undefined) continue;
      const owner = { owner: path, ownerDeclaration: template.declaration };
      const seen = { matched: new Set<string>(), offered: new Set<string>() };
      adapters.push({ template: extension.template, patterns, span: extension.span, ...owner, ...seen });
    } else {
      evaluation.fail(messages.notAnExtension(declaration, extension.span));
    }
  }
  return { policies, adapters };
}

/** The value of the adapter's parameter `on`. */
function adapterPatterns(template: Template, evaluation: Evaluation): string[] | undefined {
  const argument = template.arguments.get(adapterTarget);
  const parameter = template.declaration.parameters.find((p) => p.name.name === adapterTarget);
  const value =
    argument?.value ??
    (parameter?.initial === undefined
      ? undefined
      : evaluation.evaluate(parameter.initial, evaluation.moduleScope(template.module)));
  if (value !== undefined && isSilent(value)) return undefined;
  const items = value?.kind === "list" ? value.items : value?.kind === "string" ? [value] : [];
  const patterns = items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  if (patterns.length > 0 && patterns.length === items.length) return patterns;
  evaluation.fail(messages.adapterWithoutTarget(template.declaration, argument?.span ?? template.span));
  return undefined;
}

function checkMatched(adapter: InstalledAdapter, evaluation: Evaluation): void {
  for (const pattern of adapter.patterns) {
    if (adapter.matched.has(pattern)) continue;
    const span = adapter.template.arguments.get(adapterTarget)?.span ?? adapter.span;
    evaluation.fail(messages.adapterMatchesNothing(adapter, pattern, span, offeredNames(adapter)));
  }
}

function instantiateVariant(
  template: Template,
  statics: Scope,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): Instance | undefined {
  const { declaration } = template;
  if (declaration.value === undefined) return undefined;
  const value = evaluation.evaluate(declaration.value, statics);
  if (isSilent(value)) return undefined;
  if (value.kind !== "template") {
    evaluation.fail(messages.variantNotABlock(declaration, value));
    return undefined;
  }
  if (value.declaration.blockKind !== declaration.blockKind) {
    evaluation.fail(messages.variantOfOtherKind(declaration, value.declaration));
    return undefined;
  }
  const extended = { ...value, extensions: [...value.extensions, ...template.extensions] };
  return instantiate(extended, path, evaluation, options);
}
