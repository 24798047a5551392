/**
 * What the tests of WebGPU in a page stand on: Chromium with a device, and the same facts as in Node.
 */
import { expect, test } from "vitest";
import { arenaAliasing } from "../../support/arena-aliasing.ts";
import { launchBrowser, servePages } from "../../support/browser.ts";
import { describeWebGpu } from "../../support/gpu.ts";

describeWebGpu("WebGPU in Chromium", () => {
  test("disjoint ranges of one buffer can be bound read-write in one dispatch", async () => {
    const server = await servePages("test", new Map([["/index.html", "<!doctype html><title>test</title>"]]));
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      const found: unknown = await page.evaluate(`(async () => {
        const adapter = await navigator.gpu.requestAdapter();
        if (adapter === null) throw new Error("Chromium found no WebGPU adapter");
        const aliasing = await (${arenaAliasing.toString()})(await adapter.requestDevice());
        return { adapter: adapter.info.architecture, ...aliasing };
      })()`);
      expect(found).toEqual({
        adapter: "swiftshader",
        disjoint: undefined,
        last: 6363,
        overlapping: expect.stringContaining("overlapping ranges"),
      });
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
