import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../src/lang/diagnostic.ts";
import { type ParseResult, parse } from "../../src/lang/parse.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { expressionText } from "./tree-text.ts";

const parsed = (text: string) => parse(new SourceFile("test.oss", text));

/** Each diagnostic as `code line:column hinted`, in order. */
function places(text: string): string[] {
  return parsed(text).diagnostics.map(({ code, primary }) => {
    if (primary === undefined) return code;
    const { line, column } = primary.span.file.position(primary.span.start);
    return `${code} ${line}:${column}`;
  });
}

function only(text: string): Diagnostic {
  const { diagnostics } = parsed(text);
  const [diagnostic] = diagnostics;
  expect(diagnostics.map((d) => d.message)).toHaveLength(1);
  if (diagnostic === undefined) throw new Error("nothing was reported");
  return diagnostic;
}

function namesOf({ unit }: ParseResult): string[] {
  return unit.declarations.flatMap((declaration) => {
    if (declaration.kind === "let") return [declaration.name.name];
    const members = declaration.members.map((m) =>
      m.kind === "binding" || m.kind === "parameter" ? m.name.parts.map((p) => p.name).join(".") : m.kind,
    );
    return [declaration.name.name, ...members];
  });
}

/** What the text becomes when the one edit that is offered is applied. */
function fixed(text: string): string {
  const [edit] = only(text).edits;
  if (edit === undefined) throw new Error("no edit is offered");
  return text.slice(0, edit.span.start) + edit.replacement + text.slice(edit.span.end);
}

describe("independent errors are found in one run", () => {
  test("in members, parameters, arguments and statements", () => {
    const text = `block A(x int, y: int, z = 3) {
  dense = Linear(d, , d)
  a = * 3
  b = Ok(1)
  param w f32[3]
  forward(x: f32[n]) -> f32[n] {
    let y = f(x +)
    let z = [1 2]
    y |> z
  }
}
block B { c = }
block C { d = Ok() }`;
    expect(places(text)).toEqual([
      "syntax-error 1:11",
      "syntax-error 1:26",
      "syntax-error 2:21",
      "syntax-error 3:7",
      "syntax-error 5:11",
      "syntax-error 7:18",
      "syntax-error 8:16",
      "syntax-error 12:15",
    ]);
    expect(namesOf(parsed(text))).toEqual(["A", "dense", "a", "b", "forward", "B", "c", "C", "d"]);
  });

  test("a part that cannot be read becomes an error in the tree, and its neighbours stay", () => {
    const { unit } = parsed("let x = f(a, = 3, b)\nlet y = \nlet z = 2");
    const values = unit.declarations.map((d) => (d.value === undefined ? "" : expressionText(d.value)));
    expect(values).toEqual(["(call f a <error> b)", "<error>", "2"]);
  });

  test("a broken statement does not hide the next, nor the result", () => {
    const text = "block A {\n forward() {\n  let = 2\n  let y = 3\n  for in x {}\n  z = = y\n  y\n }\n}";
    expect(places(text)).toEqual(["syntax-error 3:7", "syntax-error 5:7", "syntax-error 6:7"]);
    const [block] = parsed(text).unit.declarations;
    const forward = block?.kind === "block" ? block.members[0] : undefined;
    if (forward?.kind !== "forward") throw new Error("no forward");
    expect(forward.body.statements.map((s) => s.kind)).toEqual(["let", "assign"]);
    expect(expressionText(forward.body.result)).toBe("y");
  });

  test("no more than a hundred are reported", () => {
    expect(parsed("let = 1\n".repeat(300)).diagnostics).toHaveLength(100);
    expect(parsed('let x = "a\n'.repeat(300)).diagnostics).toHaveLength(100);
    expect(parsed("let x = f(a\n".repeat(300)).diagnostics).toHaveLength(100);
    expect(parsed(")\n".repeat(300)).diagnostics).toHaveLength(100);
  });
});

describe("unclosed delimiters", () => {
  test("a missing parenthesis is missed at the end of its line", () => {
    const text = "block A {\n  a = Linear(d, d\n  b = Ok(1)\n}\n";
    const { code, related, primary } = only(text);
    expect([code, primary?.span.end, related[0]?.span.start]).toEqual([
      "unclosed-delimiter",
      text.indexOf("\n  b"),
      text.indexOf("(d, d"),
    ]);
    expect(namesOf(parsed(text))).toEqual(["A", "a", "b"]);
  });

  test("a missing brace is missed before the next declaration, by the layout", () => {
    const text =
      "block A {\n  forward() {\n    let y = 1\n    y\n\n  x = B()\n}\n\nblock B {\n  z = C()\n}\n";
    const { related, message } = only(text);
    expect(message).toBe("This `{` is never closed.");
    expect(related[0]?.span.start).toBe(text.indexOf("{\n    let"));
    expect(namesOf(parsed(text)).filter((name) => name === "B" || name === "z")).toEqual(["B", "z"]);
  });

  test("at the end of the file", () => {
    expect(places("block A {\n  x = f(1)")).toEqual(["unclosed-delimiter 2:10"]);
    expect(places("let x = [1, 2")).toEqual(["unclosed-delimiter 1:13"]);
  });

  test("the wrong closer, and one too many", () => {
    expect(fixed("let x = f(a]")).toBe("let x = f(a)");
    expect(fixed("let x = [a)\nlet y = 1")).toBe("let x = [a]\nlet y = 1");
    expect(places("let x = f(a))\nlet y = 1")).toEqual(["unclosed-delimiter 1:13"]);
    expect(namesOf(parsed("block A { x = f(a])\n }\nlet y = 1"))).toEqual(["A", "x", "y"]);
  });

  test("odd layout alone is no error", () => {
    const text = "block A {\nx = f(\na,\nb\n)\n  forward() {\ny\n}\n    }\nlet z = [\n1\n]";
    expect(parsed(text).diagnostics).toEqual([]);
  });
});

describe("what is wrong with single tokens", () => {
  test.each([
    ["let x = #\nlet y = 1", "unknown-character 1:9"],
    ["let x = 1;", "unknown-character 1:10"],
    ["let x = a § b", "unknown-character 1:11"],
    ["let x = \u0001", "unknown-character 1:9"],
    ["let größe = 1", "unknown-character 1:5"],
    ["let x = 'a'", "unknown-character 1:9"],
    ['let x = f("abc)\nlet y = 1', "unterminated-string 1:11"],
    ['let x = "abc\\', "unterminated-string 1:9"],
    ['let x = "a\\qb"', "bad-escape 1:11"],
    ['let x = "\\u{110000}"', "bad-escape 1:10"],
    ['let x = "\\u{d800}"', "bad-escape 1:10"],
    ["let x = 16khz", "bad-unit 1:11"],
    ["let x = 3px", "bad-unit 1:10"],
    ["let x = 1.2.3", "bad-number 1:9"],
    ["let x = .5", "bad-number 1:9"],
    ["let x = 1e", "bad-number 1:9"],
    ["let x = 0x1F", "bad-number 1:9"],
    ["let x = 1e999", "bad-number 1:9"],
    ["let x = a.0.w", "syntax-error 1:10"],
  ])("%j", (text, place) => expect(places(text)).toEqual([place]));

  test("edits are offered where they are plain", () => {
    expect(fixed("let x = 16khz")).toBe("let x = 16kHz");
    expect(fixed("let x = 5µs")).toBe("let x = 5us");
    expect(fixed("let x = .5")).toBe("let x = 0.5");
    expect(fixed("let x = 1_000")).toBe("let x = 1000");
    expect(fixed("let x = 1;")).toBe("let x = 1");
    expect(fixed("let x = a.0")).toBe("let x = a[0]");
    expect(fixed("block A { forward() => f32[n] = x }")).toBe("block A { forward() -> f32[n] = x }");
  });
});

describe("common slips get a hint", () => {
  const inBody = (text: string) => `block A {\n  forward() {\n    ${text}\n  }\n}`;
  test.each<[string, string, RegExp]>([
    ["a named argument", "let x = f(a = 3)", /with `:`/],
    ["a type after `=`", "block A(x = int) {}", /a type follows `:`/],
    ["a part with `:`", "block A { dense: Linear(d) }", /`dense = …`/],
    ["a missing comma", "let x = f(a b)", /separate them with `,`/],
    ["results without an arrow", "block A { forward(x: f32[n]) f32[n] = x }", /after `->`/],
    ["a reserved word", "let for = 1", /`for` is a keyword/],
    ["remainder", "let x = 7%2", /space before `%`/],
    ["percent", "let x = 7 %\nlet y = 1", /without a space/],
    ["words for operators", inBody("a and b"), /`&&`/],
    ["return", inBody("return y"), /no `return`/],
    ["a comment", "let x = /* a */ 1", /`\/\/ …`/],
    ["a power", "let x = a ** 2", /`\*\*`/],
    ["a chain of comparisons", "let x = a < b < c", /`&&`/],
    ["a shape without an element type", "block A { forward() -> [1, V] = x }", /`f32\[1, n\]`/],
    ["a declaration inside a block", "block A {\n  block B {}\n}", /top of the file/],
    ["a body without a result", inBody("let y = 1"), /last line/],
    ["a result in the middle", inBody("f(x)\n    y"), /name the earlier value/],
    ["a site without a value", "let x = site tokens(a: 1)", /first argument/],
    ["`then` before a block", "block A { if a then { } }", /chooses a value/],
  ])("%s", (_, text, hint) => expect(only(text).hint).toMatch(hint));

  test("edits make the text well formed", () => {
    for (const text of [
      "let x = f(a = 3)",
      "let x = f(a b)",
      "block A { dense: Linear(d) }",
      inBody("a and b"),
    ]) {
      expect(parsed(fixed(text)).diagnostics).toEqual([]);
    }
  });

  test("what a line lacks is reported at its end", () => {
    expect(places("let x =\nlet y = 1")).toEqual(["syntax-error 1:7"]);
    expect(places("block A {\n  x = a +\n  param w: int\n}")).toEqual(["syntax-error 2:9"]);
    expect(places("block A {\n  x =\n  y = 3\n}")).toEqual(["syntax-error 2:5"]);
  });
});

describe("nesting", () => {
  const deep = (open: string, inner: string, close: string, levels: number) =>
    `let x = ${open.repeat(levels)}${inner}${close.repeat(levels)}`;

  test.each([
    ["parentheses", "(", "1", ")"],
    ["lists", "[", "1", "]"],
    ["calls", "f(", "1", ")"],
    ["indices", "a[", "1", "]"],
    ["prefixes", "-", "1", ""],
    ["sums", "1 + ", "1", ""],
    ["pipes", "a |> ", "b", ""],
    ["suffixes", "", "a", "()"],
    ["conditions", "if a then b else ", "c", ""],
  ])("%s", (_, open, inner, close) => {
    expect(parsed(deep(open, inner, close, 95)).diagnostics).toEqual([]);
    expect(only(deep(open, inner, close, 250)).code).toBe("nesting-too-deep");
    expect(only(deep(open, inner, close, 3000)).code).toBe("nesting-too-deep");
  });

  test("190 levels of brackets and of blocks are still read", () => {
    expect(parsed(deep("(", "1", ")", 190)).diagnostics).toEqual([]);
    expect(parsed(deep("f(", "1", ")", 190)).diagnostics).toEqual([]);
    expect(parsed(`block A { ${"if a { ".repeat(190)}${"}".repeat(190)} }`).diagnostics).toEqual([]);
    expect(only(`block A { ${"if a { } else ".repeat(1000)} { } }`).code).toBe("nesting-too-deep");
  });

  test("what was read before stays", () => {
    expect(namesOf(parsed(`let a = 1\nlet b = ${"-".repeat(300)}1`))).toEqual(["a"]);
  });
});

describe("any text at all", () => {
  const words = [
    ..."( ) [ ] { } , : . = -> => |> .. ... + - * / % @ < > == != && || ! | ; # ' \" § \u0000 \\".split(" "),
    ...["import", "let", "param", "forward", "for", "in", "if", "then", "else", "with", "require", "true"],
    ...["block", "model", "input", "entry", "on", "carry", "site", "from", "as", "x", "f32", "größe"],
    ...[
      "12",
      "0.5",
      "70%",
      "16kHz",
      "3px",
      ".5",
      "1.2.3",
      '"a"',
      '"a',
      '"\\q"',
      "// c",
      "/// d",
      "\n",
      "\r\n",
      "\t",
    ],
  ];
  const soup = fc.array(fc.constantFrom(...words), { maxLength: 80 });

  const holds = (text: string) => {
    const { diagnostics, unit, comments } = parsed(text);
    expect(diagnostics.length).toBeLessThanOrEqual(100);
    const spans = [
      ...diagnostics.flatMap((d) => [d.primary, ...d.related].map((label) => label?.span)),
      ...diagnostics.flatMap((d) => d.edits.map((edit) => edit.span)),
      ...unit.declarations.map((d) => d.span),
      ...comments.map((c) => c.span),
    ];
    for (const span of spans) {
      if (span === undefined) throw new Error("a syntax error without a place");
      const { start, end } = span;
      expect([start, end].every((o) => Number.isInteger(o) && o >= 0 && o <= text.length)).toBe(true);
      expect(start).toBeLessThanOrEqual(end);
    }
    const broken = JSON.stringify(unit, (key, value) => (key === "span" ? undefined : value)).includes(
      '"kind":"error"',
    );
    if (broken) expect(diagnostics.length).toBeGreaterThan(0);
  };

  test("tokens in any order", () => {
    fc.assert(
      fc.property(soup, fc.constantFrom(" ", "", "\n"), (tokens, gap) => holds(tokens.join(gap))),
      {
        numRuns: 500,
      },
    );
  });

  test("characters in any order", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), holds), { numRuns: 100 });
  });

  test("a well-formed text with one token lost, doubled or replaced", () => {
    const tokens =
      `block A ( d : int = 2 ) { param w : f32 [ d ] = zeros ( ) \n if a { x = [ B ( i ) for i in 0 .. d ] }
      \n forward ( x : f32 [ * b , d ] ) -> f32 [ d ] { let ( y , z ) = f ( x [ 1 : , ... ] , k : - 2 )
      \n for i , l in y { z = l ( z ) } \n if a then y else z |> g with h } }`.split(" ");
    const change = fc.record({
      at: fc.nat(tokens.length - 1),
      by: fc.oneof(
        fc.constant([]),
        fc.constantFrom(...words).map((word) => [word]),
      ),
    });
    fc.assert(
      fc.property(change, ({ at, by }) => {
        const text = tokens.toSpliced(at, 1, ...by).join(" ");
        holds(text);
        expect(parsed(text).diagnostics.length).toBeLessThanOrEqual(8);
      }),
      { numRuns: 300 },
    );
  });

  test("large texts take time in proportion", () => {
    const seconds = (text: string) => {
      const start = performance.now();
      parsed(text);
      return (performance.now() - start) / 1000;
    };
    for (const part of [
      "(",
      "let x = f(a\n",
      "block A { if a \n",
      "f(a b = ",
      "a, ",
      '"\\a',
      "let x = 1 + 2\n",
    ]) {
      expect(seconds(part.repeat(60_000 / part.length))).toBeLessThan(3);
    }
  });
});
