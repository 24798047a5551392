/**
 * A file that is edited is checked in parts; what comes out must be what a fresh check says.
 */
import { describe, expect, test } from "vitest";
import { catalog } from "../../src/compiler/ops/index.ts";
import { checkProgram } from "../../src/lang/check.ts";
import { type Diagnostic, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { loadProgram } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { Analysis } from "../../src/server/analysis.ts";
import { randomNumbers } from "../support/samples.ts";
import { libraryFolder, libraryText, loaderOf } from "./library.ts";

const loader = loaderOf(() => undefined);
const path = `${libraryFolder}/main.oss`;

function fresh(text: string): readonly string[] {
  const sink = new DiagnosticSink();
  checkProgram(loadProgram(new SourceFile(path, text), loader, sink), catalog, sink);
  return sink.sorted().map(written);
}

function written({ code, message, primary, related, edits }: Diagnostic): string {
  const place = (span = primary?.span) => `${span?.file.path}:${span?.start}-${span?.end}`;
  const labels = related.map((label) => `${place(label.span)} ${label.text}`);
  const changes = edits.map((edit) => `${place(edit.span)}=${edit.replacement}`);
  return [place(), code, message, primary?.text, ...labels, ...changes].join(" | ");
}

function edited(analysis: Analysis, text: string): readonly string[] {
  analysis.update(new SourceFile(path, text), loader, new Map());
  while (analysis.isPending) analysis.work(() => true);
  return analysis.diagnostics().map(written);
}

/** A small file of its own, with everything that jobs depend on. */
const small = `import { Linear } from "ossicle/blocks/linear.oss"

let wide = 8

/// Doubles.
block Twice(width: int) {
  inner = Linear(width, 2 * width)
  forward(x: f32[B, width]) -> f32[B, 2 * width] = x |> inner
}

block Shift(by: real = 1) {
  forward(x: f32[B, N]) -> f32[B, N] = x + by
}

model Small(width: int = wide) {
  input x: f32[B, width]
  twice = Twice(width)
  entry run(x) -> y: f32[B, 2 * width] = x |> twice |> Shift()
}

model Tiny() = Small(width: 4)
`;

describe("after an edit", () => {
  const steps: readonly [string, string, string][] = [
    ["in a block that a model uses", "Linear(width, 2 * width)", "Linear(width, 3 * width)"],
    ["that renames a block", "block Shift", "block Shifted"],
    ["that moves everything", "let wide", "// a line\n// more\nlet wide"],
    ["in a constant", "wide = 8", 'wide = "8"'],
    ["that breaks a declaration", "model Tiny() =", "model Tiny( ="],
    ["that loses an import", "import { Linear }", "import { Lin }"],
    ["that leaves something unused", "x |> twice |> Shift()", "x |> twice"],
    ["that repeats a name", "block Shift(by: real = 1)", "block Twice(by: real = 1)"],
    ["that loses a brace", "|> inner\n}", "|> inner\n"],
  ];

  test.each(steps)("%s, the result is that of a fresh check", (_, from, to) => {
    const analysis = new Analysis(catalog);
    expect(edited(analysis, small)).toEqual([]);
    const changed = small.replace(from, to);
    expect(changed).not.toBe(small);
    const found = edited(analysis, changed);
    expect(found).toEqual(fresh(changed));
    expect(edited(analysis, small)).toEqual([]);
  });

  test("of random kinds, one after the other, it stays so", { timeout: 60_000 }, () => {
    const random = randomNumbers(7);
    const analysis = new Analysis(catalog);
    let text = small;
    let mistakes = 0;
    for (let i = 0; i < 60; i++) {
      const at = Math.floor(random() * text.length);
      const cut = Math.floor(random() * 6);
      const pieces = ["", "x", " width", "}", "{", "(", '"', "\n", "Twice", " 2 ", "//", ": int", "f32[N]"];
      const piece = pieces[Math.floor(random() * pieces.length)] ?? "";
      text = i % 4 === 3 ? small : text.slice(0, at) + piece + text.slice(at + cut);
      const found = edited(analysis, text);
      expect(found, text).toEqual(fresh(text));
      mistakes += found.length;
    }
    expect(mistakes).toBeGreaterThan(60);
  });
});

describe("while work is left", () => {
  test("the mistake in the block that is edited shows first, and others stay where they were", () => {
    const analysis = new Analysis(catalog);
    const text = small.replace("width: 4", "width: four");
    expect(edited(analysis, text)).toHaveLength(1);
    const both = text.replace("x + by", "x + bye");
    analysis.update(new SourceFile(path, both), loader, new Map());
    analysis.work(() => analysis.isEditChecked);
    expect(analysis.isPending).toBe(true);
    const found = analysis.diagnostics();
    expect(found.map(({ code }) => code)).toEqual(["unknown-name", "unknown-name"]);
    expect(found.map(({ primary }) => both.slice(primary?.span.start, primary?.span.end))).toEqual([
      "bye",
      "four",
    ]);
  });

  test("a change elsewhere runs no model again", () => {
    const analysis = new Analysis(catalog);
    const text = libraryText("classifiers/ast.oss").replaceAll('"../', '"ossicle/');
    edited(analysis, text);
    const file = new SourceFile(path, text.replace("// Audio", "// More audio"));
    analysis.update(file, loader, new Map());
    expect(analysis.isPending).toBe(false);
    analysis.update(new SourceFile(path, `${text}\nblock More() {}\n`), loader, new Map());
    let steps = 0;
    while (analysis.isPending) {
      analysis.work(() => true);
      steps += 1;
    }
    expect(steps).toBe(1);
  });
});

describe("settings", () => {
  test("set the parameters of every model that has them, and of one by its name", () => {
    const analysis = new Analysis(catalog);
    const file = new SourceFile(path, small);
    const place = file.span(small.indexOf("x |> twice"), small.indexOf("x |> twice") + 1);
    const shape = (settings: readonly [string, string][]): string[] => {
      analysis.update(file, loader, new Map(settings));
      analysis.work(() => false);
      return analysis
        .valuesByModels(place)
        .map((value) => (value.kind === "tensor" ? value.type.shape.join() : ""));
    };
    expect(shape([])[0]).toBe("B,8");
    expect(shape([["width", "16"]])[0]).toBe("B,16");
    expect(
      shape([
        ["Small.width", "32"],
        ["width", "16"],
      ])[0],
    ).toBe("B,32");
    expect(shape([["Other.width", "32"]])[0]).toBe("B,8");
    expect(shape([["width", "many"]])).toEqual(["B,4"]);
    expect(analysis.diagnostics().map(({ code }) => code)).toEqual(["bad-setting"]);
  });
});
