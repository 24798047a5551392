/**
 * Bundles the two doors of `dist`, the command line and the library, each with everything it uses.
 *
 * tsc has written every module before; these two are overwritten. One file loads in a tenth of the
 * time that hundreds take, and what runs does not depend on which version of a package someone's npm
 * picks.
 */
import { bundle } from "./bundle.js";

await bundle({ "cli/main": "src/cli/main.ts", index: "src/index.ts" });
