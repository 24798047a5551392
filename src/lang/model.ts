/**
 * Evaluating one entry of a model.
 *
 * Owns: choosing the model and the entry, settings from outside, inputs and results. What comes out
 * is what the emitter recorded, plus the entry's signature.
 */
import type { BlockDeclaration, EntryMember, InputMember, StaticParameter } from "./ast.ts";
import type { CallMemory } from "./call-memory.ts";
import type { OpCatalog } from "./catalog.ts";
import { DiagnosticSink } from "./diagnostic.ts";
import { Dim } from "./dims.ts";
import type { Emitter } from "./emitter.ts";
import type { Observer } from "./evaluation.ts";
import { Evaluator } from "./evaluator.ts";
import { bareTemplate, type Instance, instantiate } from "./instance.ts";
import { checkResults } from "./members.ts";
import * as messages from "./messages.ts";
import { parseExpression } from "./parse.ts";
import type { ModuleScope, Program } from "./program.ts";
import { Scope } from "./scope.ts";
import type { SavedState } from "./states.ts";
import { coerce } from "./static-types.ts";
import { declaredTensorType } from "./tensor-types.ts";
import type { TensorType } from "./types.ts";
import {
  errorValue,
  intValue,
  isSilent,
  type StaticArgument,
  type TensorValue,
  type Value,
} from "./value.ts";

export interface EntryRequest {
  /** The first model of the file when absent. */
  readonly model?: string | undefined;
  /** The first entry when absent. */
  readonly entry?: string | undefined;
  /** Text of values for the model's parameters, as a user types them: `keep` → `0.7`. */
  readonly settings?: ReadonlyMap<string, string>;
  /**
   * Parameters to leave open, for counting: a ratio becomes a factor strictly between 0 and 1 of this
   * name, an integer a symbol that is at least 1. What can't be laid out without its value is an error.
   */
  readonly open?: readonly string[];
}

export interface EntryInput {
  readonly name: string;
  readonly type: TensorType;
  readonly sampleRate: number | undefined;
  readonly doc: string;
}

export interface EvaluatedEntry {
  readonly model: string;
  /** The entry whose state this one goes on from. */
  readonly continues: string | undefined;
  /** What is left for an entry that continues this one, by name, in the order of the ops. */
  readonly states: readonly SavedState[];
  readonly entry: string;
  readonly doc: string;
  readonly inputs: readonly EntryInput[];
  readonly outputs: readonly { readonly name: string; readonly value: TensorValue }[];
  /** Open dimensions in the order in which the inputs introduce them. */
  readonly symbols: readonly string[];
}

/** A chosen model, with its entries, before any of them is evaluated. */
export interface ModelOutline {
  readonly declaration: BlockDeclaration;
  readonly instance: Instance;
  readonly evaluator: Evaluator;
}

export interface ModelContext {
  readonly program: Program;
  readonly catalog: OpCatalog;
  readonly sink: DiagnosticSink;
  readonly observe?: Observer | undefined;
  /** Equal calls are evaluated once. */
  readonly memory?: CallMemory | undefined;
}

export function modelNames(program: Program): string[] {
  return models(program).map((declaration) => declaration.name.name);
}

function models(program: Program): BlockDeclaration[] {
  const found: BlockDeclaration[] = [];
  for (const declaration of program.root.unit.declarations) {
    if (declaration.kind === "block" && declaration.blockKind === "model") found.push(declaration);
  }
  return found;
}

/** Instantiates the chosen model. `undefined` once its problems are reported. */
export function openModel(
  context: ModelContext,
  request: EntryRequest,
  emitter: Emitter,
): ModelOutline | undefined {
  const { program, catalog, sink, observe, memory } = context;
  const known = models(program);
  const declaration =
    request.model === undefined ? known[0] : known.find((model) => model.name.name === request.model);
  if (declaration === undefined) {
    const { file } = program.root;
    const names = known.map((model) => model.name);
    // A file that did not parse may well have declared it.
    if (program.root.recovered === undefined) sink.report(messages.noSuchModel(request.model, file, names));
    return undefined;
  }
  const evaluator = new Evaluator({ catalog, emitter, sink, program, observe, memory });
  const settings = readSettings(declaration, request.settings ?? new Map(), context, evaluator);
  const opened = readOpen(declaration, request.open ?? [], context, evaluator);
  if (settings === undefined || opened === undefined) return undefined;
  const given = new Map([...settings, ...opened]);
  const template = { ...bareTemplate(declaration, program.root), arguments: given, configured: true };
  const instance = instantiate(template, "", evaluator, { isMember: true });
  return instance === undefined ? undefined : { declaration, instance, evaluator };
}

/** Evaluates the chosen entry, of several in turn. `undefined` once its problems are reported. */
export function evaluateEntry(
  outline: ModelOutline,
  request: EntryRequest,
  emitter: Emitter,
): EvaluatedEntry | undefined {
  const { declaration, instance, evaluator } = outline;
  const { entries } = instance;
  const entry = request.entry === undefined ? entries[0] : entries.find((e) => e.name.name === request.entry);
  if (entry === undefined) {
    const names = entries.map((e) => e.name.name);
    evaluator.fail(messages.noSuchEntry(declaration.name.name, request.entry, declaration.name.span, names));
    return undefined;
  }
  if (!checkContinues(entry, entries, evaluator)) return undefined;
  evaluator.beginEntry(entry.continues !== undefined);
  const scope = new Scope(instance.viewOf(entry), "");
  const symbols: string[] = [];
  const inputs: EntryInput[] = [];
  for (const argument of entry.inputs) {
    const member = instance.inputs.find((input) => input.name.name === argument.name);
    if (member === undefined) {
      evaluator.fail(
        messages.unknownInput(
          argument,
          instance.inputs.map((input) => input.name.name),
        ),
      );
      scope.define(argument.name, { kind: "error" }, argument.span);
      continue;
    }
    const input = declareInput(member, instance.viewOf(member), scope, symbols, evaluator, emitter);
    if (input !== undefined) inputs.push(input);
  }
  for (const { name } of instance.inputs) {
    if (instance.viewOf(entry).lookup(name.name) !== undefined || scope.own(name.name) !== undefined)
      continue;
    const complain = (): Value => evaluator.fail(messages.inputNotTaken(name.name, entry));
    evaluator.defineLazy(scope, name.name, name.span, complain);
  }
  const checked = evaluator.within(instance.frame, () =>
    evaluator.attempt(entry.body.span, () => {
      const result = evaluator.runBody(entry.body, scope);
      return checkResults(entry, result, scope, `the entry \`${entry.name.name}\``, evaluator);
    }),
  );
  const outputs = nameOutputs(entry, checked, inputs, evaluator);
  if (outputs === undefined) return undefined;
  const states = evaluator.states.saved();
  if (entry.continues !== undefined && states.length === 0) {
    evaluator.fail(messages.continuesWithoutState(entry.continues));
    return undefined;
  }
  const named = { model: declaration.name.name, entry: entry.name.name, doc: entry.doc };
  return { ...named, continues: entry.continues?.name, states, inputs, outputs, symbols };
}

function checkContinues(entry: EntryMember, entries: readonly EntryMember[], evaluator: Evaluator): boolean {
  const { continues } = entry;
  if (continues === undefined || entries.some((other) => other.name.name === continues.name)) return true;
  evaluator.fail(
    messages.continuesUnknown(
      continues,
      entries.filter((other) => other !== entry).map((other) => other.name.name),
    ),
  );
  return false;
}

function declareInput(
  member: InputMember,
  view: Scope,
  scope: Scope,
  symbols: string[],
  evaluator: Evaluator,
  emitter: Emitter,
): EntryInput | undefined {
  const name = member.name.name;
  const types = new Scope(view, "", [scope]);
  const declared = declaredTensorType(member.type, types, evaluator, (symbol, span) => {
    if (!symbols.includes(symbol)) symbols.push(symbol);
    const size = Dim.symbol(symbol);
    scope.define(symbol, intValue(size), span);
    return size;
  });
  if (declared === undefined || declared === "unknown") {
    scope.define(name, { kind: "error" }, member.name.span);
    return undefined;
  }
  const { type, origins } = declared;
  const rate = sampleRate(member, scope, evaluator);
  const handle = emitter.input(name, type, { path: "", span: member.name.span }, rate);
  const value: Value = { kind: "tensor", type, origins, handle };
  scope.define(name, value, member.name.span);
  evaluator.observe?.(member.name, value);
  evaluator.keepForInput(name);
  return { name, type, sampleRate: rate, doc: member.doc };
}

function sampleRate(member: InputMember, scope: Scope, evaluator: Evaluator): number | undefined {
  if (member.type.kind !== "tensor-type" || member.type.rate === undefined) return undefined;
  const rate = evaluator.evaluate(member.type.rate, scope);
  if (rate.kind === "quantity" && rate.unit === "Hz") return rate.value;
  if (!isSilent(rate)) evaluator.fail(messages.rateWanted(member.type.rate.span, rate));
  return undefined;
}

function nameOutputs(
  entry: EntryMember,
  result: Value,
  inputs: readonly EntryInput[],
  evaluator: Evaluator,
): { name: string; value: TensorValue }[] | undefined {
  if (isSilent(result)) return undefined;
  const values = result.kind === "tuple" ? result.items : [result];
  const outputs: { name: string; value: TensorValue }[] = [];
  for (const [i, value] of values.entries()) {
    if (value.kind !== "tensor") {
      if (!isSilent(value))
        evaluator.fail(messages.tensorOperandWanted("an entry", entry.body.result.span, value));
      return undefined;
    }
    const declared = entry.results[i]?.name;
    const name = declared?.name ?? (values.length === 1 ? "output" : `output${i}`);
    if (outputs.some((output) => output.name === name)) {
      evaluator.fail(messages.duplicateResult(name, declared?.span ?? entry.span));
      return undefined;
    }
    if (inputs.some((input) => input.name === name)) {
      evaluator.fail(messages.resultNamedAsInput(name, declared?.span ?? entry.name.span));
      return undefined;
    }
    outputs.push({ name, value });
  }
  return outputs;
}

/** Reads `--set name=text` by the type of the parameter: strings may go without quotes. */
function readSettings(
  declaration: BlockDeclaration,
  settings: ReadonlyMap<string, string>,
  context: ModelContext,
  evaluator: Evaluator,
): Map<string, StaticArgument> | undefined {
  const given = new Map<string, StaticArgument>();
  let fine = true;
  for (const [name, text] of settings) {
    const parameter = declaration.parameters.find((p) => p.name.name === name);
    if (parameter === undefined) {
      const known = declaration.parameters.map((p) => p.name.name);
      context.sink.report(messages.unknownSetting(declaration, name, known));
      fine = false;
      continue;
    }
    const value = readSetting(parameter, text, context, evaluator);
    if (value === undefined) fine = false;
    else given.set(name, { value, span: parameter.name.span });
  }
  return fine ? given : undefined;
}

/** Symbols for the parameters that are to stay open. */
function readOpen(
  declaration: BlockDeclaration,
  names: readonly string[],
  context: ModelContext,
  evaluator: Evaluator,
): Map<string, StaticArgument> | undefined {
  const opened = new Map<string, StaticArgument>();
  for (const name of names) {
    const parameter = declaration.parameters.find((p) => p.name.name === name);
    const type = parameter?.type.kind === "named-type" ? parameter.type.name.name : undefined;
    if (parameter === undefined || (type !== "ratio" && type !== "int")) {
      const known = declaration.parameters.filter(canStayOpen).map((p) => p.name.name);
      context.sink.report(messages.cannotStayOpen(declaration, name, known));
      return undefined;
    }
    if (type === "ratio") evaluator.open.ratios.add(name);
    const value: Value =
      type === "ratio" ? { kind: "scaled", factor: name, dim: Dim.of(1) } : intValue(Dim.symbol(name));
    opened.set(name, { value, span: parameter.name.span });
  }
  return opened;
}

/** Whether a parameter can be left open at all: ratios and integers. */
export function canStayOpen({ type }: StaticParameter): boolean {
  return type.kind === "named-type" && (type.name.name === "ratio" || type.name.name === "int");
}

function readSetting(
  parameter: StaticParameter,
  text: string,
  context: ModelContext,
  evaluator: Evaluator,
): Value | undefined {
  const { type } = parameter;
  const name = parameter.name.name;
  const wantsText = type.kind === "union-type" || (type.kind === "named-type" && type.name.name === "string");
  const span = parameter.name.span;
  let value: Value;
  if (wantsText && !text.startsWith('"')) {
    value = { kind: "string", value: text };
  } else {
    const { expression, diagnostics } = parseExpression(`--set ${name}`, text);
    // What is wrong with the text of a setting has no place in a file.
    const sink = new DiagnosticSink();
    for (const diagnostic of diagnostics) sink.report(diagnostic);
    const reader = new Evaluator({ ...context, emitter: evaluator.emitter, sink, memory: undefined });
    const { root } = context.program;
    value = expression === undefined ? errorValue : reader.evaluate(expression, reader.moduleScope(root));
    if (isSilent(value)) {
      const problem = `can't be read: ${sentencePart(sink.sorted()[0]?.message ?? "It is not one value.")}`;
      const hint = blockNames(parameter, root);
      context.sink.report(messages.badSetting(name, text, { problem, ...(hint && { hint }) }, span));
      return undefined;
    }
  }
  const coerced = coerce(value, type);
  if (coerced.ok) return coerced.value;
  context.sink.report(messages.badSetting(name, text, coerced, span));
  return undefined;
}

/** "There is no `x` here." → "there is no `x` here" */
function sentencePart(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, "");
}

/** What could be given where a block is wanted. */
function blockNames({ type }: StaticParameter, root: ModuleScope): string | undefined {
  if (type.kind !== "named-type" || type.name.name !== "block") return undefined;
  const names = [...root.names].flatMap(([name, declared]) => {
    return declared?.declaration.kind === "block" && declared.declaration.blockKind === "block" ? [name] : [];
  });
  return names.length === 0 ? undefined : `the file knows the blocks ${names.join(", ")}`;
}
