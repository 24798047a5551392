/**
 * The members of a block instance and their places.
 *
 * Owns: dotted names (which are checkpoint names), laziness, and what each kind of member becomes.
 */

import type { InstalledAdapter } from "./adapters.ts";
import type {
  BindingMember,
  BudgetMember,
  CarryMember,
  ConditionalMember,
  EntryMember,
  ForwardMember,
  FrozenMember,
  GenerateMember,
  HandlerMember,
  InputMember,
  Member,
  ParameterMember,
  StoredMember,
  SweepMember,
  WeightsMember,
} from "./ast.ts";
import { decide } from "./conditions.ts";
import type { Initializer } from "./emitter.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Frame } from "./frames.ts";
import { namesIn } from "./inert-parameters.ts";
import { evaluateInitializer, usualInitializer } from "./initializers.ts";
import * as messages from "./messages.ts";
import { joinPath } from "./paths.ts";
import { checkRequirement } from "./requirements.ts";
import { Scope, type Written } from "./scope.ts";
import type { Span } from "./source.ts";
import { type DeclaredType, declaredTensorType } from "./tensor-types.ts";
import { errorValue, isSilent, unknownValue, type Value } from "./value.ts";

/** A place in the tree of dotted member names. */
interface Branch {
  readonly children: Map<string, Branch>;
  /** What the name itself stands for, besides what it contains. */
  slotName: string | undefined;
  span: Span;
}

/** Where the names in a member's text are looked up. */
type View = Scope;

/** Walks a block's members and gives each its slot. Members of what the block extends come last. */
export class Layout {
  forward: ForwardMember | undefined;
  readonly handlers: HandlerMember[] = [];
  readonly carries: CarryMember[] = [];
  readonly inputs: InputMember[] = [];
  readonly entries: EntryMember[] = [];
  readonly weights: { readonly member: WeightsMember; readonly view: View }[] = [];
  readonly frozen: FrozenMember[] = [];
  readonly stored: { readonly member: StoredMember; readonly view: View }[] = [];
  readonly sweeps: { readonly member: SweepMember; readonly view: View }[] = [];
  readonly budgets: { readonly member: BudgetMember; readonly view: View }[] = [];
  readonly generations: { readonly member: GenerateMember; readonly view: View }[] = [];
  readonly #views = new Map<Member, View>();
  #isForced = false;
  #isFresh = true;
  readonly #inheritedEntries: string[] = [];
  readonly #scope: Scope;
  readonly #path: string;
  readonly #evaluation: Evaluation;
  readonly #adapters: readonly InstalledAdapter[];
  readonly #isMember: boolean;
  /** Dotted members by their full name; first parts become names in the block's scope. */
  readonly #members: Scope;
  readonly #roots = new Map<string, Branch>();
  readonly #frame: Frame | undefined;
  /** Inside a conditional that can't be decided here. */
  #undecided = false;
  #leavesStarts = false;

  constructor(
    scope: Scope,
    path: string,
    evaluation: Evaluation,
    adapters: readonly InstalledAdapter[],
    isMember: boolean,
  ) {
    this.#scope = scope;
    this.#path = path;
    this.#evaluation = evaluation;
    this.#adapters = adapters;
    this.#isMember = isMember;
    this.#members = new Scope(undefined, path);
    this.#frame = evaluation.frame;
  }

  /** Whether no member was computed since all were placed. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** `inherited` members give way to those of the same name that are there already. */
  place(members: readonly Member[], view: View, inherited = false): void {
    for (const member of members) this.#placeOne(member, view, inherited);
  }

  /** Where a member's own text looks up its names. */
  viewOf(member: Member): View {
    return this.#views.get(member) ?? this.#scope;
  }

  /** Once all members are known: the first part of each dotted name becomes visible. */
  finish(): void {
    // What is extended keeps its order, and so its first entry; what is new comes after.
    const place = (entry: EntryMember): number => {
      const index = this.#inheritedEntries.indexOf(entry.name.name);
      return index < 0 ? this.#inheritedEntries.length : index;
    };
    this.entries.sort((a, b) => place(a) - place(b));
    for (const [name, branch] of this.#roots) {
      const earlier = this.#scope.own(name);
      if (earlier?.span !== undefined) {
        this.#evaluation.fail(messages.duplicateName(name, branch.span, earlier.span));
        continue;
      }
      this.#define(this.#scope, name, branch.span, () => this.#branchValue(name, branch));
    }
    // What conditions needed is computed whenever the block is laid out.
    this.#isFresh = true;
  }

  /** How tensors start is not asked for: it was looked at in a block that differs in nothing else. */
  leaveStarts(): void {
    this.#leavesStarts = true;
  }

  /** Once: a member is in sight under its first part and as a whole, and both lead to the same block. */
  force(): void {
    if (this.#isForced) return;
    this.#isForced = true;
    for (const slot of [...this.#scope.ownSlots(), ...this.#members.ownSlots()]) {
      const value = slot.get();
      if (slot.span !== undefined) forceValue(value, slot.span, this.#evaluation);
    }
  }

  /**
   * For a block that differs in nothing but its arguments from one that was laid out: looks at how tensors start
   * where that depends on `parameters`, here and in parts that are arguments.
   */
  restart(parameters: readonly string[]): void {
    for (const [member, view] of this.#views) {
      if (member.kind === "parameter") {
        const names = namesIn(member.initial);
        if (parameters.some((name) => names.has(name))) this.#startOf(member, view);
      } else if (member.kind === "binding" && member.value.kind === "name") {
        // Not the member itself: that would be computed before it is used.
        const isGiven = parameters.includes(member.value.name);
        if (isGiven) forceValue(this.#bindingValue(member, view), member.name.span, this.#evaluation);
      }
    }
  }

  #placeOne(member: Member, view: View, inherited: boolean): void {
    this.#views.set(member, view);
    switch (member.kind) {
      case "let": {
        const { name, span } = member.name;
        // A block bound by `let` shares its parent's place: it adds no segment to checkpoint names.
        const options = { shared: true, adapters: this.#adapters, isMember: this.#isMember };
        const compute = (): Value =>
          this.#evaluation.attach(this.#evaluation.evaluate(member.value, view), this.#path, span, options);
        const place = { span, from: { expression: member.value, scope: view } };
        this.#declare(this.#scope, name, place, compute, inherited);
        return;
      }
      case "parameter":
        this.#placeDotted(member, () => this.#parameterValue(member, view), inherited);
        return;
      case "binding":
        this.#placeDotted(member, () => this.#bindingValue(member, view), inherited);
        return;
      case "conditional": {
        const decision = decide(member.condition, view, this.#evaluation);
        if (typeof decision === "boolean")
          this.place(decision ? member.consequent : member.alternate, view, inherited);
        else this.#placeBoth(member, view, inherited);
        return;
      }
      case "require":
        checkRequirement(member, view, this.#evaluation);
        return;
      case "forward":
        if (this.forward !== undefined && !inherited && !this.#undecided) {
          this.#evaluation.fail(messages.secondForward(member, this.forward));
        }
        this.forward ??= member;
        return;
      case "handler":
        if (!inherited || !this.handlers.some((other) => other.site.name === member.site.name)) {
          this.handlers.push(member);
        }
        return;
      case "carry":
        this.#collect(this.carries, member, inherited);
        return;
      case "input":
        this.#collect(this.inputs, member, inherited);
        return;
      case "entry":
        if (inherited) this.#inheritedEntries.push(member.name.name);
        this.#collect(this.entries, member, inherited);
        return;
      case "weights":
        this.weights.push({ member, view });
        return;
      case "frozen":
        this.frozen.push(member);
        return;
      case "stored":
        this.stored.push({ member, view });
        return;
      case "sweep":
        if (!inherited || this.sweeps.length === 0) this.sweeps.push({ member, view });
        return;
      case "budget":
        this.budgets.push({ member, view });
        return;
      case "generate":
        if (!inherited || this.generations.length === 0) this.generations.push({ member, view });
        return;
    }
  }

  #collect<M extends CarryMember | InputMember | EntryMember>(
    into: M[],
    member: M,
    inherited: boolean,
  ): void {
    const { name, span } = member.name;
    const earlier = into.find((other) => other.name.name === name);
    if (earlier === undefined) into.push(member);
    else if (!inherited && !this.#undecided) {
      this.#evaluation.fail(messages.duplicateName(name, span, earlier.name.span));
    }
  }

  /** Which of the two holds is not known: what both declare may be either. */
  #placeBoth(member: ConditionalMember, view: View, inherited: boolean): void {
    const before = this.#undecided;
    this.#undecided = true;
    this.place(member.consequent, view, inherited);
    this.place(member.alternate, view, inherited);
    this.#undecided = before;
  }

  /** Defines a name unless it is taken, which is reported when it should have been free. */
  #declare(
    scope: Scope,
    name: string,
    place: Span | Written,
    compute: () => Value,
    inherited: boolean,
  ): boolean {
    const span = "from" in place ? place.span : place;
    const earlier = scope.own(name);
    if (earlier?.span === undefined) {
      this.#define(scope, name, place, compute);
      return true;
    }
    if (this.#undecided) {
      this.#define(scope, name, span, () => {
        earlier.get();
        compute();
        return unknownValue;
      });
    } else if (!inherited) {
      this.#evaluation.fail(messages.duplicateName(name, span, earlier.span));
    }
    return false;
  }

  /** Computed when first used, as a part of the use of the block that led to this instance. */
  #define(scope: Scope, name: string, place: Span | Written, compute: () => Value): void {
    const evaluation = this.#evaluation;
    const run = this.#undecided ? (): Value => evaluation.undecided(compute) : compute;
    evaluation.defineLazy(scope, name, place, () => {
      const wasFresh = this.#isFresh;
      const before = evaluation.recorder?.noted;
      this.#isFresh = false;
      const value = evaluation.within(this.#frame, run);
      // What leaves nothing behind may as well not have been computed.
      this.#isFresh = wasFresh && before === evaluation.recorder?.noted;
      return value;
    });
  }

  #placeDotted(member: ParameterMember | BindingMember, compute: () => Value, inherited: boolean): void {
    const dotted = member.name.parts.map((part) => part.name).join(".");
    if (!this.#declare(this.#members, dotted, member.name.span, compute, inherited)) return;
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

  /** Its type, and how it starts. */
  #startOf(
    member: ParameterMember,
    view: View,
  ): { readonly type: DeclaredType; readonly initial: Initializer } | "unknown" | undefined {
    const type = declaredTensorType(member.type, view, this.#evaluation);
    if (type === undefined || type === "unknown") return type;
    if (this.#leavesStarts) return { type, initial: usualInitializer };
    return { type, initial: evaluateInitializer(member, view, this.#evaluation, type.type) };
  }

  #parameterValue(member: ParameterMember, view: View): Value {
    const evaluation = this.#evaluation;
    const start = this.#startOf(member, view);
    if (start === undefined) return errorValue;
    if (start === "unknown") return unknownValue;
    const { type, initial } = start;
    const path = joinPath(this.#path, member.name.parts.map((part) => part.name).join("."));
    const origin = { path: this.#path, span: member.name.span, frame: this.#frame };
    const handle = evaluation.emitter.parameter(path, type.type, initial, origin);
    const value: Value = { kind: "tensor", type: type.type, origins: type.origins, handle };
    evaluation.observe?.(member.name, value);
    return value;
  }

  #bindingValue(member: BindingMember, view: View): Value {
    const value = this.#evaluation.evaluate(member.value, view);
    const dotted = member.name.parts.map((part) => part.name).join(".");
    const attached = this.#evaluation.attach(value, joinPath(this.#path, dotted), member.name.span, {
      adapters: this.#adapters,
      isMember: this.#isMember,
    });
    this.#evaluation.observe?.(member.name, attached);
    if (attached === value && !isSilent(value) && value.kind !== "instance" && value.kind !== "chain") {
      const emptyList = value.kind === "list" && value.items.length === 0;
      if (!emptyList)
        return this.#evaluation.fail(
          messages.bindingNotABlock(dotted, member.name.span, member.value.span, value),
        );
    }
    return attached;
  }
}

function forceValue(value: Value, span: Span, evaluation: Evaluation): void {
  if (!evaluation.spend(span)) return;
  if (value.kind === "instance") value.instance.force();
  else if (value.kind === "list") for (const item of value.items) forceValue(item, span, evaluation);
  else if (value.kind === "chain") for (const part of value.parts) forceValue(part, span, evaluation);
}
