/**
 * Plans in a page: the same runtime, bundled, in Chromium; and that it stays small.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, type PageServer, servePages } from "../../support/browser.ts";
import { root, runHere, temporaryFolder } from "../../support/cli.ts";
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

const parrot = [join(root, "test/fixtures/models/talkers.oss"), "-m", "Parrot", "--weights", "random:7"];
const prompt = [5, 17, 100];

describeWebGpu("a plan in a page", () => {
  let server: PageServer;
  const answers = new Map<string, string | Uint8Array>();
  beforeAll(async () => {
    const header = {
      unused: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
      spare: { dtype: "U8", shape: [2], data_offsets: [6, 8] },
      weight: { dtype: "F32", shape: [4], data_offsets: [8, 24] },
    };
    const floats = new Uint8Array(Float32Array.from(smallWeight).buffer);
    const weights = safetensorsFile(header, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, ...floats));
    for (const [path, answer] of [
      ["/index.html", "<!doctype html><title>a plan</title>"],
      ["/checks.js", await bundleForPage("test/support/page-checks.ts")],
      ["/plan.json", JSON.stringify(smallPlan)],
      ["/plan.safetensors", weights],
    ] as const)
      answers.set(path, answer);
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

  test("generates the reference's ids, also when its device is lost on the way", async () => {
    const ask = ["generate", ...parrot, "--prompt-ids", prompt.join(), "--target", "reference", "--json"];
    const { ids: want }: { ids: number[] } = JSON.parse((await runHere(ask)).stdout);
    expect(want).toHaveLength(12);
    const folder = temporaryFolder();
    const out = join(folder, "parrot.json");
    const compile = ["compile", ...parrot, "--target", "webgpu", "--out", out];
    expect(await runHere(compile)).toMatchObject({ status: 0, stderr: "" });
    for (const name of ["parrot.json", "parrot.safetensors"])
      answers.set(`/${name}`, readFileSync(join(folder, name)));
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      const generate = async (...parameters: readonly unknown[]): Promise<unknown> =>
        page.evaluate(`import("/checks.js").then((checks) =>
          checks.generateAcrossLoss("parrot", ${JSON.stringify(prompt)}, ${parameters.join()}))`);
      const recovered = { ids: want, problem: "", left: [0, 0, 0] };
      expect(await generate(4)).toMatchObject(recovered);
      // Without a way back, what was said before is all there is.
      expect(await generate()).toMatchObject({
        ids: want.slice(0, 3),
        problem: "gpu-device-lost",
        left: [0],
        // Of the second id and the third, which was made ahead, besides the first; nothing was created.
        counts: { passes: 3, submissions: 3 },
      });
    } finally {
      await browser.close();
    }
  });
});
