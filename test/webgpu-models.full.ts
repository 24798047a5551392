/**
 * Every model of the library, at a reduced size, on a device: every entry against the reference.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { optimize } from "../src/compiler/pipeline.ts";
import { describeWebGpu, openTestDevice, openTestGpu } from "./support/gpu.ts";
import { farthest, runPlan, runReference } from "./support/plan-runs.ts";
import { reducedGraphs, reducedModels } from "./support/reduced-models.ts";
import { drawn } from "./support/three-counts.ts";

let gpu: GPU;
let device: GPUDevice;

describeWebGpu("models on a device", () => {
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openTestDevice({}, gpu);
  });
  afterAll(() => device.destroy());

  const names = reducedModels.map((reduced) => [reduced.model, reduced.note, reduced] as const);
  test.each(names)("%s: %s", async (_, __, reduced) => {
    for (const graph of reducedGraphs(reduced).map((one) => optimize(one))) {
      const given = drawn(graph, reduced.sizes);
      const { got } = await runPlan(given, { gpu, device });
      expect(farthest(graph, got, runReference(given)), graph.name).toBeLessThanOrEqual(1e-4);
    }
  });
});
