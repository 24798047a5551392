import { describe, expect, test } from "vitest";
import { format } from "../../src/lang/format.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { filesUnder } from "../support/product-files.ts";
import { snippetsOf } from "../support/snippets.ts";
import { keepsComments, printsAndParses } from "./print-properties.ts";

function formatted(text: string): string {
  const { text: result, diagnostics } = format(new SourceFile("test.oss", text));
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  return result ?? "";
}

/** What a member becomes; each line stands two columns to the right in its block. */
function member(text: string): string {
  const lines = formatted(`block A() {\n${text}\n}`).split("\n");
  return lines
    .slice(1, -2)
    .map((line) => line.replace(/^ {2}/, ""))
    .join("\n");
}

const value = (text: string) => member(`let it = ${text}`).replace(/^let it =\s?/, "");

describe("one way to write each thing", () => {
  test.each([
    ["1+2 *3", "1 + 2 * 3"],
    ["(1 + 2) * 3", "(1 + 2) * 3"],
    ["((a)) - (b - (c))", "a - (b - c)"],
    ["(a - b) - c", "a - b - c"],
    ["-(a) + !(b)", "-a + !b"],
    ["-(a + b)", "-(a + b)"],
    ["(-a).b", "(-a).b"],
    ["(a |> b) |> c with d", "a |> b |> c with d"],
    ["a |> (b |> c)", "a |> (b |> c)"],
    ["f( x ,y : 2, )", "f(x, y: 2)"],
    ["[ 1,2, ]", "[1, 2]"],
    ["( 1, )", "(1,)"],
    ["x [ : , 1 : , ... , : n-1 : 2 ]", "x[:, 1:, ..., :n - 1:2]"],
    ["0 .. (n + 1)", "0..n + 1"],
    ["[ f(i) for i in 0..n if i>2 ]", "[f(i) for i in 0..n if i > 2]"],
    ["site  tokens(x,extra:2)", "site tokens(x, extra: 2)"],
    ["if(a)then(b)else(c)", "if a then b else c"],
    ["70%", "70%"],
    ["1.50e-6", "1.50e-6"],
    ["16kHz", "16kHz"],
    ['"a\\u{62}\\"\t\\\\"', '"ab\\"\\t\\\\"'],
    ['"\u200b→\u202e"', '"\\u{200b}→\\u{202e}"'],
  ])("%s", (text, canonical) => {
    expect(value(text)).toBe(canonical);
  });

  test.each([
    ["a * b @ c", "(a * b) @ c"],
    ["a @ b @ c", "a @ b @ c"],
    ["a * b / c", "a * b / c"],
    ["a * b % c", "(a * b) % c"],
    ["a && b || c", "(a && b) || c"],
    ["if if a then b else c then d else e", "if (if a then b else c) then d else e"],
    ["if a then if b then c else d else e", "if a then (if b then c else d) else e"],
    ["if a then b else c |> d", "(if a then b else c) |> d"],
  ])("parentheses where few know what binds: %s", (text, canonical) => {
    expect(value(text)).toBe(canonical);
  });

  test.each([
    ["param w:f32[a,b]=zeros", "param w: f32[a, b] = zeros"],
    ["input a : waveform [T]@16kHz", "input a: waveform[T] @ 16kHz"],
    ["forward()->(f32[N])=x", "forward() -> f32[N] = x"],
    ["forward(x:f32[*b],...)->a:f32[N],b:f32[M]=x", "forward(x: f32[*b], ...) -> (a: f32[N], b: f32[M]) = x"],
    ["forward() { x }", "forward() = x"],
    ["forward() { let (a) = b\n a }", "forward() {\n  let a = b\n  a\n}"],
    ["forward() { let a = b\n (-a) }", "forward() {\n  let a = b\n  (-a)\n}"],
    ["forward() { (-a) }", "forward() = -a"],
    ["on t [at] (x:f32[N])->f32[N] where N>1,N<4=x", "on t[at](x: f32[N]) -> f32[N] where N > 1, N < 4 = x"],
    ["entry e ( a,b )continues p -> f32[N]=x", "entry e(a, b) continues p -> f32[N] = x"],
    ["if a {} else { if b {} else {x=y} }", "if a {} else if b {} else {\n  x = y\n}"],
    ["weights { }", "weights {}"],
    ['weights { "a"->"b" }', 'weights {\n  "a" -> "b",\n}'],
    ["budget { a<=3M, b<=2 }", "budget { a <= 3M, b <= 2 }"],
    ["budget {\na<=3M, b<=2 }", "budget {\n  a <= 3M,\n  b <= 2,\n}"],
    ["generate t from a then b", "generate t from a then b"],
    ["stored {as:int8,group : 64}", "stored { as: int8, group: 64 }"],
    ["sweep { a: [1,2] , }", "sweep { a: [1, 2] }"],
    ['require a , "b"', 'require a, "b"'],
  ])("%s", (text, canonical) => {
    expect(member(text)).toBe(canonical);
  });

  test.each([
    ["block A{}", "block A() {}\n"],
    ["model A()=B()", "model A = B()\n"],
    ["model A extends B(1){}", "model A extends B(1) {}\n"],
    ["\ufefflet a=1\r\nlet b=2", "let a = 1\nlet b = 2\n"],
    ["", ""],
    [" \n\n", ""],
    ["// only\n\n\n// comments", "// only\n\n// comments\n"],
    [
      'import{a as b,c}from"./x.oss"\nblock A(){}\nblock B(){}\nlet c=1\nlet d=2',
      'import { a as b, c } from "./x.oss"\n\nblock A() {}\n\nblock B() {}\n\nlet c = 1\nlet d = 2\n',
    ],
  ])("%j", (text, canonical) => {
    expect(formatted(text)).toBe(canonical);
  });
});

describe("what is too long", () => {
  const long = (count: number, name = "argument") => Array.from({ length: count }, (_, i) => `${name}_${i}`);

  test("arguments are filled when short, one a line when long", () => {
    expect(member(`x = f(${long(12).join(", ")})`)).toBe(
      `x = f(\n  ${long(8).join(", ")},\n  ${long(12).slice(8).join(", ")},\n)`,
    );
    const calls = long(3).map((name) => `g(${name}, ${name}, another_${name})`);
    expect(member(`x = f(${calls.join(", ")})`)).toBe(`x = f(\n  ${calls.join(",\n  ")},\n)`);
  });

  test("a value that fits goes below, and one that does not stays beside", () => {
    const name = "a_name.that.takes.about.half.of.the.line.before.its.value";
    expect(member(`${name} = f(${long(4).join(", ")})`)).toBe(`${name} =\n  f(${long(4).join(", ")})`);
    expect(member(`${name} = f(${long(9).join(", ")})`)).toBe(
      `${name} = f(\n  ${long(8).join(", ")},\n  argument_8,\n)`,
    );
  });

  test("a signature breaks before its results, then in its parameters", () => {
    const parameter = (name: string) => `${name}: f32[B, N, width]`;
    const four = ["query", "key", "value"].map(parameter).join(", ");
    expect(member(`forward(${four}) -> (mixed: f32[B, N, width], kept: i64[B, N]) = f(query)`)).toBe(
      `forward(${four})\n    -> (mixed: f32[B, N, width], kept: i64[B, N]) =\n  f(query)`,
    );
    const many = long(6).map(parameter);
    expect(member(`forward(${many.join(", ")}) -> f32[N] = f(query)`)).toBe(
      `forward(\n  ${many.join(",\n  ")},\n) -> f32[N] = f(query)`,
    );
  });

  test("chains break before every operator", () => {
    const sum = long(10, "operand");
    expect(value(sum.join(" + "))).toBe(`  ${sum.join("\n  + ")}`);
    expect(value(sum.join(" |> "))).toBe(`  ${sum.join("\n  |> ")}`);
    expect(member(`forward() {\nlet a = 1\n${sum.join(" + ")}\n}`)).toBe(
      `forward() {\n  let a = 1\n  ${sum.join("\n    + ")}\n}`,
    );
    expect(member(`x = f(${long(12).join(", ")}) with P`)).toMatch(/^x = f\(\n {2}[^()]+\n\) with P$/);
  });

  test("a choice of three is a table", () => {
    expect(value("if a then b else if c then d else e")).toBe("  if a then b\n  else if c then d\n  else e");
  });
});

describe("comments stay", () => {
  test.each([
    ["// before\nlet a = 1", "// before\nlet a = 1"],
    ["let a = 1 // behind", "let a = 1 // behind"],
    ["let a = // inside\n1", "let a =\n  // inside\n  1"],
    ["let a = 1\n\n\n\n// apart\n\nlet b = 2", "let a = 1\n\n// apart\n\nlet b = 2"],
    ["let a = 1\n// last", "let a = 1\n// last"],
    ["let a = f(1, // one\n2)", "let a = f(\n  1, // one\n  2,\n)"],
    ["let a = f(1 // one\n, 2 // two\n)", "let a = f(\n  1, // one\n  2, // two\n)"],
    ["let a = f(\n// none\n)", "let a = f(\n  // none\n)"],
    ["let a = [1,\n// last\n]", "let a = [\n  1,\n  // last\n]"],
    ["let a = b // b\n+ c // c", "let a =\n  b // b\n  + c // c"],
    ["let a = b\n// c\n|> c", "let a =\n  b\n  // c\n  |> c"],
    ["let a = if b // b\nthen c // c\nelse d", "let a =\n  if b then\n    // b\n    c // c\n  else d"],
    ["let // odd\na = 1", "let a =\n  // odd\n  1"],
    ["forward() { // open\nx }", "forward() { // open\n  x\n}"],
    ["if a {\n// none\n}", "if a {\n  // none\n}"],
    ["if a {} // behind\nelse { let b = 1 }", "if a {} else {\n  // behind\n  let b = 1\n}"],
    ["let a = b /// no doc\n.c", "let a =\n  // no doc\n  b.c"],
  ])("%j", (text, canonical) => {
    expect(member(text)).toBe(canonical);
  });

  test("doc comments stay with what they describe", () => {
    const text =
      "/// A block.\nblock A(\n  /// How many.\n  n: int = 1,\n) {\n  /// A value.\n  let a = n\n}\n";
    expect(formatted(text)).toBe(text);
    expect(formatted(text.replaceAll(/\n */g, "\n"))).toBe(text);
  });
});

describe("any program", () => {
  test("is printed so that it parses to the same tree", () => printsAndParses(100));
  test("keeps its comments wherever they are", () => keepsComments(100));
});

describe("the library", () => {
  const sources = [...filesUnder("models", /\.oss$/), ...filesUnder("examples", /\.oss$/)];

  test.each(sources.map(({ path, text }) => [path, text] as const))("%s is formatted", (path, text) => {
    expect(format(new SourceFile(path, text)).text).toBe(text);
  });

  test("is not empty", () => expect(sources.length).toBeGreaterThan(8));
});

describe("the programs of the documentation", () => {
  const documents = ["README.md", "docs/language.md"].flatMap((path) => filesUnder(path));
  const programs = documents.flatMap(snippetsOf).filter((snippet) => snippet.language === "ossicle");

  test.each(programs.map((program) => [`${program.document}:${program.line}`, program.text] as const))(
    "%s is formatted",
    (place, text) => {
      expect(format(new SourceFile(place, text)).text).toBe(text);
    },
  );
});

test("a text with mistakes is left alone", () => {
  const { text, diagnostics } = format(new SourceFile("test.oss", "block A( {"));
  expect(text).toBeUndefined();
  expect(diagnostics.length).toBeGreaterThan(0);
});
