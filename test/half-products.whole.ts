/**
 * Products in 16 bits with sums in 32: what a device that has such numbers gives is what the arithmetic says, and
 * one that has none says what it lacks. The arithmetic itself is evaluated here.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Graph } from "../src/compiler/graph.ts";
import { parseGraph } from "../src/compiler/graph-parse.ts";
import type { HostTensor } from "../src/compiler/host-tensor.ts";
import { findOp } from "../src/compiler/ops/index.ts";
import { toHalf } from "../src/compiler/ops/special.ts";
import { withStorage } from "../src/compiler/storage.ts";
import { compilePlan } from "../src/compiler/wgsl/compile.ts";
import { defaultTuning } from "../src/compiler/wgsl/tuning.ts";
import { GpuModel } from "../src/runtime/gpu/model.ts";
import { weightsFrom } from "../src/runtime/gpu/weight-streams.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "./support/gpu.ts";
import { farthest, runPlan, runReference } from "./support/plan-runs.ts";
import { drawn } from "./support/three-counts.ts";

const graphOf = (text: string): Graph =>
  parseGraph(`graph g(N >= 1)\n${text}\noutput y = %y\n`, { ops: { find: findOp } });

/** x W^T, the weight as linear layers have it; or x W. */
const layer = `input %x: f32[N, 128]
param %w: f32[36, 128] = zeros
%1: f32[128, 36] = transpose(%w) {permutation: [1, 0]}
%y: f32[N, 36] = matmul(%x, %1)`;
const odd = `input %x: f32[N, 7]
param %w: f32[7, 5] = zeros
%y: f32[N, 5] = matmul(%x, %w)`;
/** A table that is read by its rows keeps all bits there; as the head it is multiplied in 16. */
const tied = `input %ids: i64[N]
param %w: f32[300, 64] = zeros
%1: f32[N, 64] = gather(%w, %ids) {axis: 0}
%2: f32[64, 300] = transpose(%w) {permutation: [1, 0]}
%y: f32[N, 300] = matmul(%1, %2)`;
const energies = `input %x: f32[N, 8]
param %w: f32[8, 8] = zeros
%1: f32[N, 8] = mul(%x, %x)
%2: f32[8, N] = transpose(%1) {permutation: [1, 0]}
%3: f32[8, 8] = matmul(%2, %1)
%y: f32[8, 8] = matmul(%3, %w)`;

const tuning = { ...defaultTuning, rows: 3, columns: 4 };
const halfCase = (text: string, n: number) => drawn(graphOf(text), { N: n }, 5);

/** The sum of products of halves, each rounded to a half. */
function evaluated(rows: HostTensor, at: (k: number, column: number) => number, columns: number): HostTensor {
  const depth = rows.shape.at(-1) ?? 1;
  const count = rows.data.length / depth;
  const data = new Float64Array(count * columns);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < depth; k++)
        sum += toHalf(toHalf(rows.data[row * depth + k] ?? 0) * toHalf(at(k, column)));
      data[row * columns + column] = sum;
    }
  }
  return { dtype: "f32", shape: [count, columns], data };
}

function expected(given: ReturnType<typeof halfCase>, isTurned: boolean): ReadonlyMap<string, HostTensor> {
  const x = given.inputs.get("x");
  const { data, shape } = given.parameters("w");
  if (x === undefined) throw new Error("the case has no x");
  const columns = (isTurned ? shape[0] : shape[1]) ?? 1;
  const depth = x.shape.at(-1) ?? 1;
  const at = (k: number, column: number) => data[isTurned ? column * depth + k : k * columns + column] ?? 0;
  return new Map([["y", evaluated(x, at, columns)]]);
}

describe("the arithmetic", () => {
  test.each([
    ["a layer", layer, true],
    ["odd sizes", odd, false],
  ])("%s: an error of what 16 bits leave", (_, text, isTurned) => {
    const given = halfCase(text, 5);
    const off = farthest(given.graph, expected(given, isTurned), runReference(given));
    expect(off).toBeGreaterThan(1e-6);
    expect(off).toBeLessThan(2e-3);
  });

  test("only products with learned matrices, and only where a plan asks for it", () => {
    const features = (text: string, arithmetic: "f32" | "f16") =>
      compilePlan([graphOf(text)], { arithmetic, tuning }).plan.kernels.map((kernel) => [...kernel.features]);
    expect(features(layer, "f32").flat()).toEqual([]);
    expect(features(layer, "f16").flat()).toEqual(["shader-f16"]);
    // The product of activations stays as it is.
    expect(features(energies, "f16").flat()).toEqual(["shader-f16"]);
    expect(features(energies, "f16").length).toBeGreaterThan(1);
  });
});

describeWebGpu("products in 16 bits on a device", () => {
  let gpu: GPU;
  let device: GPUDevice;
  beforeAll(async () => {
    gpu = await openTestGpu();
    const adapter = await gpu.requestAdapter();
    const requiredFeatures: GPUFeatureName[] =
      adapter?.features.has("shader-f16") === true ? ["shader-f16"] : [];
    device = await openTestDevice({ requiredFeatures }, gpu);
  });
  afterAll(() => device.destroy());

  test.each([
    ["a layer", layer, true],
    ["odd sizes", odd, false],
    ["a table that is the head too", tied, undefined],
  ])("%s", async (_, text, isTurned) => {
    for (const n of [1, 5]) {
      const given = halfCase(text, n);
      for (const as of ["f32", "int8", "f16"] as const) {
        const stored = { ...given, graph: withStorage(given.graph, () => ({ as })) };
        if (!device.features.has("shader-f16")) {
          const { plan } = compilePlan([stored.graph], { arithmetic: "f16", tuning });
          const loading = GpuModel.load(
            plan,
            weightsFrom("none", () => new Uint8Array()),
            { gpu },
          );
          await expect(loading).rejects.toThrow(/needs shader-f16, which the device lacks/);
          continue;
        }
        const { got } = await runPlan(stored, { gpu, device }, { arithmetic: "f16", tuning });
        expect(farthest(stored.graph, got, runReference(stored))).toBeLessThan(2e-3);
        if (as === "f32" && isTurned !== undefined)
          expect(farthest(stored.graph, got, expected(given, isTurned))).toBeLessThan(2e-5);
      }
    }
  });
});
