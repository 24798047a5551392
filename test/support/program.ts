/**
 * Programs as texts in memory.
 *
 * Owns: a loader over a few named texts, and the two things tests ask of a program: what `check` says,
 * and the graph of an entry.
 */
import { type Elaboration, elaborate } from "../../src/compiler/elaborate.ts";
import { catalog } from "../../src/compiler/ops/index.ts";
import { type CheckedModule, checkProgram } from "../../src/lang/check.ts";
import { type Diagnostic, DiagnosticError, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { loadProgram, type Program } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";

export type Texts = Readonly<Record<string, string>>;

/** Loads `text` as `main.oss`; `others` are files that it may import by `./name.oss`. */
export function programOf(text: string, others: Texts, sink: DiagnosticSink): Program {
  const files = new Map(Object.entries(others).map(([path, body]) => [path, new SourceFile(path, body)]));
  return loadProgram(
    new SourceFile("main.oss", text),
    (specifier) => {
      const file = files.get(specifier.replace(/^\.\//, ""));
      return file === undefined ? { ok: false, reason: "there is no such file" } : { ok: true, file };
    },
    sink,
  );
}

export function checkText(
  text: string,
  others: Texts = {},
): { checked: CheckedModule; diagnostics: Diagnostic[] } {
  const sink = new DiagnosticSink();
  const checked = checkProgram(programOf(text, others, sink), catalog, sink);
  return { checked, diagnostics: sink.sorted() };
}

/** The codes of what `check` reports, in source order, warnings left out. */
export function codesOf(text: string, others: Texts = {}): string[] {
  const errors = checkText(text, others).diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  return errors.map((diagnostic) => diagnostic.code);
}

/** The graph of an entry. Throws when the program has a mistake. */
export function elaborateText(
  text: string,
  request: { entry?: string; model?: string; settings?: Texts; taps?: readonly string[] } = {},
  others: Texts = {},
): Elaboration {
  const sink = new DiagnosticSink();
  const settings = new Map(Object.entries(request.settings ?? {}));
  const elaboration = elaborate(programOf(text, others, sink), { ...request, settings }, sink);
  if (elaboration === undefined) throw new DiagnosticError(sink.sorted());
  return elaboration;
}

/** The paths of the learned tensors that a graph uses. */
export function parameterPaths({ graph }: Elaboration): string[] {
  return graph.parameters.flatMap(({ source }) =>
    source.kind === "parameter" ? [source.parameter.path] : [],
  );
}

/** `logits: f32[B, 7]` for every result. */
export function outputTypes({ graph }: Elaboration): string[] {
  return graph.outputs.map(
    ({ name, value }) => `${name}: ${value.type.dtype}[${value.type.shape.join(", ")}]`,
  );
}
