import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openSourceTree } from "../../src/cli/modules.ts";
import { elaborate } from "../../src/compiler/elaborate.ts";
import { printGraph } from "../../src/compiler/graph-text.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { format } from "../../src/lang/format.ts";
import { loadProgram } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { lex } from "../../src/lang/tokens.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

const rough = "// A block.\nblock A(){ let a=1   // one\n}\n";
const smooth = "// A block.\nblock A() {\n  let a = 1 // one\n}\n";

describe("ossicle fmt", () => {
  let folder = "";
  const at = (name: string) => join(folder, name);
  const content = (name: string) => readFileSync(at(name), "utf8");
  beforeEach(() => {
    folder = temporaryFolder();
  });

  test("rewrites what is not canonical and leaves the rest alone", async () => {
    writeFileSync(at("rough.oss"), rough);
    writeFileSync(at("smooth.oss"), smooth);
    chmodSync(at("rough.oss"), 0o640);
    const before = statSync(at("smooth.oss")).mtimeMs;
    const { status, stdout, stderr } = await runHere(["fmt", at("rough.oss"), at("smooth.oss")]);
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `formatted ${at("rough.oss")}\n`,
      stderr: "",
    });
    expect(content("rough.oss")).toBe(smooth);
    expect(statSync(at("rough.oss")).mode & 0o777).toBe(0o640);
    expect(statSync(at("smooth.oss")).mtimeMs).toBe(before);
  });

  test("goes through folders, but not hidden ones, installed packages or linked folders", async () => {
    for (const inner of ["deep/er", ".hidden", "node_modules/x"]) mkdirSync(at(inner), { recursive: true });
    const names = ["a.oss", "deep/er/b.oss", ".hidden/c.oss", "node_modules/x/d.oss", "deep/e.txt"];
    for (const name of names) writeFileSync(at(name), rough);
    symlinkSync(folder, at("deep/loop"));
    const { status, stdout } = await runHere(["fmt", folder, at("a.oss"), "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      command: "fmt",
      ok: true,
      files: [
        { path: at("a.oss"), changed: true, ok: true },
        { path: at("deep/er/b.oss"), changed: true, ok: true },
      ],
    });
    expect(content(".hidden/c.oss")).toBe(rough);
    expect(content("node_modules/x/d.oss")).toBe(rough);
    expect(content("deep/e.txt")).toBe(rough);
  });

  test("--check changes nothing, lists what would change and fails", async () => {
    writeFileSync(at("rough.oss"), rough);
    writeFileSync(at("smooth.oss"), smooth);
    const { status, stdout } = await runHere(["fmt", "--check", folder]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: `${at("rough.oss")}\n` });
    expect(content("rough.oss")).toBe(rough);
    const json = await runHere(["fmt", "--check", folder, "--json"]);
    expect(json.status).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, diagnostics: [] });
    expect((await runHere(["fmt", "--check", at("smooth.oss")])).status).toBe(0);
  });

  test("leaves a file with mistakes alone, says what they are, and goes on", async () => {
    const broken = "block A( {\n";
    writeFileSync(at("a.oss"), broken);
    writeFileSync(at("b.oss"), rough);
    const { status, stdout, stderr } = await runHere(["fmt", folder]);
    expect(status).toBe(1);
    expect(stdout).toBe(`formatted ${at("b.oss")}\n`);
    expect(stderr).toContain(`${at("a.oss")}:1`);
    expect(content("a.oss")).toBe(broken);
    expect(content("b.oss")).toBe(smooth);
  });

  test.each([
    ["a file that is not there", "none.oss", "file-not-found"],
    ["a folder without sources", "empty", "no-source-files"],
    ["what is no text", "binary.oss", "file-not-text"],
  ])("%s", async (_, name, code) => {
    mkdirSync(at("empty"));
    writeFileSync(at("binary.oss"), Uint8Array.of(0xff, 0xfe));
    const { status, stdout } = await runHere(["fmt", at(name), "--json"]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ code }] });
  });

  test("wrong usage", async () => {
    expect((await runHere(["fmt"])).status).toBe(2);
    expect((await runHere(["fmt", "-", at("a.oss")])).status).toBe(2);
  });
});

// ---------------------------------------------------------------- meaning

/** The same text with its spaces and empty lines elsewhere; line breaks stay where they are. */
function mangled(text: string): string {
  const { tokens, comments } = lex(text);
  const parts = [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset);
  let end = 0;
  return parts
    .map(({ startOffset, image }, index) => {
      const between = text.slice(end, startOffset);
      end = startOffset + image.length;
      const lines = between.split("\n").length - 1;
      if (lines === 0) return `${between === "" ? "" : " ".repeat(1 + (index % 3))}${image}`;
      return `${"\n".repeat(lines === 1 ? 1 + (index % 2) : 1)}${" ".repeat(index % 5)}${image}`;
    })
    .join("");
}

function graphsOf(path: string, settings: ReadonlyMap<string, string>, change: (text: string) => string) {
  const sink = new DiagnosticSink();
  const { root, loader } = openSourceTree(path, undefined);
  const changed = (file: SourceFile) => new SourceFile(file.path, change(file.text));
  const files = new Map([[root.path, root]]);
  const program = loadProgram(
    changed(root),
    (specifier, from) => {
      const loaded = loader(specifier, files.get(from.path) ?? from);
      if (!loaded.ok) return loaded;
      files.set(loaded.file.path, loaded.file);
      return { ok: true, file: changed(loaded.file) };
    },
    sink,
  );
  const elaboration = elaborate(program, { settings }, sink);
  expect(sink.sorted().map((d) => d.message)).toEqual([]);
  if (elaboration === undefined) throw new Error("nothing was elaborated");
  return printGraph(elaboration.graph);
}

describe("formatting changes no graph", () => {
  test.each([
    ["ossicle/frontends/kaldi-fbank.oss", {}],
    ["ossicle/classifiers/ast.oss", { depth: "2", at: "[0]", keep: "50%" }],
    ["ossicle/classifiers/audiomae.oss", { depth: "2", at: "[0]", keep: "50%", order: "original" }],
  ])("%s", (path, settings) => {
    const given = new Map(Object.entries(settings));
    const graph = graphsOf(path, given, (text) => text);
    const again = graphsOf(path, given, (text) => {
      const rough = mangled(text);
      expect(rough).not.toBe(text);
      return format(new SourceFile("mangled.oss", rough)).text ?? "";
    });
    expect(graph.length).toBeGreaterThan(1000);
    expect(again).toBe(graph);
  });
});
