/**
 * What names stand for, held to the library: every name of it leads somewhere, and giving one another
 * name changes nothing else.
 */
import { describe, expect, test } from "vitest";
import { catalog } from "../../src/compiler/ops/index.ts";
import { checkProgram } from "../../src/lang/check.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { loadProgram } from "../../src/lang/program.ts";
import { SourceFile, type Span } from "../../src/lang/source.ts";
import { Meanings } from "../../src/server/meanings.ts";
import { namesOf } from "../../src/server/readings.ts";
import { pointedAt } from "../../src/server/references.ts";
import { rename } from "../../src/server/rename.ts";
import { Workspace } from "../../src/server/workspace.ts";
import { randomNumbers } from "../support/samples.ts";
import { libraryFiles, libraryFolder } from "./library.ts";
import { MemoryHost } from "./memory-host.ts";

/** The library as files of a project, which may be changed. */
const project: Readonly<Record<string, string>> = Object.fromEntries(
  [...libraryFiles].map(([path, { text }]) => [path.replace(libraryFolder, "/project"), text]),
);

function opened(texts: Readonly<Record<string, string>>): { workspace: Workspace; meanings: Meanings } {
  const workspace = new Workspace(new MemoryHost(texts), catalog);
  workspace.folders = ["/project"];
  return { workspace, meanings: new Meanings(workspace) };
}

describe("every name of the library", () => {
  /** Uses on what only a value tells: the base of an adapter, or a parameter that takes any block. */
  const open = /\b(?:base|indices)\b/;
  const takesBlocks = /: (?:block|encoder|policy|connector|decoder|frontend|model|function)\b/;

  test.each(Object.keys(project))("%s", (path) => {
    const { workspace, meanings } = opened(project);
    const document = workspace.edit(`file://${path}`, 1, project[path] ?? "");
    workspace.refresh(document);
    document.analysis.work(() => false);
    const names = namesOf(document.file);
    const isOpen = takesBlocks.test(document.file.text);
    const lost = names.occurrences.filter((occurrence) => {
      if (meanings.target(occurrence, names) !== undefined) return false;
      const { kind } = occurrence.meaning;
      if (isOpen && (kind === "member" || kind === "argument")) return false;
      const line = document.file.line(document.file.position(occurrence.span.start).line);
      return !open.test(line) && !/^\s*generate\b/.test(line);
    });
    const written = lost.map(({ name, span }) => `${name}, line ${document.file.position(span.start).line}`);
    expect(written).toEqual([]);
  });
});

describe("after a rename", () => {
  /** Paths of parts are also written in strings and budgets, which a rename leaves alone. */
  const kept = new Set(["part", "tensor", "entry", "input"]);

  test("every file says what it said", { timeout: 170_000 }, () => {
    const random = randomNumbers(11);
    const paths = Object.keys(project);
    let done = 0;
    for (let i = 0; i < 300 && done < 15; i++) {
      const path = paths[Math.floor(random() * paths.length)] ?? "";
      const { workspace, meanings } = opened(project);
      const file = workspace.source(path);
      if (file === undefined) continue;
      const names = namesOf(file);
      const occurrence = names.occurrences[Math.floor(random() * names.occurrences.length)];
      if (occurrence === undefined) continue;
      const pointed = pointedAt(names, occurrence.span.start, workspace, meanings);
      const target = pointed?.target;
      if (target?.kind === "named" && kept.has(target.named.kind)) continue;
      // Sites and their fields are the library's own too.
      const found = rename(pointed, /^[A-Z]/.test(occurrence.name) ? "Zebra" : "zebra", workspace, meanings);
      if (!found.ok || found.spans.length === 0) continue;
      done += 1;
      const changed = applied(found.spans, /^[A-Z]/.test(occurrence.name) ? "Zebra" : "zebra");
      const what = `${occurrence.name} of ${path}`;
      for (const one of new Set(found.spans.map(({ file: { path: place } }) => place))) {
        expect(mistakes(one, changed), `${what}, in ${one}`).toEqual(mistakes(one, project));
      }
    }
    expect(done).toBe(15);
  });
});

function applied(spans: readonly Span[], newName: string): Readonly<Record<string, string>> {
  const texts = { ...project };
  for (const { file, start, end } of [...spans].sort((a, b) => b.start - a.start)) {
    const text = texts[file.path] ?? "";
    texts[file.path] = text.slice(0, start) + newName + text.slice(end);
  }
  return texts;
}

function mistakes(path: string, texts: Readonly<Record<string, string>>): readonly string[] {
  const sink = new DiagnosticSink();
  const { workspace } = opened(texts);
  checkProgram(loadProgram(new SourceFile(path, texts[path] ?? ""), workspace.loader, sink), catalog, sink);
  return sink.sorted().map(({ code }) => code);
}
