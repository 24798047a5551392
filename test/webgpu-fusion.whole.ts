/**
 * What fusion makes of graphs, on a device: products that became one, selections that move and normalise, and what
 * products compute on the side. Each against the reference, with the dispatches that it takes.
 *
 * Kernels hold small blocks here: a device in software compiles them in a tenth of the time.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { optimize } from "../src/compiler/pipeline.ts";
import { defaultTuning } from "../src/compiler/wgsl/tuning.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "./support/gpu.ts";
import { farthest, runPlan, runReference } from "./support/plan-runs.ts";
import { elaborateText } from "./support/program.ts";
import { drawn } from "./support/three-counts.ts";

let gpu: GPU;
let device: GPUDevice;

const tuning = { ...defaultTuning, rows: 3, columns: 4 };

/** The labels of the dispatches of the only entry, when the device gives what the reference does. */
async function dispatchesOf(
  text: string,
  sizes: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const graph = optimize(elaborateText(text).graph);
  const given = drawn(graph, sizes);
  const { plan, got } = await runPlan(given, { gpu, device }, { tuning });
  expect(farthest(graph, got, runReference(given))).toBeLessThanOrEqual(1e-5);
  return plan.entries.flatMap(({ dispatches }) =>
    dispatches.map(({ kernel }) => plan.kernels[kernel]?.label ?? ""),
  );
}

/** Tokens of which `count` stay, chosen by `kept` behind the first two; what becomes of them is `end`. */
const pruned = (kept: string, end: string, extra = 2) => `
model Pruned() {
  input x: f32[B, 9, 12]
  input scores: f32[B, ${9 - extra}]
  keep = Keep()

  entry run(x, scores) -> y: f32[B, N, 12] = keep(x, scores)
}

block Keep() {
  param gain: f32[12] = ones
  param shift: f32[12] = zeros
  param mix: f32[12, 12] = truncated_normal(0.3)

  forward(x: f32[B, 9, 12], scores: f32[B, ${9 - extra}]) -> f32[B, N, 12] {
    let (_, best) = top_k(scores, k: 4)
    let (sorted, _) = sort(best)
    let rest = take_along(x[:, ${extra}:], ${kept})
    let tokens = ${extra === 0 ? "rest" : `concat(x[:, :${extra}], rest, axis: 1)`}
    ${end}
  }
}
`;
const normalised = "layer_norm(tokens, gain, shift, epsilon: 1e-5)";

/** A product whose results are read in stretches: all of them, and two that something is made of. */
const stretches = (heads: number) => `
model Stretches() {
  input x: f32[B, 5, 8]
  parts = Parts()

  entry run(x) -> (all: f32[B, 5, ${12 + heads}], steps: f32[B, 5, ${heads}], gate: f32[B, 5, 8]) = parts(x)
}

block Parts() {
  param weight: f32[${12 + heads}, 8] = truncated_normal(0.3)
  param bias: f32[${heads}] = ones

  forward(x: f32[B, 5, 8]) -> (f32[B, 5, ${12 + heads}], f32[B, 5, ${heads}], f32[B, 5, 8]) {
    let all = x @ transpose(weight)
    (all, softplus(all[:, :, 12:] + bias), silu(all[:, :, 4:12]))
  }
}
`;

const siblings = (end: string) => `
model Siblings() {
  input x: f32[B, 5, 8]
  parts = Parts()

  entry run(x) -> y: f32[B, 5, C] = parts(x)
}

block Parts() {
  param a: f32[12, 8] = truncated_normal(0.3)
  param b: f32[12, 8] = truncated_normal(0.3)
  param c: f32[4, 8] = truncated_normal(0.3)
  param a_bias: f32[12] = ones
  param b_bias: f32[12] = ones
  param c_bias: f32[4] = ones

  forward(x: f32[B, 5, 8]) -> f32[B, 5, C] {
    let (p, q, r) = (x @ transpose(a) + a_bias, x @ transpose(b) + b_bias, x @ transpose(c) + c_bias)
    ${end}
  }
}
`;

describeWebGpu("fusion on a device", () => {
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openTestDevice({}, gpu);
  });
  afterAll(() => device.destroy());

  const size = { B: 2 };

  test("chosen rows are moved by the kernel that selects them", async () => {
    expect(await dispatchesOf(pruned("best", "tokens"), size)).toEqual(["select of 7, moved"]);
    expect(await dispatchesOf(pruned("best", "tokens", 0), size)).toEqual(["select of 9, moved"]);
  });

  test("and normalised, and kept as they were for whoever else reads them", async () => {
    expect(await dispatchesOf(pruned("best", normalised), size)).toEqual([
      "select of 7, moved and normalised",
    ]);
    expect(await dispatchesOf(pruned("best", `tokens + ${normalised} @ mix`), size)).toEqual([
      "select of 7, moved and normalised",
      expect.stringMatching(/^contract/),
    ]);
  });

  test("a selection of a selection moves too", async () => {
    expect(await dispatchesOf(pruned("sorted", normalised), size)).toEqual([
      "select of 7",
      "select of 4, moved and normalised",
    ]);
  });

  test.each([4, 3])("a product computes what follows from %i of its columns", async (heads) => {
    const labels = await dispatchesOf(stretches(heads), size);
    expect(labels).toHaveLength(1);
    expect(labels[0]).toMatch(/^contract/);
  });

  test("products of the same rows are one", async () => {
    const labels = await dispatchesOf(siblings("concat(silu(p) * q, r, axis: 2)"), size);
    expect(labels).toHaveLength(2);
    expect(labels[0]).toMatch(/^contract/);
  });
});
