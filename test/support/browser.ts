/**
 * Headless Chromium with WebGPU on SwiftShader, from npm packages alone, and a server for its pages.
 *
 * Owns: starting and closing both. Elsewhere than on Linux x64, `OSSICLE_TEST_CHROMIUM` names a
 * Chromium's program; it may be set there as well.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { type Browser, type BrowserServer, chromium as driver } from "playwright-core";
import { chromium } from "./unpacked-archives.ts";

const flags = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  // A page that plays or records sound needs no one to press a button.
  "--autoplay-policy=no-user-gesture-required",
];

/** A browser whose pages have `navigator.gpu`. To be closed. */
export async function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  return driver.launch(await launchOptions(more));
}

/** The same for several processes, which connect to it. */
export async function launchBrowserServer(): Promise<BrowserServer> {
  return driver.launchServer(await launchOptions([]));
}

async function launchOptions(more: readonly string[]) {
  const args = [...flags, ...more];
  const named = process.env["OSSICLE_TEST_CHROMIUM"];
  if (named !== undefined) return { executablePath: named, args };
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(
      "set OSSICLE_TEST_CHROMIUM to the program of a Chromium: the package has one for Linux x64",
    );
  const folder = await chromium();
  const libraries = [process.env["LD_LIBRARY_PATH"], join(folder, "lib")].filter(
    (path) => path !== undefined,
  );
  return {
    executablePath: join(folder, "chromium"),
    args,
    env: {
      ...definedEnvironment(),
      LD_LIBRARY_PATH: libraries.join(":"),
      FONTCONFIG_PATH: join(folder, "fonts"),
    },
  };
}

function definedEnvironment(): Record<string, string> {
  const { VK_ICD_FILENAMES: _, VK_DRIVER_FILES: __, ...others } = process.env;
  return Object.fromEntries(
    Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What a server answers with: bytes or text, and its type by the path's extension. */
export type Answer = string | Uint8Array;

export interface PageServer {
  /** `http://127.0.0.1:40123/`. */
  readonly url: string;
  /** What was asked for, in order: `/model/weights.safetensors`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".wav": "audio/wav",
};

/**
 * Serves the files of `folder` and, before them, `answers` by path. A page is at `/`.
 *
 * @param more headers of every answer
 */
export async function servePages(
  folder: string,
  answers: ReadonlyMap<string, Answer>,
  more: Readonly<Record<string, string>> = {},
): Promise<PageServer> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    requests.push(path);
    try {
      const answer = answers.get(path) ?? (await readFile(join(folder, normalize(decodeURIComponent(path)))));
      const body = Buffer.from(answer);
      const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
      const headers = { ...more, "content-type": types[extname(path)] ?? "application/octet-stream" };
      if (range === null) {
        response.writeHead(200, { ...headers, "content-length": body.length }).end(body);
        return;
      }
      const part = body.subarray(Number(range[1]), Number(range[2]) + 1);
      const whole = `bytes ${range[1]}-${range[2]}/${body.length}`;
      response
        .writeHead(206, { ...headers, "content-range": whole, "content-length": part.length })
        .end(part);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    requests,
    close: () => new Promise((done) => server.close(() => done())),
  };
}
