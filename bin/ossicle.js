#!/usr/bin/env node
/**
 * Starts the built program. In a fresh clone there is none yet: it is bundled once, which takes a
 * moment; the published package brings it.
 *
 * Owns: the code cache. What V8 made of the program's text is kept from one run of a command to the next, which
 * then starts in some two thirds of the time. It lies in the user's own cache folder, since V8 runs what it finds
 * there; NODE_DISABLE_COMPILE_CACHE=1 leaves it alone, as it does Node's own (which came with Node 22).
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";

const program = fileURLToPath(new URL("../dist/cli/main.cjs", import.meta.url));
const builder = new URL("../scripts/build.js", import.meta.url);
/** Milliseconds, two months: what another Node or build left is asked for no more, or is soon there again. */
const longestKept = 60 * 24 * 3600 * 1000;

if (!existsSync(program)) {
  if (!existsSync(fileURLToPath(builder))) {
    process.stderr.write("ossicle is not built: the package is incomplete, install it again.\n");
    process.exit(1);
  }
  await import(builder.href);
}
const { main } = load(process.argv[2] ?? "");
process.exitCode = await main(process.argv.slice(2));

/** The program, as `require` gives it, from what an earlier run of `command` left, or else leaving it. */
function load(command) {
  const text = readFileSync(program, "utf8");
  const cache = cacheFile(command, text);
  const cachedData = cache === undefined ? undefined : readCache(cache);
  const parameters = "exports, require, module, __filename, __dirname, importOutside";
  const script = new Script(`(function (${parameters}) {${text}\n})`, { filename: program, cachedData });
  const isNew = cachedData === undefined || script.cachedDataRejected === true;
  // At the end it holds the functions that this command calls; help calls few.
  if (cache !== undefined && isNew && !process.argv.some((word) => word === "-h" || word === "--help")) {
    process.once("exit", (status) => {
      if (status === 0) writeCache(cache, script.createCachedData());
    });
  }
  const loaded = { exports: {} };
  const outside = (name) => import(name);
  const start = script.runInThisContext();
  start(loaded.exports, createRequire(program), loaded, program, dirname(program), outside);
  return loaded.exports;
}

/** Where the code of one build, run by this Node with these options, is kept; undefined for nowhere. */
function cacheFile(command, text) {
  if (process.env.NODE_DISABLE_COMPILE_CACHE || !/^-{0,2}[a-z]+$/i.test(command)) return undefined;
  const build = /^\/\/ build ([0-9a-f]+)\n/.exec(text)?.[1];
  if (build === undefined) return undefined;
  try {
    const caches = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || join(homedir(), ".cache");
    return join(caches, "ossicle", "code", `${command}-${cachedDataVersionTag()}-${build}`);
  } catch {
    return undefined; // a user without a home
  }
}

function readCache(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and in place of what an earlier build left. Without it a start is slower, no more. */
function writeCache(path, data) {
  const folder = dirname(path);
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, data, { mode: 0o600 });
    renameSync(draft, path);
    const earlier = path.slice(0, path.lastIndexOf("-") + 1);
    for (const name of readdirSync(folder)) {
      const other = join(folder, name);
      const isStale = other.startsWith(earlier) || Date.now() - statSync(other).mtimeMs > longestKept;
      if (isStale && other !== path) rmSync(other, { force: true });
    }
  } catch {
    try {
      rmSync(draft, { force: true });
    } catch {
      // The folder is none.
    }
  }
}
