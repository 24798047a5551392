/** Plain kernels of the bench on a device: what a product gives is looked at before it is timed. */
import { expect, test } from "vitest";
import { openCeilings } from "../bench/webgpu/ceilings.ts";
import { productForms } from "../bench/webgpu/plain-kernels.ts";
import { stopwatchOf } from "../bench/webgpu/stopwatch.ts";
import { describeWebGpu, openTestGpu } from "./support/gpu.ts";

describeWebGpu("ceilings", () => {
  test("plain products are right where blocks don't divide them, and copies take time", async () => {
    const ceilings = await openCeilings(await openTestGpu(), stopwatchOf());
    try {
      const size = { rows: 35, depth: 24, columns: 76 };
      // One of each kind: a device in software compiles them slowly.
      const kinds = new Map(productForms.map(({ name, fours, shared }) => [`${fours} ${shared > 0}`, name]));
      expect(kinds.size).toBe(3);
      for (const form of kinds.values()) {
        expect(ceilings.forms).toContain(form);
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
