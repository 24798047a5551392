/**
 * Bundles the doors of `dist`: the command line and the library, with everything they use, and what a page
 * loads, in one file.
 *
 * tsc adds the types. One file loads in a tenth of the time that hundreds take, and what runs does not
 * depend on which version of a package someone's npm picks.
 */
import { rmSync } from "node:fs";
import { bundle, bundleForPages, bundleProgram, root } from "./bundle.js";

// Names of chunks change with their content; what an earlier build left would be shipped.
rmSync(`${root}dist/chunks`, { recursive: true, force: true });
await bundle({ index: "src/index.ts" }, { isCompact: true });
await bundleProgram({ "cli/main": "src/cli/main.ts" });
await bundleForPages({ browser: "src/runtime/gpu/browser.ts" });
