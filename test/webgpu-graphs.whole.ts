/**
 * Whole graphs on a device: random ones against the reference, tables that are bound in parts, and weights
 * of 16 bits. Every model of the library is in webgpu-models.full.ts.
 *
 * Kernels hold small blocks here: a device in software compiles them in a tenth of the time.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { GraphBuilder } from "../src/compiler/graph-builder.ts";
import { optimize } from "../src/compiler/pipeline.ts";
import { withStorage } from "../src/compiler/storage.ts";
import { compilePlan } from "../src/compiler/wgsl/compile.ts";
import { defaultTuning } from "../src/compiler/wgsl/tuning.ts";
import { Dim } from "../src/lang/dims.ts";
import { GpuModel } from "../src/runtime/gpu/model.ts";
import { weightsFrom } from "../src/runtime/gpu/weight-streams.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "./support/gpu.ts";
import { farthest, runOnnx, runPlan, runReference } from "./support/plan-runs.ts";
import { randomGraph, settledSteps } from "./support/random-graph.ts";
import { type ReducedModel, reducedGraphs, reducedModels } from "./support/reduced-models.ts";
import { drawn } from "./support/three-counts.ts";

let gpu: GPU;
let device: GPUDevice;

const tolerance = 1e-4;
const tuning = { ...defaultTuning, rows: 3, columns: 4 };

function modelOf(file: string): ReducedModel {
  const found = reducedModels.find((reduced) => reduced.file.endsWith(file));
  if (found === undefined) throw new Error(`no reduced model is in ${file}`);
  return found;
}

describeWebGpu("graphs on a device", () => {
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openTestDevice({}, gpu);
  });
  afterAll(() => device.destroy());

  const batches = Array.from({ length: 12 }, (_, batch) => 25 * batch);
  test.each(batches)("random graphs, %i and on", async (first) => {
    for (let seed = first; seed < first + 25; seed++) {
      const graph = optimize(randomGraph(seed, 12, settledSteps));
      const given = drawn(graph, { N: 5 });
      const { got } = await runPlan(given, { gpu, device }, { tuning });
      const want = runReference(given);
      expect(farthest(graph, got, want), `seed ${seed}`).toBeLessThanOrEqual(tolerance);
      expect(farthest(graph, await runOnnx(given), want), `seed ${seed}, ONNX`).toBeLessThanOrEqual(
        tolerance,
      );
    }
  });

  test("some of them select, and move what they choose", () => {
    const labels = Array.from({ length: 60 }, (_, seed) => {
      const { kernels } = compilePlan([optimize(randomGraph(seed, 12, settledSteps))], { tuning }).plan;
      return kernels.map(({ label }) => label).join();
    });
    for (const kind of [/select of \d+(,|$)(?! moved)/, /moved(?! and)/, /moved and normalised/])
      expect(labels.filter((label) => kind.test(label)).length).toBeGreaterThan(1);
  });

  test("a table that is too large for one binding is read in parts", async () => {
    const [graph] = reducedGraphs(modelOf("mamba2-lm.oss"));
    if (graph === undefined) throw new Error("the model has no entry");
    const given = drawn(optimize(graph), modelOf("mamba2-lm.oss").sizes);
    const whole = await runPlan(given, { gpu, device }, { tuning });
    // Eight buffers are few where every matrix is several.
    const limits = { maxStorageBuffersPerShaderStage: 10 };
    const roomy = await openTestDevice({ requiredLimits: limits }, gpu);
    const parts = await runPlan(given, { gpu, device: roomy }, { largestBinding: 4608, tuning });
    roomy.destroy();
    expect(parts.plan.weights.length).toBeGreaterThan(whole.plan.weights.length);
    expect(Math.max(...parts.plan.weights.map(({ bytes }) => bytes))).toBeLessThanOrEqual(4608);
    expect(farthest(given.graph, parts.got, whole.got)).toBe(0);
  });

  test("weights of 16 bits take half the room, and change the result by their rounding", async () => {
    const reduced = modelOf("classifiers/audiomae.oss");
    const graph = reducedGraphs(reduced).find(({ name }) => name === "forward");
    if (graph === undefined) throw new Error("the model has no entry `forward`");
    const given = drawn(optimize(graph), reduced.sizes);
    const wide = await runPlan(given, { gpu, device }, { tuning });
    const halves = { ...given, graph: withStorage(given.graph, () => ({ as: "f16" })) };
    const narrow = await runPlan(halves, { gpu, device }, { tuning });
    const bytes = ({ plan }: typeof wide) => plan.weights.reduce((sum, weight) => sum + weight.bytes, 0);
    expect(bytes(narrow) / bytes(wide)).toBeLessThan(0.75);
    const off = farthest(given.graph, narrow.got, wide.got);
    expect(off).toBeGreaterThan(0);
    expect(off).toBeLessThan(1e-2);
  });

  test("a state that is left as it came is there at the next call", async () => {
    const builder = new GraphBuilder("call");
    const origin = { path: "state", span: undefined };
    const type = { dtype: "f32" as const, shape: [Dim.of(2), Dim.of(3)] };
    const past = builder.input("past.s", type, origin);
    const finished = builder.finish([{ name: "present.s", value: past, state: "s" }], []);
    const graph = { ...finished, inputs: finished.inputs.map((input) => ({ ...input, state: "s" })) };
    const { plan } = compilePlan([graph]);
    const model = await GpuModel.load(
      plan,
      weightsFrom("none", () => new Uint8Array()),
      { gpu, device },
    );
    const session = model.session();
    const data = Float32Array.from([1, 2, 3, 4, 5, 6]);
    await session.call("call", new Map([["past.s", { dtype: "f32", shape: [2, 3], data }]]), { read: [] });
    const { outputs } = await session.call("call", new Map(), { read: ["present.s"] });
    expect([...(outputs.get("present.s")?.data ?? [])]).toEqual([...data]);
    model.dispose();
  });
});
