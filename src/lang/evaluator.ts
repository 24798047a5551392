/**
 * The evaluator: the parts wired together, and the state of one evaluation.
 *
 * Owns: the depth limit, the names given to tensors, and which blocks were used. All meaning lives
 * in the parts.
 */
import { adapterMatches } from "./adapters.ts";
import { isAllowed } from "./allowances.ts";
import type { BlockDeclaration, Body, Expression } from "./ast.ts";
import { runBody } from "./bodies.ts";
import type { CallEvent } from "./call-events.ts";
import { type CallMemory, type Effort, Recorder } from "./call-memory.ts";
import { attachValue, callValue } from "./calls.ts";
import type { OpCatalog } from "./catalog.ts";
import type { Diagnostic, DiagnosticSink } from "./diagnostic.ts";
import { DimError } from "./dims.ts";
import type { Emitter, Handle, Origin } from "./emitter.ts";
import type { Activation, AttachOptions, CallArguments, Evaluation, Observer } from "./evaluation.ts";
import { evaluateExpression } from "./expressions.ts";
import {
  type AboutUse,
  blamedUse,
  circleOf,
  type Frame,
  firstInText,
  innerFrame,
  isEndless,
  isKnownFailure,
  markFailed,
  mayEnd,
  placedAt,
} from "./frames.ts";
import { moduleScope } from "./instance.ts";
import * as messages from "./messages.ts";
import { OpenParameters } from "./open-parameters.ts";
import type { FrozenPattern, Rename } from "./plans.ts";
import type { ModuleScope, Program } from "./program.ts";
import { isBesideFault, isBrokenBy } from "./recovered.ts";
import type { Scope, Written } from "./scope.ts";
import { anyActs, countSite } from "./sites.ts";
import type { Span } from "./source.ts";
import { States } from "./states.ts";
import type { StorageRule } from "./storage.ts";
import type { TensorType } from "./types.ts";
import { errorValue, type TensorValue, type Value } from "./value.ts";
import { workOfBlock, workOfSize } from "./work.ts";

export interface EvaluatorOptions {
  readonly catalog: OpCatalog;
  readonly emitter: Emitter;
  readonly sink: DiagnosticSink;
  /** Tells the user's own file from others, and what was lost to errors in the text. */
  readonly program: Program;
  readonly observe?: Observer | undefined;
  /** Lets equal calls be evaluated once. */
  readonly memory?: CallMemory | undefined;
}

/** What was told before the first entry. */
interface BeforeEntries {
  readonly renames: number;
  readonly frozen: number;
  readonly stored: number;
  readonly named: ReadonlyMap<string, number>;
  readonly work: number;
  readonly done: number;
}

/** Expressions inside expressions, through all the blocks between: well within the stack. */
const maximumDepth = 300;
/** Blocks inside blocks. */
const maximumBlockDepth = 45;
/**
 * Steps that a program takes when it is unrolled: expressions, what counts for several of them included.
 * The largest models of the library take 150,000.
 */
const maximumWork = 500_000;
/**
 * The same without what `check` has seen before; the largest models take 20,000. Programs that never do the same
 * twice meet it first, within a tenth of a second.
 */
const maximumDone = 60_000;
const deepestNamed = 2;
/** Messages that are about a name: silent when errors in the text took the name away. */
const aboutNames: ReadonlySet<string> = new Set([
  "unknown-name",
  "unknown-member",
  "unknown-argument",
  "unknown-input",
]);

export class Evaluator implements Evaluation {
  readonly catalog: OpCatalog;
  readonly emitter: Emitter;
  readonly observe: Observer | undefined;
  readonly recorder: Recorder | undefined;
  readonly open = new OpenParameters();
  readonly activations: Activation[] = [];
  readonly states = new States();
  readonly renames: Rename[] = [];
  readonly frozen: FrozenPattern[] = [];
  readonly stored: StorageRule[] = [];
  readonly #sink: DiagnosticSink;
  readonly #program: Program;
  readonly #endless = new Set<BlockDeclaration>();
  #named = new Map<string, number>();
  readonly #inputs = new Set<string>();
  readonly #worded = new Set<Expression>();
  readonly #scopes = new Map<ModuleScope, Scope>();
  // Lazy values that are being computed, the innermost last.
  readonly #computing: { readonly name: string; readonly span: Span }[] = [];
  readonly #effort: Effort = { work: 0, done: 0, depth: 0, deepest: 0, deepestBlock: 0 };
  #isSpent = false;
  #isUndecided = false;
  #frame: Frame | undefined;
  #beforeEntries: BeforeEntries | undefined;

  constructor(options: EvaluatorOptions) {
    this.catalog = options.catalog;
    this.recorder = this.#recorderOf(options);
    this.emitter = this.recorder?.listening(options.emitter) ?? options.emitter;
    this.#sink = options.sink;
    this.#program = options.program;
    this.observe = options.observe;
  }

  #recorderOf({ memory, observe }: EvaluatorOptions): Recorder | undefined {
    // Whoever watches wants to see every value.
    if (memory === undefined || observe !== undefined) return undefined;
    const evaluator = this;
    return new Recorder(memory, {
      effort: this.#effort,
      get policyCount() {
        return evaluator.activations.length;
      },
      get user() {
        return evaluator.#frame;
      },
      get blockDepth() {
        return evaluator.#frame?.depth ?? 0;
      },
      get continues() {
        return evaluator.states.continues;
      },
      get open() {
        return evaluator.open.key;
      },
      hasRoom: ({ work, depth, blocks }) =>
        this.#effort.work + work <= maximumWork &&
        this.#effort.depth + depth <= maximumDepth &&
        (this.#frame?.depth ?? 0) + blocks <= maximumBlockDepth,
      anyPolicyActs: (sites) => anyActs(sites, this),
      replay: (path, event) => this.#replay(path, event),
    });
  }

  #replay(path: string, event: CallEvent): readonly Handle[] {
    switch (event.kind) {
      case "parameter":
        return [this.emitter.parameter(path, event.type, event.initial, event.origin)];
      case "op": {
        const { op, operands, attributes, results, origin } = event;
        return this.emitter.op(op, operands, attributes, results, origin);
      }
      case "dimension":
        return [this.emitter.dimension(event.dim, event.dtype, event.origin)];
      case "require":
        this.emitter.require(event.requirement, { ...event.origin, path });
        return [];
      case "state": {
        const taken = this.#takeState(path, event.name, event.type, event.span);
        return taken === undefined ? [] : [taken.handle];
      }
      case "saved":
        this.saveState(path, event.name, event.value);
        return [];
      case "name":
        this.#nameTensor(path, event.value, event.replace);
        return [];
      case "site":
        this.recorder?.note(path, event);
        for (const activation of this.activations) countSite(activation, event.name);
        return [];
      case "stored":
        this.store([{ ...event.rule, path }]);
        return [];
      case "offered":
        this.recorder?.note(path, event);
        adapterMatches(event.adapter, path);
        return [];
    }
  }

  evaluate(expression: Expression, scope: Scope): Value {
    if (!this.spend(expression.span)) return errorValue;
    const effort = this.#effort;
    if (effort.depth >= maximumDepth) return this.fail(messages.evaluationTooDeep(expression.span));
    effort.depth++;
    if (effort.depth > effort.deepest) effort.deepest = effort.depth;
    const value = this.attempt(expression.span, () => evaluateExpression(expression, scope, this));
    effort.depth--;
    // Sizes that are expressions take longer to compute with than numbers.
    if (value.kind === "int" && expression.kind !== "name") {
      const steps = workOfSize(value.dim);
      if (steps > 0 && !this.spend(expression.span, steps)) return errorValue;
    }
    this.observe?.(expression, value);
    return value;
  }

  get frame(): Frame | undefined {
    return this.#frame;
  }

  within<T>(frame: Frame | undefined, run: () => T): T {
    const before = this.#frame;
    this.#frame = frame;
    try {
      return run();
    } finally {
      this.#frame = before;
    }
  }

  undecided<T>(run: () => T): T {
    const before = this.#isUndecided;
    this.#isUndecided = true;
    try {
      return run();
    } finally {
      this.#isUndecided = before;
    }
  }

  defineLazy(scope: Scope, name: string, place: Span | Written, compute: () => Value): void {
    const span = "from" in place ? place.span : place;
    const own = { name, span };
    const onCycle = (): void => {
      const start = this.#computing.lastIndexOf(own);
      this.fail(messages.circularDefinition(firstInText(withoutRepeats(this.#computing.slice(start)))));
    };
    const run = (): Value => {
      this.#computing.push(own);
      try {
        return this.attempt(span, compute);
      } finally {
        this.#computing.pop();
      }
    };
    scope.defineLazy(name, run, place, onCycle);
  }

  enter(declaration: BlockDeclaration, span: Span, about: AboutUse): Frame | undefined {
    if (this.#endless.has(declaration) || !this.spend(span, workOfBlock)) return undefined;
    const frame = innerFrame(declaration, span, this.#frame, { ...about, isUndecided: this.#isUndecided });
    if (mayEnd(frame)) {
      this.recorder?.spoil();
      return undefined;
    }
    if (frame.depth > this.#effort.deepestBlock) this.#effort.deepestBlock = frame.depth;
    // Asked now and then: few blocks are nested this deep, and those with long lists take their time.
    const isAsked = frame.depth % 8 === 0;
    if (frame.depth <= maximumBlockDepth && !(isAsked && isEndless(frame))) return frame;
    const circle = firstInText(circleOf(frame));
    for (const use of circle) this.#endless.add(use.declaration);
    this.fail(circle.length === 0 ? messages.evaluationTooDeep(span) : messages.endlessBlock(circle));
    return undefined;
  }

  attempt(span: Span, run: () => Value): Value {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof DimError)) throw error;
      return this.fail(messages.sizeTooLarge(span, error));
    }
  }

  spend(span: Span, steps = 1): boolean {
    const effort = this.#effort;
    if (this.#isSpent) return false;
    effort.work += steps;
    effort.done += steps;
    const isChecking = this.recorder?.isTracing === false;
    if (effort.work <= maximumWork && (effort.done <= maximumDone || !isChecking)) return true;
    this.fail(messages.tooMuchWork(span, effort.work > maximumWork ? maximumWork : maximumDone));
    this.#isSpent = true;
    return false;
  }

  get isFlooded(): boolean {
    return this.#sink.size > 100;
  }

  isBroken(declaration: BlockDeclaration): boolean {
    const module = this.#program.modules.get(declaration.span.file.path);
    return isBrokenBy(module?.recovered, declaration);
  }

  call(callee: Value, arguments_: CallArguments, scope: Scope, span: Span): Value {
    return callValue(callee, arguments_, scope, span, this);
  }

  attach(value: Value, path: string, span: Span, options?: AttachOptions): Value {
    return attachValue(value, path, span, this, options);
  }

  moduleScope(module: ModuleScope): Scope {
    const known = this.#scopes.get(module);
    if (known !== undefined) return known;
    const scope = moduleScope(module, this);
    this.#scopes.set(module, scope);
    return scope;
  }

  runBody(body: Body, scope: Scope): Value {
    return runBody(body, scope, this);
  }

  name(path: string, value: Value, replace?: "replace", depth = 0): void {
    if (value.kind === "tuple") {
      // Values inside values inside values go without names: there can be any number of them.
      if (depth >= deepestNamed) return;
      for (const [i, item] of value.items.entries()) this.name(`${path}.${i}`, item, replace, depth + 1);
      return;
    }
    if (value.kind === "tensor" && path !== "") this.#nameTensor(path, value, replace);
  }

  #nameTensor(path: string, value: TensorValue, replace: "replace" | undefined): void {
    if (this.recorder?.isTracing === true) this.recorder.note(path, { kind: "name", value, replace });
    const before = this.#named.get(path) ?? 0;
    const times = replace === undefined ? before + 1 : Math.max(before, 1);
    this.#named.set(path, times);
    const number = this.#inputs.has(path) ? times + 1 : times;
    this.emitter.name(number === 1 ? path : `${path}#${number}`, value.handle);
  }

  /** Starts an entry, from states that it is given if it `continues` another. What was told of others is gone. */
  beginEntry(continues: boolean): void {
    this.states.begin(continues);
    const before = this.#beforeEntries;
    if (before === undefined) {
      const { renames, frozen, stored } = this;
      const counts = { renames: renames.length, frozen: frozen.length, stored: stored.length };
      const { work, done } = this.#effort;
      this.#beforeEntries = { ...counts, named: new Map(this.#named), work, done };
      return;
    }
    this.renames.length = before.renames;
    this.frozen.length = before.frozen;
    this.stored.length = before.stored;
    this.#named = new Map(before.named);
    this.#effort.work = before.work;
    this.#effort.done = before.done;
    this.#inputs.clear();
  }

  /** An input keeps its name to itself: a value that is called like it is known as `x#2`. */
  keepForInput(name: string): void {
    this.#inputs.add(name);
  }

  origin(scope: Scope, span: Span): Origin {
    return { path: scope.path, span, frame: this.#frame };
  }

  state(path: string, name: string, type: TensorType, span: Span): TensorValue | undefined {
    // Of a block that is applied, the application tells more than the op inside.
    const use = this.#frame?.made === undefined ? span : this.#frame.span;
    return this.#takeState(path, name, type, use);
  }

  #takeState(path: string, name: string, type: TensorType, span: Span): TensorValue | undefined {
    const taken = this.states.take(path, name, type, span, this);
    this.recorder?.note(path, { kind: "state", name, type, span, made: taken?.handle });
    return taken;
  }

  saveState(path: string, name: string, value: Value): void {
    if (value.kind === "tensor") this.recorder?.note(path, { kind: "saved", name, value });
    this.states.save(path, name, value, this);
  }

  rename(renames: readonly Rename[]): void {
    if (renames.length > 0) this.#leaveNothing();
    this.renames.push(...renames);
  }

  freeze(patterns: readonly FrozenPattern[]): void {
    if (patterns.length > 0) this.#leaveNothing();
    this.frozen.push(...patterns);
  }

  /** What is told of tensors by name would be missing at other places. */
  #leaveNothing(): void {
    if (this.recorder?.isTracing === true) this.recorder.spoil();
  }

  store(rules: readonly StorageRule[]): void {
    for (const rule of rules) this.recorder?.note(rule.path, { kind: "stored", rule });
    this.stored.push(...rules);
  }

  fail(diagnostic: Diagnostic): Value {
    this.recorder?.flaw();
    // What is not evaluated any more says nothing.
    if (this.#isSpent) return errorValue;
    if (this.#isLost(diagnostic) || isKnownFailure(diagnostic, this.#frame)) return errorValue;
    const blamed = blamedUse(diagnostic, this.#frame, this.#program.root.file);
    markFailed(diagnostic, this.#frame, blamed);
    this.#sink.report(blamed === undefined ? diagnostic : placedAt(diagnostic, blamed));
    return errorValue;
  }

  failOnce(part: Expression, word: () => Diagnostic): Value {
    if (!this.#worded.has(part)) {
      this.#worded.add(part);
      return this.fail(word());
    }
    this.recorder?.flaw();
    return errorValue;
  }

  #isLost({ code, primary }: Diagnostic): boolean {
    if (primary === undefined) return false;
    const { file, start, end } = primary.span;
    if (isBesideFault(primary.span, this.#program.modules.get(file.path)?.recovered)) return true;
    if (!aboutNames.has(code)) return false;
    return this.isLostName(file.text.slice(start, end));
  }

  isLostName(name: string): boolean {
    for (const { recovered } of this.#program.modules.values()) {
      if (recovered?.lostNames.has(name) === true) return true;
    }
    return false;
  }

  warn(diagnostic: Diagnostic): void {
    this.recorder?.flaw();
    const { root } = this.#program;
    // Others than the root file are not the user's to change.
    const isTheirs = diagnostic.primary?.span.file === root.file;
    if (isTheirs && !isAllowed(diagnostic, root.allowances)) this.#sink.report(diagnostic);
  }
}

/** A dotted member is computed under its first part and as a whole, at the same place. */
function withoutRepeats<T extends { readonly span: Span }>(parts: readonly T[]): T[] {
  return parts.filter(({ span }, i) => {
    const next = parts[i + 1]?.span;
    return next === undefined || next.start !== span.start || next.file !== span.file;
  });
}
