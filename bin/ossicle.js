#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const program = new URL("../dist/cli/main.js", import.meta.url);
if (!existsSync(fileURLToPath(program))) {
  process.stderr.write("ossicle is not built yet: run `npm run build` first.\n");
  process.exit(1);
}
const { main } = await import(program.href);
process.exitCode = await main(process.argv.slice(2));
