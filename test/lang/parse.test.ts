import { Lexer } from "chevrotain";
import { describe, expect, test } from "vitest";
import type { BlockDeclaration, Declaration, Member, SourceUnit } from "../../src/lang/ast.ts";
import { OssicleParser } from "../../src/lang/grammar.ts";
import { parse } from "../../src/lang/parse.ts";
import { SourceFile, type Span } from "../../src/lang/source.ts";
import { vocabulary } from "../../src/lang/tokens.ts";
import { expressionText, typeText } from "./tree-text.ts";

/** The tree of a text that must be well formed. */
function parsed(text: string): SourceUnit {
  const { unit, diagnostics } = parse(new SourceFile("test.oss", text));
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  return unit;
}

function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error("nothing was parsed");
  return item;
}

function block(text: string): BlockDeclaration {
  const declaration: Declaration = first(parsed(text).declarations);
  if (declaration.kind !== "block") throw new Error("not a block");
  return declaration;
}

const member = (text: string) => first(block(`block A {\n${text}\n}`).members);

function memberOf<K extends Member["kind"]>(kind: K, text: string): Extract<Member, { kind: K }> {
  const found = member(text);
  const isKind = (m: Member): m is Extract<Member, { kind: K }> => m.kind === kind;
  if (!isKind(found)) throw new Error(`a ${found.kind}, not a ${kind}`);
  return found;
}

function expression(text: string): string {
  const declaration = first(parsed(`let it = ${text}`).declarations);
  if (declaration.kind !== "let") throw new Error("not a let");
  return expressionText(declaration.value);
}

const type = (text: string) => typeText(memberOf("input", `input x: ${text}`).type);
const body = (text: string) => memberOf("forward", `forward() {\n${text}\n}`).body;
const textOf = ({ file, start, end }: Span) => file.text.slice(start, end);

test("the grammar is free of ambiguities and left recursion", () => {
  expect(() => new OssicleParser(true)).not.toThrow();
});

test("no token hides another", () => {
  expect(() => new Lexer([...vocabulary])).not.toThrow();
});

describe("expressions", () => {
  test.each([
    ["a + b * c - d", "(- (+ a (* b c)) d)"],
    ["a - b - c", "(- (- a b) c)"],
    ["(a + b) * c", "(* (+ a b) c)"],
    ["a @ b % 2 / c", "(/ (% (@ a b) 2) c)"],
    ["a || b && c == d + 1", "(|| a (&& b (== c (+ d 1))))"],
    ["a < b && c >= d", "(&& (< a b) (>= c d))"],
    ["0 .. n - 1", "(.. 0 (- n 1))"],
    ["a..b == c..d", "(== (.. a b) (.. c d))"],
    ["-a * !b", "(* (- a) (! b))"],
    ["--a.b(c)", "(- (- (call (. a b) c)))"],
    ["a + -b", "(+ a (- b))"],
    ["x |> f |> g(1)", "(|> (|> x f) (call g 1))"],
    ["a |> b with c |> d", "(|> (with (|> a b) c) d)"],
    ["a || b |> f", "(|> (|| a b) f)"],
    ["if a then b else if c then d else e", "(if a b (if c d e))"],
    ["if a then b else c |> f", "(|> (if a b c) f)"],
    ["x |> if a then f else g", "(|> x (if a f g))"],
    ["if if a then b else c then d else e + 1", "(if (if a b c) d (+ e 1))"],
    ["f(a, name: b, c,)", "(call f a name: b c)"],
    ["f()(1)[2].g", "(. (index (call (call f) 1) 2) g)"],
    ["x[a, 1:, :2, ::3, 1:2:3, :, ..., -1]", "(index x a 1:: :2: ::3 1:2:3 :: ... (- 1))"],
    ["[]", "[]"],
    ["[1, [2, 3,],]", "[1 [2 3]]"],
    ["[f(i) for i in 0..n]", "[(call f i) for i in (.. 0 n)]"],
    ["[i for i in xs if i % 2 == 0]", "[i for i in xs if (== (% i 2) 0)]"],
    ["(a)", "a"],
    ["(a, b)", "(tuple a b)"],
    ["(a, b,)", "(tuple a b)"],
    ["site tokens(x, attention: p, extra: 2)", "(site tokens x attention: p extra: 2)"],
    ['"a" + true', '(+ "a" true)'],
    ["a.in.for.let.encoder", "(. (. (. (. a in) for) let) encoder)"],
  ])("%s", (text, tree) => expect(expression(text)).toBe(tree));

  test.each([
    "12",
    "0.5",
    "1e-6",
    "2.5e3",
    "16kHz",
    "8000Hz",
    "10s",
    "25ms",
    "5us",
    "70%",
    "4KiB",
    "128MiB",
    "2GiB",
    "7B",
    "3k",
    "1.5M",
    "32G",
    "2T",
  ])("the number %s", (text) => expect(expression(text)).toBe(text));

  test("a percent sign belongs to the number only when it touches it and nothing follows", () => {
    expect(expression("7 % 2")).toBe("(% 7 2)");
    expect(expression("n%2")).toBe("(% n 2)");
    expect(expression("70% % 3")).toBe("(% 70% 3)");
  });

  test("a range of numbers is no decimal point", () => {
    expect(expression("0..4")).toBe("(.. 0 4)");
    expect(expression("0.5..1.5")).toBe("(.. 0.5 1.5)");
  });

  test("strings decode their escapes", () => {
    expect(expression('"a\\"b\\\\c\\n\\t\\u{1F600}\\u{e9}"')).toBe(JSON.stringify('a"b\\c\n\t\u{1F600}é'));
    expect(expression('"// no comment"')).toBe('"// no comment"');
  });

  test("parentheses are left out of a node's span and kept in that of the whole", () => {
    const unit = parsed("let it = (a + b) * (c)");
    const value = first(unit.declarations).value;
    if (value?.kind !== "binary") throw new Error("not binary");
    expect(textOf(value.span)).toBe("(a + b) * (c)");
    expect(textOf(value.left.span)).toBe("a + b");
    expect(textOf(value.right.span)).toBe("c");
    expect(textOf(value.operatorSpan)).toBe("*");
  });
});

describe("types", () => {
  test.each([
    ["int", "int"],
    ["[ratio]", "[ratio]"],
    ['"a" | "b" | "c"', '"a" | "b" | "c"'],
    ["f32[]", "f32[]"],
    ["f32[*b, 1 + d, n]", "f32[*b, (+ 1 d), n]"],
    ["waveform[T] @ 16kHz", "waveform[T] @ 16kHz"],
    ["waveform[T] @ c.rate", "waveform[T] @ (. c rate)"],
    ["[[f32[n]]]", "[[f32[n]]]"],
  ])("%s", (text, tree) => expect(type(text)).toBe(tree));
});

describe("declarations", () => {
  test("imports, with aliases and a trailing comma", () => {
    const { imports } = parsed('import { A, B as C, } from "../x.oss"\nimport {} from "y.oss"');
    expect(imports.map(({ from }) => from.value)).toEqual(["../x.oss", "y.oss"]);
    expect(imports[0]?.names.map(({ name, alias }) => [name.name, alias?.name])).toEqual([
      ["A", undefined],
      ["B", "C"],
    ]);
  });

  test.each(["block", "encoder", "policy", "connector", "decoder", "adapter", "frontend", "model"])(
    "%s",
    (kind) => {
      const declaration = block(`${kind} A { }`);
      expect([declaration.blockKind, declaration.name.name, declaration.members]).toEqual([kind, "A", []]);
    },
  );

  test("parameters have types, defaults and docs", () => {
    const { parameters } = block(`block A(
      /// The width.
      d: int,
      mode: "sum" | "mean" = "sum", /// Where.
      at: [int] = [1, 2],
    ) {}`);
    expect(parameters.map((p) => [p.name.name, typeText(p.type), p.doc])).toEqual([
      ["d", "int", "The width."],
      ["mode", '"sum" | "mean"', ""],
      ["at", "[int]", "Where."],
    ]);
    expect(parameters.map((p) => p.initial && expressionText(p.initial))).toEqual([
      undefined,
      '"sum"',
      "[1 2]",
    ]);
  });

  test("a variant has a value instead of members", () => {
    const { value, members } = block("model Small(n: int) = Captioner(keep: 50%)\nlet x = 1");
    expect(value && expressionText(value)).toBe("(call Captioner keep: 50%)");
    expect(members).toEqual([]);
  });

  test("docs keep their lines and belong to what follows; other comments do not count", () => {
    const unit = parsed(`/// One.
///
///   Two.
//// ruler
// aside
block A { /// The weight.
  param w: f32[1]
  // not this
  b = B()
  /// Runs.
  forward() = 1
  /// of nothing
}
/// Pi.
let pi = 3`);
    const [a, pi] = unit.declarations;
    expect(a?.doc).toBe("One.\n\n  Two.");
    expect(pi?.doc).toBe("Pi.");
    const members = a?.kind === "block" ? a.members : [];
    expect(members.map((m) => ("doc" in m ? m.doc : undefined))).toEqual(["The weight.", "", "Runs."]);
  });

  test("every comment comes back in order", () => {
    const text = "// a\nlet x = 1 // b\r\n/// c\nlet y = 2";
    const { comments } = parse(new SourceFile("test.oss", text));
    expect(comments.map((c) => c.text)).toEqual(["// a", "// b", "/// c"]);
    for (const comment of comments) expect(textOf(comment.span)).toBe(comment.text);
  });
});

describe("members", () => {
  test("let and bindings with dotted names", () => {
    expect(memberOf("let", "let k = 3").name.name).toBe("k");
    const binding = memberOf("binding", "attention.output.dense = Linear(d, d)");
    expect(binding.name.parts.map((p) => p.name)).toEqual(["attention", "output", "dense"]);
    expect(textOf(binding.name.span)).toBe("attention.output.dense");
    expect(expressionText(binding.value)).toBe("(call Linear d d)");
  });

  test("learned parameters", () => {
    const parameter = memberOf("parameter", "param embeddings.cls_token: f32[1, 1, d] = normal(std: 0.02)");
    expect(parameter.name.parts.map((p) => p.name)).toEqual(["embeddings", "cls_token"]);
    expect(typeText(parameter.type)).toBe("f32[1, 1, d]");
    expect(parameter.initial && expressionText(parameter.initial)).toBe("(call normal std: 0.02)");
    expect(memberOf("parameter", "param w: f32[d]").initial).toBeUndefined();
  });

  test("conditions chain", () => {
    const outer = memberOf("conditional", "if a { x = 1 } else if b { } else { let y = 2\nz = 3 }");
    const inner = first(outer.alternate);
    if (inner.kind !== "conditional") throw new Error("not a condition");
    expect([outer.consequent.length, inner.consequent.length, inner.alternate.length]).toEqual([1, 0, 2]);
  });

  test("require, with and without a message", () => {
    const required = memberOf("require", 'require d % heads == 0, "heads must divide"');
    expect(expressionText(required.condition)).toBe("(== (% d heads) 0)");
    expect(required.message?.value).toBe("heads must divide");
    expect(memberOf("require", "require a").message).toBeUndefined();
  });

  test("forward with results of every form", () => {
    const results = (text: string) =>
      memberOf("forward", `forward(x: f32[*b, d], n: int = 2) ${text}`).results.map(
        (r) => `${r.name?.name ?? "_"}: ${typeText(r.type)}`,
      );
    expect(results("= x")).toEqual([]);
    expect(results("-> f32[*b, d] = x")).toEqual(["_: f32[*b, d]"]);
    expect(results("-> logits: f32[B, C] = x")).toEqual(["logits: f32[B, C]"]);
    expect(results("-> a: f32[n], f32[m] { x }")).toEqual(["a: f32[n]", "_: f32[m]"]);
    expect(results("-> (a: f32[n], b: int,) = x")).toEqual(["a: f32[n]", "b: int"]);
    expect(results("-> waveform[T] @ 16kHz = x")).toEqual(["_: waveform[T] @ 16kHz"]);
  });

  test("parameters of forward; an ellipsis lets others through", () => {
    const closed = memberOf("forward", "forward(x: f32[n], flag: bool = true) = x");
    expect(closed.parameters.map((p) => [p.name.name, typeText(p.type)])).toEqual([
      ["x", "f32[n]"],
      ["flag", "bool"],
    ]);
    expect(closed.open).toBe(false);
    expect(memberOf("forward", "forward(x: f32[n], ...) = x").open).toBe(true);
    expect(memberOf("forward", "forward(...) = 1").open).toBe(true);
  });

  test("handlers and what they carry", () => {
    const handler = memberOf("handler", "on tokens[[3, 6]](x: f32[B, N]) -> f32[B, M] { x }");
    expect(handler.site.name).toBe("tokens");
    expect(handler.at && expressionText(handler.at)).toBe("[3 6]");
    expect(memberOf("handler", "on tokens(x: f32[B]) = x").at).toBeUndefined();
    const carry = memberOf("carry", "carry origin: i64[B, N] = iota(N)");
    expect([carry.name.name, carry.type && typeText(carry.type)]).toEqual(["origin", "i64[B, N]"]);
    expect(memberOf("carry", "carry n = 0").type).toBeUndefined();
  });

  test("inputs and entries of a model", () => {
    const input = memberOf("input", "input audio: waveform[T] @ 16kHz");
    expect([input.name.name, typeText(input.type)]).toEqual(["audio", "waveform[T] @ 16kHz"]);
    const entry = memberOf("entry", "entry classify(audio, prompt) -> logits: f32[1, labels] = f(audio)");
    expect(entry.inputs.map((i) => i.name)).toEqual(["audio", "prompt"]);
    expect(entry.results.map((r) => [r.name?.name, typeText(r.type)])).toEqual([
      ["logits", "f32[1, labels]"],
    ]);
    expect(expressionText(entry.body.result)).toBe("(call f audio)");
    expect(memberOf("entry", "entry forward(x) { x }").name.name).toBe("forward");
  });
});

describe("bodies", () => {
  test("`=` gives a body without statements", () => {
    const { statements, result } = memberOf("forward", "forward() = a |> b").body;
    expect([statements, expressionText(result)]).toEqual([[], "(|> a b)"]);
  });

  test("every statement", () => {
    const { statements, result } = body(`let x: f32[n] = 1
      let (q, k,) = f(x)
      (q, k) = (k, q)
      x = x + 1
      for layer in layers { x = layer(x) }
      for i, layer in 0..n { }
      if a { x = 1 } else if b { } else { x = 3 }
      require x > 0, "no"
      (x, q)`);
    expect(statements.map((s) => s.kind)).toEqual([
      "let",
      "let",
      "assign",
      "assign",
      "for",
      "for",
      "if",
      "require",
    ]);
    expect(expressionText(result)).toBe("(tuple x q)");
    const [, pair, swap, , , counted] = statements;
    expect(pair?.kind === "let" && pair.names.map((n) => n.name)).toEqual(["q", "k"]);
    expect(swap?.kind === "assign" && swap.names.map((n) => n.name)).toEqual(["q", "k"]);
    expect(counted?.kind === "for" && [counted.index?.name, counted.variable.name]).toEqual(["i", "layer"]);
  });

  test.each([
    ["x == y", "(== x y)"],
    ["(a, b) == c", "(== (tuple a b) c)"],
    ["(a)", "a"],
    ["if a then b else c", "(if a b c)"],
    ["site", "site"],
  ])("the result may begin like a statement: %s", (text, tree) => {
    expect(expressionText(body(text).result)).toBe(tree);
  });

  test("a bracket on a new line begins something new", () => {
    const tuple = body("let y = f(x)\n(a, b)");
    expect(tuple.statements).toHaveLength(1);
    expect(expressionText(tuple.result)).toBe("(tuple a b)");
    expect(expressionText(body("let y = x\n[1, 2]").result)).toBe("[1 2]");
    expect(expressionText(body("let y = x\n[1, 2][0]").result)).toBe("(index [1 2] 0)");
  });

  test("everything else goes on over line ends", () => {
    expect(expressionText(body("x\n  |> f\n  with g\n  .h\n  + 1").result)).toBe(
      "(with (|> x f) (+ (. g h) 1))",
    );
    expect(expressionText(body("f(\n a,\n b\n)").result)).toBe("(call f a b)");
  });
});

describe("keywords in their place only", () => {
  const contextual = [
    ...["block", "encoder", "policy", "connector", "decoder", "adapter", "frontend", "model"],
    ...["input", "entry", "on", "carry", "site", "from", "as", "weights", "generate", "budget", "sweep"],
  ];

  test.each(contextual)("%s names parameters, parts, values and members", (word) => {
    const { members, parameters } = block(`block A(${word}: int = 1) {
      ${word} = B(${word}: ${word})
      ${word}.${word} = C()
      param ${word}.w: f32[${word}] = ${word}(1)
      let ${word} = 1
      input ${word}: ${word}[*${word}]
      carry ${word} = 0
      entry ${word}(${word}) = ${word}
      on ${word}(${word}: int) -> ${word}: int {
        let ${word} = ${word}.${word}
        for ${word}, ${word} in ${word} { ${word} = ${word} + 1 }
        (${word}, ${word}) = site ${word}(${word}, ${word}: ${word})
        ${word}
      }
    }`);
    expect(parameters[0]?.name.name).toBe(word);
    expect(members.map((m) => m.kind)).toEqual([
      ...["binding", "binding", "parameter", "let", "input", "carry", "entry", "handler"],
    ]);
  });

  const reserved = [
    "import",
    "let",
    "param",
    "forward",
    "for",
    "in",
    "if",
    "then",
    "else",
    "with",
    "require",
  ];
  test.each([...reserved, "true", "false"])("%s is reserved, except after a dot", (word) => {
    expect(expression(`a.${word}`)).toBe(`(. a ${word})`);
    expect(memberOf("binding", `a.${word}.b = c`).name.parts.map((p) => p.name)).toEqual(["a", word, "b"]);
    expect(parse(new SourceFile("t", `let ${word} = 1`)).diagnostics).toHaveLength(1);
  });

  test("a site's name stands on the same line", () => {
    const { statements, result } = body("let y = site\ntokens(x)");
    expect([statements.length, expressionText(result)]).toEqual([1, "(call tokens x)"]);
  });
});

describe("spans", () => {
  const text = `import { A } from "a.oss"
/// Doc.
encoder E(d: int = 4) {
  param a.w: f32[*b, d] = zeros()
  blocks = [Block(d) for i in 0..3 if i > 1]
  forward(x: f32[n]) -> y: f32[n] {
    let (p, q) = f(x[1:, ...], k: -2) with P()
    if p { q = (1 + 2) * 3 }
    site out(p |> q, z: "s")
  }
}`;

  function visit(node: unknown, parent: Span | undefined, see: (node: object, span: Span) => void): void {
    if (typeof node !== "object" || node === null || node instanceof SourceFile) return;
    let span = parent;
    if ("span" in node && typeof node.span === "object" && node.span !== null) {
      span = node.span as Span;
      if (parent !== undefined) {
        expect([span.start >= parent.start, span.end <= parent.end]).toEqual([true, true]);
      }
      see(node, span);
    }
    for (const [key, child] of Object.entries(node)) if (key !== "span") visit(child, span, see);
  }

  test("a part lies inside its whole, and a name's span is its text", () => {
    const seen: string[] = [];
    visit(parsed(text), undefined, (node, span) => {
      seen.push(textOf(span));
      if ("name" in node && typeof node.name === "string") expect(textOf(span)).toBe(node.name);
    });
    expect(seen).toContain('import { A } from "a.oss"');
    expect(seen).toContain(text.slice(text.indexOf("encoder")));
    expect(seen).toContain("d: int = 4");
    expect(seen).toContain("param a.w: f32[*b, d] = zeros()");
    expect(seen).toContain("y: f32[n]");
    expect(seen).toContain("(1 + 2) * 3");
    expect(seen).toContain('site out(p |> q, z: "s")');
    expect(seen).toContain("k: -2");
    expect(seen).toContain("1:");
  });

  test("line ends of every kind and a byte order mark change nothing", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const [encoder, pi] = parsed(`\ufeff${text}\nlet pi = 3`.replaceAll("\n", end)).declarations;
      expect([encoder?.doc, pi?.kind]).toEqual(["Doc.", "let"]);
    }
  });
});
