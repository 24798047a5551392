/**
 * Checking a block by itself, without the arguments that a use would give it.
 *
 * Owns: what stands in for arguments. Integers stay symbols and tensors have the sizes that their
 * types name, so that shapes are still compared; every other value is unknown, and what depends on
 * it is silent.
 */
import type { BlockDeclaration, TensorParameter, TypeExpression } from "./ast.ts";
import type { CallMemory } from "./call-memory.ts";
import type { OpCatalog } from "./catalog.ts";
import type { DiagnosticSink } from "./diagnostic.ts";
import { Dim } from "./dims.ts";
import type { Emitter } from "./emitter.ts";
import type { CallArgument, Observer } from "./evaluation.ts";
import { Evaluator } from "./evaluator.ts";
import { bareTemplate, type Instance, instantiate } from "./instance.ts";
import { runMember } from "./members.ts";
import * as messages from "./messages.ts";
import { evaluateEntry } from "./model.ts";
import type { ModuleScope, Program } from "./program.ts";
import { Scope } from "./scope.ts";
import { openValue } from "./statics.ts";
import { declaredTensorType } from "./tensor-types.ts";
import { unknownValue, type Value } from "./value.ts";

export interface AloneContext {
  readonly program: Program;
  readonly catalog: OpCatalog;
  readonly emitter: Emitter;
  readonly sink: DiagnosticSink;
  readonly observe?: Observer | undefined;
  readonly memory?: CallMemory | undefined;
}

export function checkAlone(declaration: BlockDeclaration, module: ModuleScope, context: AloneContext): void {
  const evaluator = new Evaluator(context);
  const { name } = declaration.name;
  const instance = instantiate(bareTemplate(declaration, module), name, evaluator, {
    open: true,
    isMember: true,
  });
  if (instance === undefined) return;
  instance.force();
  instance.plans();
  runForward(instance, evaluator);
  runHandlers(instance, evaluator);
  const outline = { declaration: instance.declaration, instance, evaluator };
  for (const entry of instance.entries) evaluateEntry(outline, { entry: entry.name.name }, context.emitter);
}

function runForward(instance: Instance, evaluator: Evaluator): void {
  const { forward } = instance;
  if (forward === undefined) return;
  const scope = instance.viewOf(forward);
  const positional = openArguments(forward.parameters, scope, evaluator);
  const callee: Value = { kind: "instance", instance };
  evaluator.call(callee, { positional, named: new Map() }, scope, instance.declaration.name.span);
}

function runHandlers(instance: Instance, evaluator: Evaluator): void {
  const carries = new Scope(undefined, instance.path);
  for (const carry of instance.carries) {
    evaluator.evaluate(carry.initial, instance.viewOf(carry));
    // An earlier site may have left anything.
    carries.define(carry.name.name, unknownValue, carry.name.span, true);
  }
  for (const handler of instance.handlers) {
    const scope = new Scope(instance.viewOf(handler), instance.path, [carries]);
    if (handler.at !== undefined) evaluator.evaluate(handler.at, scope);
    const positional = openArguments(handler.parameters, scope, evaluator);
    const arguments_ = { positional, named: new Map() };
    runMember(instance, handler, arguments_, scope, instance.path, handler.site.span, evaluator);
  }
}

function openArguments(
  parameters: readonly TensorParameter[],
  parent: Scope,
  evaluator: Evaluator,
): CallArgument[] {
  // Names that several types share stand for one size.
  const scope = new Scope(parent, parent.path);
  return parameters.map(({ name, type }) => ({
    value:
      type.kind === "tensor-type"
        ? openTensor(type, scope, evaluator)
        : openValue(name, type, false, evaluator),
    span: name.span,
  }));
}

/** A tensor of the written type, with a symbol for each size that comes with the argument. */
function openTensor(type: TypeExpression, scope: Scope, evaluator: Evaluator): Value {
  if (type.kind !== "tensor-type") return unknownValue;
  // What leads is one dimension here: a block that takes any number of them takes one.
  const leading = type.dims.flatMap((dim) =>
    dim.kind === "variadic-dim" ? [leadingSize(dim.name.name, scope)] : [],
  );
  if (leading.length > 1) return evaluator.fail(messages.variadicTwice(type));
  const rest = { ...type, dims: type.dims.filter((dim) => dim.kind === "dim") };
  const declared = declaredTensorType(rest, scope, evaluator, (symbol) => Dim.symbol(symbol));
  if (declared === undefined) return { kind: "error" };
  if (declared === "unknown") return unknownValue;
  const at = type.dims.findIndex((dim) => dim.kind === "variadic-dim");
  const shape = declared.type.shape.toSpliced(Math.max(at, 0), 0, ...leading);
  const origins = declared.origins.toSpliced(Math.max(at, 0), 0, ...leading.map(() => undefined));
  return { kind: "tensor", type: { dtype: declared.type.dtype, shape }, origins, handle: {} };
}

/** Called like the `*b` that it stands for, unless that is taken. */
function leadingSize(name: string, scope: Scope): Dim {
  return Dim.symbol(scope.lookup(name) === undefined ? name : `${name}_`);
}
