/**
 * Fixtures of diagnostics: a folder for each code, a source file for each case, and beside it the
 * text that a user reads.
 *
 * Owns: finding cases, checking them as the command line does, and the form of the text. Paths are
 * shown from the case's own folder, so that the text is the same everywhere. A case may begin with
 * the command that it is checked by: `// $ ossicle check case.oss --set keep=2`.
 */
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { openSourceTree } from "../../src/cli/modules.ts";
import { checkBudgets } from "../../src/compiler/cost/budget.ts";
import { catalog } from "../../src/compiler/ops/index.ts";
import { checkProgram } from "../../src/lang/check.ts";
import { type Diagnostic, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { loadProgram, type ModuleLoader } from "../../src/lang/program.ts";
import { renderDiagnostic } from "../../src/lang/render.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { root } from "./product-files.ts";

export const fixtureRoot = "test/fixtures/errors";

export interface ErrorCase {
  readonly folder: string;
  readonly name: string;
  /** From the root of the repository. */
  readonly path: string;
  /** Of the expected text. */
  readonly textPath: string;
}

/** Files that cases import lie in folders of their own, below the cases. */
export function errorCases(): ErrorCase[] {
  const folders = readdirSync(root + fixtureRoot, { withFileTypes: true });
  return folders
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .flatMap((folder) =>
      readdirSync(`${root}${fixtureRoot}/${folder}`)
        .filter((file) => file.endsWith(".oss"))
        .sort()
        .map((file) => {
          const name = basename(file, ".oss");
          const path = `${fixtureRoot}/${folder}/${name}`;
          return { folder, name, path: `${path}.oss`, textPath: `${path}.txt` };
        }),
    );
}

/** Checks a file, or `text` in its place. */
export function diagnose(path: string, text?: string): Diagnostic[] {
  const folder = `${dirname(root + path)}/`;
  const tree = openSourceTree(root + path, folder);
  const originals = new Map<string, SourceFile>();
  const show = (file: SourceFile, replacement?: string): SourceFile => {
    const fromRoot = file.path.replace(root, "");
    const shown = fromRoot.startsWith("models/")
      ? fromRoot.replace("models/", "ossicle/")
      : fromRoot.replace(`${dirname(path)}/`, "");
    originals.set(shown, file);
    return new SourceFile(shown, replacement ?? file.text);
  };
  const loader: ModuleLoader = (specifier, from) => {
    const loaded = tree.loader(specifier, originals.get(from.path) ?? from);
    return loaded.ok ? { ok: true, file: show(loaded.file) } : loaded;
  };
  const sink = new DiagnosticSink();
  const program = loadProgram(show(tree.root, text), loader, sink);
  const request = requestOf(program.root.file.text);
  const { entries } = checkProgram(program, catalog, sink, request);
  if (!sink.hasErrors) {
    const models = [...new Set(entries.map(({ model }) => model))];
    const requests = models.map((model, i) => ({ model, settings: i === 0 ? request.settings : new Map() }));
    checkBudgets(program, requests, sink);
  }
  return sink.sorted();
}

function requestOf(text: string): {
  readonly settings: ReadonlyMap<string, string>;
  readonly model: string | undefined;
} {
  const [, command = ""] = /^\/\/ \$ ossicle check \S+(.*)/.exec(text) ?? [];
  const settings = new Map<string, string>();
  for (const [, name = "", value = ""] of command.matchAll(/--set (\w+)=(\S+)/g)) settings.set(name, value);
  const model = /--model (\S+)/.exec(command)?.[1];
  return { settings, model };
}

export function renderAll(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${renderDiagnostic(diagnostic, { color: false })}\n`).join("\n");
}

/** The text of a file with a diagnostic's edits applied. */
export function withEdits(text: string, diagnostic: Diagnostic): string {
  const edits = [...diagnostic.edits].sort((a, b) => b.span.start - a.span.start);
  let edited = text;
  for (const { span, replacement } of edits) {
    edited = edited.slice(0, span.start) + replacement + edited.slice(span.end);
  }
  return edited;
}
