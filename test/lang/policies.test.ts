import { describe, expect, it } from "vitest";
import { checkText, codesOf, elaborateText, outputTypes, parameterPaths } from "../support/program.ts";

const encoder = `
block Layer() {
  forward(x: f32[B, N, 4]) -> f32[B, M, 4] {
    x = site tokens(x, extra: 1, attention: x)
    x + 1
  }
}
encoder Enc(depth: int = 3) {
  layers = [Layer() for i in 0..depth]
  forward(x: f32[B, N, 4]) -> f32[B, M, 4] {
    for layer in layers { x = layer(x) }
    x
  }
}`;

const model = (policy: string, body: string) => `${encoder}
policy P${policy} { ${body} }
model M() { input x: f32[B, 8, 4]  e = Enc() with P()  entry f(x) -> y: f32[B, N, 4] = e(x) }`;

describe("policies", () => {
  it("act at every site, or at the numbers they list", () => {
    const drop = "(x: f32[B, N, C], extra: int) -> f32[B, N - 1, C] = x[:, :N - 1]";
    expect(outputTypes(elaborateText(model("()", `on tokens${drop}`)))).toEqual(["y: f32[B, 5, 4]"]);
    expect(outputTypes(elaborateText(model("()", `on tokens[[0, 2]]${drop}`)))).toEqual(["y: f32[B, 6, 4]"]);
    expect(outputTypes(elaborateText(model("(at: [int] = [1])", `on tokens[at]${drop}`)))).toEqual([
      "y: f32[B, 7, 4]",
    ]);
  });

  it("remember from site to site, and forget between calls", () => {
    const body = `
  carry dropped = 0
  on tokens(x: f32[B, N, C]) -> f32[B, M, C] { dropped = dropped + 1  x[:, :N - dropped] }`;
    expect(outputTypes(elaborateText(model("()", body)))).toEqual(["y: f32[B, 2, 4]"]);
    const twice = model("()", body).replace("= e(x)", "= concat(e(x), e(x), axis: 1)");
    expect(outputTypes(elaborateText(twice))).toEqual(["y: f32[B, 4, 4]"]);
  });

  it("take what the site offers, and say what is missing", () => {
    expect(
      codesOf(model("()", "on tokens(x: f32[B, N, C], keys: f32[B, N, C]) -> f32[B, N, C] = x")),
    ).toEqual(["missing-argument"]);
    const optional =
      "on tokens(x: f32[B, N, C], keys: f32[B, N, C] = none) -> f32[B, N, C] = if keys == none then x else keys";
    expect(codesOf(model("()", optional))).toEqual([]);
  });

  it("are reported when they meet no site, or a number that is not there", () => {
    expect(codesOf(model("()", "on elsewhere(x: f32[B, N, C]) -> f32[B, N, C] = x"))).toEqual([
      "policy-meets-nothing",
    ]);
    expect(codesOf(model("()", "on tokens[[3]](x: f32[B, N, C]) -> f32[B, N, C] = x"))).toEqual([
      "site-out-of-range",
    ]);
  });
});

describe("adapters", () => {
  const blocks = `
block Linear(input: int, output: int) {
  param weight: f32[output, input]
  forward(x: f32[*b, input]) -> f32[*b, output] = x @ transpose(weight)
}
block Net() {
  in_proj = Linear(4, 6)
  layers = [Linear(6, 6) for i in 0..2]
  forward(x: f32[B, 4]) -> f32[B, 6] { let h = in_proj(x)  for layer in layers { h = layer(h) }  h }
}
adapter Scale(on: [string], by: real = 2) {
  param gain: f32[base.output] = ones
  forward(x: f32[*b, base.input]) -> f32[*b, base.output] = base(x) * gain * by
}`;
  const adapted = (on: string) => `${blocks}
model M() { input x: f32[B, 4]  net = Net() with Scale(on: ${on})  entry e(x) -> f32[B, 6] = net(x) }`;

  it("go around the sub-blocks that match, and keep the names of what they hold", () => {
    const pathsOf = (on: string) => parameterPaths(elaborateText(adapted(on))).sort();
    expect(pathsOf('["in_proj"]')).toEqual([
      "net.in_proj.gain",
      "net.in_proj.weight",
      "net.layers.0.weight",
      "net.layers.1.weight",
    ]);
    expect(pathsOf('["layers.*"]')).toEqual([
      "net.in_proj.weight",
      "net.layers.0.gain",
      "net.layers.0.weight",
      "net.layers.1.gain",
      "net.layers.1.weight",
    ]);
  });

  it("that match nothing are an error that lists what could", () => {
    const { diagnostics } = checkText(adapted('["inproj"]'));
    expect(diagnostics.map((d) => d.code)).toEqual(["adapter-matches-nothing"]);
    expect(diagnostics[0]?.hint).toContain("in_proj");
    expect(codesOf(adapted("[]"))).toEqual(["adapter-without-target"]);
  });
});
