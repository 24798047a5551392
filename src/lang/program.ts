/**
 * From one source file to all the modules it needs, with their top-level names bound.
 *
 * Owns: imports and top-level scopes. Reading a file is the loader's business (the command line
 * gives one that can't leave its roots); names inside blocks are the evaluator's.
 */
import { type Allowances, readAllowances } from "./allowances.ts";
import type { Declaration, ImportDeclaration, SourceUnit } from "./ast.ts";
import type { Diagnostic, DiagnosticSink } from "./diagnostic.ts";
import * as messages from "./messages.ts";
import { type ParseResult, parse } from "./parse.ts";
import { type Recovered, recoveredFrom } from "./recovered.ts";
import type { SourceFile, Span } from "./source.ts";

export interface Declared {
  readonly declaration: Declaration;
  readonly module: ModuleScope;
}

export interface ModuleScope {
  readonly file: SourceFile;
  readonly unit: SourceUnit;
  /** What the file declares and imports. A name that failed to import maps to `undefined`: already reported. */
  readonly names: ReadonlyMap<string, Declared | undefined>;
  /** Warnings that its comments silence. */
  readonly allowances: Allowances;
  /** What errors in the text took from the tree; `undefined` when there were none. */
  readonly recovered: Recovered | undefined;
}

export interface Program {
  readonly root: ModuleScope;
  /** By path, the root included. */
  readonly modules: ReadonlyMap<string, ModuleScope>;
}

export type LoadedModule =
  | { readonly ok: true; readonly file: SourceFile }
  | { readonly ok: false; readonly reason: string; readonly hint?: string };

/** Finds the text that `specifier`, written in `from`, stands for. The file's path is its identity. */
export type ModuleLoader = (specifier: string, from: SourceFile) => LoadedModule;

/**
 * Loads `rootFile` and everything it imports. Problems go to `sink`; the program is usable all the same.
 * `read` stands in for the parser where files that did not change need not be read again.
 */
export function loadProgram(
  rootFile: SourceFile,
  loader: ModuleLoader,
  sink: DiagnosticSink,
  read: (file: SourceFile) => ParseResult = parse,
): Program {
  const modules = new Map<string, ModuleScope>();
  /** Files that are being loaded, each with the import that led to it. */
  const open: { readonly path: string; readonly from: Span | undefined }[] = [];

  function load(file: SourceFile, from?: Span): ModuleScope {
    const { unit, diagnostics, comments } = read(file);
    for (const diagnostic of diagnostics) sink.report(diagnostic);
    const names = new Map<string, Declared | undefined>();
    const places = new Map<string, Span>();
    const recovered = recoveredFrom(unit, diagnostics, comments);
    const allowances = readAllowances(file, comments, (diagnostic) => {
      if (file === rootFile) sink.report(diagnostic);
    });
    const module: ModuleScope = { file, unit, names, allowances, recovered };
    modules.set(file.path, module);
    if (unit.language !== undefined && (unit.language.text !== "1" || unit.language.unit !== undefined)) {
      sink.report(messages.unknownLanguage(unit.language));
    }
    open.push({ path: file.path, from });

    const bind = (name: string, span: Span, declared: Declared | undefined): void => {
      const earlier = places.get(name);
      if (earlier !== undefined) {
        sink.report(messages.duplicateName(name, span, earlier));
        return;
      }
      places.set(name, span);
      names.set(name, declared);
    };
    for (const declaration of unit.imports) {
      const imported = importModule(declaration, file);
      for (const { name, alias } of declaration.names) {
        const found = imported?.unit.declarations.find((d) => d.name.name === name.name);
        const isLost = imported?.recovered?.lostNames.has(name.name) === true;
        if (imported !== undefined && found === undefined && !isLost) {
          const known = imported.unit.declarations
            .map((d) => d.name.name)
            .filter((known) => !known.startsWith("_"));
          sink.report(messages.unknownImport(name.name, name.span, imported.file.path, known));
        }
        if (found !== undefined && imported !== undefined && name.name.startsWith("_")) {
          sink.report(messages.privateName(name.name, name.span, imported.file.path));
        }
        const local = alias ?? name;
        bind(
          local.name,
          local.span,
          imported && found ? { declaration: found, module: imported } : undefined,
        );
      }
    }
    for (const declaration of unit.declarations) {
      bind(declaration.name.name, declaration.name.span, { declaration, module });
    }
    open.pop();
    return module;
  }

  function importModule(declaration: ImportDeclaration, from: SourceFile): ModuleScope | undefined {
    const found = loader(declaration.from.value, from);
    if (!found.ok) {
      sink.report(importFailed(declaration, found));
      return undefined;
    }
    const start = open.findIndex(({ path }) => path === found.file.path);
    if (start >= 0) {
      const inner = open.slice(start + 1).flatMap(({ from: place }) => place ?? []);
      sink.report(messages.importCycle([...inner, declaration.from.span]));
      return undefined;
    }
    if (open.length >= maximumImportDepth) {
      sink.report(messages.importTooDeep(declaration.from.span, maximumImportDepth));
      return undefined;
    }
    return modules.get(found.file.path) ?? load(found.file, declaration.from.span);
  }

  const root = load(rootFile);
  return { root, modules };
}

/** Far beyond any real model; keeps a hostile chain of files from exhausting the stack. */
const maximumImportDepth = 100;

function importFailed(
  declaration: ImportDeclaration,
  failure: { readonly reason: string; readonly hint?: string },
): Diagnostic {
  return messages.importFailed(declaration.from.value, declaration.from.span, failure.reason, failure.hint);
}
