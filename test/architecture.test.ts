/**
 * The architecture, held by a test: who imports whom, where packages are used, what a file may be.
 *
 * The second half shows each rule a file that breaks it, so that no rule goes quiet.
 */
import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { filesUnder } from "./support/product-files.ts";
import * as rules from "./support/source-rules.ts";
import { importsOf, maskText, type SourceText } from "./support/source-text.ts";

const typescript = /\.ts$/;
const source = filesUnder("src", typescript);
const tests = filesUnder("test", typescript);
const product = filesUnder("");

describe("src/", () => {
  test("there are files to look at", () => {
    expect(source.length).toBeGreaterThan(80);
    expect(source.flatMap(importsOf).length).toBeGreaterThan(300);
    expect(product.length).toBeGreaterThan(source.length + tests.length);
  });

  const held: readonly [string, rules.Rule][] = [
    ["imports lead to files", rules.importsResolve],
    ["imports go right and down", rules.importDirections],
    ["what the runtime shares loads nothing", rules.leavesAreLeaves],
    ["nothing loads itself", rules.noCycles],
    ["each package is used in its one place", rules.packagesInPlace],
    ["Node's globals stay in src/cli/", rules.noGlobals],
    ["no computed imports", rules.noComputedImport],
    ["no pass asks which op it is", rules.noOpByName],
  ];
  test.each(held)("%s", (_, rule) => {
    expect(rule(source)).toEqual([]);
  });

  test("every dependency is used", () => {
    // onnx-proto loads protobufjs; it is listed to choose a safe version.
    const listed = Object.keys(packageJson.dependencies).filter((name) => name !== "protobufjs");
    expect(rules.unusedPackages(listed, source)).toEqual([]);
  });
});

describe("editors/", () => {
  const extensions = filesUnder("editors", typescript);
  const held: readonly [string, rules.Rule][] = [
    ["an extension loads nothing of the server", rules.editorsApart],
    ["files begin by saying what they own", rules.headers],
    ["no `any`", rules.noAny],
    ["no `!` after a value", rules.noNonNull],
    ["no default exports", rules.noDefaultExport],
    ["files are short", rules.shortFiles],
  ];
  test.each(held)("%s", (_, rule) => {
    expect(extensions.length).toBeGreaterThan(0);
    expect(rule(extensions)).toEqual([]);
  });
});

describe("src/ and test/", () => {
  const held: readonly [string, rules.Rule][] = [
    ["files are short", rules.shortFiles],
    ["names say what is inside", rules.fileNames],
    ["no `any`", rules.noAny],
    ["no `!` after a value", rules.noNonNull],
    ["no default exports", rules.noDefaultExport],
    ["no test runs alone", rules.noFocusedTest],
  ];
  test.each(held)("%s", (_, rule) => {
    expect(rule([...source, ...tests])).toEqual([]);
  });

  test("files begin by saying what they own", () => {
    expect(rules.headers(source)).toEqual([]);
  });
});

describe("all of the product", () => {
  test("holds nothing of the machine it was written on", () => {
    expect(rules.noMachineWords(product)).toEqual([]);
  });

  test("is finished", () => {
    expect(rules.noUnfinished(product)).toEqual([]);
  });
});

// ---------------------------------------------------------------- the rules themselves

const file = (path: string, text: string): SourceText => ({ path, text });

describe("a rule speaks up", () => {
  const broken: readonly [string, rules.Rule, readonly SourceText[], string][] = [
    [
      "lang imports the compiler",
      rules.importDirections,
      [file("src/lang/a.ts", 'import type { Graph } from "../compiler/graph.ts";')],
      "lang may not import types of src/compiler/graph.ts",
    ],
    [
      "the compiler imports the runtime",
      rules.importDirections,
      [file("src/compiler/a.ts", 'import type { Session } from "../runtime/session.ts";')],
      "compiler may not import types",
    ],
    [
      "the runtime loads the compiler",
      rules.importDirections,
      [file("src/runtime/a.ts", 'import {\n  type Plan,\n  printPlan,\n} from "../compiler/plan.ts";')],
      "src/runtime/a.ts:4: runtime may not import values of src/compiler/plan.ts",
    ],
    [
      "the runtime loads the compiler later",
      rules.importDirections,
      [file("src/runtime/a.ts", 'const plan = await import("../compiler/plan.ts");')],
      "runtime may not import values",
    ],
    [
      "something imports the public interface",
      rules.importDirections,
      [file("src/cli/a.ts", 'import { compile } from "../index.ts";')],
      "cli may not import values of src/index.ts",
    ],
    [
      "a file lies beside the layers",
      rules.importDirections,
      [file("src/extra/a.ts", 'import { b } from "./b.ts";')],
      "lies in no layer",
    ],
    [
      "the extension is missing",
      rules.importsResolve,
      [file("src/lang/a.ts", 'export * from "./b";'), file("src/lang/b.ts", "")],
      "there is no src/lang/b",
    ],
    [
      "a shared leaf grows a branch",
      rules.leavesAreLeaves,
      [file("src/compiler/host-tensor.ts", 'import { isFloat } from "../lang/types.ts";')],
      "may import only types",
    ],
    [
      "three files in a circle",
      rules.noCycles,
      [
        file("src/lang/a.ts", 'import { b } from "./b.ts";'),
        file("src/lang/b.ts", 'import { c } from "./c.ts";'),
        file("src/lang/c.ts", 'export { a } from "./a.ts";'),
      ],
      "src/lang/a.ts → src/lang/b.ts → src/lang/c.ts → src/lang/a.ts",
    ],
    [
      "a circle of empty imports",
      rules.noCycles,
      [file("src/lang/a.ts", 'import { type A } from "./a.ts";')],
      "loads itself",
    ],
    [
      "the parser generator elsewhere",
      rules.packagesInPlace,
      [file("src/lang/check.ts", 'import { Lexer } from "chevrotain";')],
      "may not import chevrotain",
    ],
    [
      "files read outside the command line",
      rules.packagesInPlace,
      [file("src/runtime/a.ts", 'import { readFile } from "node:fs/promises";')],
      "may not import node:fs/promises",
    ],
    [
      "a built-in without its prefix",
      rules.packagesInPlace,
      [file("src/cli/a.ts", 'import fs from "fs";')],
      "has no place yet",
    ],
    [
      "a package that nobody listed",
      rules.packagesInPlace,
      [file("src/cli/a.ts", 'import("@scope/some/thing");')],
      "imports @scope/some/thing",
    ],
    [
      "an extension that loads the server",
      rules.editorsApart,
      [file("editors/vscode/src/a.ts", 'import { serve } from "../../../src/server/server.ts";')],
      "loads nothing of it",
    ],
    [
      "the server reads files",
      rules.packagesInPlace,
      [file("src/server/a.ts", 'import { readFileSync } from "node:fs";')],
      "src/cli/ does",
    ],
    [
      "the server imports the command line",
      rules.importDirections,
      [file("src/server/a.ts", 'import { libraryRoot } from "../cli/modules.ts";')],
      "server may not import values",
    ],
    ["printing", rules.noGlobals, [file("src/lang/a.ts", "console.log(1);")], "src/cli/"],
    ["an any", rules.noAny, [file("src/lang/a.ts", "function f(x: any) {}")], "switches checking off"],
    ["an any in a list", rules.noAny, [file("src/lang/a.ts", "const x = [] as any[];")], "switches"],
    ["a non-null", rules.noNonNull, [file("src/lang/a.ts", "f(list[0]!.name)")], "may be missing"],
    ["a default", rules.noDefaultExport, [file("src/lang/a.ts", "export default 1;")], "have names"],
    ["a computed import", rules.noComputedImport, [file("src/lang/a.ts", "import(path)")], "name a file"],
    [
      "an op by its name",
      rules.noOpByName,
      [file("src/compiler/passes/a.ts", 'if (node.op.name === "matmul") return;')],
      "by its name",
    ],
    [
      "an op by its name, turned round",
      rules.noOpByName,
      [file("src/compiler/passes/a.ts", 'const found = "matmul" !== op.name;')],
      "by its name",
    ],
    [
      "a switch over ops",
      rules.noOpByName,
      [file("src/compiler/passes/a.ts", "switch (node.op.name) {}")],
      "by its name",
    ],
    [
      "an op by its record",
      rules.noOpByName,
      [
        file(
          "src/compiler/passes/a.ts",
          'import { matmul } from "../ops/matmul.ts";\nconst f = node.op === matmul;',
        ),
      ],
      "src/compiler/passes/a.ts:2: asks which op it is",
    ],
    ["a long file", rules.shortFiles, [file("src/lang/a.ts", `${"\n".repeat(500)}x`)], "501 lines"],
    ["no header", rules.headers, [file("src/lang/a.ts", 'import { b } from "./b.ts";')], "does not begin"],
    [
      "only a remark",
      rules.headers,
      [file("src/lang/a.ts", "// Adds.\nexport function add() {}")],
      "does not begin",
    ],
    ["a drawer", rules.fileNames, [file("src/lang/string-utils.ts", "")], "does not say what it holds"],
    ["a drawer for all", rules.fileNames, [file("src/common/a.ts", "")], "does not say what it holds"],
    ["camel case", rules.fileNames, [file("src/lang/hostTensor.ts", "")], "kebab-case"],
    [
      "a path of one machine",
      rules.noMachineWords,
      [file("docs/a.md", `see \`/${"work"}/main/a\``)],
      "of one machine",
    ],
    [
      "a registry",
      rules.noMachineWords,
      [file("a.json", `https://registry.${"npmjs"}.org/x`)],
      "one machine",
    ],
    ["something left to do", rules.noUnfinished, [file("src/a.ts", `// TO${"DO"} later`)], "finish it"],
    ["one test alone", rules.noFocusedTest, [file("test/a.ts", `test.${"only"}("x")`)], "hides the others"],
  ];

  test.each(broken)("%s", (_, rule, files, words) => {
    const [first, ...others] = rule(files);
    expect(first).toContain(words);
    expect(first).toMatch(/^[\w./-]+:\d+: /);
    expect(others).toEqual([]);
  });

  test("a dependency that nobody imports", () => {
    const files = [file("src/lang/a.ts", 'import { x } from "used/deep";')];
    expect(rules.unusedPackages(["used", "idle", "use"], files)).toEqual(["idle", "use"]);
  });

  const fine: readonly [string, rules.Rule, string, string][] = [
    [
      "the runtime uses types",
      rules.importDirections,
      "src/runtime/a.ts",
      'import type { Plan } from "../compiler/plan.ts";',
    ],
    [
      "the runtime uses a leaf",
      rules.importDirections,
      "src/runtime/a.ts",
      'import { allocate } from "../compiler/host-tensor.ts";',
    ],
    [
      "types in a circle",
      rules.noCycles,
      "src/lang/a.ts",
      'import type { A } from "./a.ts";\nexport type { B } from "./a.ts";',
    ],
    [
      "the type of a module",
      rules.packagesInPlace,
      "src/runtime/onnx-session.ts",
      'type R = typeof import("onnxruntime-node");',
    ],
    [
      "the word any",
      rules.noAny,
      "src/lang/a.ts",
      '// takes any: number\nconst any = "x as any"; f({ any: 1 }, set.any());',
    ],
    ["a negation", rules.noNonNull, "src/lang/a.ts", "if (!a || a !== b) return !c;"],
    [
      "a sentence",
      rules.noNonNull,
      "src/lang/a.ts",
      `const a = \`no \${b} here!\`; // stop!\nconst c = /x!./;`,
    ],
    [
      "a method called import",
      rules.noComputedImport,
      "src/lang/a.ts",
      "this.import(path); this.#import(path); file.require(x);",
    ],
    ["a member called console", rules.noGlobals, "src/lang/a.ts", "this.console.process({ process: 1 });"],
    [
      "the name of an op in a message",
      rules.noOpByName,
      "src/compiler/a.ts",
      `fail(\`\${node.op.name} is no op\`);`,
    ],
    ["two nodes of one op", rules.noOpByName, "src/compiler/a.ts", "if (a.op === b.op) return;"],
  ];
  test.each(fine)("and not without reason: %s", (_, rule, path, text) => {
    expect(rule([file(path, text)])).toEqual([]);
  });
});

describe("imports are found", () => {
  const text = [
    'import { a, type B } from "./one.ts";',
    'import type { C } from "./two.ts"; // import { x } from "./comment.ts"',
    'import * as d from "three";',
    'export {\n  e,\n  f as g,\n} from "./four.ts";',
    'export type { H } from "./five.ts";',
    'import type from "./six.ts";',
    'import "./seven.ts";',
    `const i = \`import { j } from "./template.ts" \${await import("./eight.ts")}\`;`,
    'const k = /import { l } from "x"/.test("import m from \\"./string.ts\\"");',
    'type N = typeof import("nine");',
    'const o = Array.from("text");',
  ].join("\n");

  test("of every form, and nothing else", () => {
    const found = importsOf(file("src/lang/a.ts", text));
    expect(
      found.map((i) => `${i.typeOnly ? "type " : ""}${i.specifier} ${i.names.join(",")}`.trim()),
    ).toEqual([
      "./one.ts a,B",
      "type ./two.ts C",
      "three d",
      "./four.ts e,g",
      "type ./five.ts H",
      "./six.ts type",
      "./seven.ts",
      "./eight.ts",
      "type nine",
    ]);
    expect(found.map((i) => i.line)).toEqual([1, 2, 3, 7, 8, 9, 10, 11, 13]);
  });

  test("masking keeps every offset", () => {
    const masked = maskText(text);
    expect(masked).toHaveLength(text.length);
    expect(masked.split("\n").map((line) => line.length)).toEqual(
      text.split("\n").map((line) => line.length),
    );
    expect(masked).toContain('await import("');
    expect(masked).not.toContain("comment");
    expect(masked).not.toContain("template");
  });
});
