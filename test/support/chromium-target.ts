/**
 * The target `webgpu` in a page: what the command line asks of Dawn, done by Chromium.
 *
 * Owns: standing in for src/cli/execute-webgpu.ts in the project `chromium` (vitest.config.ts), so that the
 * recorded cases run there unchanged. The plan goes to the page as JSON, its weights as a file.
 */
import { type Browser, chromium as driver, type Page } from "playwright-core";
import { inject } from "vitest";
import type { prepareWebGpu as onDawn } from "../../src/cli/execute-webgpu.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { compilePlan } from "../../src/compiler/wgsl/compile.ts";
import { type PlanFile, planFiles } from "../../src/compiler/wgsl/plan-files.ts";
import { failure } from "../../src/runtime/failure.ts";
import { type Answer, type PageServer, servePages } from "./browser.ts";
import { bundleForPage } from "./page-bundle.ts";
import type { Answered, Carried } from "./page-target.ts";

interface Opened {
  readonly browser: Browser;
  readonly server: PageServer;
  readonly page: Page;
}

const answers = new Map<string, Answer>();
let opened: Promise<Opened> | undefined;
let count = 0;

async function open(): Promise<Opened> {
  answers.set("/index.html", "<!doctype html><title>recorded cases</title>");
  answers.set("/target.js", await bundleForPage("test/support/page-target.ts"));
  const server = await servePages("test", answers);
  const browser = await driver.connect(inject("chromium"));
  const page = await browser.newPage();
  await page.goto(server.url);
  return { browser, server, page };
}

/** Closes the page; the browser is everyone's. */
export async function closePage(): Promise<void> {
  const found = await opened;
  opened = undefined;
  await found?.browser.close();
  await found?.server.close();
}

async function inPage(name: string, ...parameters: readonly unknown[]): Promise<Answered> {
  opened ??= open();
  const { page } = await opened;
  const given = parameters.map((parameter) => JSON.stringify(parameter)).join(", ");
  const answer: Answered = await page.evaluate(
    `import("/target.js").then((target) => target.${name}(${given}))`,
  );
  if (answer.problem === undefined) return answer;
  const { code, message, notes, hint } = answer.problem;
  throw failure(code, message, { notes, ...(hint !== undefined && { hint }) });
}

async function bytesOf(file: PlanFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await file.write({ write: async (bytes) => void parts.push(bytes.slice()) });
  return Buffer.concat(parts);
}

/** As the command line calls it: what is measured and shown there is not here. */
export const prepareWebGpu: typeof onDawn = async (graphs, weights, _tune, _shown, since) => {
  const name = `plan${count++}`;
  const files = planFiles(compilePlan(graphs), weights.source);
  answers.set(`/${name}.json`, await bytesOf(files.plan));
  answers.set(`/${name}.safetensors`, await bytesOf(files.weights));
  await inPage("load", name);
  const prepareSeconds = since();
  return {
    entries: graphs.map((graph) => ({
      prepareSeconds,
      run: async (inputs) => {
        const started = performance.now();
        const carried = [...inputs].map(([input, tensor]) => carry(input, tensor));
        const { outputs = [] } = await inPage("run", name, graph.name, carried);
        return {
          outputs: new Map(outputs.map((each) => [each.name, uncarried(each)])),
          prepareSeconds,
          runSeconds: (performance.now() - started) / 1000,
        };
      },
      release: async () => {
        answers.delete(`/${name}.json`);
        answers.delete(`/${name}.safetensors`);
        await inPage("unload", name);
      },
    })),
  };
};

function carry(name: string, { dtype, shape, data }: HostTensor): Carried {
  return { name, dtype, shape, base64: Buffer.from(Float64Array.from(data).buffer).toString("base64") };
}

function uncarried({ dtype, shape, base64 }: Carried): HostTensor {
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  const data = new Float64Array(bytes.buffer);
  return { dtype, shape, data: dtype === "f32" ? Float32Array.from(data) : data };
}
