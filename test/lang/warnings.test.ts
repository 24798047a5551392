/**
 * Warnings: what is told of programs that mean something, what is not, and how to silence it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkText } from "../support/check-text.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

/** `code name` for each warning; errors fail the test. */
function warningsOf(text: string): string[] {
  return checkText(text).diagnostics.map(({ code, severity, primary }) => {
    expect(severity).toBe("warning");
    const { file, start, end } = primary?.span ?? { file: undefined, start: 0, end: 0 };
    return `${code} ${file?.text.slice(start, end)}`;
  });
}

const block = (members: string, parameters = "") => `block A(${parameters}) {\n${members}\n}`;
const forward = (body: string) => `forward(x: f32[B, C]) -> f32[B, C] ${body}`;

describe("what is never used", () => {
  test.each([
    ["a parameter", block(forward("= x"), "size: int"), ["unused-parameter size"]],
    [
      "a parameter that only its own default names",
      block(forward("= x * b"), "a: int = 1, b: int = 1"),
      ["unused-parameter a"],
    ],
    [
      "a let of a model",
      "model Main() {\n input x: f32[3]\n let n = 3\n entry run(x) -> y: f32[3] = x\n}",
      ["unused-let n"],
    ],
    ["a let of a block, which is there for its users", block(`let n = 3\n${forward("= x")}`), []],
    ["a let of a body", block(forward("{ let y = x\n x }")), ["unused-let y"]],
    ["a let that is assigned", block(forward("{ let y = x\n y = x\n x }")), ["unused-let y"]],
    ["a let in a loop", block(forward("{ for i in 0..2 { let y = x * i }\n x }")), ["unused-let y"]],
    ["a param", block(`param w: f32[3]\n${forward("= x")}`), ["unused-member w"]],
    [
      "a dotted param",
      block(`param a.w: f32[3]\nparam a.b: f32[3]\n${forward("= x + size(a.w, 0)")}`),
      ["unused-member a.b"],
    ],
    [
      "a part",
      `block P() { ${forward("= x")} }\n${block(`p = P()\n${forward("= x")}`)}`,
      ["unused-member p"],
    ],
    [
      "an import",
      `import { Linear } from "ossicle/blocks/linear.oss"\n${block(forward("= x"))}`,
      ["unused-import Linear"],
    ],
  ])("%s", (_, text, warnings) => {
    expect(warningsOf(text)).toEqual(warnings);
  });

  test("one of several values, with what to write instead", () => {
    const [warning] = checkText(
      block("forward(x: f32[B, 4]) -> f32[B, 2] { let (a, b) = split(x, 2)\n a }"),
    ).diagnostics;
    expect(warning).toMatchObject({ code: "unused-let", edits: [{ replacement: "_" }] });
  });
});

describe("what is used, if not at first sight", () => {
  test.each([
    ["by another parameter", block(forward("= x * b"), "a: int = 1, b: int = a")],
    ["in a shape", block("forward(x: f32[B, size]) -> f32[B, size] = x", "size: int")],
    [
      "in a condition",
      block(`if deep { param w: f32[3] }\n${forward("= if deep then x + size(w, 0) else x")}`, "deep: bool"),
    ],
    ["with an underscore", block(`let _n = 3\n${forward("{ let _ = x\n let _y = x\n x }")}`, "_size: int")],
    ["by its group", block(`param a.w: f32[3]\nlet all = a\n${forward("= x + size(all.w, 0)")}`)],
    [
      "from another block",
      `${block(forward("= x"), "size: int")}\nblock B() {\na = A(3)\n${forward("= a(x) * a.size")}\n}`,
    ],
    [
      "by a block that extends it",
      `block A(n: int = 1) {\nlet m = 2\n}\nblock B() extends A() {\n${forward("= x * (n + m)")}\n}`,
    ],
    ["members of a block that computes nothing", block("param w: f32[3]")],
    ["a site, which a policy may use", block(forward("{ let seen = site patches(x)\n x }"))],
    ["a value that is only assigned from", block(forward("{ let y = x\n y = y + 1\n y }"))],
    [
      "an import that a setting may name",
      `import { ClsAttention } from "ossicle/policies/scores.oss"
model M(score: block) { input x: f32[B, C]  entry e(x) = score(x: x) }`,
    ],
  ])("%s", (_, text) => {
    expect(warningsOf(text)).toEqual([]);
  });

  test("after an error nothing is called unused", () => {
    const { diagnostics } = checkText(block(forward("{ let scaled = 2 * x\n scalled }")));
    expect(diagnostics.map(({ code }) => code)).toEqual(["unknown-name"]);
  });
});

describe("policies", () => {
  const model = (parameters: string, extension: string) => `
policy P(scale: real = 1) { on tokens(x: f32[B, N, C]) -> f32[B, N, C] = if scale == 1 then x else x * scale }
encoder E() { forward(x: f32[B, N, C]) -> f32[B, N, C] = site tokens(x) }
model M(${parameters}) {
  input x: f32[B, N, C]
  encoder = E() with ${extension}
  entry e(x) = encoder(x)
}`;

  test.each([
    ["P(1)", ["policy-changes-nothing P(1)"]],
    ["P(scale: 1.0)", ["policy-changes-nothing P(scale: 1.0)"]],
    ["P()", ["policy-changes-nothing P()"]],
    ["P(2)", []],
  ])("with %s", (extension, warnings) => {
    expect(warningsOf(model("", extension))).toEqual(warnings);
  });

  test("are meant to vary when their arguments come from parameters", () => {
    expect(warningsOf(model("scale: real = 1", "P(scale)"))).toEqual([]);
    expect(warningsOf(model("scale: real = 1", "P(scale: scale)"))).toEqual([]);
  });
});

describe("a comment silences a warning by its code", () => {
  const lets = (before: string, after: string) => block(forward(`{\n${before}\nlet y = x ${after}\nx }`));

  test.each([
    ["on its line", "", "// ossicle: allow unused-let"],
    ["on the line before", "// ossicle: allow unused-let", ""],
    ["above other comments", "// ossicle: allow unused-let\n\n// a word", ""],
    ["with other codes", "", "//ossicle:allow unused-member, unused-let"],
  ])("%s", (_, before, after) => {
    expect(warningsOf(lets(before, after))).toEqual([]);
  });

  test("and no other", () => {
    expect(warningsOf(lets("", "// ossicle: allow unused-member"))).toEqual(["unused-let y"]);
    expect(warningsOf(lets("// ossicle: allow unused-let\nlet z = x", ""))).toEqual(["unused-let y"]);
    expect(warningsOf(lets("", "// ossicle: allow"))).toEqual(["unused-let y"]);
  });

  test("which must be one of a warning", () => {
    const [unknown] = checkText(`${block(forward("= x"))} // ossicle: allow unused-lets`).diagnostics;
    expect(unknown).toMatchObject({ code: "unknown-allowance", edits: [{ replacement: "unused-let" }] });
    const text = `${block(forward("= y"))} // ossicle: allow unknown-name`;
    expect(
      checkText(text)
        .diagnostics.map(({ code }) => code)
        .sort(),
    ).toEqual(["unknown-allowance", "unknown-name"]);
  });
});

describe("ossicle check --allow", () => {
  function written(): string {
    const file = join(temporaryFolder(), "scale.oss");
    writeFileSync(file, block(forward("= x"), "size: int"));
    return file;
  }

  test("leaves out a warning", async () => {
    const file = written();
    expect((await runHere(["check", file])).stderr).toMatch(/^warning\[unused-parameter\]/);
    const { stderr, status } = await runHere(["check", file, "--allow", "unused-parameter"]);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });

  test("takes codes of warnings", async () => {
    const file = written();
    expect((await runHere(["check", file, "--allow", "unknown-name"])).stderr).toMatch(/can't be allowed/);
    expect((await runHere(["check", file, "--allow", "everything"])).stderr).toMatch(/unused-parameter, /);
  });
});
