#!/usr/bin/env node
/**
 * Starts the built program. In a fresh clone there is none yet: it is bundled once, which takes a
 * moment; the published package brings it.
 */
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";

const program = new URL("../dist/cli/main.js", import.meta.url);
const builder = new URL("../scripts/build.js", import.meta.url);
if (!existsSync(fileURLToPath(program))) {
  if (!existsSync(fileURLToPath(builder))) {
    process.stderr.write("ossicle is not built: the package is incomplete, install it again.\n");
    process.exit(1);
  }
  await import(builder.href);
}
// From Node 22 on, what was compiled once starts faster; elsewhere there is no such function.
module.enableCompileCache?.();
const { main } = await import(program.href);
process.exitCode = await main(process.argv.slice(2));
