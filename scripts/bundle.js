/**
 * How sources are bundled: for Node the same for the program, the library, the examples and the bench; for pages
 * small, and in one file that needs nothing else.
 */
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * What stays outside: onnxruntime and Dawn, which are native libraries; the decoders of FLAC and Vorbis, which load
 * an LGPL package, which has to remain one that a user can replace. The bench drives a browser with playwright,
 * which loads files of its own, and bundles its page with esbuild, which is a program.
 */
const forNode = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  platform: "node",
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
  allowOverwrite: true,
  logLevel: "warning",
};

/** They start faster, and are harder to read where a fault of ours shows them. */
const compact = { minifyWhitespace: true, minifySyntax: true };

/** Writes `dist/<name>.js` for each entry point, given from the root of the repository. */
export async function bundle(entryPoints, { isCompact = false } = {}) {
  await build({
    ...forNode,
    ...(isCompact && compact),
    entryPoints,
    chunkNames: "chunks/[hash]",
    splitting: true,
    format: "esm",
    // CommonJS packages ask for Node's modules by `require`, which modules don't have.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
  });
}

/**
 * Writes `dist/<name>.cjs` for an entry point: one script, parts of which run when they are wanted. V8 can keep what
 * it made of a script, and tells scripts apart by their length alone: the first line names the build. A script that
 * was kept has no `import(…)`, so what stays outside is asked for by a function that whoever starts it gives.
 */
export async function bundleProgram(entryPoints) {
  const { outputFiles } = await build({
    ...forNode,
    ...compact,
    entryPoints,
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    define: { "import.meta.url": "urlOfThisFile" },
    banner: { js: 'const urlOfThisFile = require("node:url").pathToFileURL(__filename).href;' },
    write: false,
  });
  for (const { path, text } of outputFiles) {
    const imported = text.replace(/\bimport\((?=")/g, "importOutside(");
    const build = createHash("sha256").update(imported).digest("hex").slice(0, 16);
    const named = path.endsWith(".cjs") ? `// build ${build}\n${imported}` : text;
    mkdirSync(dirname(path), { recursive: true });
    // Whole or not at all: another process may be starting it.
    writeFileSync(`${path}.draft`, named);
    renameSync(`${path}.draft`, path);
  }
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
