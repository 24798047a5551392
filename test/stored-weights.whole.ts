/**
 * Matrices that are stored in fewer bits: what a device unpacks, what ONNX does, and the reference, on the
 * shapes that packing could get wrong. What is no matrix stays as it was.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Graph } from "../src/compiler/graph.ts";
import { parseGraph } from "../src/compiler/graph-parse.ts";
import { findOp } from "../src/compiler/ops/index.ts";
import { withStorage } from "../src/compiler/storage.ts";
import { verify } from "../src/compiler/verify.ts";
import { defaultTuning } from "../src/compiler/wgsl/tuning.ts";
import { DiagnosticError } from "../src/lang/diagnostic.ts";
import type { Storage } from "../src/lang/storage-type.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "./support/gpu.ts";
import { farthest, runOnnx, runPlan, runReference } from "./support/plan-runs.ts";
import { drawn } from "./support/three-counts.ts";

const graphOf = (text: string): Graph =>
  parseGraph(`graph g(N >= 1)\n${text}\noutput y = %y\n`, { ops: { find: findOp } });

/** x W^T, as linear layers are written, of [out, in] weights. */
const layer = (input: number, output: number): string => `input %x: f32[2, N, ${input}]
param %w: f32[${output}, ${input}] = zeros
%1: f32[${input}, ${output}] = transpose(%w) {permutation: [1, 0]}
%y: f32[2, N, ${output}] = matmul(%x, %1)`;

const straight = (input: number, output: number): string => `input %x: f32[N, ${input}]
param %w: f32[${input}, ${output}] = zeros
%y: f32[N, ${output}] = matmul(%x, %w)`;

/** A table that is read by its rows, and is the head too. */
const tied = (rows: number, width: number): string => `input %ids: i64[N]
param %w: f32[${rows}, ${width}] = zeros
%1: f32[N, ${width}] = gather(%w, %ids) {axis: 0}
%2: f32[${width}, ${rows}] = transpose(%w) {permutation: [1, 0]}
%y: f32[N, ${rows}] = matmul(%1, %2)`;

const merged = `input %x: f32[N, 128]
param %w: f32[12, 128] = zeros
param %a: f32[2, 128] = zeros
param %b: f32[12, 2] = zeros
%1: f32[12, 128] = matmul(%b, %a)
%2: f32[12, 128] = add(%w, %1)
%3: f32[128, 12] = transpose(%2) {permutation: [1, 0]}
%y: f32[N, 12] = matmul(%x, %3)`;

const convolution = `input %x: f32[N, 3, 9, 8]
param %w: f32[6, 3, 2, 4] = zeros
param %bias: f32[6] = zeros
%y: f32[N, 6, 4, 2] = conv2d(%x, %w, %bias) {strides: [2, 4]}`;

/** Text, the stored form of each weight that is a matrix, and how many elements share a scale. */
/** Two products of the same rows, which a plan makes one. */
const siblings = (input: number, first: number, second: number): string => `input %x: f32[N, ${input}]
param %a: f32[${first}, ${input}] = zeros
param %b: f32[${second}, ${input}] = zeros
%1: f32[${input}, ${first}] = transpose(%a) {permutation: [1, 0]}
%2: f32[N, ${first}] = matmul(%x, %1)
%3: f32[${input}, ${second}] = transpose(%b) {permutation: [1, 0]}
%4: f32[N, ${second}] = matmul(%x, %3)
%y: f32[N, ${first + second}] = concat(%2, %4) {axis: 1}`;

const cases: readonly (readonly [name: string, text: string, group: number | undefined])[] = (
  [
    ["a layer", layer(128, 36)],
    ["rows of one group", layer(64, 8)],
    ["rows that 64 does not divide", layer(20, 12)],
    ["odd rows", layer(7, 5)],
    ["columns in odd number", layer(192, 3)],
    ["groups of 16", layer(48, 20), 16],
    ["groups of 3, which no word holds", layer(12, 8), 3],
    ["untransposed", straight(20, 64)],
    ["untransposed, odd", straight(9, 7)],
    ["a table that is the head too", tied(300, 64)],
    ["an odd table", tied(5, 9)],
    ["an adapter that is merged", merged],
    ["a convolution", convolution],
    ["products of the same rows", siblings(128, 20, 12)],
    ["odd products of the same rows", siblings(7, 5, 3)],
  ] as readonly (readonly [string, string, number?])[]
).map(([name, text, group]) => [name, text, group] as const);

const storages = (group: number | undefined): readonly Storage[] => [{ as: "int8", group }, { as: "f16" }];

const drawnCase = (text: string, n: number, storage: Storage) => {
  const graph = graphOf(text);
  const given = drawn(graph, { N: n }, 5);
  return { given, stored: { ...given, graph: withStorage(graph, () => storage) } };
};

describe("what is stored in fewer bits", () => {
  test.each(cases)("%s: a legal graph, and ONNX computes what the reference does", async (_, text, group) => {
    for (const storage of storages(group)) {
      const { given, stored } = drawnCase(text, 3, storage);
      expect(verify(stored.graph)).toEqual([]);
      const want = runReference(stored);
      expect(farthest(stored.graph, await runOnnx(stored), want)).toBeLessThan(1e-5);
      const off = farthest(given.graph, want, runReference(given));
      expect(off).toBeGreaterThan(0);
      expect(off).toBeLessThan(storage.as === "int8" ? 1e-2 : 1e-3);
    }
  });

  test("what is no matrix stays as it is", () => {
    const texts = [
      // Added, scaled by, one row, read by a product and by something else.
      "param %w: f32[4, 8] = zeros\ninput %x: f32[N, 4, 8]\n%y: f32[N, 4, 8] = add(%x, %w)",
      "param %w: f32[1, 8] = zeros\ninput %x: f32[N, 1]\n%y: f32[N, 8] = matmul(%x, %w)",
      "param %w: f32[8] = zeros\ninput %x: f32[N, 8]\n%y: f32[N, 8] = rms_norm(%x, %w) {epsilon: 1e-5}",
      `param %w: f32[8, 8] = zeros\ninput %x: f32[N, 8]\n%1: f32[N, 8] = matmul(%x, %w)
%2: f32[8] = mean(%w) {axes: [0], keep: false}\n%y: f32[N, 8] = add(%1, %2)`,
    ];
    for (const text of texts) {
      const graph = graphOf(text);
      expect(withStorage(graph, () => ({ as: "int8" }))).toBe(graph);
    }
  });

  test("a group that does not divide a row is refused, with the row's size", () => {
    const attempt = () => withStorage(graphOf(layer(48, 20)), () => ({ as: "int8", group: 32 }));
    expect(attempt).toThrow(DiagnosticError);
    expect(attempt).toThrow(/A row of w has 48 elements, which groups of 32 do not divide/);
  });
});

describeWebGpu("unpacked on a device", () => {
  let gpu: GPU;
  let device: GPUDevice;
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openTestDevice({}, gpu);
  });
  afterAll(() => device.destroy());

  const tuning = { ...defaultTuning, rows: 3, columns: 4 };
  test.each(cases)("%s", async (_, text, group) => {
    for (const storage of storages(group)) {
      for (const n of [1, 5]) {
        const { stored } = drawnCase(text, n, storage);
        const { got, plan } = await runPlan(stored, { gpu, device }, { tuning });
        expect(farthest(stored.graph, got, runReference(stored))).toBeLessThan(2e-5);
        const packed = plan.weights.filter((weight) => weight.shape.length > 1);
        // Small tables may be stored in two layouts.
        if (storage.as === "int8")
          expect(new Set(packed.map((weight) => weight.stored))).toEqual(new Set(["i8"]));
      }
    }
  });

  test("a table in parts takes its scales along", async () => {
    const { stored } = drawnCase(tied(300, 64), 5, { as: "int8" });
    const whole = await runPlan(stored, { gpu, device }, { tuning });
    const parts = await runPlan(stored, { gpu, device }, { tuning, largestBinding: 8192 });
    expect(parts.plan.weights.length).toBeGreaterThan(2);
    expect(Math.max(...parts.plan.weights.map(({ bytes }) => bytes))).toBeLessThanOrEqual(8192);
    expect(farthest(stored.graph, parts.got, whole.got)).toBe(0);
  });
});
