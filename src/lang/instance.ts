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
  Member,
  StaticParameter,
} from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Frame } from "./frames.ts";
import { Layout } from "./layout.ts";
import * as messages from "./messages.ts";
import {
  type BudgetLimit,
  type Generation,
  readBudget,
  readFrozen,
  readGeneration,
  readRenames,
  readSweep,
  type SweepAxis,
} from "./plans.ts";
import type { ModuleScope } from "./program.ts";
import { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { bindStatics } from "./statics.ts";
import { readStored } from "./storage.ts";
import { errorValue, intValue, isSilent, type Template, unknownValue, type Value } from "./value.ts";

export interface InstalledPolicy {
  readonly instance: Instance;
  readonly span: Span;
  /** Whether its arguments are written out: they depend on no parameter. */
  readonly isFixed: boolean;
}

export interface Instance {
  /** The use that made it. */
  readonly frame: Frame | undefined;
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
  /** Where a member's own text looks up its names: its own file, when it was inherited. */
  viewOf(member: Member): Scope;
  /** What the model says about itself; read when asked for. */
  readonly plans: () => Plans;
  /** With `base`, `adapters` and `path`, what alone decides what it is; absent with parameters left open. */
  readonly madeOf: Template | undefined;
  /** Those that may go around its parts. */
  readonly adapters: readonly InstalledAdapter[];
  /** Members alone lead here from the model: whoever lays it out comes by. */
  readonly isMember: boolean;
  /** Whether nothing in it has been computed since it was laid out. */
  isFresh(): boolean;
  /** Whether every member was computed, or is being computed. */
  isForced(): boolean;
  /** Policies installed on this instance. */
  readonly policies: readonly InstalledPolicy[];
  /** Computes every lazy member, here and in all blocks below, so that unused ones are checked too. */
  force(): void;
}

export interface Plans {
  readonly sweep: readonly SweepAxis[];
  readonly budget: readonly BudgetLimit[];
  readonly generation: Generation | undefined;
}

/** A scope with the names of a file; values of top-level `let`s are computed when asked for. */
export function moduleScope(module: ModuleScope, evaluation: Evaluation): Scope {
  const define = (name: string, scope: Scope): void => {
    const declared = module.names.get(name);
    if (declared === undefined) {
      if (module.names.has(name)) scope.define(name, errorValue, undefined);
      return;
    }
    const { declaration, module: home } = declared;
    if (declaration.kind === "block") {
      scope.define(name, bareTemplate(declaration, home), declaration.name.span);
    } else {
      const compute = (): Value => evaluation.evaluate(declaration.value, evaluation.moduleScope(home));
      const from = { expression: declaration.value, scope: evaluation.moduleScope(home) };
      evaluation.defineLazy(scope, name, { span: declaration.name.span, from }, compute);
    }
  };
  return new Scope(undefined, "", [], { names: [...module.names.keys()], define });
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
  /** A member of a block that members lead to, or where they start. */
  readonly isMember?: boolean;
  /** For an adapter: the block that it is put around. */
  readonly base?: Instance;
}

/**
 * Makes an instance of `template` at `path`. Reports wrong and missing arguments and goes on without
 * them; returns `undefined` when nothing useful is left.
 */
export function instantiate(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions = {},
): Instance | undefined {
  const frame = evaluation.enter(template.declaration, template.span, { path, laidOut: template });
  if (frame === undefined) return undefined;
  return evaluation.within(frame, () => build(template, path, evaluation, options));
}

function build(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): Instance | undefined {
  const { declaration, module } = template;
  if (declaration.value !== undefined) return instantiateVariant(template, path, evaluation, options);
  const layers = openLayers(template, path, evaluation, options);
  const [own] = layers ?? [];
  if (layers === undefined || own === undefined) return undefined;
  const extended = { ...template, extensions: layers.flatMap((layer) => layer.template.extensions) };
  const { policies, adapters } = installExtensions(extended, path, evaluation, options);
  const scope = new Scope(own.statics, path);
  const around = [...(options.adapters ?? []), ...adapters];
  const isMember = options.isMember === true;
  const layout = new Layout(scope, path, evaluation, around, isMember);
  for (const layer of layers) {
    const view = layer === own ? scope : new Scope(layer.statics, path, [scope]);
    layout.place(layer.template.declaration.members, view, layer !== own);
  }
  layout.finish();
  for (const { member } of layout.weights) evaluation.rename(readRenames(member, path, evaluation));
  for (const member of layout.frozen) evaluation.freeze(readFrozen(member, path));
  // Of an adapter, the place where it is put to use says more than its text.
  const use = options.base === undefined ? undefined : template.span;
  for (const { member, view } of layout.stored) {
    evaluation.store(readStored(member, path, use ?? member.span, view, evaluation));
  }
  const { frame } = evaluation;
  let isForced = false;
  const force = (): void => {
    layout.force();
    for (const policy of policies) policy.instance.force();
    // An adapter need not use all of what it is put around.
    options.base?.force();
  };
  const restart = (): void => {
    evaluation.within(frame, () => layout.restart(declaration.parameters.map(({ name }) => name.name)));
    options.base?.force();
  };
  const instance: Instance = {
    frame,
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
    viewOf: (member) => layout.viewOf(member),
    plans: () =>
      readPlans(
        layout,
        layers.flatMap((layer) => layer.template.declaration.parameters),
        evaluation,
      ),
    madeOf: options.open === true ? undefined : template,
    adapters: around,
    isMember,
    isFresh: () =>
      layout.isFresh &&
      policies.every((policy) => policy.instance.isFresh()) &&
      (options.base?.isFresh() ?? true),
    isForced: () => isForced,
    policies,
    force: () => {
      if (isForced) return;
      isForced = true;
      const leaveStarts = (): void => layout.leaveStarts();
      if (evaluation.recorder === undefined) force();
      else evaluation.recorder.force(instance, { run: force, restart, leaveStarts });
    },
  };
  if (adapters.length > 0) {
    instance.force();
    for (const adapter of adapters) checkMatched(adapter, evaluation);
  }
  return instance;
}

/** A block and its arguments; the first is the block itself, the others what it extends, in turn. */
interface Layer {
  readonly template: Template;
  readonly statics: Scope;
}

/** Binds the arguments of a block and of everything it extends. */
function openLayers(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): Layer[] | undefined {
  const { declaration, module } = template;
  const own = new Scope(evaluation.moduleScope(module), path);
  if (options.base !== undefined) defineBase(options.base, own);
  else if (options.open === true && declaration.blockKind === "adapter") defineOpenBase(own);
  bindStatics(template, own, evaluation, options.open === true);
  if (declaration.base === undefined) return [{ template, statics: own }];
  const value = evaluation.evaluate(declaration.base, own);
  if (isSilent(value)) return undefined;
  if (value.kind !== "template" || value.declaration.blockKind !== declaration.blockKind) {
    evaluation.fail(messages.extendsNotABlock(declaration, declaration.base.span, value));
    return undefined;
  }
  const frame = evaluation.enter(value.declaration, declaration.base.span, { path });
  if (frame === undefined) return undefined;
  const layers = evaluation.within(frame, () => openLayers(value, path, evaluation, options));
  const [base] = layers ?? [];
  if (layers === undefined || base === undefined) return undefined;
  // The block's own text also sees the parameters of what it extends.
  const statics = new Scope(own, path, [base.statics]);
  return [{ template, statics }, ...layers];
}

function readPlans(layout: Layout, parameters: readonly StaticParameter[], evaluation: Evaluation): Plans {
  const generation = layout.generations[0];
  return {
    sweep: layout.sweeps.flatMap(({ member, view }) => readSweep(member, parameters, view, evaluation)),
    budget: layout.budgets.flatMap(({ member, view }) => readBudget(member, view, evaluation)),
    generation: generation && readGeneration(generation.member, layout.entries, generation.view, evaluation),
  };
}

/** An adapter sees what it is put around as `base`, and the list positions of the place as `indices`. */
function defineBase(base: Instance, scope: Scope): void {
  scope.define("base", { kind: "instance", instance: base }, undefined);
  const indices = pathIndices(base.path).map((index) => intValue(Dim.of(index)));
  scope.define("indices", { kind: "list", items: indices }, undefined);
}

/** The same of an adapter that is put around nothing in particular. */
function defineOpenBase(scope: Scope): void {
  scope.define("base", unknownValue, undefined);
  scope.define("indices", unknownValue, undefined);
}

function installExtensions(
  template: Template,
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): { policies: InstalledPolicy[]; adapters: InstalledAdapter[] } {
  const policies: InstalledPolicy[] = [];
  const adapters: InstalledAdapter[] = [];
  for (const extension of template.extensions) {
    const { declaration } = extension.template;
    if (declaration.blockKind === "policy") {
      const instance = instantiate(extension.template, path, evaluation, {
        open: options.open === true,
        shared: true,
        isMember: options.isMember === true,
      });
      if (instance !== undefined)
        policies.push({ instance, span: extension.span, isFixed: extension.isFixed });
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
  path: string,
  evaluation: Evaluation,
  options: InstantiateOptions,
): Instance | undefined {
  const { declaration } = template;
  if (declaration.value === undefined) return undefined;
  const statics = new Scope(evaluation.moduleScope(template.module), path);
  bindStatics(template, statics, evaluation, options.open === true);
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
