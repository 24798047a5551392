/**
 * The files of the repository, as text, for the tests that read the product itself.
 *
 * Owns: which folders those are. What is installed, built or recorded is left out.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SourceText } from "./source-text.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const skipped = new Set([".git", "node_modules", "dist", "coverage", "out", ".cache"]);
/** Recorded data, and text that a tool writes. */
const recorded = /^(?:test\/golden\/|test\/fixtures\/|package-lock\.json$)/;
const textFile =
  /(?:\.(?:ts|js|mjs|json|md|oss|yml|yaml|svg|txt|html|css)|\/run|\/LICENSE|rc|config|attributes|ignore)$/;

/** Sorted by path. `under` is a folder or a file, from the root. */
export function filesUnder(under: string, pattern: RegExp = textFile): SourceText[] {
  return paths(under)
    .filter((path) => pattern.test(`/${path}`) && !recorded.test(path))
    .map((path) => ({ path, text: readFileSync(root + path, "utf8") }));
}

function paths(under: string): string[] {
  const place = root + under;
  if (!existsSync(place)) return [];
  if (!statSync(place).isDirectory()) return [under];
  return readdirSync(place)
    .filter((name) => !skipped.has(name))
    .sort()
    .flatMap((name) => paths(under === "" ? name : `${under}/${name}`));
}

export function readText(path: string): string {
  return readFileSync(root + path, "utf8");
}
