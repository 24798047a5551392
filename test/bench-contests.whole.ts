/** Plain kernels of the bench on a device: what a product gives is looked at before it is timed. */
import { expect, test } from "vitest";
import { openCeilings } from "../bench/webgpu/ceilings.ts";
import { stopwatchOf } from "../bench/webgpu/stopwatch.ts";
import { describeWebGpu, openTestGpu } from "./support/gpu.ts";

describeWebGpu("ceilings", () => {
  test("plain products are right where blocks don't divide them, and copies take time", async () => {
    const ceilings = await openCeilings(await openTestGpu(), stopwatchOf());
    try {
      const size = { rows: 35, depth: 24, columns: 76 };
      for (const form of ceilings.forms) {
        expect((await ceilings.product(form, size)).clock, form).toBeGreaterThan(0);
      }
      expect((await ceilings.copy("kernel", 2 ** 20)).clock).toBeGreaterThan(0);
      expect((await ceilings.copy("command", 2 ** 20)).clock).toBeGreaterThan(0);
      await expect(ceilings.product("no such form", size)).rejects.toThrow("there is no form");
    } finally {
      ceilings.close();
    }
  });
});
