/** Recorded cases in a page: compiled by the command, run by Chromium's WebGPU. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, type PageServer, servePages } from "./support/browser.ts";
import { root, runHere, temporaryFolder } from "./support/cli.ts";
import { closenessOf, goldenFile, goldenInputs, goldenOutputs, smallModel } from "./support/golden.ts";
import { describeWebGpu } from "./support/gpu.ts";
import { tiny } from "./support/mamba2.ts";
import { bundleForPage } from "./support/page-bundle.ts";
import { expectClose, type Tensors, tensorOf } from "./support/tensors.ts";

interface Returned {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Greedy ids of a page, and the text's likelihood. */
interface Chosen {
  readonly ids: readonly number[];
  readonly counts: Readonly<Record<string, number>>;
}

describeWebGpu("in Chromium", () => {
  const answers = new Map<string, string | Uint8Array>();
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  beforeAll(async () => {
    answers.set("/index.html", "<!doctype html><title>recorded cases</title>");
    answers.set("/checks.js", await bundleForPage("test/support/page-checks.ts"));
    server = await servePages(root, answers);
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(server.url);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  /** Compiles a model for the page. */
  async function compile(arguments_: readonly string[]): Promise<void> {
    const out = join(temporaryFolder(), "model.json");
    const request = ["compile", ...arguments_, "--target", "webgpu", "--out", out];
    expect(await runHere(request)).toMatchObject({ status: 0, stderr: "" });
    answers.set("/model.json", readFileSync(out));
    answers.set("/model.safetensors", readFileSync(out.replace(".json", ".safetensors")));
  }

  const inPage = (call: string): Promise<unknown> =>
    page.evaluate(`import("/checks.js").then((checks) => checks.${call})`);

  /** Calls `forward` on the case's inputs. */
  async function run(name: string, settings: Readonly<Record<string, string | number>>): Promise<Tensors> {
    const { file, input, settings: small } = smallModel(name);
    const pairs = Object.entries({ ...small, ...settings }).flatMap(([key, value]) => [
      "--set",
      `${key}=${value}`,
    ]);
    const weights = goldenFile(`${name}/weights.safetensors`);
    await compile([join(root, "models", file), "-e", "forward", ...pairs, "--weights", weights]);
    const { shape, data } = tensorOf(await goldenInputs(name), input);
    const inputs = JSON.stringify([[input, "f32", shape, [...data]]]);
    const found = (await inPage(`runEntry("model", "forward", ${inputs})`)) as Returned[];
    return new Map(
      found.map((each) => [
        each.name,
        { dtype: "f32", shape: each.shape, data: Float64Array.from(each.values) },
      ]),
    );
  }

  test("AST: the recorded logits", async () => {
    const got = tensorOf(await run("ast-tiny", {}), "logits");
    expectClose(got, tensorOf(await goldenOutputs("ast-tiny"), "logits"), closenessOf("webgpu"), "logits");
  });

  test("AudioMAE, 0.7 of its tokens kept: the recorded logits", async () => {
    const keep = "0.7";
    const got = tensorOf(await run("prune-audiomae-tiny", { keep }), "logits");
    const want = tensorOf(await goldenOutputs("prune-audiomae-tiny"), `keep${keep}.logits`);
    expectClose(got, want, closenessOf("webgpu"), "logits");
  });

  test("Mamba-2: the recorded ids, chosen on the device", async () => {
    const decoder = `decoder=Mamba2(depth: ${tiny.depth}, ${tiny.decoder})`;
    const weights = goldenFile(`${tiny.name}/weights.safetensors`);
    await compile(["ossicle/decoders/mamba2-lm.oss", "--set", decoder, "--weights", weights]);
    const prompt = [...tensorOf(await goldenInputs(tiny.name), "greedy.prompt_ids").data];
    const want = [...tensorOf(await goldenOutputs(tiny.name), "greedy.new_ids").data];
    const found = (await inPage(`generateIds("model", ${JSON.stringify(prompt)}, ${want.length})`)) as Chosen;
    expect(found.ids).toEqual(want);
    // One submission for each id, and nothing was created on the way.
    expect(found.counts).toEqual({ passes: want.length, submissions: want.length });
  });
});
