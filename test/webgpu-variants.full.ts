/**
 * Every kernel that sampled products may have, on a device, against the reference.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWebGpu, openSubgroupDevice, openTestGpu } from "./support/gpu.ts";
import { productSamples, runVariants } from "./support/product-samples.ts";

describeWebGpu("kernels of products", () => {
  let gpu: GPU;
  let device: GPUDevice;
  beforeAll(async () => {
    gpu = await openTestGpu();
    device = await openSubgroupDevice(gpu);
  });
  afterAll(() => device.destroy());

  test.each(productSamples.map((sample) => [sample.name, sample] as const))("%s", async (_, sample) => {
    const { off } = await runVariants(sample, { gpu, device }, () => true);
    expect(off.size).toBeGreaterThan(1);
    for (const [label, distance] of off) expect(distance, label).toBeLessThanOrEqual(1e-5);
  });
});
