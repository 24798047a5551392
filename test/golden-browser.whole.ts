/** Recorded cases in a page: compiled by the command, run by Chromium's WebGPU. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launchBrowser, servePages } from "./support/browser.ts";
import { root, runHere, temporaryFolder } from "./support/cli.ts";
import { closenessOf, goldenFile, goldenInputs, goldenOutputs, smallModel } from "./support/golden.ts";
import { describeWebGpu } from "./support/gpu.ts";
import { bundleForPage } from "./support/page-bundle.ts";
import { expectClose, type Tensors, tensorOf } from "./support/tensors.ts";

interface Returned {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Compiles the model for WebGPU and calls `forward` in a page, on the case's inputs. */
async function runInPage(
  name: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<Tensors> {
  const { file, input, settings: small } = smallModel(name);
  const out = join(temporaryFolder(), "model.json");
  const pairs = Object.entries({ ...small, ...settings }).flatMap(([key, value]) => [
    "--set",
    `${key}=${value}`,
  ]);
  const weights = goldenFile(`${name}/weights.safetensors`);
  const compile = ["compile", join(root, "models", file), "-e", "forward", ...pairs, "--weights", weights];
  expect(await runHere([...compile, "--target", "webgpu", "--out", out])).toMatchObject({
    status: 0,
    stderr: "",
  });
  const answers = new Map<string, string | Uint8Array>([
    ["/index.html", "<!doctype html><title>a recorded case</title>"],
    ["/checks.js", await bundleForPage("test/support/page-checks.ts")],
    ["/model.json", readFileSync(out)],
    ["/model.safetensors", readFileSync(out.replace(".json", ".safetensors"))],
  ]);
  const server = await servePages(root, answers);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const { shape, data } = tensorOf(await goldenInputs(name), input);
    const inputs = JSON.stringify([[input, "f32", shape, [...data]]]);
    const found: Returned[] = await page.evaluate(
      `import("/checks.js").then((checks) => checks.runEntry("model", "forward", ${inputs}))`,
    );
    return new Map(
      found.map((each) => [
        each.name,
        { dtype: "f32", shape: each.shape, data: Float64Array.from(each.values) },
      ]),
    );
  } finally {
    await browser.close();
    await server.close();
  }
}

describeWebGpu("in Chromium", () => {
  test("AST: the recorded logits", async () => {
    const got = tensorOf(await runInPage("ast-tiny", {}), "logits");
    expectClose(got, tensorOf(await goldenOutputs("ast-tiny"), "logits"), closenessOf("webgpu"), "logits");
  });

  test("AudioMAE, 70 % of its tokens kept: the recorded logits", async () => {
    const got = tensorOf(await runInPage("prune-audiomae-tiny", { keep: 0.7 }), "logits");
    const want = tensorOf(await goldenOutputs("prune-audiomae-tiny"), "keep0.7.logits");
    expectClose(got, want, closenessOf("webgpu"), "logits");
  });
});
