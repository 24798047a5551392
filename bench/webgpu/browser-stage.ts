/**
 * The stage in headless Chromium: every call goes into the page, where the time is taken.
 *
 * Owns: the browser, the server of its files, and the processor time of all of the browser's programs.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { launchBrowser, servePages } from "../../test/support/browser.ts";
import { bundleForPage } from "../../test/support/page-bundle.ts";
import type { Output, Spent, Stage } from "./contest.ts";
import type { TimedDispatch } from "./kernel-table.ts";
import { startedSeconds } from "./process-tree.ts";

export interface BrowserStage extends Stage {
  readonly browser: string;
  end(): Promise<void>;
}

const runtimeFiles = [
  "ort.webgpu.min.mjs",
  "ort-wasm-simd-threaded.asyncify.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
];

/** Lets onnxruntime-web use threads for what it leaves to the processor. */
const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export async function openBrowserStage(folder: string): Promise<BrowserStage> {
  const dist = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
  const answers = new Map<string, string | Uint8Array>([
    ["/index.html", "<!doctype html><title>a contest</title>"],
    ["/stage.js", await bundleForPage("bench/webgpu/page.ts")],
  ]);
  for (const file of runtimeFiles) answers.set(`/ort/${file}`, await readFile(join(dist, file)));
  const server = await servePages(folder, answers, isolated);
  const browser = await launchBrowser();
  const end = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const ask = async <T>(method: string, ...args: readonly unknown[]): Promise<T> =>
      page.evaluate<T>(
        `import("/stage.js").then((page) => page.call(${JSON.stringify(method)}, ${JSON.stringify(args)}))`,
      );
    const timed = async (method: string, ...args: readonly unknown[]): Promise<Spent> => {
      const used = startedSeconds();
      const { clock } = await ask<Spent>(method, ...args);
      const now = startedSeconds();
      return { clock, processor: used === undefined || now === undefined ? undefined : now - used };
    };
    return {
      browser: `Chromium ${browser.version()}`,
      adapter: await page.evaluate<string>(`import("/stage.js").then((page) => page.adapter())`),
      open: (entrant) => ask("open", entrant),
      run: (key, call) => timed("run", key, call),
      outputs: (key) => ask<readonly Output[]>("outputs", key),
      trace: (key, call) => ask<readonly TimedDispatch[]>("trace", key, call),
      close: (key) => ask("close", key),
      forms: () => ask<readonly string[]>("forms"),
      product: (form, size) => timed("product", form, size),
      copy: (way, bytes) => timed("copy", way, bytes),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
