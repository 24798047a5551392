/**
 * What the documentation shows is true: programs check, tables are complete, links lead somewhere.
 * The commands that it shows are run in docs.whole.ts.
 */
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { byName, catalog, ops } from "../src/compiler/ops/index.ts";
import type { OpDefinition } from "../src/compiler/ops/op.ts";
import { blockKinds } from "../src/lang/ast.ts";
import { languageFunctionNames } from "../src/lang/builtins.ts";
import { checkProgram } from "../src/lang/check.ts";
import { DiagnosticSink } from "../src/lang/diagnostic.ts";
import { initializerNames } from "../src/lang/initializers.ts";
import { units } from "../src/lang/literals.ts";
import { loadProgram, type ModuleLoader } from "../src/lang/program.ts";
import { SourceFile } from "../src/lang/source.ts";
import { staticTypeNames } from "../src/lang/static-types.ts";
import { tensorTypeNames } from "../src/lang/tensor-types.ts";
import { reservedWords, vocabulary } from "../src/lang/tokens.ts";
import { filesUnder, readText, root } from "./support/product-files.ts";
import { outputPattern, type Snippet, snippetsOf, splitCommand, stepsOf } from "./support/snippets.ts";
import { squaredRelu } from "./support/squared-relu.ts";

const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"].flatMap((path) =>
  filesUnder(path, /\.md$/),
);
const snippets = documents.flatMap(snippetsOf);
const place = (snippet: Snippet): string => `${snippet.document}:${snippet.line}`;

/** `ossicle/…` is the library in models/; paths inside it are relative to the file. */
const loader: ModuleLoader = (specifier, from) => {
  const path = specifier.startsWith("ossicle/")
    ? `models/${specifier.slice("ossicle/".length)}`
    : normalize(join(dirname(from.path), specifier)).replaceAll("\\", "/");
  if (!path.startsWith("models/") || !existsSync(root + path)) return { ok: false, reason: "there is none" };
  return { ok: true, file: new SourceFile(path, readText(path)) };
};

function problemsOf(file: SourceFile): readonly string[] {
  const sink = new DiagnosticSink();
  const program = loadProgram(file, loader, sink);
  if (!sink.hasErrors) checkProgram(program, catalog, sink);
  return sink.sorted().map((diagnostic) => `${diagnostic.code}: ${diagnostic.message}`);
}

function problemsOfSnippet(snippet: Snippet): readonly string[] {
  return problemsOf(new SourceFile(snippet.options.get("file") ?? "snippet.oss", snippet.text));
}

describe("programs", () => {
  const programs = snippets.filter((snippet) => snippet.language === "ossicle");

  test("there are some", () => {
    expect(programs.filter((snippet) => snippet.document === "README.md").length).toBeGreaterThan(0);
    expect(programs.filter((snippet) => snippet.document === "docs/language.md").length).toBeGreaterThan(9);
  });

  test.each(programs.map((snippet) => [place(snippet), snippet] as const))("%s", (_, snippet) => {
    const wanted = snippet.options.get("error");
    const codes = problemsOfSnippet(snippet);
    if (wanted === undefined) expect(codes).toEqual([]);
    else expect(codes.map((problem) => problem.split(":", 1)[0])).toEqual([wanted]);
  });

  test("a wrong program would be seen", () => {
    const wrong = {
      ...snippetsOf({ path: "a.md", text: "```ossicle\nblock A() { forward(x: f32[N]) = y }\n```" })[0],
    };
    expect(problemsOfSnippet(wrong as Snippet)).toEqual([expect.stringMatching(/^unknown-name: /)]);
  });
});

describe("the library, which is documentation too, checks file by file", () => {
  test.each(filesUnder("models", /\.oss$/).map(({ path, text }) => [path, text] as const))(
    "%s",
    (path, text) => {
      expect(problemsOf(new SourceFile(path, text))).toEqual([]);
    },
  );
});

describe("docs/language.md", () => {
  const prose = readText("docs/language.md").replace(/^```[\s\S]*?^```/gm, "");
  const code = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "").join(" ");
  const named = new Set(code.match(/[A-Za-z_]\w*|%/g));
  const words: readonly [string, readonly string[]][] = [
    ["kinds of blocks", blockKinds],
    ["types of values", staticTypeNames],
    ["types of tensors", tensorTypeNames],
    ["units", units],
    ["functions", languageFunctionNames],
    ["initialisers", initializerNames],
    ["reserved words", [...reservedWords]],
  ];
  test.each(words)("names all %s", (_, names) => {
    expect(names.filter((name) => !named.has(name))).toEqual([]);
  });

  test("has a program for every keyword", () => {
    const keywords = vocabulary.flatMap(({ name }) => /^Keyword_(\w+)$/.exec(name)?.[1] ?? []);
    const programs = snippets.filter(
      ({ document, language }) => document === "docs/language.md" && language === "ossicle",
    );
    const used = new Set(programs.flatMap(({ text }) => text.match(/\w+/g) ?? []));
    expect(keywords.length).toBeGreaterThan(20);
    expect(keywords.filter((word) => !used.has(word))).toEqual([]);
  });
});

describe("docs/dependencies.md", () => {
  test("gives a reason for every dependency, and for no other", () => {
    const stated = { ...packageJson.dependencies, ...packageJson.devDependencies };
    const rows = [...readText("docs/dependencies.md").matchAll(/^\| `([^`]+)` \|/gm)].map(
      (match) => match[1],
    );
    expect(rows.sort()).toEqual(Object.keys(stated).sort());
  });
});

describe("CONTRIBUTING.md", () => {
  const shown = snippetsOf({ path: "CONTRIBUTING.md", text: readText("CONTRIBUTING.md") });
  const example = shown.find((snippet) => snippet.language === "ts");

  test("shows an op as it would stand in src/compiler/ops", () => {
    const written = readText("test/support/squared-relu.ts").replaceAll("../../src/compiler/ops/", "./");
    expect(example?.text).toBe(written);
  });

  test("which the registry takes and which computes what it says", () => {
    const added: readonly OpDefinition[] = [...ops, squaredRelu];
    expect(byName(added).get("squared_relu")).toBe(squaredRelu);
    const shape = [3];
    const operand = { dtype: "f32", shape, data: Float64Array.of(-2, 0, 3) } as const;
    const meter = { mac: (sum: number, a: number, b: number) => sum + a * b, add: () => {} };
    const context = { attributes: {}, results: [{ dtype: "f32", shape } as const], meter };
    expect([...(squaredRelu.reference([operand], context)[0]?.data ?? [])]).toEqual([0, 0, 9]);
  });
});

describe("links lead somewhere", () => {
  const link = /\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g;

  test.each(documents.map((document) => [document.path, document] as const))("%s", (from, { text }) => {
    const prose = text.replace(/^ *```[\s\S]*?^ *```/gm, "").replace(/`[^`\n]*`/g, "``");
    const broken = [...prose.matchAll(link)].filter(([, path = "", heading = ""]) => {
      const target = path === "" ? from : normalize(join(dirname(from), path)).replaceAll("\\", "/");
      if (!existsSync(root + target)) return true;
      return heading !== "" && !headingsOf(readText(target)).includes(heading.slice(1));
    });
    expect(broken.map((match) => match[0])).toEqual([]);
  });
});

/** As GitHub names them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

describe("reading documents", () => {
  test("snippets keep their words and their place", () => {
    const text =
      "Text\n\n```ossicle file=a.oss error=bad-unit\nlet a = 3kg\n```\n\n- item\n  ```sh\n  ossicle check a.oss\n  ```\n";
    const [first, second] = snippetsOf({ path: "a.md", text });
    expect(first).toMatchObject({ line: 3, language: "ossicle", text: "let a = 3kg\n" });
    expect(first?.options).toEqual(
      new Map([
        ["file", "a.oss"],
        ["error", "bad-unit"],
      ]),
    );
    expect(second).toMatchObject({ line: 8, language: "sh", text: "ossicle check a.oss\n" });
  });

  test("commands and what they print", () => {
    expect(stepsOf("$ a b\none\ntwo\n$ c\n")).toEqual([
      { command: "a b", output: "one\ntwo" },
      { command: "c", output: "" },
    ]);
    expect(stepsOf("a\n# why\nb\n").map((step) => step.command)).toEqual(["a", "b"]);
    expect(splitCommand("ossicle run 'a b.oss' --in x=\"[1, 2]\"")).toEqual([
      "ossicle",
      "run",
      "a b.oss",
      "--in",
      "x=[1, 2]",
    ]);
  });

  test("an output fits as a whole, with … for what varies", () => {
    expect("one 12 ms\nlast\n").toMatch(outputPattern("one … ms\nlast"));
    expect("one\n2\n3\nlast\n").toMatch(outputPattern("one\n…\nlast"));
    expect("one\nmore\n").not.toMatch(outputPattern("one"));
    expect("").toMatch(outputPattern(""));
    expect("x\n").not.toMatch(outputPattern(""));
    expect("a+b\n").toMatch(outputPattern("a+b"));
  });
});
