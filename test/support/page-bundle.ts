/**
 * TypeScript as a page gets it: bundled for a browser, in one piece.
 */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./product-files.ts";

/** @param entry a file of the repository; its exports become the module's */
export async function bundleForPage(entry: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
    target: "chrome113",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** As it goes over the network. */
export function gzippedBytes(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}
