/**
 * Checking a whole file.
 *
 * Owns: what gets evaluated so that every mistake shows: every entry of every model, with defaults
 * and unused members included, and then each block that no model used, on its own.
 */
import { isAllowed } from "./allowances.ts";
import { type AloneContext, checkAlone } from "./alone.ts";
import type { BlockDeclaration, Declaration } from "./ast.ts";
import { CallMemory } from "./call-memory.ts";
import type { OpCatalog, Requirement } from "./catalog.ts";
import { type Diagnostic, DiagnosticSink, type Label } from "./diagnostic.ts";
import { Dim, productDims } from "./dims.ts";
import type { Emitter, Handle, Origin } from "./emitter.ts";
import { Evaluator } from "./evaluator.ts";
import { openGuards } from "./guards.ts";
import { checkInterface } from "./interfaces.ts";
import {
  type EntryRequest,
  type EvaluatedEntry,
  evaluateEntry,
  type ModelContext,
  modelNames,
  openModel,
} from "./model.ts";
import { checkFrozen } from "./plans.ts";
import type { Program } from "./program.ts";
import { isBrokenBy } from "./recovered.ts";
import type { Span } from "./source.ts";
import { checkStored } from "./storage.ts";
import type { TensorType } from "./types.ts";
import { findUnused } from "./unused.ts";

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

/** Records nothing but what `check` reports: of a model first, then of one entry after another. */
export class Notes implements Emitter {
  readonly types = new Map<string, TensorType>();
  readonly guards: { requirement: Requirement; origin: Origin }[] = [];
  readonly #parameters = new Map<string, Handle>();
  readonly #paths = new Map<Handle, string>();
  /** Paths of the learned tensors that the entry uses. */
  readonly #used = new Set<string>();
  /** How many guards belong to every entry. */
  #shared = 0;

  /** What was noted so far belongs to every entry. */
  share(): void {
    this.#shared = this.guards.length;
  }

  /** Starts an entry. */
  begin(): void {
    this.guards.length = this.#shared;
    this.#used.clear();
  }

  input(): Handle {
    return {};
  }

  state(): Handle {
    return {};
  }

  parameter(path: string, type: TensorType): Handle {
    this.#used.add(path);
    const known = this.#parameters.get(path);
    if (known !== undefined) return known;
    const handle = {};
    this.#parameters.set(path, handle);
    this.#paths.set(handle, path);
    this.types.set(path, type);
    return handle;
  }

  /** Notes that a value is used, which may be a learned tensor. */
  use(value: Handle): void {
    const path = this.#paths.get(value);
    if (path !== undefined) this.#used.add(path);
  }

  /** How many learned tensors the entry uses. */
  get parameterCount(): number {
    return this.#used.size;
  }

  /** How many elements they have in all. */
  get elements(): Dim {
    /** Of tensors whose sizes are numbers, as almost all are. */
    let counted = 0;
    let others = Dim.of(0);
    for (const path of this.#used) {
      const shape = this.types.get(path)?.shape ?? [];
      const size = shape.reduce((product, { constant = Number.NaN }) => product * constant, 1);
      if (Number.isSafeInteger(size) && Number.isSafeInteger(counted + size)) counted += size;
      else others = others.add(productDims(shape));
    }
    return others.add(counted);
  }

  constant(): Handle {
    return {};
  }

  dimension(): Handle {
    return {};
  }

  op(...[, operands, , results]: Parameters<Emitter["op"]>): readonly Handle[] {
    for (const operand of operands) this.use(operand);
    return results.map(() => ({}));
  }

  name(): void {}

  require(requirement: Requirement, origin: Origin): void {
    this.guards.push({ requirement, origin });
  }
}

/**
 * `request` sets parameters of the model that it names, or of the first; the others have their defaults.
 * Without `memory` every call is evaluated by itself, which takes longer and finds the same.
 */
export function checkProgram(
  program: Program,
  catalog: OpCatalog,
  sink: DiagnosticSink,
  request: EntryRequest = {},
  memory: CallMemory | "none" = new CallMemory(program),
): CheckedModule {
  const found = new DiagnosticSink();
  const remembering = memory === "none" ? {} : { memory };
  const context: ModelContext = { program, catalog, sink: found, ...remembering };
  const entries: CheckedEntry[] = [];
  /** Models of which there is no more to see alone: they have their defaults there too. */
  const settled = new Set<Declaration>();
  const chosen = request.model ?? modelNames(program)[0];
  if (request.model !== undefined && !modelNames(program).includes(request.model)) {
    openModel(context, request, new Notes());
  }
  for (const declaration of program.root.unit.declarations) {
    if (declaration.kind !== "block") continue;
    if (!isBrokenBy(program.root.recovered, declaration)) {
      for (const diagnostic of checkInterface(declaration)) found.report(diagnostic);
    }
    if (declaration.blockKind !== "model" || found.has(tooMuch)) continue;
    const settings =
      declaration.name.name === chosen ? (request.settings ?? new Map()) : new Map<string, string>();
    const isOpen = declaration.parameters.some((p) => p.initial === undefined && !settings.has(p.name.name));
    if (isOpen) continue;
    for (const entry of checkModel(declaration, settings, context)) entries.push(entry);
    if (settings.size === 0 && !hasCalls(declaration)) settled.add(declaration);
  }
  const alone: AloneContext = {
    program,
    catalog,
    emitter: new Notes(),
    sink: new DiagnosticSink(),
    ...remembering,
  };
  if (!found.has(tooMuch)) checkConstants(alone);
  for (const declaration of program.root.unit.declarations) {
    // What meets the limit once would meet it again.
    if (found.has(tooMuch) || alone.sink.has(tooMuch)) break;
    if (declaration.kind === "block" && !settled.has(declaration))
      checkAlone(declaration, program.root, alone);
  }
  for (const diagnostic of concluded(found, alone.sink, program)) sink.report(diagnostic);
  return { program, entries };
}

/** Whether a block has what only a use of it runs. */
function hasCalls({ members }: BlockDeclaration): boolean {
  return members.some(({ kind }) => kind === "forward" || kind === "handler");
}

/**
 * What there is to report in the end. `alone` tells of what no model reached: blocks that none uses,
 * branches that its arguments did not choose. A place that has a diagnostic already is left alone.
 */
export function concluded(
  models: DiagnosticSink,
  alone: DiagnosticSink,
  program: Program,
  unused: (program: Program) => readonly Diagnostic[] = findUnused,
): readonly Diagnostic[] {
  const found = new DiagnosticSink();
  for (const diagnostic of models.sorted()) found.report(diagnostic);
  const reported = found.sorted().flatMap(({ primary }) => primary ?? []);
  for (const diagnostic of alone.sorted()) {
    const span = diagnostic.primary?.span;
    const isKnown = reported.some((label) => span !== undefined && overlap(label.span, span));
    if (!isKnown) found.report(diagnostic);
  }
  // After an error, what looks unused may be what the mistake should have used.
  if (!found.hasErrors && program.root.recovered === undefined) {
    for (const diagnostic of unused(program)) {
      if (!isAllowed(diagnostic, program.root.allowances)) found.report(diagnostic);
    }
  }
  return gathered(found.sorted(), program).slice(0, mostDiagnostics);
}

/** Checks a model, an entry at a time. */
export function* checkModel(
  declaration: BlockDeclaration,
  settings: ReadonlyMap<string, string>,
  context: ModelContext,
): Generator<CheckedEntry> {
  const model = declaration.name.name;
  const notes = new Notes();
  const outline = openModel(context, { model, settings }, notes);
  if (outline === undefined) return;
  outline.instance.force();
  outline.instance.plans();
  // After an error, tensors may be missing that are not.
  if (!context.sink.hasErrors && context.program.root.recovered === undefined) {
    for (const diagnostic of checkFrozen(outline.evaluator.frozen, new Set(notes.types.keys()))) {
      context.sink.report(diagnostic);
    }
    for (const diagnostic of checkStored(outline.evaluator.stored, notes.types))
      context.sink.report(diagnostic);
  }
  notes.share();
  for (const { name } of outline.instance.entries) {
    if (context.sink.has(tooMuch)) return;
    notes.begin();
    const evaluated = evaluateEntry(outline, { model, entry: name.name }, notes);
    if (evaluated === undefined) continue;
    for (const { value } of [...evaluated.outputs, ...evaluated.states]) notes.use(value.handle);
    yield {
      ...evaluated,
      parameterCount: notes.parameterCount,
      elementCount: notes.elements,
      guards: openGuards(notes.guards),
    };
  }
}

/** The `let`s at the top of the file, whether anything uses them or not. */
export function checkConstants(context: AloneContext): void {
  for (const slot of new Evaluator(context).moduleScope(context.program.root).ownSlots()) slot.get();
}

/** More would not be read. */
const mostDiagnostics = 100;
/** Limits are met at several places in turn; the first says it all. */
const tooMuch = "too-much-work";
const toldOnce: ReadonlySet<string> = new Set([tooMuch, "nesting-too-deep"]);

/** One name that a declaration uses in several places without having it is one mistake. */
function gathered(diagnostics: readonly Diagnostic[], program: Program): Diagnostic[] {
  const first = new Map<string, Diagnostic>();
  const others = new Map<Diagnostic, Label[]>();
  for (const diagnostic of diagnostics) {
    const { code, message, primary } = diagnostic;
    const owner = primary === undefined ? undefined : declarationAt(primary.span, program);
    const isName = code === "unknown-name" && owner !== undefined;
    if (toldOnce.has(code)) {
      if (first.has(code)) continue;
      first.set(code, diagnostic);
    }
    const key = isName ? `${owner.span.file.path}|${owner.span.start}|${message}` : "";
    const earlier = first.get(key);
    if (isName && earlier !== undefined && primary !== undefined) {
      others.get(earlier)?.push({ span: primary.span, text: "and here" });
      continue;
    }
    if (isName) first.set(key, diagnostic);
    others.set(diagnostic, []);
  }
  return [...others].map(([diagnostic, labels]) =>
    labels.length === 0
      ? diagnostic
      : { ...diagnostic, related: [...diagnostic.related, ...labels.slice(0, 3)] },
  );
}

function declarationAt(span: Span, program: Program): Declaration | undefined {
  const declarations = program.modules.get(span.file.path)?.unit.declarations ?? [];
  return declarations.find(
    (declaration) => declaration.span.start <= span.start && span.end <= declaration.span.end,
  );
}

function overlap(a: Span, b: Span): boolean {
  return a.file.path === b.file.path && a.start < b.end && b.start < a.end;
}
