/**
 * The evaluator: the parts wired together, and the state of one evaluation.
 *
 * Owns: the depth limit, the names given to tensors, and which blocks were used. All meaning lives
 * in the parts.
 */
import type { BlockDeclaration, Body, Expression } from "./ast.ts";
import { runBody } from "./bodies.ts";
import { attachValue, callValue } from "./calls.ts";
import type { OpCatalog } from "./catalog.ts";
import type { Diagnostic, DiagnosticSink } from "./diagnostic.ts";
import type { Emitter, Origin } from "./emitter.ts";
import type { Activation, AttachOptions, CallArguments, Evaluation } from "./evaluation.ts";
import { evaluateExpression } from "./expressions.ts";
import { moduleScope } from "./instance.ts";
import * as messages from "./messages.ts";
import type { Rename } from "./plans.ts";
import type { ModuleScope } from "./program.ts";
import type { Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { States } from "./states.ts";
import type { TensorType } from "./types.ts";
import { errorValue, type TensorValue, type Value } from "./value.ts";

export interface EvaluatorOptions {
  readonly catalog: OpCatalog;
  readonly emitter: Emitter;
  readonly sink: DiagnosticSink;
  /** A block checked on its own: what depends on an open parameter is left open, not reported. */
  readonly alone?: boolean;
}

/** Blocks inside blocks, and expressions inside expressions: far beyond any model, well within the stack. */
const maximumDepth = 400;

export class Evaluator implements Evaluation {
  readonly catalog: OpCatalog;
  readonly emitter: Emitter;
  readonly alone: boolean;
  readonly activations: Activation[] = [];
  readonly used = new Set<BlockDeclaration>();
  readonly states = new States();
  readonly renames: Rename[] = [];
  readonly #sink: DiagnosticSink;
  readonly #named = new Map<string, number>();
  readonly #inputs = new Set<string>();
  readonly #scopes = new Map<ModuleScope, Scope>();
  #depth = 0;

  constructor(options: EvaluatorOptions) {
    this.catalog = options.catalog;
    this.emitter = options.emitter;
    this.alone = options.alone ?? false;
    this.#sink = options.sink;
  }

  evaluate(expression: Expression, scope: Scope): Value {
    if (this.#depth >= maximumDepth) return this.fail(messages.evaluationTooDeep(expression.span));
    this.#depth++;
    const value = evaluateExpression(expression, scope, this);
    this.#depth--;
    return value;
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

  name(path: string, value: Value, replace?: "replace"): void {
    if (value.kind === "tuple") {
      for (const [i, item] of value.items.entries()) this.name(`${path}.${i}`, item, replace);
      return;
    }
    if (value.kind !== "tensor" || path === "") return;
    const before = this.#named.get(path) ?? 0;
    const times = replace === undefined ? before + 1 : Math.max(before, 1);
    this.#named.set(path, times);
    const number = this.#inputs.has(path) ? times + 1 : times;
    this.emitter.name(number === 1 ? path : `${path}#${number}`, value.handle);
  }

  /** An input keeps its name to itself: a value that is called like it is known as `x#2`. */
  keepForInput(name: string): void {
    this.#inputs.add(name);
  }

  origin(scope: Scope, span: Span): Origin {
    return { path: scope.path, span };
  }

  state(path: string, name: string, type: TensorType, span: Span): TensorValue | undefined {
    return this.states.take(path, name, type, span, this);
  }

  saveState(path: string, name: string, value: Value): void {
    this.states.save(path, name, value, this);
  }

  rename(renames: readonly Rename[]): void {
    this.renames.push(...renames);
  }

  use(declaration: BlockDeclaration): void {
    this.used.add(declaration);
  }

  fail(diagnostic: Diagnostic): Value {
    this.#sink.report(diagnostic);
    return errorValue;
  }

  warn(diagnostic: Diagnostic): void {
    this.#sink.report(diagnostic);
  }
}
