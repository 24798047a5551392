/**
 * What a program computes does not depend on its layout: the library with its lines moved about gives,
 * as it is and formatted, the same graphs.
 */
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { elaborate, entryNames } from "../../src/compiler/elaborate.ts";
import { printGraph } from "../../src/compiler/graph-text.ts";
import { DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { format } from "../../src/lang/format.ts";
import { loadProgram } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { library } from "../support/check-text.ts";
import { reducedModels } from "../support/reduced-models.ts";
import { reducedSources } from "../support/reduced-sources.ts";

/** Indented by chance, with empty lines between and more space around signs. */
function unkempt(text: string): string {
  const lines = text.split("\n").map((line, i) => {
    if (/^\s*\/\//.test(line) || line.includes('"')) return `${" ".repeat(i % 7)}${line.trim()}`;
    return `${" ".repeat(i % 11)}${line.trim().replace(/ = /g, "   =  ").replace(/, /g, " ,  ")}`;
  });
  return lines.join("\n");
}

function formatted(path: string, text: string): string {
  const { text: result, diagnostics } = format(new SourceFile(path, text));
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return result ?? "";
}

const path = "models/test/case.oss";

function graphsOf(source: string, layout: (path: string, text: string) => string): string[] {
  const texts = new Map(library.map((file) => [file.path, layout(file.path, file.text)]));
  const sink = new DiagnosticSink();
  const program = loadProgram(
    new SourceFile(path, layout(path, source)),
    (specifier, from) => {
      const wanted = specifier.startsWith("ossicle/")
        ? specifier.replace("ossicle/", "models/")
        : join(dirname(from.path), specifier);
      const text = texts.get(wanted);
      return text === undefined
        ? { ok: false, reason: "there is none" }
        : { ok: true, file: new SourceFile(wanted, text) };
    },
    sink,
  );
  const request = { model: "Case", settings: new Map<string, string>() };
  const names = entryNames(program, request, sink) ?? [];
  const graphs = names.flatMap((entry) => elaborate(program, { ...request, entry }, sink)?.graph ?? []);
  if (sink.hasErrors) throw new DiagnosticError(sink.sorted());
  return graphs.map(printGraph);
}

const cases = reducedModels.map(
  ({ model, note }, i) => [`${model}, ${note}`, reducedSources[i] ?? ""] as const,
);

test.each(cases)("%s", { timeout: 60_000 }, (_, source) => {
  const asItIs = graphsOf(source, (_path, text) => unkempt(text));
  const afterwards = graphsOf(source, (place, text) => formatted(place, unkempt(text)));
  expect(asItIs.length).toBeGreaterThan(0);
  expect(afterwards).toEqual(asItIs);
});
