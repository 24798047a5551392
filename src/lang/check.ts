/**
 * Checking a whole file.
 *
 * Owns: what gets evaluated so that every mistake shows: every entry of every model, with defaults
 * and unused members included, and then each block that no model used, on its own.
 */
import type { BlockDeclaration, ForwardMember, TypeExpression } from "./ast.ts";
import type { OpCatalog, Requirement } from "./catalog.ts";
import type { DiagnosticSink } from "./diagnostic.ts";
import { Dim, productDims } from "./dims.ts";
import type { Emitter, Handle, Origin } from "./emitter.ts";
import { Evaluator } from "./evaluator.ts";
import { openGuards } from "./guards.ts";
import { bareTemplate, instantiate } from "./instance.ts";
import { checkInterface } from "./interfaces.ts";
import {
  type EntryRequest,
  type EvaluatedEntry,
  evaluateEntry,
  type ModelContext,
  modelNames,
  openModel,
} from "./model.ts";
import type { ModuleScope, Program } from "./program.ts";
import { elementType } from "./tensor-types.ts";
import type { TensorType } from "./types.ts";
import { unknownValue, type Value } from "./value.ts";

/** What `check` has to say of one entry. */
export interface CheckedEntry extends EvaluatedEntry {
  /** Learned tensors, and their elements in all. */
  readonly parameterCount: number;
  readonly elementCount: Dim;
  readonly guards: readonly { readonly requirement: Requirement; readonly origin: Origin }[];
}

export interface CheckedModule {
  readonly program: Program;
  readonly entries: readonly CheckedEntry[];
}

/** Records nothing but what `check` reports. */
class Notes implements Emitter {
  readonly parameters = new Map<string, Handle>();
  elements = Dim.of(0);
  readonly guards: { requirement: Requirement; origin: Origin }[] = [];

  input(): Handle {
    return {};
  }

  state(): Handle {
    return {};
  }

  parameter(path: string, type: TensorType): Handle {
    const known = this.parameters.get(path);
    if (known !== undefined) return known;
    const handle = {};
    this.parameters.set(path, handle);
    this.elements = this.elements.add(productDims(type.shape));
    return handle;
  }

  constant(): Handle {
    return {};
  }

  dimension(): Handle {
    return {};
  }

  op(...[, , , results]: Parameters<Emitter["op"]>): readonly Handle[] {
    return results.map(() => ({}));
  }

  name(): void {}

  require(requirement: Requirement, origin: Origin): void {
    this.guards.push({ requirement, origin });
  }
}

/** `request` sets parameters of the model that it names, or of the first; the others have their defaults. */
export function checkProgram(
  program: Program,
  catalog: OpCatalog,
  sink: DiagnosticSink,
  request: EntryRequest = {},
): CheckedModule {
  const context: ModelContext = { program, catalog, sink };
  const used = new Set<BlockDeclaration>();
  const entries: CheckedEntry[] = [];
  const chosen = request.model ?? modelNames(program)[0];
  if (request.model !== undefined && !modelNames(program).includes(request.model)) {
    openModel(context, request, new Notes());
  }
  for (const declaration of program.root.unit.declarations) {
    if (declaration.kind !== "block") continue;
    for (const diagnostic of checkInterface(declaration)) sink.report(diagnostic);
    if (declaration.blockKind !== "model") continue;
    const settings =
      declaration.name.name === chosen ? (request.settings ?? new Map()) : new Map<string, string>();
    const open = declaration.parameters.some((p) => p.initial === undefined && !settings.has(p.name.name));
    if (open) checkAlone(declaration, program.root, catalog, sink, used);
    else checkModel(declaration, settings, context, used, entries);
  }
  for (const declaration of program.root.unit.declarations) {
    if (declaration.kind === "block" && !used.has(declaration)) {
      checkAlone(declaration, program.root, catalog, sink, used);
    }
  }
  return { program, entries };
}

function checkModel(
  declaration: BlockDeclaration,
  settings: ReadonlyMap<string, string>,
  context: ModelContext,
  used: Set<BlockDeclaration>,
  entries: CheckedEntry[],
): void {
  const model = declaration.name.name;
  const outline = openModel(context, { model, settings }, new Notes());
  if (outline === undefined) {
    used.add(declaration);
    return;
  }
  outline.instance.force();
  outline.instance.plans();
  for (const block of outline.evaluator.used) used.add(block);
  for (const { name } of outline.instance.entries) {
    const notes = new Notes();
    const fresh = openModel(context, { model, settings }, notes);
    if (fresh === undefined) continue;
    const evaluated = evaluateEntry(fresh, { model, entry: name.name }, notes);
    for (const block of fresh.evaluator.used) used.add(block);
    if (evaluated === undefined) continue;
    entries.push({
      ...evaluated,
      parameterCount: notes.parameters.size,
      elementCount: notes.elements,
      guards: openGuards(notes.guards),
    });
  }
}

/** Evaluates a block whose parameters nobody set: what depends on them stays open. */
function checkAlone(
  declaration: BlockDeclaration,
  module: ModuleScope,
  catalog: OpCatalog,
  sink: DiagnosticSink,
  used: Set<BlockDeclaration>,
): void {
  used.add(declaration);
  const evaluator = new Evaluator({ catalog, emitter: new Notes(), sink, alone: true });
  const instance = instantiate(bareTemplate(declaration, module), declaration.name.name, evaluator, {
    open: true,
  });
  if (instance === undefined) return;
  instance.force();
  if (instance.forward !== undefined) runAlone(instance.forward, instance, evaluator);
  for (const block of evaluator.used) used.add(block);
}

function runAlone(
  forward: ForwardMember,
  instance: NonNullable<ReturnType<typeof instantiate>>,
  evaluator: Evaluator,
): void {
  const positional = forward.parameters.map((parameter) => {
    const span = parameter.name.span;
    return { value: openTensor(parameter.type) ?? unknownValue, span };
  });
  evaluator.call(
    { kind: "instance", instance },
    { positional, named: new Map() },
    instance.scope,
    forward.span,
  );
}

/** A tensor whose sizes are all open, when the written type has only plain capital names. */
function openTensor(type: TypeExpression): Value | undefined {
  if (type.kind !== "tensor-type") return undefined;
  const dtype = elementType(type.name.name);
  if (dtype === undefined) return undefined;
  const shape: Dim[] = [];
  for (const dim of type.dims) {
    if (dim.kind === "variadic-dim" || dim.value.kind !== "name") return undefined;
    shape.push(Dim.symbol(dim.value.name));
  }
  return { kind: "tensor", type: { dtype, shape }, origins: shape.map(() => undefined), handle: {} };
}
