import { describe, expect, test } from "vitest";
import { catalog } from "../../../src/compiler/ops/index.ts";
import { parseSignature } from "../../../src/compiler/ops/signature.ts";
import type { Attributes, Inference } from "../../../src/lang/catalog.ts";
import { Dim } from "../../../src/lang/dims.ts";
import { type DType, printType, type TensorType } from "../../../src/lang/types.ts";

const N = Dim.symbol("N");
const M = Dim.symbol("M");

function tensor(shape: readonly (Dim | number)[], dtype: DType = "f32"): TensorType {
  return { dtype, shape: shape.map((dim) => (typeof dim === "number" ? Dim.of(dim) : dim)) };
}

function infer(name: string, operands: readonly TensorType[], attributes: Attributes = {}): Inference {
  const op = catalog.find(name);
  if (!op) throw new Error(`there is no ${name}`);
  return op.infer(operands, attributes);
}

function types(inference: Inference): string[] {
  if (!inference.ok) throw new Error(inference.problem.message);
  return inference.results.map((result) => printType(result.type));
}

function problem(inference: Inference) {
  if (inference.ok) throw new Error("it was accepted");
  return inference.problem;
}

function requirements(inference: Inference): string[] {
  if (!inference.ok) throw new Error(inference.problem.message);
  return inference.requirements.map((r) => `${r.left} ${r.kind} ${r.right}`);
}

describe("symbolic shapes", () => {
  test("a product keeps its symbols and says where each dimension came from", () => {
    const inference = infer("matmul", [tensor([1, N, 768]), tensor([768, 50])]);
    expect(types(inference)).toEqual(["f32[1, N, 50]"]);
    expect(inference.ok && inference.results[0]?.sources).toEqual([
      { operand: 0, axis: 0 },
      { operand: 0, axis: 1 },
      { operand: 1, axis: 1 },
    ]);
    expect(requirements(inference)).toEqual([]);
  });

  test("a clash names the variable, both sizes and both places", () => {
    const found = problem(infer("matmul", [tensor([N, 768]), tensor([512, 50])]));
    expect(found.message).toBe("`k` is 768 in `a` (axis 1) and 512 in `b` (axis 0)");
    expect(found.operands).toEqual([
      { operand: 0, axis: 1 },
      { operand: 1, axis: 0 },
    ]);
    expect(found.expected?.constant).toBe(768);
    expect(found.found?.constant).toBe(512);
  });

  test("what cannot be decided becomes a condition, and what differs by a number does not", () => {
    expect(requirements(infer("add", [tensor([N]), tensor([M])]))).toEqual(["N equal M"]);
    expect(requirements(infer("matmul", [tensor([2, N]), tensor([M, 3])]))).toEqual(["N equal M"]);
    expect(problem(infer("add", [tensor([N]), tensor([N.add(1)])])).message).toContain("N + 1");
  });

  test("only the number 1 broadcasts", () => {
    expect(types(infer("add", [tensor([N, 1, 3]), tensor([5, 1])]))).toEqual(["f32[N, 5, 3]"]);
    expect(types(infer("mul", [tensor([]), tensor([N])]))).toEqual(["f32[N]"]);
    expect(problem(infer("add", [tensor([2, 3]), tensor([2, 4])])).message).toContain("3 in `x`");
  });

  test("computed dimensions stay expressions", () => {
    const framed = infer("frame", [tensor([1, N])], { size: 400, step: 160 });
    expect(types(framed)).toEqual(["f32[1, floor((N - 240)/160), 400]"]);
    expect(requirements(framed)).toEqual(["400 at-most N"]);
    const patches = infer("conv2d", [tensor([1, 1, N, 128]), tensor([768, 1, 16, 16])], {
      strides: [16, 16],
    });
    expect(requirements(patches)).toEqual(["16 at-most N"]);
    const keep = Dim.scaled("ceil", 0.7, N);
    expect(types(infer("top_k", [tensor([1, N])], { k: keep }))).toEqual([
      `f32[1, ${keep}]`,
      `i64[1, ${keep}]`,
    ]);
    expect(types(infer("concat", [tensor([1, 3]), tensor([N, 3]), tensor([N, 3])]))).toEqual([
      printType(tensor([N.mul(2).add(1), 3])),
    ]);
  });

  test("slices say when they need to hold", () => {
    const whole = infer("slice", [tensor([N, 4])], { starts: [Dim.of(0), Dim.of(1)], stops: [N, Dim.of(4)] });
    expect(types(whole)).toEqual(["f32[N, 3]"]);
    expect(requirements(whole)).toEqual([]);
    const first = infer("slice", [tensor([N])], { starts: [Dim.of(0)], stops: [Dim.of(5)] });
    expect(requirements(first)).toEqual(["5 at-most N"]);
    const beyond = infer("slice", [tensor([3])], { starts: [Dim.of(0)], stops: [Dim.of(5)] });
    expect(problem(beyond).message).toContain("5 is more than 3");
  });

  test("a reshape compares element counts", () => {
    expect(types(infer("reshape", [tensor([N, 12, 64])], { shape: [N, Dim.of(768)] }))).toEqual([
      "f32[N, 768]",
    ]);
    expect(problem(infer("reshape", [tensor([3, 4])], { shape: [Dim.of(11)] })).message).toContain(
      "12 elements",
    );
    expect(requirements(infer("reshape", [tensor([N, 2])], { shape: [M] }))).toEqual(["2*N equal M"]);
  });

  test("rows are gathered by as many leading dimensions as the indices have", () => {
    const rows = [tensor([1, N, 768]), tensor([1, M], "i64")];
    expect(types(infer("take_along", rows))).toEqual(["f32[1, M, 768]"]);
    expect(types(infer("take_along", [tensor([4, N]), tensor([M], "i64")]))).toEqual(["f32[M, N]"]);
    expect(problem(infer("take_along", [tensor([5]), tensor([2, 3], "i64")])).message).toContain(
      "at least 2",
    );
  });
});

describe("refusals", () => {
  const refused: readonly (readonly [string, string, readonly TensorType[], Attributes])[] = [
    ["mixed floats", "they must be the same", [tensor([2]), tensor([2], "f16")], {}],
    ["truth values in arithmetic", "must be a number", [tensor([2], "bool"), tensor([2], "bool")], {}],
    ["too few operands", "takes 2 operands", [tensor([2])], {}],
  ];
  test.each(refused)("%s", (_, words, operands, attributes) => {
    expect(problem(infer("add", operands, attributes)).message).toContain(words);
  });

  test("wrong attributes", () => {
    expect(problem(infer("softmax", [tensor([2])], { axis: 1 })).message).toContain("`axis` is 1");
    expect(problem(infer("cast", [tensor([2])])).message).toContain("needs `to`");
    expect(problem(infer("cast", [tensor([2])], { to: "f31" })).message).toContain("an element type");
    expect(problem(infer("transpose", [tensor([2, 3])], { permutation: [0, 0] })).message).toContain(
      "[0, 0]",
    );
    expect(problem(infer("top_k", [tensor([3])], { k: Dim.of(4) })).message).toContain("4 is more than 3");
    expect(problem(infer("mean", [tensor([2, 0])])).message).toContain("of nothing");
    expect(problem(infer("conv1d", [tensor([1, 4, 9]), tensor([6, 4, 3])], { groups: 2 })).message).toContain(
      "channels",
    );
    expect(problem(infer("matmul", [tensor([3]), tensor([3, 2])])).message).toContain("1 dimension, [3]");
  });

  test("ids must be i64", () => {
    expect(problem(infer("embedding", [tensor([9, 3]), tensor([2])])).message).toContain("i64");
  });
});

test("signatures that contradict themselves do not parse", () => {
  for (const bad of [
    "x: *s",
    "x *s -> *s",
    "x?: a, y: a -> a",
    "x...: a, y: a -> a",
    "x: A -> A",
    "x: a ->",
  ]) {
    expect(() => parseSignature(bad), bad).toThrow();
  }
});
