/**
 * Block instances: a block with its arguments and a place in the tree of parameters.
 *
 * Owns: binding static arguments, laying out members, and installing extensions. Members are
 * computed when first used, so an entry's graph holds only the parameters that the entry needs.
 */
import type {
  BindingMember,
  BlockDeclaration,
  CarryMember,
  EntryMember,
  ForwardMember,
  HandlerMember,
  InputMember,
  Member,
  ParameterMember,
  RequireMember,
  StaticParameter,
} from "./ast.ts";
import { Dim } from "./dims.ts";
import type { Evaluation } from "./evaluation.ts";
import { evaluateInitializer } from "./initializers.ts";
import * as messages from "./messages.ts";
import type { ModuleScope } from "./program.ts";
import { Scope } from "./scope.ts";
import { coerce, printStaticType, unknownStaticType } from "./static-types.ts";
import { declaredTensorType } from "./tensor-types.ts";
import {
  errorValue,
  intValue,
  isSilent,
  type StaticArgument,
  type Template,
  unknownValue,
  type Value,
} from "./value.ts";

export interface Instance {
  readonly declaration: BlockDeclaration;
  readonly module: ModuleScope;
  readonly path: string;
  /** Bound by `let`: it lives at its parent's place, and the path does not name its results. */
  readonly shared: boolean;
  /** Members, then static parameters, then the file's names. */
  readonly scope: Scope;
  readonly forward: ForwardMember | undefined;
  readonly handlers: readonly HandlerMember[];
  readonly carries: readonly CarryMember[];
  readonly inputs: readonly InputMember[];
  readonly entries: readonly EntryMember[];
  /** Policies installed on this instance. */
  readonly policies: readonly { readonly instance: Instance; readonly span: StaticArgument["span"] }[];
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
      const compute = (): Value => evaluation.evaluate(declaration.value, moduleScope(home, evaluation));
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
  readonly shared?: "shared" | undefined;
  /** Parameters without a value stay open instead of being reported: to check a block on its own. */
  readonly open?: boolean;
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
  const statics = new Scope(moduleScope(module, evaluation), path);
  if (!bindStatics(template, statics, evaluation, options)) return undefined;
  if (declaration.value !== undefined)
    return instantiateVariant(template, statics, path, evaluation, options);

  const scope = new Scope(statics, path);
  const layout = new Layout(scope, path, evaluation);
  layout.place(declaration.members);
  layout.finish();
  const policies: { instance: Instance; span: StaticArgument["span"] }[] = [];
  for (const extension of template.extensions) {
    const kind = extension.template.declaration.blockKind;
    if (kind !== "policy") {
      evaluation.fail(messages.notAnExtension(extension.template.declaration, extension.span));
      continue;
    }
    const instance = instantiate(extension.template, path, evaluation, { ...options, shared: "shared" });
    if (instance !== undefined) policies.push({ instance, span: extension.span });
  }
  return {
    declaration,
    module,
    path,
    shared: options.shared !== undefined,
    scope,
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

function bindStatics(
  template: Template,
  scope: Scope,
  evaluation: Evaluation,
  options: InstantiateOptions,
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
    } else if (options.open === true) {
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

/** A place in the tree of dotted member names. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** What the name itself stands for, besides what it contains. */
  slotName: string | undefined;
  span: StaticArgument["span"];
}

/** Walks a block's members and gives each its slot. */
class Layout {
  forward: ForwardMember | undefined;
  readonly handlers: HandlerMember[] = [];
  readonly carries: CarryMember[] = [];
  readonly inputs: InputMember[] = [];
  readonly entries: EntryMember[] = [];
  readonly #scope: Scope;
  readonly #path: string;
  readonly #evaluation: Evaluation;
  /** Dotted members by their full name; first parts become names in the block's scope. */
  readonly #members: Scope;
  readonly #roots = new Map<string, Branch>();

  constructor(scope: Scope, path: string, evaluation: Evaluation) {
    this.#scope = scope;
    this.#path = path;
    this.#evaluation = evaluation;
    this.#members = new Scope(undefined, path);
  }

  place(members: readonly Member[]): void {
    for (const member of members) this.#placeOne(member);
  }

  /** Once all members are known: the first part of each dotted name becomes visible. */
  finish(): void {
    for (const [name, branch] of this.#roots) {
      const earlier = this.#scope.own(name);
      if (earlier?.span !== undefined) {
        this.#evaluation.fail(messages.duplicateName(name, branch.span, earlier.span));
        continue;
      }
      const compute = (): Value => this.#branchValue(name, branch);
      this.#scope.defineLazy(name, compute, branch.span, () => {
        this.#evaluation.fail(messages.circularDefinition(name, branch.span));
      });
    }
  }

  force(): void {
    for (const slot of [...this.#scope.ownSlots(), ...this.#members.ownSlots()]) forceValue(slot.get());
  }

  #placeOne(member: Member): void {
    switch (member.kind) {
      case "let": {
        const { name, span } = member.name;
        const earlier = this.#scope.own(name);
        if (earlier?.span !== undefined) {
          this.#evaluation.fail(messages.duplicateName(name, span, earlier.span));
          return;
        }
        // A block bound by `let` shares its parent's place: it adds no segment to checkpoint names.
        const compute = (): Value =>
          this.#evaluation.attach(
            this.#evaluation.evaluate(member.value, this.#scope),
            this.#path,
            span,
            "shared",
          );
        this.#scope.defineLazy(name, compute, span, () => {
          this.#evaluation.fail(messages.circularDefinition(name, span));
        });
        return;
      }
      case "parameter":
        this.#placeDotted(member, () => this.#parameterValue(member));
        return;
      case "binding":
        this.#placeDotted(member, () => this.#bindingValue(member));
        return;
      case "conditional": {
        const condition = this.#evaluation.evaluate(member.condition, this.#scope);
        if (condition.kind === "bool") this.place(condition.value ? member.consequent : member.alternate);
        else if (condition.kind === "unknown") this.place([...member.consequent, ...member.alternate]);
        else if (!isSilent(condition))
          this.#evaluation.fail(messages.notACondition(member.condition.span, condition));
        return;
      }
      case "require":
        checkRequirement(member, this.#scope, this.#evaluation);
        return;
      case "forward":
        if (this.forward !== undefined) {
          this.#evaluation.fail(messages.duplicateName("forward", member.span, this.forward.span));
        }
        this.forward = member;
        return;
      case "handler":
        this.handlers.push(member);
        return;
      case "carry":
        this.carries.push(member);
        return;
      case "input":
        this.inputs.push(member);
        return;
      case "entry":
        this.entries.push(member);
        return;
    }
  }

  #placeDotted(member: ParameterMember | BindingMember, compute: () => Value): void {
    const dotted = member.name.parts.map((part) => part.name).join(".");
    const earlier = this.#members.own(dotted);
    if (earlier?.span !== undefined) {
      this.#evaluation.fail(messages.duplicateName(dotted, member.name.span, earlier.span));
      return;
    }
    this.#members.defineLazy(dotted, compute, member.name.span, () => {
      this.#evaluation.fail(messages.circularDefinition(dotted, member.name.span));
    });
    let level = this.#roots;
    for (const [i, part] of member.name.parts.entries()) {
      let branch = level.get(part.name);
      if (branch === undefined) {
        branch = { children: new Map(), slotName: undefined, span: part.span };
        level.set(part.name, branch);
      }
      if (i === member.name.parts.length - 1) branch.slotName = dotted;
      level = branch.children;
    }
  }

  #branchValue(name: string, branch: Branch): Value {
    const own = branch.slotName === undefined ? undefined : this.#members.own(branch.slotName);
    if (branch.children.size === 0) return own?.get() ?? errorValue;
    return {
      kind: "namespace",
      path: name,
      names: [...branch.children.keys()],
      self: () => own?.get(),
      get: (child) => {
        const found = branch.children.get(child);
        return found === undefined ? undefined : this.#branchValue(`${name}.${child}`, found);
      },
    };
  }

  #parameterValue(member: ParameterMember): Value {
    const evaluation = this.#evaluation;
    const type = declaredTensorType(member.type, this.#scope, evaluation);
    if (type === undefined) return errorValue;
    if (type === "unknown") return unknownValue;
    const initial = evaluateInitializer(member, this.#scope, evaluation, type.type);
    const path = joinPath(this.#path, member.name.parts.map((part) => part.name).join("."));
    const origin = { path: this.#path, span: member.name.span };
    const handle = evaluation.emitter.parameter(path, type.type, initial, origin);
    return { kind: "tensor", type: type.type, origins: type.origins, handle };
  }

  #bindingValue(member: BindingMember): Value {
    const value = this.#evaluation.evaluate(member.value, this.#scope);
    const dotted = member.name.parts.map((part) => part.name).join(".");
    const attached = this.#evaluation.attach(value, joinPath(this.#path, dotted), member.name.span);
    if (attached === value && !isSilent(value) && value.kind !== "instance" && value.kind !== "chain") {
      const emptyList = value.kind === "list" && value.items.length === 0;
      if (!emptyList)
        return this.#evaluation.fail(messages.bindingNotABlock(dotted, member.value.span, value));
    }
    return attached;
  }
}

function forceValue(value: Value): void {
  if (value.kind === "instance") value.instance.force();
  else if (value.kind === "list") value.items.forEach(forceValue);
  else if (value.kind === "chain") value.parts.forEach(forceValue);
}

export function joinPath(path: string, segment: string): string {
  return path === "" ? segment : `${path}.${segment}`;
}

/** Decides a `require` now, or leaves it as a guard for when inputs are bound. */
export function checkRequirement(member: RequireMember, scope: Scope, evaluation: Evaluation): void {
  const value = evaluation.evaluate(member.condition, scope);
  if (isSilent(value)) return;
  const reason = member.message?.value;
  if (value.kind === "bool") {
    if (!value.value) evaluation.fail(messages.requirementFailed(member, reason));
    return;
  }
  if (value.kind === "condition") {
    const { condition, left, right } = value;
    const text = reason ?? "required by the model";
    const origin = evaluation.origin(scope, member.condition.span);
    evaluation.emitter.require({ kind: condition, left, right, reason: text }, origin);
    return;
  }
  evaluation.fail(messages.notACondition(member.condition.span, value));
}
