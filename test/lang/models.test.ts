import { describe, expect, it } from "vitest";
import { checkpointName } from "../../src/lang/plans.ts";
import { checkText, codesOf, elaborateText, outputTypes, parameterPaths } from "../support/program.ts";

const base = `
block Linear(input: int, output: int) {
  param weight: f32[output, input]
  forward(x: f32[*b, input]) -> f32[*b, output] = x @ transpose(weight)
}
let classes = 5
model Base(width: int = 4, keep: ratio = 100%) {
  input x: f32[B, width]
  body = Linear(width, width)
  head = Linear(width, classes)
  entry logits(x) -> logits: f32[B, classes] = head(body(x))
  entry features(x) -> f32[B, width] = body(x)
}`;

describe("extends", () => {
  const derived = (body: string, args = "(width: 8)") => `${base}
model Derived(extra: int = 3) extends Base${args} { ${body} }`;

  it("adds and replaces members, keeps the rest and its order", () => {
    const text = derived(`
  head = Linear(width, extra)
  entry logits(x) -> logits: f32[B, extra] = head(body(x))
  entry both(x) -> f32[B, width] = body(body(x))`);
    expect(codesOf(text)).toEqual([]);
    const elaboration = elaborateText(text, { model: "Derived" });
    expect(outputTypes(elaboration)).toEqual(["logits: f32[B, 3]"]);
    expect(parameterPaths(elaboration)).toEqual(["body.weight", "head.weight"]);
    const { entries } = checkText(text).checked;
    expect(entries.filter((e) => e.model === "Derived").map((e) => e.entry)).toEqual([
      "logits",
      "features",
      "both",
    ]);
  });

  it("keeps the names of the file that declared them", () => {
    const elsewhere = `import { Base } from "./base.oss"
model Derived() extends Base(width: 6) { entry twice(x) -> f32[B, width] = body(body(x)) }`;
    const elaboration = elaborateText(elsewhere, { entry: "logits" }, { "base.oss": base });
    expect(outputTypes(elaboration)).toEqual(["logits: f32[B, 5]"]);
  });

  it("refuses what is not a model", () => {
    expect(
      codesOf(`${base}\nmodel D() extends Linear(1, 2) { input x: f32[B]  entry e(x) -> f32[B] = x }`),
    ).toEqual(["bad-extension"]);
  });
});

describe("variants", () => {
  const sized = `
block Table(width: int, depth: int = 2) { forward(x: f32[N]) -> f32[N] = x }
block Wide(depth: int = 3) = Table(width: 8, depth: depth)
block Deep() extends Wide(depth: 7) { }`;
  const asked = (value: string): string => `${sized}
model M(table: block = Wide()) { input x: f32[N]  entry e(x) -> f32[${value}, N] = expand(x, [${value}, N]) }`;

  it("know the parameters of what they are made of", () => {
    const first = (value: string): string | undefined => outputTypes(elaborateText(asked(value)))[0];
    expect(first("table.width")).toBe("output: f32[8, N]");
    expect(first("table.depth")).toBe("output: f32[3, N]");
    expect(first("Wide(5).depth")).toBe("output: f32[5, N]");
    expect(first("Deep().width")).toBe("output: f32[8, N]");
    expect(first("Deep().depth")).toBe("output: f32[7, N]");
  });

  it("say what they know", () => {
    const { diagnostics } = checkText(asked("table.wide"));
    expect(diagnostics.map((each) => each.code)).toEqual(["unknown-member"]);
    expect(diagnostics[0]?.message).toContain("Wide has no member `wide`");
    expect(codesOf("block A() = A()\nlet n = A().width")).toEqual(["endless-block"]);
  });
});

describe("state", () => {
  it("is continued only where there is some, and only by an entry that exists", () => {
    const text = (continues: string) => `
model M() { input x: f32[B]  entry first(x) -> f32[B] = x  entry next(x) continues ${continues} -> f32[B] = x }`;
    expect(codesOf(text("first"))).toEqual(["no-state"]);
    expect(codesOf(text("frist"))).toEqual(["no-entry"]);
  });

  const decoder = (body: string) => `
block Conv() {
  param weight: f32[3, 4]
  param bias: f32[3] = zeros
  forward(x: f32[B, L, 3]) -> f32[B, L, 3] { let (y, _) = causal_conv(x, weight, bias)  y }
}
model M() {
  input x: f32[B, L, 3]
  input token: f32[B, 1, 3]
  conv = Conv()
  entry prefill(x) -> y: f32[B, L, 3] = conv(x)
  ${body}
}`;

  it("passes from entry to entry by the path of its block", () => {
    const text = decoder("entry step(token) continues prefill -> y: f32[B, 1, 3] = conv(token)");
    const prefill = elaborateText(text, { entry: "prefill" }).graph;
    expect(prefill.inputs.map((input) => input.state)).toEqual([undefined]);
    expect(prefill.outputs.map((output) => output.state)).toEqual([undefined, "conv.conv_state"]);
    const step = elaborateText(text, { entry: "step" }).graph;
    expect(step.inputs.map((input) => input.name)).toEqual(["token", "past.conv.conv_state"]);
    expect(step.outputs.map((output) => output.name)).toEqual(["y", "present.conv.conv_state"]);
  });

  it("can be used once in an entry", () => {
    expect(codesOf(decoder("entry twice(x) -> f32[B, L, 3] = conv(conv(x))"))).toEqual(["state-used-twice"]);
  });
});

describe("what a model says of itself", () => {
  const model = (member: string) => `${base}
model M(size: "s" | "l" = "s", keep: ratio = 50%) extends Base() { ${member} }`;

  it.each([
    ['sweep { keep: [50%, 1], size: ["s", "l"] }', []],
    ["sweep { kep: [50%] }", ["bad-sweep"]],
    ["sweep { keep: [50%, 150%] }", ["bad-sweep"]],
    ["sweep { keep: 50% }", ["bad-sweep"]],
    ["budget { macs(seconds: 10) <= 32G, params <= 220M, dispatches(logits) <= 160 }", []],
    ["budget { flops <= 3 }", ["bad-budget"]],
    ["budget { params >= 3 }", ["bad-budget"]],
    ['weights { "module.*" -> "*" }', []],
    ['weights { "module.*" -> "head" }', ["bad-rename"]],
    ["generate text from logits then features", ["bad-generate"]],
    ["generate text from logit then features", ["bad-generate"]],
  ])("%s", (member, codes) => {
    expect(codesOf(model(member))).toEqual(codes);
  });

  it("renames by pattern, each star the same text on both sides", () => {
    const renames = [
      { from: "module.v.blocks.*.attn.*", to: "encoder.layer.*.attention.*" },
      { from: "module.v.*", to: "encoder.*" },
    ];
    expect(checkpointName("encoder.layer.3.attention.qkv.weight", renames)).toBe(
      "module.v.blocks.3.attn.qkv.weight",
    );
    expect(checkpointName("encoder.norm.bias", renames)).toBe("module.v.norm.bias");
    expect(checkpointName("head.weight", renames)).toBe("head.weight");
  });
});

describe("kinds of blocks", () => {
  it.each([
    ["encoder E() { forward(x: f32[B, N]) -> f32[B, N] = x }", "E()(x)", ["broken-interface"]],
    ["encoder E() { let y = 1 }", "x", ["broken-interface"]],
    ["policy E() { forward(x: f32[B]) -> f32[B] = x }", "x", ["broken-interface"]],
    ["adapter E() { forward(x: f32[B]) -> f32[B] = x }", "x", ["broken-interface"]],
    ["block E() { input y: f32[B]  forward(x: f32[B, N]) -> f32[B, N] = x }", "x", ["broken-interface"]],
    ["block E() { forward(x: f32[B, N]) -> f32[B, N] = x }", "E()(x)", []],
  ])("%s", (block, body, codes) => {
    const text = `${block}\nmodel M() { input x: f32[B, N]  entry e(x) -> f32[B, N] = ${body} }`;
    expect(codesOf(text).filter((code) => code === "broken-interface")).toEqual(codes);
  });

  it("a model needs an entry", () => {
    expect(codesOf("model M() { input x: f32[B] }")).toEqual(["broken-interface"]);
  });
});

describe("files", () => {
  it("keep names with an underscore to themselves", () => {
    const text =
      'import { _Hidden, Shown } from "./a.oss"\nmodel M() { input x: f32[B]  entry e(x) -> f32[B] = Shown()(x) }';
    const a =
      "block _Hidden() { forward(x: f32[B]) -> f32[B] = x }\nblock Shown() { forward(x: f32[B]) -> f32[B] = _Hidden()(x) }";
    expect(codesOf(text, { "a.oss": a })).toEqual(["private-name"]);
  });

  it("say which version of the language they are written for", () => {
    const model = "model M() { input x: f32[B]  entry e(x) -> f32[B] = x }";
    expect(codesOf(`language 1\n${model}`)).toEqual([]);
    expect(codesOf(`language 2\n${model}`)).toEqual(["unknown-language-version"]);
  });
});
