import { describe, expect, test } from "vitest";
import type { TensorInfo, WeightSource } from "../../src/compiler/host-tensor.ts";
import { suggest } from "../../src/lang/suggest.ts";
import { checkWeights } from "../../src/runtime/weights-report.ts";

const f32 = (...shape: number[]): TensorInfo => ({ dtype: "f32", shape });

function source(tensors: Record<string, TensorInfo>): WeightSource {
  const map = new Map(Object.entries(tensors));
  return {
    label: "model.safetensors",
    names: () => [...map.keys()],
    info: (name) => map.get(name),
    read: () => Promise.reject(new Error("a report reads no tensor")),
  };
}

const check = (expected: Record<string, TensorInfo>, found: Record<string, TensorInfo>) =>
  checkWeights(new Map(Object.entries(expected)), source(found), suggest);

test("a checkpoint that fits says nothing", () => {
  const report = check({ a: f32(2, 3), b: f32() }, { b: f32(), a: { dtype: "bf16", shape: [2, 3] } });
  expect(report).toEqual({ missing: [], unexpected: [], misshapen: [], diagnostics: [] });
});

describe("missing", () => {
  test("one tensor is named, and a near name of the same shape suggested", () => {
    const { missing, diagnostics } = check(
      { "norm.weight": f32(4), "head.weight": f32(2, 4) },
      { "norm.weights": f32(4), "norm.weigh": f32(1), "head.weight": f32(2, 4) },
    );
    expect(missing).toEqual(["norm.weight"]);
    expect(diagnostics[0]).toMatchObject({
      code: "weights-missing",
      severity: "error",
      message: "model.safetensors lacks the tensor 'norm.weight'.",
      notes: ["'norm.weight'", "'norm.weight' may be 'norm.weights' there"],
    });
  });

  const layers = (prefix: string, count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`${prefix}layers.${i}.mixer.A_log`, f32(8)] as const),
    );

  test("layers are counted together", () => {
    const { diagnostics } = check({ ...layers("", 24), norm: f32(1) }, { norm: f32(1) });
    expect(diagnostics[0]?.message).toBe("model.safetensors lacks 24 of the model's 25 tensors.");
    expect(diagnostics[0]?.notes).toEqual(["'layers.*.mixer.A_log' (24 tensors)"]);
  });

  test("a prefix in the file that the model has not", () => {
    const { diagnostics } = check(layers("", 3), layers("model.", 3));
    expect(diagnostics[0]?.notes.at(-1)).toBe(
      "all of them would be found if the names there did not start with 'model.'",
    );
    expect(diagnostics[0]?.hint).toContain("weights");
  });

  test("a prefix of several parts in the model that the file has not", () => {
    const { diagnostics } = check(layers("decoder.backbone.", 3), layers("", 2));
    expect(diagnostics[0]?.notes.at(-1)).toBe(
      "2 of them would be found if the names in the model did not start with 'decoder.backbone.'",
    );
  });

  test("long lists end in a count", () => {
    const names = Array.from(
      { length: 45 },
      (_, i) => [`tensor${String.fromCharCode(65 + i)}`, f32(1)] as const,
    );
    const { diagnostics } = check(Object.fromEntries(names), {});
    expect(diagnostics[0]?.notes).toHaveLength(9);
    expect(diagnostics[0]?.notes.at(-1)).toBe("and 37 more");
    expect(diagnostics[0]?.message).toBe("model.safetensors has none of the model's 45 tensors.");
  });
});

describe("misshapen", () => {
  test.each<[string, TensorInfo, TensorInfo, string]>([
    ["transposed", f32(2, 3), f32(3, 2), "'a': expected f32[2, 3], found f32[3, 2] (transposed)"],
    [
      "as many values",
      f32(6, 4),
      f32(6, 1, 4),
      "'a': expected f32[6, 4], found f32[6, 1, 4] (as many values, in another shape)",
    ],
    ["another size", f32(6), f32(7), "'a': expected f32[6], found f32[7]"],
    ["integers for numbers", f32(6), { dtype: "i64", shape: [6] }, "'a': expected f32[6], found i64[6]"],
  ])("%s", (_, expected, found, note) => {
    const report = check({ a: expected }, { a: found });
    expect(report.misshapen).toEqual([{ name: "a", expected, found }]);
    expect(report.diagnostics).toHaveLength(1);
    expect(report.diagnostics[0]).toMatchObject({
      code: "weights-misshapen",
      severity: "error",
      notes: [note],
    });
  });

  test("many are cut", () => {
    const names = Array.from({ length: 20 }, (_, i) => `t${i}`);
    const { diagnostics } = check(
      Object.fromEntries(names.map((name) => [name, f32(1)])),
      Object.fromEntries(names.map((name) => [name, f32(2)])),
    );
    expect(diagnostics[0]?.message).toContain("20 tensors");
    expect(diagnostics[0]?.notes.at(-1)).toBe("and 12 more");
  });
});

test("what is not expected is a warning", () => {
  const { unexpected, diagnostics } = check({ a: f32(1) }, { a: f32(1), "b.0.x": f32(1), "b.1.x": f32(1) });
  expect(unexpected).toEqual(["b.0.x", "b.1.x"]);
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]).toMatchObject({
    code: "weights-unexpected",
    severity: "warning",
    notes: ["'b.*.x' (2 tensors)"],
  });
});

test("without a way to suggest, none is made", () => {
  const { diagnostics } = checkWeights(new Map([["a.weight", f32(1)]]), source({ "a.weights": f32(1) }));
  expect(diagnostics[0]?.notes).toEqual(["'a.weight'"]);
});
