import { describe, expect, test } from "vitest";
import type { Diagnostic, Label } from "../../src/lang/diagnostic.ts";
import { diagnosticToJson, renderDiagnostic } from "../../src/lang/render.ts";
import { SourceFile } from "../../src/lang/source.ts";

const escapeCode = "\u001b";

/** A label on the first place where `part` stands in a file. */
function label(file: SourceFile, part: string, text: string): Label {
  const start = file.text.indexOf(part);
  if (start < 0) throw new Error(`${part} is not in the text`);
  return { span: file.span(start, start + part.length), text };
}

function diagnostic(changes: Partial<Diagnostic>): Diagnostic {
  return {
    code: "shape-mismatch",
    severity: "error",
    message: "The shapes do not fit.",
    related: [],
    notes: [],
    edits: [],
    ...changes,
  };
}

const plain = (changes: Partial<Diagnostic>) =>
  renderDiagnostic(diagnostic(changes), { color: false }).split("\n");

const file = new SourceFile("models/a.oss", "block A {\n  forward(x: f32[n]) = f(x)\n}\n");

describe("frames", () => {
  test("an error with everything", () => {
    const other = new SourceFile("models/b.oss", `${"\n".repeat(122)}let width = 768`);
    expect(
      plain({
        primary: label(file, "f(x)", "this is f32[n]"),
        related: [label(file, "x: f32", "x comes in here"), label(other, "width", "the width is set here")],
        notes: ["expected f32[768]", "found f32[n]"],
        hint: "make the width a parameter",
      }),
    ).toEqual([
      "error[shape-mismatch]: The shapes do not fit.",
      "   --> models/a.oss:2:24",
      "    |",
      "  2 |   forward(x: f32[n]) = f(x)",
      "    |                        ^^^^ this is f32[n]",
      "    |           ------ x comes in here",
      "   ::: models/b.oss:123:5",
      "    |",
      "123 | let width = 768",
      "    |     ----- the width is set here",
      "    |",
      "    = note: expected f32[768]",
      "    = note: found f32[n]",
      "    = help: make the width a parameter",
    ]);
  });

  test("far lines of one file have a frame each", () => {
    const lines = plain({
      primary: label(file, "f(x)", ""),
      related: [label(file, "block", "in this block")],
    });
    expect(lines.slice(1)).toEqual([
      " --> models/a.oss:2:24",
      "  |",
      "2 |   forward(x: f32[n]) = f(x)",
      "  |                        ^^^^",
      " ::: models/a.oss:1:1",
      "  |",
      "1 | block A {",
      "  | ----- in this block",
    ]);
  });

  test("without a place there is no frame", () => {
    expect(plain({ severity: "warning", notes: ["a\nb"] })).toEqual([
      "warning[shape-mismatch]: The shapes do not fit.",
      "  = note: a",
      "          b",
    ]);
  });

  test("a span over several lines shows its first and goes on", () => {
    const lines = plain({ primary: { span: file.span(8, file.text.length), text: "all this" } });
    expect(lines.slice(3)).toEqual(["1 | block A {", "  |         ^… all this"]);
  });

  test("a span of no width, the end of the file, and an empty file", () => {
    expect(plain({ primary: { span: file.span(5, 5), text: "" } }).at(-1)).toBe("  |      ^");
    const end = plain({ primary: { span: file.span(999, 999), text: "here" } });
    expect(end.slice(1)).toEqual([" --> models/a.oss:4:1", "  |", "4 |", "  | ^ here"]);
    const empty = new SourceFile("e.oss", "");
    expect(plain({ primary: { span: empty.span(0, 0), text: "" } }).slice(3)).toEqual(["1 |", "  | ^"]);
  });

  test("line ends of Windows leave no trace", () => {
    const windows = new SourceFile("w.oss", "let a = 1\r\nlet b = c\r\n");
    const lines = plain({ primary: label(windows, "c", "unknown") });
    expect(lines.slice(1)).toEqual([" --> w.oss:2:9", "  |", "2 | let b = c", "  |         ^ unknown"]);
    const over = plain({ primary: { span: windows.span(8, 15), text: "" } });
    expect(over.slice(3)).toEqual(["1 | let a = 1", "  |         ^…"]);
  });
});

describe("columns", () => {
  const marked = (text: string, part: string) => {
    const [, , , line = "", marks = ""] = plain({ primary: label(new SourceFile("t.oss", text), part, "") });
    return [line, marks];
  };

  test("tabs are set out to stops", () => {
    expect(marked("\tlet\tx = y", "y")).toEqual(["1 |     let x = y", "  |             ^"]);
    expect(marked("a\tb", "\tb")).toEqual(["1 | a   b", "  |  ^^^^"]);
  });

  test("wide and combining characters take the room they take", () => {
    expect(marked('"日本" + x', "x")).toEqual(['1 | "日本" + x', "  |          ^"]);
    expect(marked('"e\u0301" + x', "x")).toEqual(['1 | "e\u0301" + x', "  |       ^"]);
    expect(marked('"\u{1F600}" + x', "\u{1F600}")).toEqual(['1 | "\u{1F600}" + x', "  |  ^^"]);
  });

  test("a long line is shown around the span", () => {
    const [line = "", marks = ""] = marked(`${"a + ".repeat(100)}HERE${" + b".repeat(100)}`, "HERE");
    expect(line.length).toBeLessThanOrEqual(4 + 102);
    expect(line.startsWith("1 | …")).toBe(true);
    expect(line.endsWith("…")).toBe(true);
    expect(line.slice(marks.indexOf("^"), marks.lastIndexOf("^") + 1)).toBe("HERE");
  });

  test("a long line with the span at either end", () => {
    const [first = "", firstMarks = ""] = marked(`HERE${" + b".repeat(100)}`, "HERE");
    expect([first.slice(0, 8), first.at(-1), firstMarks]).toEqual(["1 | HERE", "…", "  | ^^^^"]);
    const [last = "", lastMarks = ""] = marked(`${"a + ".repeat(100)}HERE`, "HERE");
    expect(last.slice(lastMarks.indexOf("^"))).toBe("HERE");
  });

  test("a span that is longer than the frame is cut", () => {
    const [line = "", marks = ""] = marked("x".repeat(500), "x".repeat(500));
    expect([line.length, marks]).toEqual([4 + 101, `  | ${"^".repeat(100)}…`]);
  });

  test("a line of millions of characters costs no time", () => {
    const text = "a".repeat(5_000_000);
    const start = performance.now();
    renderDiagnostic(
      diagnostic({ primary: { span: new SourceFile("t", text).span(4_000_000, 4_000_001), text: "" } }),
      {
        color: false,
      },
    );
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("the terminal", () => {
  const colored = (changes: Partial<Diagnostic>) => renderDiagnostic(diagnostic(changes), { color: true });
  const full = { primary: label(file, "f(x)", "here"), notes: ["a note"], hint: "a hint" };

  test("colors change nothing but colors", () => {
    const text = colored(full);
    expect(text).toContain(`${escapeCode}[1;31merror[shape-mismatch]${escapeCode}[0m`);
    expect(text).toContain(`${escapeCode}[1;31m^^^^ here${escapeCode}[0m`);
    expect(colored({ ...full, severity: "warning" })).toContain(`${escapeCode}[1;33mwarning`);
    const stripped = text.replaceAll(new RegExp(`${escapeCode}\\[[0-9;]*m`, "g"), "");
    expect(stripped).toBe(plain(full).join("\n"));
  });

  test("without color there is no escape code, whatever the text holds", () => {
    const evil = new SourceFile(`${escapeCode}[2J.oss`, `let x = "${escapeCode}[31m\u202e"`);
    const text = plain({
      message: `Bad ${escapeCode}[31m.`,
      primary: label(evil, "let", `${escapeCode}[0m`),
      notes: [`${escapeCode}c`],
    }).join("\n");
    expect(text).not.toContain(escapeCode);
    expect(text).not.toContain("\u202e");
  });
});

describe("JSON", () => {
  test("has every key, positions from 1 and offsets from 0", () => {
    const primary = label(file, "f(x)", "here");
    const json = diagnosticToJson(
      diagnostic({
        primary,
        related: [label(file, "block", "in")],
        notes: ["n"],
        hint: "h",
        edits: [{ span: primary.span, replacement: "g(x)" }],
      }),
    );
    const place = {
      file: "models/a.oss",
      start: { line: 2, column: 24, offset: 33 },
      end: { line: 2, column: 28, offset: 37 },
    };
    expect(JSON.parse(JSON.stringify(json))).toEqual({
      code: "shape-mismatch",
      severity: "error",
      message: "The shapes do not fit.",
      primary: { ...place, text: "here" },
      related: [
        {
          file: "models/a.oss",
          start: { line: 1, column: 1, offset: 0 },
          end: { line: 1, column: 6, offset: 5 },
          text: "in",
        },
      ],
      notes: ["n"],
      hint: "h",
      edits: [{ ...place, replacement: "g(x)" }],
    });
  });

  test("keeps the keys of what is absent", () => {
    expect(diagnosticToJson(diagnostic({}))).toEqual({
      code: "shape-mismatch",
      severity: "error",
      message: "The shapes do not fit.",
      primary: null,
      related: [],
      notes: [],
      hint: null,
      edits: [],
    });
  });
});
