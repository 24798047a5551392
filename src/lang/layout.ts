/**
 * The members of a block instance and their places.
 *
 * Owns: dotted names (which are checkpoint names), laziness, and what each kind of member becomes.
 */

import type { InstalledAdapter } from "./adapters.ts";
import type {
  BindingMember,
  CarryMember,
  EntryMember,
  ForwardMember,
  HandlerMember,
  InputMember,
  Member,
  ParameterMember,
} from "./ast.ts";
import type { Evaluation } from "./evaluation.ts";
import { evaluateInitializer } from "./initializers.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import { checkRequirement } from "./requirements.ts";
import { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { declaredTensorType } from "./tensor-types.ts";
import { errorValue, isSilent, unknownValue, type Value } from "./value.ts";

/** A place in the tree of dotted member names. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** What the name itself stands for, besides what it contains. */
  slotName: string | undefined;
  span: Span;
}

/** Walks a block's members and gives each its slot. */
export class Layout {
  forward: ForwardMember | undefined;
  readonly handlers: HandlerMember[] = [];
  readonly carries: CarryMember[] = [];
  readonly inputs: InputMember[] = [];
  readonly entries: EntryMember[] = [];
  readonly #scope: Scope;
  readonly #path: string;
  readonly #evaluation: Evaluation;
  readonly #adapters: readonly InstalledAdapter[];
  /** Dotted members by their full name; first parts become names in the block's scope. */
  readonly #members: Scope;
  readonly #roots = new Map<string, Branch>();

  constructor(scope: Scope, path: string, evaluation: Evaluation, adapters: readonly InstalledAdapter[]) {
    this.#scope = scope;
    this.#path = path;
    this.#evaluation = evaluation;
    this.#adapters = adapters;
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
          this.#evaluation.attach(this.#evaluation.evaluate(member.value, this.#scope), this.#path, span, {
            shared: true,
            adapters: this.#adapters,
          });
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
    const attached = this.#evaluation.attach(value, joinPath(this.#path, dotted), member.name.span, {
      adapters: this.#adapters,
    });
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
