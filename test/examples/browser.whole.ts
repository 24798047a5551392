/**
 * The page of examples/browser in Chromium: it loads what `ossicle compile` wrote, and labels and captions a
 * recording as the command line does.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, launchBrowser, type PageServer, servePages } from "../support/browser.ts";
import { root, runHere, temporaryFolder } from "../support/cli.ts";
import { describeWebGpu } from "../support/gpu.ts";
import { bundleForPage, gzippedBytes } from "../support/page-bundle.ts";
import { smallTokenizer } from "../support/tokenizer.ts";

const recording = join(root, "examples/demo/recording.wav");
const names = ["Speech", "Music", "Dog", "Rain", "Engine", "Bell", "Silence"];
/** Where to leave pictures of the page, for people. */
const pictures = process.env["OSSICLE_PICTURES"];

const small = { frames: 64, bins: 32, labels: 7, width: 32, depth: 2, heads: 2, hidden: 64, at: "[1]" };
const classifier = [
  join(root, "models/classifiers/ast.oss"),
  ...Object.entries(small).flatMap(([name, value]) => ["--set", `${name}=${value}`]),
  ...["--weights", "random:3"],
];
const captioner = [
  join(root, "models/captioners/sam.oss"),
  ...["-m", "Sam", "--set", "frames=64", "--set", "at=[1]", "--set", "keep=0.7", "--set", "arrangement=each"],
  ...["--set", "encoder=EatEncoder(frames: 64, width: 24, depth: 2, heads: 3)"],
  ...["--set", "decoder=Mamba2(width: 32, depth: 2, head_width: 16, state: 8, vocabulary: 272, chunk: 4)"],
  ...["--weights", "random:3"],
];
const question = "the dog barks";

async function json(arguments_: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout, status } = await runHere([...arguments_, "--target", "reference", "--json"]);
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

/** The files that a compiled model takes, by their addresses. */
async function compiled(name: string, model: readonly string[]): Promise<[string, Answer][]> {
  const out = join(temporaryFolder(), `${name}.json`);
  const { status, stdout, stderr } = await runHere([
    ...["compile", ...model, "--target", "webgpu", "--out", out, "--json"],
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { files }: { files: { path: string }[] } = JSON.parse(stdout);
  return files.map(({ path }) => [`/${basename(path)}`, readFileSync(path)]);
}

describeWebGpu("the page of the examples", () => {
  let browser: Browser;
  beforeAll(async () => {
    const fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    browser = await launchBrowser([...fake, `--use-file-for-fake-audio-capture=${recording}`]);
  });
  afterAll(() => browser.close());

  async function serve(answers: readonly (readonly [string, Answer])[]): Promise<PageServer> {
    const script = await bundleForPage("examples/browser/page.ts");
    expect(gzippedBytes(script)).toBeLessThan(100_000);
    return await servePages(
      root,
      new Map<string, Answer>([
        ["/index.html", readFileSync(join(root, "examples/browser/index.html"))],
        ["/page.js", script],
        ...answers,
      ]),
    );
  }

  async function open(problems: string[]): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 900, height: 1000 } });
    page.on("pageerror", (error) => problems.push(String(error)));
    return page;
  }

  /** Once a model is there, a sound may be given. */
  async function loaded(page: Page): Promise<void> {
    await page.locator("#file:enabled").waitFor({ state: "attached", timeout: 150_000 });
  }

  /** The same page on a desk and on a telephone, in the light and in the dark. */
  async function photograph(page: Page, name: string): Promise<void> {
    if (pictures === undefined) return;
    for (const scheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const [kind, width] of [
        ["wide", 900],
        ["narrow", 390],
      ] as const) {
        await page.setViewportSize({ width, height: 1000 });
        await page.screenshot({ path: join(pictures, `${name}-${kind}-${scheme}.png`), fullPage: true });
      }
    }
    await page.setViewportSize({ width: 900, height: 1000 });
  }

  test("labels a file and the microphone, draws both, and says what is wrong", async () => {
    const { labels } = await json(["classify", ...classifier, "--audio", recording]);
    const wanted = labels as { index: number; logit: number }[];
    const files = await compiled("model", [...classifier, "-e", "classify", "-e", "features"]);
    const server = await serve([...files, ["/labels.json", JSON.stringify(names)], ["/bad.json", "{}"]]);
    const problems: string[] = [];
    const page = await open(problems);
    try {
      await page.goto(server.url);
      await loaded(page);
      await photograph(page, "empty");
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
      expect(await page.locator("#cost").innerText()).toMatch(/s of sound · labels: .* multiply-adds in \d+/);
      expect(await page.locator("#caption").isVisible()).toBe(false);
      await photograph(page, "labels");

      // What is no sound is said, and the page goes on.
      await page.locator("#file").setInputFiles({
        name: "notes.wav",
        mimeType: "audio/wav",
        buffer: Buffer.from("these are words"),
      });
      await page.locator("#problem").waitFor();
      expect(await page.locator("#problem").innerText()).toContain("can't read this file as sound");
      await photograph(page, "no-sound");

      await page.locator("#labels").evaluate((list) => list.replaceChildren());
      await page.locator("#seconds").fill("1");
      await page.locator("#microphone").focus();
      await page.keyboard.press("Enter");
      await page.locator("#labels li").first().waitFor({ timeout: 60_000 });
      expect(await page.locator("#labels li").count()).toBe(5);
      expect(await page.locator("#failure").isVisible()).toBe(false);

      await page.goto(`${server.url}?plan=bad.json`);
      await page.locator("#problem").waitFor();
      expect(await page.locator("#problem").innerText()).toContain("bad.json is not a kernel plan.");
      await photograph(page, "no-plan");
      expect(problems).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  });

  test("captions a file with the ids and the text of the reference, and can be stopped", async () => {
    const tokenizer = join(temporaryFolder(), "tokenizer.json");
    writeFileSync(tokenizer, smallTokenizer());
    const request = [...captioner, "--tokenizer", tokenizer];
    const ask = ["caption", ...request, "--audio", recording, "--prompt", question, "-n", "10"];
    const wanted = await json(ask);
    const drawn = await json([...ask, "--temperature", "2", "--top-k", "30", "--seed", "4"]);
    const server = await serve(await compiled("sam", request));
    const problems: string[] = [];
    const page = await open(problems);
    const finished = async (ids: unknown): Promise<void> => {
      await page.locator("#text[data-ids]").waitFor({ timeout: 100_000 });
      expect(await page.locator("#text").getAttribute("data-ids")).toBe((ids as number[]).join(" "));
    };
    try {
      // Cancelled, and loaded after all.
      await page.goto(`${server.url}?plan=sam.json`, { waitUntil: "commit" });
      await page.locator("#cancel").press("Enter");
      await page.locator("#again").waitFor();
      expect(await page.locator("#problem").innerText()).toBe("Loading was cancelled.");
      await page.locator("#again").press("Enter");
      await loaded(page);
      await page.locator("#prompt").fill(question);
      await page.locator("details summary").press("Enter");
      await page.locator("#limit").fill("10");
      await page.locator("#file").setInputFiles(recording);
      await finished(wanted["ids"]);
      expect(await page.locator("#text").textContent()).toBe(wanted["text"]);
      expect(await page.locator("#speed").innerText()).toMatch(
        /^10 tokens, .* a second, cut off at the limit/,
      );
      expect(await page.locator("#cost").innerText()).toMatch(/to the first word: .*each word: .*weights: /);
      await photograph(page, "caption");

      await page.locator("#choice").selectOption("sample");
      await page.locator("#temperature").fill("2");
      await page.locator("#top-k").fill("30");
      await page.locator("#seed").fill("4");
      await page.locator("#describe:enabled").press("Enter");
      await finished(drawn["ids"]);

      await page.locator("#describe:enabled").waitFor();
      await page.locator("#limit").fill("500");
      // Stopped at the first word: what is drawn here goes on for longer than that.
      await page.evaluate(`new MutationObserver(() => {
        if (document.getElementById("text").textContent !== "") document.getElementById("stop").click();
      }).observe(document.getElementById("text"), { childList: true })`);
      await page.locator("#describe").press("Enter");
      await page.locator("#text[data-ids]").waitFor();
      expect(await page.locator("#speed").innerText()).toContain("stopped");
      expect(problems).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  });
});
