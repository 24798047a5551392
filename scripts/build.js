/**
 * Bundles the two doors of `dist`, the command line and the library, each with everything it uses.
 *
 * tsc has written every module before; these two are overwritten. One file loads in a tenth of the
 * time that hundreds take, and what runs does not depend on which version of a package someone's npm
 * picks. onnxruntime stays outside: it is a native library. So do the decoders of FLAC and Vorbis: they
 * load an LGPL package, which has to remain one that a user can replace.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

await build({
  absWorkingDir: root,
  entryPoints: { "cli/main": "src/cli/main.ts", index: "src/index.ts" },
  outdir: "dist",
  chunkNames: "chunks/[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  external: ["onnxruntime-node", "@wasm-audio-decoders/flac", "@wasm-audio-decoders/ogg-vorbis"],
  legalComments: "linked",
  // CommonJS packages ask for Node's modules by `require`, which modules don't have.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
  allowOverwrite: true,
  logLevel: "warning",
});
