/**
 * The page of examples/browser in Chromium: it loads what `ossicle compile` wrote and labels a recording
 * as the command line does.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launchBrowser, type PageServer, servePages } from "../support/browser.ts";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { describeWebGpu } from "../support/gpu.ts";
import { bundleForPage, gzippedBytes } from "../support/page-bundle.ts";

const recording = join(root, "examples/demo/recording.wav");
const names = ["Speech", "Music", "Dog", "Rain", "Engine", "Bell", "Silence"];
const settings = { frames: 64, bins: 32, labels: 7, width: 32, depth: 2, heads: 2, hidden: 64, at: "[1]" };
const model = [
  join(root, "models/classifiers/ast.oss"),
  ...Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
  ...["--weights", "random:3"],
];

/** Index and logit of each label, best first, as the reference has them. */
async function expectedLabels(): Promise<readonly { index: number; logit: number }[]> {
  const arguments_ = ["classify", ...model, "--audio", recording, "--target", "reference", "--json"];
  const { stdout, status } = await runHere(arguments_);
  expect(status).toBe(0);
  const found: { labels: { index: number; logit: number }[] } = JSON.parse(stdout);
  return found.labels;
}

/** The page with a model that the command compiled. */
async function servePage(): Promise<PageServer> {
  const out = join(temporaryFolder(), "model.json");
  const compile = [
    "compile",
    ...model,
    "-e",
    "classify",
    "-e",
    "features",
    "--target",
    "webgpu",
    "--out",
    out,
  ];
  expect(await runHere(compile)).toMatchObject({ status: 0, stderr: "" });
  const script = await bundleForPage("examples/browser/page.ts");
  expect(gzippedBytes(script)).toBeLessThan(100_000);
  return await servePages(
    root,
    new Map<string, string | Uint8Array>([
      ["/index.html", readFileSync(join(root, "examples/browser/index.html"))],
      ["/page.js", script],
      ["/model.json", readFileSync(out)],
      ["/model.safetensors", readFileSync(out.replace(".json", ".safetensors"))],
      ["/labels.json", JSON.stringify(names)],
      ["/bad.json", "{}"],
    ]),
  );
}

describeWebGpu("the page of the examples", () => {
  const pictures = process.env["OSSICLE_PICTURES"];

  test("labels a file and the microphone, draws both, and says what is wrong", async () => {
    const wanted = await expectedLabels();
    const server = await servePage();
    const fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    const browser = await launchBrowser([...fake, `--use-file-for-fake-audio-capture=${recording}`]);
    try {
      const page = await browser.newPage({ viewport: { width: 900, height: 860 } });
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(server.url);
      await page.locator("#file:enabled").waitFor({ state: "attached" });
      await page.locator("#file").setInputFiles(recording);
      await page.locator("#labels li").first().waitFor();
      await page.locator("#microphone:enabled").waitFor();
      const shown = await page
        .locator("#labels li")
        .evaluateAll((items) =>
          items.map((item) => [item.getAttribute("data-index"), item.getAttribute("data-logit")].map(Number)),
        );
      expect(shown.map(([index]) => index)).toEqual(wanted.map(({ index }) => index));
      for (const [i, [, logit]] of shown.entries()) expect(logit).toBeCloseTo(wanted[i]?.logit ?? NaN, 4);
      expect(await page.locator("#labels li").first().innerText()).toContain(names[wanted[0]?.index ?? 0]);
      expect(await page.locator("#about").innerText()).toContain("swiftshader");
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, "browser-file.png") });

      await page.locator("#labels").evaluate((list) => list.replaceChildren());
      await page.locator("#microphone").click();
      await page.locator("#labels li").first().waitFor({ timeout: 60_000 });
      expect(await page.locator("#labels li").count()).toBe(5);
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, "browser-microphone.png") });

      await page.goto(`${server.url}?plan=bad.json`);
      await page.locator("#problem").waitFor();
      expect(await page.locator("#problem").innerText()).toContain("bad.json is not a kernel plan.");
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
