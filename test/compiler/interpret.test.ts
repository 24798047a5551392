import { describe, expect, test } from "vitest";
import { bindSymbols } from "../../src/compiler/bind.ts";
import type { Graph, Value } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { evaluateValues, interpret } from "../../src/compiler/interpret.ts";
import { CountingMeter } from "../../src/compiler/ops/arithmetic.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { Dim } from "../../src/lang/dims.ts";
import type { DType, TensorType } from "../../src/lang/types.ts";

const here = { path: "test", span: undefined };
const N = Dim.symbol("N");

const type = (shape: readonly (Dim | number)[], dtype: DType = "f32"): TensorType => ({
  dtype,
  shape: shape.map((dim) => (typeof dim === "number" ? Dim.of(dim) : dim)),
});

const tensor = (shape: readonly number[], data: readonly number[], dtype: DType = "f32"): HostTensor => ({
  dtype,
  shape,
  data: Float64Array.from(data),
});

function apply(builder: GraphBuilder, name: string, operands: readonly Value[], attributes = {}): Value {
  const op = findOp(name);
  if (!op) throw new Error(name);
  const [value] = builder.apply(op, operands, attributes, here);
  if (!value) throw new Error(name);
  return value;
}

/** y = relu(x w) + (x w), with x of N rows, and s = its sum. */
function smallGraph(): Graph {
  const builder = new GraphBuilder("small");
  const x = builder.input("x", type([N, 3]));
  const double = builder.input("double", type([N.mul(2)]));
  const w = builder.parameter("layer.weight", type([3, 2]), { kind: "zeros" }, here);
  const product = apply(builder, "matmul", [x, w]);
  const y = apply(builder, "add", [apply(builder, "relu", [product]), product]);
  const s = apply(builder, "sum", [double]);
  builder.require({ kind: "at-most", left: N, right: Dim.of(4), reason: "at most four rows" }, here);
  const outputs = [
    { name: "y", value: y },
    { name: "product", value: product },
    { name: "s", value: s },
  ];
  return builder.finish(outputs, [{ name: "N", minimum: 2 }]);
}

const weight = tensor([3, 2], [1, 0, 0, -1, 1, 1]);
const parameters = () => weight;

function inputs(rows: number): Map<string, HostTensor> {
  const values = Array.from({ length: rows * 3 }, (_, i) => i - 2);
  return new Map([
    ["x", tensor([rows, 3], values)],
    ["double", tensor([2 * rows], new Array(2 * rows).fill(0.5))],
  ]);
}

function codes(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics.map((d) => `${d.code}: ${d.message}`);
    throw error;
  }
  return [];
}

describe("interpret", () => {
  test("computes the outputs and counts every node's multiply-adds", () => {
    const meter = new CountingMeter();
    const macs: string[] = [];
    const outputs = interpret(smallGraph(), {
      inputs: inputs(2),
      parameters,
      meter,
      onNode: (node, _, count) => macs.push(`${node.op.name} ${count}`),
    });
    // x = [[-2, -1, 0], [1, 2, 3]]
    expect([...(outputs.get("product")?.data ?? [])]).toEqual([-2, 1, 4, 1]);
    expect([...(outputs.get("y")?.data ?? [])]).toEqual([-2, 2, 8, 2]);
    expect([...(outputs.get("s")?.data ?? [])]).toEqual([2]);
    expect(meter.macs).toBe(12);
    expect(macs).toContain("matmul 12");
    expect(macs).toContain("relu 0");
  });

  test("the same graph runs at another size", () => {
    expect(interpret(smallGraph(), { inputs: inputs(3), parameters }).get("y")?.shape).toEqual([3, 2]);
  });

  test("reads a parameter once", () => {
    let reads = 0;
    const builder = new GraphBuilder("twice");
    const w = builder.parameter("w", type([2, 2]), { kind: "zeros" }, here);
    const y = apply(builder, "matmul", [apply(builder, "neg", [w]), w]);
    const graph = builder.finish([{ name: "y", value: y }], []);
    const read = () => {
      reads += 1;
      return tensor([2, 2], [1, 2, 3, 4]);
    };
    const result = interpret(graph, { inputs: new Map(), parameters: read });
    expect([...(result.get("y")?.data ?? [])]).toEqual([-7, -10, -15, -22]);
    expect(reads).toBe(1);
  });

  test("refuses tensors of another type", () => {
    const wrong = new Map(inputs(2)).set("x", tensor([2, 3], [0, 0, 0, 0, 0, 0], "i64"));
    expect(codes(() => interpret(smallGraph(), { inputs: wrong, parameters }))[0]).toContain(
      "tensor-type: the input x",
    );
    const transposed = () => tensor([2, 3], [0, 0, 0, 0, 0, 0]);
    expect(codes(() => interpret(smallGraph(), { inputs: inputs(2), parameters: transposed }))[0]).toContain(
      "the parameter layer.weight is f32[2, 3]; it must be f32[3, 2]",
    );
  });
});

describe("bindSymbols", () => {
  const bind = (x: readonly number[] | undefined, double: readonly number[]) => {
    const shapes = new Map([["double", double]]);
    if (x) shapes.set("x", x);
    return bindSymbols(smallGraph(), shapes);
  };

  test("reads a symbol where it stands alone", () => {
    expect([...bind([3, 3], [6])]).toEqual([["N", 3]]);
  });

  test("says which input does not fit, and why", () => {
    expect(codes(() => bind([3, 3], [7]))).toEqual([
      "input-shape: Dimension 0 of the input double is 7; it must be 2*N = 6.",
    ]);
    expect(codes(() => bind([3, 4], [6]))[0]).toContain("Dimension 1 of the input x is 4; it must be 3.");
    expect(codes(() => bind([3], [6]))[0]).toContain("[N, 3]");
    expect(codes(() => bind(undefined, [6]))[0]).toContain("The input x is missing.");
  });

  test("holds symbols to their minimum and guards to what they say", () => {
    expect(codes(() => bind([1, 3], [2]))[0]).toContain("symbol-minimum: N is 1");
    expect(codes(() => bind([5, 3], [10]))).toEqual([
      expect.stringMatching(/^guard-failed: N = 5 must be at most 4 in test: .+\.$/),
    ]);
  });

  test("needs a value for every symbol", () => {
    const builder = new GraphBuilder("open");
    const x = builder.input("x", type([N.add(1)]));
    const graph = builder.finish([{ name: "x", value: x }], [{ name: "N", minimum: 1 }]);
    expect(codes(() => bindSymbols(graph, new Map([["x", [4]]])))[0]).toContain("symbol-unbound");
    expect(bindSymbols(graph, new Map([["x", [4]]]), new Map([["N", 3]])).get("N")).toBe(3);
  });
});

test("evaluateValues computes what no input reaches", () => {
  const builder = new GraphBuilder("constants");
  const ramp = apply(builder, "iota", [], { n: Dim.of(4), dtype: "f32" });
  const [result] = evaluateValues([apply(builder, "mul", [ramp, ramp])]);
  expect([...(result?.data ?? [])]).toEqual([0, 1, 4, 9]);
  const input = builder.input("x", type([4]));
  expect(codes(() => evaluateValues([apply(builder, "neg", [input])]))[0]).toContain("internal-fault");
});
