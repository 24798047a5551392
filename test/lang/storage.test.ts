/** Which `stored` counts for a learned tensor, what an adapter of nothing else leaves alone, and what it all costs. */
import { expect, test } from "vitest";
import { countProgram } from "../../src/cli/cost-options.ts";
import { nothingGiven } from "../../src/compiler/cost/bindings.ts";
import { reportCost } from "../../src/compiler/cost/report.ts";
import { DiagnosticSink } from "../../src/lang/diagnostic.ts";
import { storageRuleAt } from "../../src/lang/storage.ts";
import { codesOf, elaborateText, parameterPaths, programOf } from "../support/program.ts";

const text = (extra: string, use = "", head = ""): string => `
adapter Narrow(to: storage, on: [string], group: int = 64) {
  if to == int8 { stored { as: to, group: group } } else { stored { as: to } }
}
block Dense(input: int, output: int) {
  param weight: f32[output, input]
  param bias: f32[output] = zeros
  forward(x: f32[*b, input]) -> f32[*b, output] = x @ transpose(weight) + bias
}
block Body() {
  ${extra}
  layers = [Dense(64, 64) for i in 0..2]
  head = Dense(64, 128)${head}
  forward(x: f32[B, 64]) -> f32[B, 128] = x |> layers[0] |> layers[1] |> head
}
model Two() {
  input x: f32[B, 64]
  body = Body()${use}
  entry run(x) -> y: f32[B, 128] = body(x)
}`;

/** What each weight is stored as. */
function found(program: string): Record<string, string> {
  const elaboration = elaborateText(program);
  const rules = elaboration.outline.evaluator.stored;
  return Object.fromEntries(
    parameterPaths(elaboration)
      .filter((path) => path.endsWith("weight"))
      .map((path) => {
        const rule = storageRuleAt(path, rules);
        return [path, rule === undefined ? "as it is" : `${rule.as} ${rule.group ?? "-"}`];
      }),
  );
}

const weights = ["body.layers.0.weight", "body.layers.1.weight", "body.head.weight"];
const named = (...as: readonly string[]) => Object.fromEntries(weights.map((path, i) => [path, as[i]]));

test.each([
  [text(""), ["as it is", "as it is", "as it is"]],
  [text("stored { as: f16 }"), ["f16 -", "f16 -", "f16 -"]],
  [text("", ' with Narrow(int8, on: "layers.*", group: 32)'), ["int8 32", "int8 32", "as it is"]],
  // The inner block counts, whoever says it first; of two at one place the last.
  [text("stored { as: f16 }", ' with Narrow(int8, on: ["layers.1"])'), ["f16 -", "int8 64", "f16 -"]],
  [
    text("", ' with Narrow(int8, on: "layers.*") with Narrow(f16, on: "layers.0")'),
    ["f16 -", "int8 64", "as it is"],
  ],
])("storage of every matrix, %#", (program, as) => {
  expect(codesOf(program)).toEqual([]);
  expect(found(program)).toEqual(named(...as));
});

test("an adapter that only stores leaves names, and what is computed, as they are", () => {
  const plain = elaborateText(text(""));
  const stored = elaborateText(text("", ' with Narrow(f16, on: "layers.*")'));
  expect(parameterPaths(stored)).toEqual(parameterPaths(plain));
  expect(stored.graph.nodes.map(({ op }) => op.name)).toEqual(plain.graph.nodes.map(({ op }) => op.name));
});

test("an adapter that neither computes nor stores breaks its promise", () => {
  expect(codesOf(`adapter Idle(on: [string]) {\n  let on_what = on\n}`)).toContain("broken-interface");
});

test("a matrix and a vector: what is said of both counts for the matrix, of the vector alone is a mistake", () => {
  const norm = (use: string): string => `
adapter Narrow(to: storage, on: [string]) { stored { as: to } }
block Scale() {
  param weight: f32[64] = ones
  forward(x: f32[B, 64]) -> f32[B, 64] = x * weight
}
block Dense() {
  scale = Scale()
  param weight: f32[8, 64]
  forward(x: f32[B, 64]) -> f32[B, 8] = scale(x) @ transpose(weight)
}
block Body() {
  dense = Dense()
  forward(x: f32[B, 64]) -> f32[B, 8] = dense(x)
}
model One() {
  input x: f32[B, 64]
  body = Body() with Narrow(int8, on: "${use}")
  entry run(x) -> y: f32[B, 8] = body(x)
}`;
  expect(codesOf(norm("dense"))).toEqual([]);
  expect(codesOf(norm("scale"))).toEqual(["bad-stored"]);
});

test("cost: bytes by the type in which they are stored, scales with their codes", () => {
  const bytes = (program: string, weightsDtype?: "f16" | "int8") => {
    const sink = new DiagnosticSink();
    const request = { model: "Two", entry: "run", open: [], settings: new Map<string, string>() };
    const model = countProgram(
      programOf(program, {}, sink),
      { ...request, ...(weightsDtype && { weightsDtype }) },
      sink,
    );
    const [entry] = reportCost(model, {
      given: nothingGiven,
      settings: new Map(),
      convention: "core",
      by: "path",
    }).entries;
    return Object.fromEntries([...(entry?.weights ?? [])].map(([type, size]) => [type, String(size)]));
  };
  const biases = 4 * (64 + 64 + 128);
  const elements = 2 * 64 * 64 + 64 * 128;
  expect(bytes(text(""))).toEqual({ f32: `${4 * elements + biases}` });
  expect(bytes(text(""), "f16")).toEqual({ f16: `${2 * elements}`, f32: `${biases}` });
  expect(bytes(text(""), "int8")).toEqual({ int8: `${elements + elements / 16}`, f32: `${biases}` });
  expect(bytes(text("", ' with Narrow(int8, on: "head", group: 32)'))).toEqual({
    f32: `${4 * 2 * 64 * 64 + biases}`,
    int8: `${64 * 128 + (64 * 128) / 8}`,
  });
});
