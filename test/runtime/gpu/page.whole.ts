/**
 * Plans in a page: the same runtime, bundled, in Chromium; and that it stays small.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, type PageServer, servePages } from "../../support/browser.ts";
import { safetensorsFile } from "../../support/damaged-files.ts";
import { describeWebGpu } from "../../support/gpu.ts";
import { bundleForPage, gzippedBytes } from "../../support/page-bundle.ts";
import { classified, smallPlan, smallWeight } from "../../support/small-plan.ts";

test("what a page loads is below 100 KB", async () => {
  const bundle = await bundleForPage("src/runtime/gpu/browser.ts");
  const bytes = gzippedBytes(bundle);
  console.info(`the runtime of a page: ${bytes} bytes, gzipped`);
  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(100_000);
  expect(bundle).not.toMatch(/node:|require\(/);
});

describeWebGpu("a plan in a page", () => {
  let server: PageServer;
  beforeAll(async () => {
    const header = {
      unused: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
      spare: { dtype: "U8", shape: [2], data_offsets: [6, 8] },
      weight: { dtype: "F32", shape: [4], data_offsets: [8, 24] },
    };
    const floats = new Uint8Array(Float32Array.from(smallWeight).buffer);
    const weights = safetensorsFile(header, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, ...floats));
    const answers = new Map<string, string | Uint8Array>([
      ["/index.html", "<!doctype html><title>a plan</title>"],
      ["/checks.js", await bundleForPage("test/support/page-checks.ts")],
      ["/plan.json", JSON.stringify(smallPlan)],
      ["/plan.safetensors", weights],
    ]);
    server = await servePages("test", answers);
  });
  afterAll(() => server.close());

  test("loads, computes, keeps state, survives a lost device, and says what is wrong", async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      const found: unknown = await page.evaluate(`import("/checks.js").then((checks) =>
        checks.runSmallPlan("plan.json", "plan.safetensors"))`);
      expect(found).toEqual({
        adapter: expect.stringContaining("swiftshader"),
        // Each time the weights are loaded; the tensor that the plan does not name is passed over.
        progress: [0, 6, 22, 0, 6, 22].map((loadedBytes) => ({ loadedBytes, totalBytes: 22 })),
        classes: classified([1, 2, 3, 4, 5]),
        sums: [[6], [16], [36]],
        afterLoss: [66],
        messages: [
          "Loading the weights was cancelled.",
          "missing.safetensors could not be fetched.",
          "What came from plan.json is not a safetensors file.",
        ],
      });
    } finally {
      await browser.close();
    }
  });
});
