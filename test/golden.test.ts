/** Recorded cases on the reference: enough to notice while editing. golden.whole.ts has them all. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import manifest from "./golden/manifest.json" with { type: "json" };
import { goldenFile } from "./support/golden.ts";
import { checkAst, checkAudioMae, checkFilterbankEdge, checkPruned } from "./support/golden-checks.ts";

test("the recorded files are as they were recorded", () => {
  const found = readdirSync(goldenFile(""), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "manifest.json")
    .map((entry) => relative(goldenFile(""), join(entry.parentPath, entry.name)))
    .sort();
  const hashes = found.map((path) => {
    return [
      path,
      createHash("sha256")
        .update(readFileSync(goldenFile(path)))
        .digest("hex"),
    ];
  });
  expect(Object.fromEntries(hashes)).toEqual(manifest);
});

describe("on the reference", () => {
  test("AST: every recorded value", () => checkAst("reference"));
  test("AudioMAE: every recorded value", () => checkAudioMae("reference"));
  test("AST with TopK", () => checkPruned("prune-ast-tiny", "0.7", "reference"));
  test("AudioMAE with TopK", () => checkPruned("prune-audiomae-tiny", "0.5", "reference"));
  test.each(["len400", "len560", "zeros", "dc", "options.hamming", "options.high_minus400"])(
    "filterbank: %s",
    (edge) => checkFilterbankEdge(edge, "reference"),
  );
});
