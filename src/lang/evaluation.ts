/**
 * What the parts of the evaluator share.
 *
 * Owns: the interface through which expressions, calls, bodies, instances and sites reach one
 * another, so that none imports another's implementation. evaluator.ts wires them together.
 */
import type { InstalledAdapter } from "./adapters.ts";
import type { BlockDeclaration, Body, Expression } from "./ast.ts";
import type { Recorder } from "./call-memory.ts";
import type { OpCatalog } from "./catalog.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Emitter, Origin } from "./emitter.ts";
import type { AboutUse, Frame } from "./frames.ts";
import type { Instance } from "./instance.ts";
import type { OpenParameters } from "./open-parameters.ts";
import type { FrozenPattern, Rename } from "./plans.ts";
import type { ModuleScope } from "./program.ts";
import type { Scope, Written } from "./scope.ts";
import type { Span } from "./source.ts";
import type { StorageRule } from "./storage.ts";
import type { TensorType } from "./types.ts";
import type { TensorValue, Value } from "./value.ts";

export interface CallArgument {
  readonly value: Value;
  readonly span: Span;
  /** Where the value was first written, when the argument is a name that passes it on, or was computed. */
  readonly source?: Written;
}

export interface CallArguments {
  readonly positional: readonly CallArgument[];
  readonly named: ReadonlyMap<string, CallArgument & { readonly nameSpan: Span }>;
  /** An argument could not be matched, which is reported: what is missing is not reported again. */
  readonly isFlawed?: boolean;
}

export interface AttachOptions {
  /** The place is the parent's own (a `let`), so results don't go by its name. */
  readonly shared?: boolean;
  readonly adapters?: readonly InstalledAdapter[];
  /** Members alone lead to the place. */
  readonly isMember?: boolean;
}

/** A policy at work during one call of the block that it was installed on. */
export interface Activation {
  readonly policy: Instance;
  /** Holds the policy's carries; its parent is the policy's own scope. */
  readonly scope: Scope;
  /** How often each site has run so far. */
  readonly counts: Map<string, number>;
  /** Sites at which a handler of this policy ran. */
  readonly handled: Set<string>;
  /** Whether any handler gave back something other than it was given. */
  changed: boolean;
  readonly span: Span;
  /** Whether its arguments are written out: they depend on no parameter. */
  readonly isFixed: boolean;
}

/** What a value belongs to: an expression, or the place where a name is given. */
export interface Observed {
  readonly span: Span;
}

/** Told of every value that is computed, for tools that show them. */
export type Observer = (place: Observed, value: Value) => void;

export interface Evaluation {
  readonly catalog: OpCatalog;
  /** Absent unless someone watches. */
  readonly observe: Observer | undefined;
  readonly emitter: Emitter;
  /** Lets equal calls be evaluated once; absent where every one counts. */
  readonly recorder: Recorder | undefined;
  /** Parameters without a value, where a block is checked on its own: what depends on them is left open. */
  readonly open: OpenParameters;
  /** The innermost block at work. */
  readonly frame: Frame | undefined;
  /** Policies at work, the outermost first. */
  readonly activations: Activation[];
  evaluate(expression: Expression, scope: Scope): Value;
  call(callee: Value, arguments_: CallArguments, scope: Scope, span: Span): Value;
  /**
   * Gives templates a place: what is returned can be called and holds its parameters under `path`.
   */
  attach(value: Value, path: string, span: Span, options?: AttachOptions): Value;
  /** The names of a file, computed once. */
  moduleScope(module: ModuleScope): Scope;
  runBody(body: Body, scope: Scope): Value;
  /**
   * Makes a tensor known by its path; a name that is used again gets `#2`, `#3`, … With "replace",
   * the latest of these names stands for the new value: an assignment.
   */
  name(path: string, value: Value, replace?: "replace"): void;
  origin(scope: Scope, span: Span): Origin;
  /**
   * The state that a stateful op at `path` starts from: `undefined` when the entry starts from
   * nothing (zeros). `save` hands on what the op left.
   */
  state(path: string, name: string, type: TensorType, span: Span): TensorValue | undefined;
  saveState(path: string, name: string, value: Value): void;
  /** Notes how a checkpoint calls the tensors below a block. */
  rename(renames: readonly Rename[]): void;
  /** Notes what is not trained. */
  freeze(patterns: readonly FrozenPattern[]): void;
  /** Notes how learned matrices are stored. */
  store(rules: readonly StorageRule[]): void;
  /** Runs with `frame` as the innermost block at work. */
  within<T>(frame: Frame | undefined, run: () => T): T;
  /** Runs what a condition leads to that can't be decided here: as if it held, and as if it did not. */
  undecided<T>(run: () => T): T;
  /** Defines a value that is computed when first used; one that needs itself is reported. */
  defineLazy(scope: Scope, name: string, place: Span | Written, compute: () => Value): void;
  /**
   * Goes into a block that `span` uses; `undefined` when that would never end, which is reported once, or when an
   * undecided condition may end it.
   */
  enter(declaration: BlockDeclaration, span: Span, about: AboutUse): Frame | undefined;
  /** Runs what may compute a size too large to be handled, which is reported at `span`. */
  attempt(span: Span, run: () => Value): Value;
  /** Counts work; `false`, once reported, when the program takes more of it than any model. */
  spend(span: Span, steps?: number): boolean;
  /** Whether the parser gave up on a part of a declaration, so that it may lack what it should have. */
  isBroken(declaration: BlockDeclaration): boolean;
  /** Whether the parser gave up on the declaration of a name, so that nothing is said of its use. */
  isLostName(name: string): boolean;
  /** Whether more was reported than anyone reads: advice is no longer worth its time. */
  readonly isFlooded: boolean;
  /** Reports and gives the value that keeps everything after it silent. */
  fail(diagnostic: Diagnostic): Value;
  /** The same of what is wrong with a part of the text whoever comes by: it is worded once. */
  failOnce(part: Expression, word: () => Diagnostic): Value;
  warn(diagnostic: Diagnostic): void;
}
