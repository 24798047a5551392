/**
 * Runs a TypeScript file of this repository: `node scripts/run.js examples/demo/main.ts [arguments]`.
 */
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle, root } from "./bundle.js";

const [file = "", ...rest] = process.argv.slice(2);
// One level below `dist`, as the command line is, so that both find the library of models.
const name = `run/${basename(dirname(file))}-${basename(file, ".ts")}`;
await bundle({ [name]: file });
process.argv = [process.argv[0] ?? "node", file, ...rest];
await import(pathToFileURL(`${root}dist/${name}.js`).href);
