/**
 * How sources are bundled: for Node the same for the program, the library, the examples and the bench; for pages
 * small, and in one file that needs nothing else.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Writes `dist/<name>.js` for each entry point, given from the root of the repository. Compact ones start faster, and
 * are harder to read where a fault of ours shows them.
 *
 * onnxruntime and Dawn stay outside: they are native libraries. So do the decoders of FLAC and Vorbis: they load
 * an LGPL package, which has to remain one that a user can replace. The bench drives a browser with playwright, which
 * loads files of its own, and bundles its page with esbuild, which is a program.
 */
export async function bundle(entryPoints, { isCompact = false } = {}) {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: "dist",
    chunkNames: "chunks/[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: [
      "onnxruntime-node",
      "webgpu",
      "playwright-core",
      "esbuild",
      "@wasm-audio-decoders/flac",
      "@wasm-audio-decoders/ogg-vorbis",
    ],
    legalComments: "linked",
    minifyWhitespace: isCompact,
    minifySyntax: isCompact,
    // CommonJS packages ask for Node's modules by `require`, which modules don't have.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    allowOverwrite: true,
    logLevel: "warning",
  });
}

/** Writes `dist/<name>.js` for each entry point. */
export async function bundleForPages(entryPoints) {
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir: "dist",
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "chrome113",
    legalComments: "linked",
    allowOverwrite: true,
    logLevel: "warning",
  });
}
