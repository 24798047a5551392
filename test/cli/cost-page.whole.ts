/**
 * The pages of `cost --html` and `sweep --html` in a real browser: they load nothing, throw nothing, fit
 * narrow screens, and what they offer to click works. `OSSICLE_SCREENSHOTS` names a folder for pictures.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { runHere, temporaryFolder } from "../support/cli.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
}, 120_000);
afterAll(async () => await browser?.close());

interface Visit {
  readonly page: Page;
  readonly problems: readonly string[];
  readonly requests: readonly string[];
}

async function visit(
  file: string,
  options: { readonly width?: number; readonly dark?: boolean; readonly name: string },
): Promise<Visit> {
  const { width = 1180, dark = false, name } = options;
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme: dark ? "dark" : "light",
  });
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  const folder = process.env["OSSICLE_SCREENSHOTS"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  return { page, problems, requests };
}

/** How far the page reaches beyond the window's right edge. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

async function write(command: string, ...arguments_: readonly string[]): Promise<string> {
  const file = join(temporaryFolder(), "page.html");
  const { status, stderr } = await runHere([command, ...arguments_, "--html", file]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return file;
}

const captioner = ["ossicle/captioners/sam.oss", "--seconds", "10", "--at", "P=8", "--tokens", "30"];

describe("cost --html", () => {
  test("of a captioner: a picture to look into, rows that open, nothing loaded", {
    timeout: 60_000,
  }, async () => {
    const { page, problems, requests } = await visit(await write("cost", ...captioner), { name: "cost" });
    expect(await page.locator("html").getAttribute("data-ready")).toBe("yes");
    expect(requests).toHaveLength(1);
    const prefill = page.locator("#entry-prefill");
    expect(await prefill.locator(".facts").innerText()).toContain("56.4 G");

    const bars = prefill.locator(".bar");
    const all = await bars.count();
    expect(all).toBeGreaterThan(8);
    await prefill
      .locator(".bar", { hasText: /^decoder$/ })
      .first()
      .click();
    expect(await prefill.locator(".crumbs").innerText()).toBe("prefill › decoder");
    expect(await bars.first().innerText()).toMatch(/decoder|prefill/);
    await prefill.locator(".crumbs button").first().click();
    expect(await bars.count()).toBe(all);

    const rows = prefill.locator("tbody.tree tr:visible");
    const closed = await rows.count();
    await prefill.locator("tbody.tree .fold[aria-expanded]").first().click();
    expect(await rows.count()).toBeGreaterThan(closed);

    await prefill
      .locator(".bar", { hasText: /^encoder$/ })
      .first()
      .hover();
    expect(await page.locator("#tip").innerText()).toMatch(/encoder\s+48\.8 G/);
    expect(await page.locator("#clip").innerText()).toContain("step ×30");
    expect(problems).toEqual([]);
    await page.close();
  });

  test.each([
    ["dark", { dark: true, width: 1180 }],
    ["narrow", { dark: false, width: 360 }],
    ["narrow-dark", { dark: true, width: 360 }],
  ] as const)("%s: nothing hangs over", { timeout: 60_000 }, async (name, options) => {
    const { page, problems } = await visit(await write("cost", ...captioner), {
      ...options,
      name: `cost-${name}`,
    });
    expect(await overflow(page)).toBe(0);
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(background).toBe(options.dark ? "rgb(21, 24, 28)" : "rgb(251, 251, 250)");
    expect(problems).toEqual([]);
    await page.close();
  });

  test("formulas where something is open", { timeout: 60_000 }, async () => {
    const file = await write("cost", "ossicle/decoders/mamba2-lm.oss");
    for (const width of [1180, 360]) {
      const { page, problems } = await visit(file, { width, name: `cost-open-${width}` });
      expect(await page.locator("#entry-prefill .formulas").first().innerText()).toMatch(
        /where .*ceil\(L\/64\)/s,
      );
      expect(await overflow(page)).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    }
  });
});

describe("sweep --html", () => {
  test("a plot with what no other beats, and the table", { timeout: 60_000 }, async () => {
    const file = await write(
      ...(["sweep", "ossicle/classifiers/audiomae.oss", "--set", "keep=0.3..1.0:0.1"] as const),
      ...["--set", "labels=10,527,5000", "--seconds", "10", "--plot", "macs,keep+"],
    );
    for (const [name, options] of [
      ["sweep", {}],
      ["sweep-dark", { dark: true }],
      ["sweep-narrow", { width: 360 }],
    ] as const) {
      const { page, problems, requests } = await visit(file, { name, ...options });
      expect(requests).toHaveLength(1);
      expect(await page.locator("svg circle.best").count()).toBe(8);
      expect(await page.locator("tbody tr").count()).toBe(24);
      expect(await page.locator("tr.front").count()).toBe(8);
      expect(await overflow(page)).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    }
  });
});

test("a page of what a target executes: reasons, and two columns more", { timeout: 120_000 }, async () => {
  const file = join(temporaryFolder(), "target.html");
  const model = ["ossicle/classifiers/audiomae.oss", "-m", "AudioMaeAudioSet", "-e", "forward"];
  const given = ["--keep", "0.7", "--at", "B=1", "--target", "webgpu", "--html", file];
  expect((await runHere(["cost", ...model, ...given])).status).toBe(0);
  const { page, problems } = await visit(file, { name: "target" });
  expect(problems).toEqual([]);
  const reasons = await page.locator("table.overhead tbody td.name").allTextContents();
  expect(reasons).toContain("rows that fill the last block");
  const row = page.locator("tbody.tree tr", { hasText: "blocks" }).first();
  const cells = await row.locator("td").allTextContents();
  expect(cells).toHaveLength(7);
  expect(cells[5]).toMatch(/^\d+$/);
  expect(cells[6]).toMatch(/G$/);
  expect(await overflow(page)).toBe(0);
  await page.close();
});
