import { describe, expect, test } from "vitest";
import { GraphBuilder, initialGraph } from "../../src/compiler/graph-builder.ts";
import { evaluateValues } from "../../src/compiler/interpret.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { verify } from "../../src/compiler/verify.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { Dim } from "../../src/lang/dims.ts";
import { floats, GraphWriter, symbolN } from "../support/random-graph.ts";

const here = { path: "here", span: undefined };

describe("identity", () => {
  test("equal work is one node, with the provenance of the first", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("x", floats(symbolN, 4));
    const first = writer.one("tanh", [x]);
    expect(writer.one("tanh", [x])).toBe(first);
    expect(writer.one("cos", [x])).not.toBe(first);
    const graph = writer.finish({ name: "y", value: writer.one("add", [first, writer.one("tanh", [x])]) });
    expect(graph.nodes.map((node) => `${node.op.name} ${node.provenance.path}`)).toEqual([
      "tanh step0",
      "add step4",
    ]);
  });

  test("attributes are compared with their defaults and in one form", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("x", floats(symbolN, 4));
    expect(writer.one("softmax", [x])).toBe(writer.one("softmax", [x], { axis: -1 }));
    expect(writer.one("softmax", [x])).not.toBe(writer.one("softmax", [x], { axis: 0 }));
    expect(writer.one("iota", [], { n: 3 })).toBe(writer.one("iota", [], { n: Dim.of(3), dtype: "i64" }));
  });

  test("constants are equal by type and bits", () => {
    const builder = new GraphBuilder("g");
    const half = builder.constant([0.5], floats());
    expect(builder.constant([0.5], floats())).toBe(half);
    expect(builder.constant([0.5], floats(1))).not.toBe(half);
    expect(builder.constant([0], floats())).not.toBe(builder.constant([-0], floats()));
    expect(builder.constant([Number.NaN], floats())).toBe(builder.constant([Number.NaN], floats()));
    const single = { dtype: "f32", shape: [], data: Float32Array.of(0.5) } as const;
    expect(builder.constantTensor(single)).toBe(half);
  });

  test("a parameter is one value for each path, and of one type", () => {
    const writer = new GraphWriter("g");
    const weight = writer.parameter("a.weight", 3);
    expect(writer.parameter("a.weight", 3)).toBe(weight);
    expect(() => writer.parameter("a.weight", 4)).toThrow(
      /a\.weight is f32\[3\] and cannot also be f32\[4\]/,
    );
  });

  test("a dimension that is a number is a constant, another is a node", () => {
    const builder = new GraphBuilder("g");
    expect(builder.dimension(Dim.of(7), "i64", here)).toBe(
      builder.constant([7], { dtype: "i64", shape: [] }),
    );
    const open = builder.dimension(symbolN.add(1), "f32", here);
    expect(open.source.kind).toBe("result");
    expect(open.type).toEqual({ dtype: "f32", shape: [] });
  });
});

describe("what is refused", () => {
  test("values of another graph", () => {
    const x = new GraphBuilder("other").input("x", floats(2));
    const tanh = findOp("tanh");
    if (tanh === undefined) throw new Error("there is no tanh");
    expect(() => new GraphBuilder("g").op(tanh, [x], {}, [x.type], here)).toThrow(DiagnosticError);
  });

  test("constants that do not fill their type, and inputs declared twice", () => {
    const builder = new GraphBuilder("g");
    expect(() => builder.constant([1, 2], floats(3))).toThrow(/cannot hold 2 values/);
    expect(() => builder.constant([1], floats(symbolN))).toThrow(/cannot have the type f32\[N\]/);
    builder.input("x", floats(2));
    expect(() => builder.input("x", floats(2))).toThrow(/x is declared twice/);
  });

  test("a parameter taken from another graph under a path that is in use", () => {
    const [one, two] = [new GraphWriter("one"), new GraphWriter("two")];
    const weight = one.parameter("w", 3);
    expect(one.builder.adopt(weight)).toBe(weight);
    two.parameter("w", 3);
    expect(() => two.builder.adopt(weight)).toThrow(/the parameter w is there already/);
  });

  test("a node that its op refuses, made by a pass", () => {
    const builder = new GraphBuilder("g");
    const matmul = findOp("matmul");
    if (matmul === undefined) throw new Error("there is no matmul");
    const x = builder.input("x", floats(2, 3));
    expect(() => builder.apply(matmul, [x, x], {}, here)).toThrow(
      /a pass made matmul\(f32\[2, 3\], f32\[2, 3\]\)/,
    );
  });
});

describe("finish", () => {
  test("keeps what outputs need, in order, and every input", () => {
    const writer = new GraphWriter("g");
    const x = writer.builder.input("x", floats(symbolN, 4));
    writer.builder.input("unused", floats(2));
    const dead = writer.one("matmul", [x, writer.parameter("dead", 4, 2)]);
    const alive = writer.one("matmul", [x, writer.parameter("alive", 4, 2)]);
    const value = writer.one("tanh", [alive]);
    writer.builder.name("block.result", dead);
    const graph = writer.finish({ name: "y", value });
    expect(graph.inputs.map((input) => input.name)).toEqual(["x", "unused"]);
    expect(graph.nodes.map((node) => node.op.name)).toEqual(["matmul", "tanh"]);
    expect(graph.parameters).toHaveLength(1);
    expect(writer.builder.names().get("block.result")).toBe(dead);
    const tapped = writer.finish({ name: "y", value }, { name: "tap", value: dead });
    expect(tapped.nodes.map((node) => node.op.name)).toEqual(["matmul", "matmul", "tanh"]);
    expect(tapped.nodes[0]?.results[0]).toBe(dead);
  });

  test("drops guards that always hold under the minimums, and repeats", () => {
    const { builder } = new GraphWriter("g");
    const x = builder.input("x", floats(symbolN));
    const five = Dim.of(5);
    const guard = (kind: "equal" | "at-most" | "divides", left: Dim, right: Dim) =>
      builder.require({ kind, left, right, reason: "because" }, here);
    guard("at-most", Dim.of(2), symbolN);
    guard("at-most", Dim.of(3), symbolN);
    guard("at-most", Dim.of(3), symbolN);
    guard("equal", symbolN.add(symbolN), symbolN.mul(2));
    guard("equal", symbolN, five);
    guard("divides", five, symbolN.mul(10));
    guard("divides", five, symbolN);
    const graph = builder.finish([{ name: "y", value: x }], [{ name: "N", minimum: 2 }]);
    const texts = graph.guards.map(({ requirement: r }) => `${r.left} ${r.kind} ${r.right}`);
    expect(texts).toEqual(["3 at-most N", "N equal 5", "5 divides N"]);
  });

  test("waveforms keep their sample rate", () => {
    const builder = new GraphBuilder("g", { sampleRates: new Map([["audio", 16000]]) });
    const value = builder.input("audio", floats(symbolN));
    expect(builder.finish([{ name: "y", value }], []).inputs[0]?.sampleRate).toBe(16000);
  });
});

test("what a parameter starts with is a graph of its own", () => {
  const writer = new GraphWriter("g");
  const x = writer.builder.input("x", floats(3));
  const ramp = writer.one("cast", [writer.one("iota", [], { n: 3 })], { to: "f32" });
  const start = writer.one("add", [ramp, writer.builder.constant([1], floats())]);
  const a = writer.builder.parameter("a", floats(3), { kind: "value", value: start }, here);
  const graph = writer.finish({ name: "y", value: writer.one("add", [x, a]) });
  expect(graph.nodes.map((node) => node.op.name)).toEqual(["add"]);
  const source = graph.parameters[0]?.source;
  const initial = source?.kind === "parameter" ? initialGraph(source.parameter) : undefined;
  if (initial === undefined) throw new Error("there is no initial graph");
  expect(verify(initial)).toEqual([]);
  const [tensor] = evaluateValues(initial.outputs.map((output) => output.value));
  expect([...(tensor?.data ?? [])]).toEqual([1, 2, 3]);
});
