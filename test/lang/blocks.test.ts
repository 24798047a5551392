import { describe, expect, it } from "vitest";
import { checkText, codesOf, elaborateText, outputTypes, parameterPaths } from "../support/program.ts";

const linear = `
block Linear(input: int, output: int, biased: bool = true) {
  param weight: f32[output, input] = normal(std: 0.02)
  if biased { param bias: f32[output] = zeros }
  forward(x: f32[*b, input]) -> f32[*b, output] =
    if biased then x @ transpose(weight) + bias else x @ transpose(weight)
}`;

describe("blocks", () => {
  it("name parameters by the path of their place", () => {
    const text = `${linear}
model M() {
  input x: f32[B, 4]
  layers = [Linear(4, 4) for i in 0..2]
  attention.output.dense = Linear(4, 3, biased: false)
  let shared = Linear(3, 2, biased: false)
  entry e(x) -> y: f32[B, 2] {
    for layer in layers { x = layer(x) }
    shared(attention.output.dense(x))
  }
}`;
    expect(codesOf(text)).toEqual(["not-assignable"]);
    const fixed = text.replace(
      "for layer in layers { x = layer(x) }",
      "let h = x\n for layer in layers { h = layer(h) }",
    );
    const elaboration = elaborateText(fixed.replace("dense(x)", "dense(h)"));
    expect(parameterPaths(elaboration)).toEqual([
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.weight",
      "layers.1.bias",
      "attention.output.dense.weight",
      "weight",
    ]);
    expect(outputTypes(elaboration)).toEqual(["y: f32[B, 2]"]);
  });

  it("leave parameters out of the graph that no entry needs", () => {
    const text = `${linear}
model M() {
  input x: f32[B, 4]
  used = Linear(4, 4)
  unused = Linear(4, 4)
  entry e(x) -> f32[B, 4] = used(x)
}`;
    const elaboration = elaborateText(text);
    expect(parameterPaths(elaboration)).toEqual(["used.weight", "used.bias"]);
    expect(elaboration.modelParameters).toContain("unused.weight");
  });

  it("bind dimension names at each call", () => {
    const text = `
block Twice() { forward(x: f32[*b, N]) -> f32[*b, 2 * N] = concat(x, x, axis: -1) }
model M() {
  input x: f32[B, 3, 5]
  entry e(x) -> y: f32[B, 3, 20] = Twice()(Twice()(x))
}`;
    expect(outputTypes(elaborateText(text))).toEqual(["y: f32[B, 3, 20]"]);
  });

  it("hold results to their declared types, with both sizes in the message", () => {
    const { diagnostics } = checkText(`
block Half() { forward(x: f32[B, N]) -> f32[B, 3] = x[:, :2] }
model M() { input x: f32[B, 4]  entry e(x) -> f32[B, 3] = Half()(x) }`);
    expect(diagnostics.map((d) => d.code)).toEqual(["shape-mismatch"]);
    expect(diagnostics[0]?.message).toMatch(/2 where 3 is expected/);
  });

  it("take compile-time values that fit and refuse others", () => {
    const model = (value: string) => `
block P(n: int = 1, r: ratio = 50%, s: "a" | "b" = "a", f: frequency = 16kHz, l: [int] = []) {
  forward(x: f32[B]) -> f32[B] = x
}
model M() { input x: f32[B]  entry e(x) -> f32[B] = P(${value})(x) }`;
    for (const good of [
      "n: 3",
      "n: 6 / 2",
      "r: 0.3",
      "r: 1",
      's: "b"',
      "f: 8000Hz",
      "l: [1, 2]",
      "l: 0..3",
    ]) {
      expect(codesOf(model(good)), good).toEqual([]);
    }
    for (const bad of [
      "n: 1.5",
      "n: 3 / 2",
      "r: 1.2",
      "r: 120%",
      's: "c"',
      "f: 8000",
      "l: 3",
      "q: 1",
      "n: true",
    ]) {
      expect(codesOf(model(bad)).length, bad).toBe(1);
    }
  });

  it("multiply durations by rates into samples exactly", () => {
    const text = `
model M() {
  input x: waveform[T] @ 16kHz
  entry e(x) -> f32[L, 400] = frame(x, 25ms * 16kHz, 10ms * 16kHz)
}`;
    expect(outputTypes(elaborateText(text))).toEqual(["output: f32[floor((T - 240)/160), 400]"]);
    expect(elaborateText(text).graph.inputs[0]?.sampleRate).toBe(16000);
  });

  it("turn an open division into a guard and a false one into an error", () => {
    const text = (size: string) => `
model M() { input x: f32[${size}, 2]  entry e(x) -> f32[N, 5, 2] = reshape(x, [size(x, 0) / 5, 5, 2]) }`;
    const { guards } = elaborateText(text("T")).graph;
    expect(
      guards.map(({ requirement }) => `${requirement.left} ${requirement.kind} ${requirement.right}`),
    ).toEqual(["5 divides T"]);
    expect(codesOf(text("7"))).toEqual(["not-divisible"]);
    expect(codesOf(text("10"))).toEqual([]);
  });

  it("check conditions with `where`, now or when bound", () => {
    const text = (size: string) => `
block Pick(k: int) { forward(x: f32[N]) -> f32[M] where k % 2 == 0, 2 * k <= N = x[:k] }
model M() { input x: f32[${size}]  let pick = Pick(4)  entry e(x) -> f32[4] = pick(x) }`;
    expect(codesOf(text("9"))).toEqual([]);
    expect(codesOf(text("7"))).toEqual(["requirement-failed"]);
    expect(elaborateText(text("T")).graph.guards.map(({ requirement }) => String(requirement.left))).toEqual([
      "8",
    ]);
  });

  it("report a block that contains itself", () => {
    const codes = codesOf(`
block Loop() { inner = Loop()  forward(x: f32[B]) -> f32[B] = inner(x) }
model M() { input x: f32[B]  l = Loop()  entry e(x) -> f32[B] = l(x) }`);
    expect(codes).toEqual(["endless-block"]);
  });
});
