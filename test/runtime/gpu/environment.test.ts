/**
 * What the tests of WebGPU in Node stand on: a device, and the facts about WebGPU that plans rely on.
 */
import { expect, test } from "vitest";
import { arenaAliasing } from "../../support/arena-aliasing.ts";
import { adapterName, describeWebGpu, openTestDevice, openTestGpu } from "../../support/gpu.ts";

describeWebGpu("WebGPU in Node", () => {
  test("there is an adapter with the limits that plans ask for", async () => {
    const adapter = await (await openTestGpu()).requestAdapter();
    if (adapter === null) throw new Error("no adapter");
    console.info(`WebGPU adapter: ${adapterName(adapter)}`);
    expect(adapter.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
  });

  test("disjoint ranges of one buffer can be bound read-write in one dispatch", async () => {
    const device = await openTestDevice();
    expect(await arenaAliasing(device)).toEqual({
      disjoint: undefined,
      last: 6363,
      overlapping: expect.stringContaining("overlapping ranges"),
    });
    device.destroy();
  });
});
