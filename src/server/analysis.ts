/**
 * Checking a file again and again while it is edited.
 *
 * Owns: what has to be checked anew after a change, and the diagnostics and values that are known
 * meanwhile. A file is checked in jobs: each block alone, and each model. A job whose declaration, and
 * everything that it can reach by name, has kept its text is not run again. Jobs run in slices, so that
 * the editor never waits for a large model. In the end the diagnostics are those of `ossicle check`.
 */
import { checkAlone } from "../lang/alone.ts";
import type { BlockDeclaration } from "../lang/ast.ts";
import type { OpCatalog } from "../lang/catalog.ts";
import { checkConstants, checkModel, concluded, Notes } from "../lang/check.ts";
import { type Diagnostic, DiagnosticSink, type Label } from "../lang/diagnostic.ts";
import { checkInterface } from "../lang/interfaces.ts";
import { loadProgram, type ModuleLoader, type Program } from "../lang/program.ts";
import { isBrokenBy } from "../lang/recovered.ts";
import type { SourceFile, Span } from "../lang/source.ts";
import { findUnused } from "../lang/unused.ts";
import type { Value } from "../lang/value.ts";
import { Facts } from "./facts.ts";
import { jobKeys } from "./job-keys.ts";
import { parsedFile, relocate, sectionsOf } from "./readings.ts";

/** Values of models' parameters, as a user types them: by `keep`, or by `Captioner.keep`. */
export type Settings = ReadonlyMap<string, string>;

interface Job {
  readonly id: string;
  readonly kind: "constants" | "alone" | "model";
  readonly key: string;
  readonly program: Program;
  readonly sink: DiagnosticSink;
  readonly facts: Facts;
  /** Whether the text of the declaration itself is new, not only what it uses. */
  readonly isEdited: boolean;
  /** Does a part of the work with each step; `undefined` once all is done. */
  steps: Iterator<unknown> | undefined;
  /** What was known before, as long as the work is not done. */
  earlier: Job | undefined;
}

export class Analysis {
  readonly #catalog: OpCatalog;
  #program: Program | undefined;
  #syntax = new DiagnosticSink();
  #interfaces = new DiagnosticSink();
  /** In the order in which values are looked up. */
  #jobs: readonly Job[] = [];
  #unused: readonly Diagnostic[] = [];
  #concluded: readonly Diagnostic[] | undefined;

  constructor(catalog: OpCatalog) {
    this.#catalog = catalog;
  }

  get program(): Program | undefined {
    return this.#program;
  }

  /** Whether there is work left for `work`. */
  get isPending(): boolean {
    return this.#jobs.some((job) => job.steps !== undefined);
  }

  /** Takes in a new state of the file, of one that it imports, or of the settings. */
  update(file: SourceFile, loader: ModuleLoader, settings: Settings): void {
    const syntax = new DiagnosticSink();
    const program = loadProgram(file, loader, syntax, parsedFile);
    const before = new Map(this.#jobs.map((job) => [job.id, job]));
    this.#program = program;
    this.#syntax = syntax;
    this.#interfaces = new DiagnosticSink();
    const models: Job[] = [];
    const others: Job[] = [];
    const keys = jobKeys(program);
    const add = (kind: Job["kind"], name: string, key: string, text: string, start: Starter): void => {
      const job = this.#plan(`${kind} ${name}`, kind, key, text, start, before, program);
      (kind === "model" ? models : others).push(job);
    };
    for (const [i, { name, declaration, text }] of sectionsOf(file).entries()) {
      if (declaration.kind !== "block") continue;
      if (!isBrokenBy(program.root.recovered, declaration)) {
        for (const diagnostic of checkInterface(declaration)) this.#interfaces.report(diagnostic);
      }
      // Two declarations of one name are a mistake, and both are checked.
      const isSecond = program.root.names.get(name)?.declaration !== declaration;
      const unique = isSecond ? `${name}#${i}` : name;
      const key = keys(name, text);
      add("alone", unique, key, text, (context) =>
        only(() => checkAlone(declaration, program.root, context)),
      );
      const given = settingsOf(declaration, settings);
      const isClosed = declaration.parameters.every((p) => p.initial !== undefined || given.has(p.name.name));
      if (declaration.blockKind !== "model" || !isClosed || isSecond) continue;
      const modelKey = `${JSON.stringify([...given])}${key}`;
      add("model", unique, modelKey, text, (context) => checkModel(declaration, given, context));
    }
    const constants = sectionsOf(file).filter((section) => section.declaration.kind === "let");
    const key = constants.map(({ name, text }) => keys(name, text)).join("");
    add("constants", "", key, key, (context) => only(() => checkConstants(context)));
    this.#jobs = [...models, ...others];
    this.#concluded = undefined;
  }

  #plan(
    id: string,
    kind: Job["kind"],
    key: string,
    text: string,
    start: Starter,
    before: ReadonlyMap<string, Job>,
    program: Program,
  ): Job {
    const known = before.get(id);
    if (known?.key === key) return known;
    const sink = new DiagnosticSink();
    const facts = new Facts();
    const context = { program, catalog: this.#catalog, emitter: new Notes(), sink, observe: facts.observe };
    const earlier = known?.steps === undefined ? known : known.earlier;
    const isEdited = known === undefined || !known.key.includes(text);
    return { id, kind, key, program, sink, facts, isEdited, steps: start(context), earlier };
  }

  /** Works until `isOver` says so, at least one step; what the user edits comes first. */
  work(isOver: () => boolean): void {
    const rank = ({ kind, isEdited }: Job): number => (isEdited ? 0 : 2) + (kind === "model" ? 1 : 0);
    const pending = this.#jobs.filter((job) => job.steps !== undefined);
    for (const job of pending.sort((a, b) => rank(a) - rank(b))) {
      while (job.steps !== undefined) {
        if (job.steps.next().done === true) {
          job.steps = undefined;
          job.earlier = undefined;
        }
        this.#concluded = undefined;
        if (isOver()) return;
      }
    }
  }

  /** Whether everything that the last edit changed directly has been looked at. */
  get isEditChecked(): boolean {
    return !this.#jobs.some((job) => job.steps !== undefined && job.isEdited && job.kind !== "model");
  }

  /** What is known now, in the order of the text. Of work that is not done, what was known before. */
  diagnostics(): readonly Diagnostic[] {
    this.#concluded ??= this.#conclude();
    return this.#concluded;
  }

  #conclude(): readonly Diagnostic[] {
    const program = this.#program;
    if (program === undefined) return [];
    const sinks = { model: new DiagnosticSink(), other: new DiagnosticSink() };
    for (const diagnostic of this.#interfaces.sorted()) sinks.model.report(diagnostic);
    for (const job of this.#jobs) {
      const source = job.steps === undefined ? job : (job.earlier ?? job);
      const sink = job.kind === "model" ? sinks.model : sinks.other;
      for (const diagnostic of source.sink.sorted()) {
        const moved = relocateDiagnostic(diagnostic, program);
        if (moved !== undefined) sink.report(moved);
      }
    }
    const all = new DiagnosticSink();
    for (const diagnostic of this.#syntax.sorted()) all.report(diagnostic);
    const unused = (): readonly Diagnostic[] => this.#findUnused(program);
    for (const diagnostic of concluded(sinks.model, sinks.other, program, unused)) all.report(diagnostic);
    return all.sorted();
  }

  /** Takes as long as reading the file: while it is edited, what was unused before is. */
  #findUnused(program: Program): readonly Diagnostic[] {
    if (!this.isPending) this.#unused = findUnused(program);
    return this.#unused.flatMap((diagnostic) => relocateDiagnostic(diagnostic, program) ?? []);
  }

  /** Values at a place of this file, or of one that it imports, by the first model that reaches it. */
  valuesByModels(place: Span): readonly Value[] {
    return this.#values(place, (job) => job.kind === "model");
  }

  /** The same with every parameter left open. */
  valuesAlone(place: Span): readonly Value[] {
    return this.#values(place, (job) => job.kind !== "model");
  }

  #values(place: Span, isWanted: (job: Job) => boolean): readonly Value[] {
    for (const job of this.#jobs) {
      if (!isWanted(job)) continue;
      for (const source of [job, job.earlier]) {
        const file = source?.program.modules.get(place.file.path)?.file;
        const there = file === undefined ? undefined : relocate(place, file);
        const values = there === undefined ? [] : (source?.facts.at(there) ?? []);
        if (values.length > 0) return values;
      }
    }
    return [];
  }
}

interface JobContext {
  readonly program: Program;
  readonly catalog: OpCatalog;
  readonly emitter: Notes;
  readonly sink: DiagnosticSink;
  readonly observe: Facts["observe"];
}
type Starter = (context: JobContext) => Iterator<unknown>;

/** Work of a single step. */
function only(run: () => void): Iterator<unknown> {
  return {
    next() {
      run();
      return { done: true, value: undefined };
    },
  };
}

/** The settings that are meant for a model. */
export function settingsOf(declaration: BlockDeclaration, settings: Settings): Map<string, string> {
  const given = new Map<string, string>();
  for (const { name } of declaration.parameters) {
    const text = settings.get(`${declaration.name.name}.${name.name}`) ?? settings.get(name.name);
    if (text !== undefined) given.set(name.name, text);
  }
  return given;
}

/** The diagnostic in the present state of the files, or nothing when its place is gone. */
function relocateDiagnostic(diagnostic: Diagnostic, program: Program): Diagnostic | undefined {
  const move = (span: Span): Span | undefined => {
    const file = program.modules.get(span.file.path)?.file;
    return file === undefined ? undefined : relocate(span, file);
  };
  const moveLabel = (label: Label): Label[] => {
    const span = move(label.span);
    return span === undefined ? [] : [{ ...label, span }];
  };
  const { primary } = diagnostic;
  if (primary === undefined) return diagnostic;
  const [moved] = moveLabel(primary);
  if (moved === undefined) return undefined;
  const edits = diagnostic.edits.map((edit) => ({ ...edit, span: move(edit.span) }));
  return {
    ...diagnostic,
    primary: moved,
    related: diagnostic.related.flatMap(moveLabel),
    edits: edits.every(({ span }) => span !== undefined)
      ? edits.flatMap(({ span, replacement }) => (span === undefined ? [] : [{ span, replacement }]))
      : [],
  };
}
