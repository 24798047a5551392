import { describe, expect, test } from "vitest";
import { compareGraphs, isSame } from "../../src/compiler/difference.ts";
import { parseGraph } from "../../src/compiler/graph-parse.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import { countRatio, printCount, shortCount, totalsOf } from "../../src/compiler/totals.ts";
import { Dim, parseDim } from "../../src/lang/dims.ts";

const base = `graph run(N >= 1)
input %x: f32[N, 4]
param %layers.0.weight: f32[4, 8] = normal(0, 0.02)   // layers.0
const %c0: f32[] = [2]
%0: f32[N, 8] = matmul(%x, %layers.0.weight)   // layers.0
%1: f32[N, 8] = mul(%0, %c0)   // layers.0
%2: f32[N] = sum(%1) {axes: [1], keep: false}   // pool
output y = %2
`;

const graphOf = (text: string) => parseGraph(text, { ops: { find: findOp } });

function difference(change: (text: string) => string) {
  const text = change(base);
  expect(text).not.toBe(base);
  return compareGraphs(graphOf(base), graphOf(text));
}

describe("two graphs", () => {
  test("that are the same", () => {
    const same = compareGraphs(graphOf(base), graphOf(base.replace("graph run", "graph other")));
    expect(isSame(same)).toBe(true);
    expect(same.rewired).toBe(false);
  });

  test("with an op more, and one less when turned round", () => {
    const more = (text: string) =>
      text.replace("%2:", "%5: f32[N, 8] = relu(%1)   // layers.0.tokens\n%2:").replace("sum(%1)", "sum(%5)");
    expect(difference(more).ops).toEqual([
      { path: "layers.0.tokens", kind: "added", op: "relu", details: [] },
    ]);
    const turned = compareGraphs(graphOf(more(base)), graphOf(base));
    expect(turned.ops).toMatchObject([{ kind: "removed", op: "relu" }]);
  });

  test("with an op that changed: an attribute, a constant, its form", () => {
    expect(difference((text) => text.replace("[2]", "[3]")).ops).toEqual([
      { path: "layers.0", kind: "changed", op: "mul", details: ["operand 2: 2 → 3"] },
    ]);
    const kept = (text: string) =>
      text.replace("%2: f32[N]", "%2: f32[N, 1]").replace("keep: false", "keep: true");
    const { ops, outputs } = difference(kept);
    expect(ops).toEqual([
      {
        path: "pool",
        kind: "changed",
        op: "sum",
        details: ["keep: false → true", "results: f32 of rank 1 → f32 of rank 2"],
      },
    ]);
    expect(outputs).toEqual([{ name: "y", before: "f32[N]", after: "f32[N, 1]" }]);
  });

  test("with other sizes: once for each path, and no op is other", () => {
    const { ops, sizes, parameters, totals } = difference((text) => text.replaceAll("8]", "16]"));
    expect(ops).toEqual([]);
    expect(sizes.map(({ path, before, after }) => `${path}: ${before} → ${after}`)).toEqual([
      "layers.0: 8 → 16",
    ]);
    expect(parameters).toEqual([
      {
        name: "layers.0.weight",
        before: "f32[4, 8] = normal(0.02, mean: 0)",
        after: "f32[4, 16] = normal(0.02, mean: 0)",
      },
    ]);
    expect([totals.before.macs, totals.after.macs].map(String)).toEqual(["32*N", "64*N"]);
    expect([totals.before.parameters, totals.after.parameters].map(String)).toEqual(["32", "64"]);
  });

  test("with other inputs and guards", () => {
    const { inputs, guards } = difference((text) =>
      text
        .replace("%x: f32[N, 4]", "%x: f32[N, 4] @ 16000")
        .replace("output", 'guard 2 <= N "two rows"\noutput'),
    );
    expect(inputs).toEqual([{ name: "x", before: "f32[N, 4]", after: "f32[N, 4] @ 16000Hz" }]);
    expect(guards).toEqual([{ name: "2 <= N", before: undefined, after: "two rows" }]);
  });

  test("that differ only in how ops are connected", () => {
    const doubled = base.replace("sum(%1)", "sum(%0)");
    const { rewired, ops } = compareGraphs(graphOf(base), graphOf(doubled));
    expect({ rewired, ops }).toEqual({ rewired: true, ops: [] });
  });
});

describe("totals", () => {
  test("leave out what depends on no input", () => {
    const merged = base
      .replace("%0:", "%9: f32[4, 8] = matmul(%layers.0.weight, %square)   // layers.0\n%0:")
      .replace("matmul(%x, %layers.0.weight)", "matmul(%x, %9)")
      .replace("const", "param %square: f32[8, 8] = ones   // layers.0\nconst");
    const { tensors, parameters, macs } = totalsOf(graphOf(merged));
    expect([tensors, String(parameters), String(macs)]).toEqual([2, "96", "32*N"]);
  });

  test("are written for people", () => {
    expect(printCount(Dim.of(48_523_277_568))).toBe("48,523,277,568");
    expect(printCount(parseDim("237568*floor((T + 80)/160) + 1024") ?? Dim.of(0))).toBe(
      "237,568*floor((T + 80)/160) + 1024",
    );
    expect([999_999, 1_000_000, 48_523_277_568, 2e12].map(shortCount)).toEqual([
      undefined,
      "1.00 M",
      "48.5 G",
      "2.00 T",
    ]);
  });

  test("have a ratio where it is the same for all sizes", () => {
    const ratio = (before: string, after: string) =>
      countRatio(parseDim(before) ?? Dim.of(0), parseDim(after) ?? Dim.of(0));
    expect(ratio("100*B", "50*B")).toBe(0.5);
    expect(ratio("100*B + 100", "50*B + 50")).toBe(0.5);
    expect(ratio("100*B", "50*B + 50")).toBeUndefined();
    expect(ratio("0", "50")).toBeUndefined();
  });
});
