/**
 * Kernels that products may have, on a device, against the reference: one of each structure. All of them are in
 * webgpu-variants.full.ts.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWebGpu, openSubgroupDevice, openTestGpu } from "../support/gpu.ts";
import { productSamples, runVariants } from "../support/product-samples.ts";

const structureOf = (label: string): string => label.replace(/, \d+ invocations/, "").replace(/\d+/g, "n");

describeWebGpu("kernels of products", () => {
  let gpu: GPU;
  let device: GPUDevice;
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openSubgroupDevice(gpu);
  });
  afterAll(() => device.destroy());

  const seen = new Set<string>();
  test.each(productSamples.map((sample) => [sample.name, sample] as const))("%s", async (_, sample) => {
    // Barriers take a device in software long to compile: each structure once.
    const isNew = (labels: readonly string[]): boolean => {
      const structures = [sample.isDeep, ...labels.map(structureOf)].join(", ");
      if (seen.has(structures)) return false;
      seen.add(structures);
      return true;
    };
    const { offered, off } = await runVariants(sample, { gpu, device }, isNew);
    for (const [label, distance] of off) expect(distance, label).toBeLessThanOrEqual(1e-5);
    for (const wanted of sample.labels) expect(offered).toContainEqual(expect.stringMatching(wanted));
  });
});
