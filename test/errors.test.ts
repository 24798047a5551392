/**
 * Diagnostics as users read them, held by fixtures. `--update` rewrites the texts: read what changed
 * before committing it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { diagnosticCodes } from "../src/lang/codes.ts";
import type { Diagnostic } from "../src/lang/diagnostic.ts";
import { diagnose, errorCases, renderAll, withEdits } from "./support/error-fixtures.ts";
import { root } from "./support/product-files.ts";

const cases = errorCases();
/** Folders of files with several mistakes, one diagnostic each. */
const mixed: ReadonlySet<string> = new Set(["ten-mistakes", "several"]);
const found = new Map(cases.map(({ path }) => [path, diagnose(path)]));
const foundIn = (path: string): readonly Diagnostic[] => found.get(path) ?? [];

describe.each(cases)("$folder/$name", ({ path, textPath, folder }) => {
  test("reads as expected", async () => {
    await expect(renderAll(foundIn(path))).toMatchFileSnapshot(root + textPath);
  });

  if (!mixed.has(folder)) {
    test("has its folder's code, and no other", () => {
      expect(new Set(foundIn(path).map(({ code }) => code))).toEqual(new Set([folder]));
    });
  }

  test("is placed in the file itself, and speaks plainly", () => {
    const file = path.split("/").pop();
    for (const { primary, message, related, notes, hint } of foundIn(path)) {
      expect(primary?.span.file.path).toBe(file);
      expect(message).toMatch(/^(?:[A-Z`'"0-9(-]|ossicle\/).*[.?]$/s);
      const words = [message, primary?.text, ...related.map(({ text }) => text), ...notes, hint].join("\n");
      expect(words).not.toMatch(/undefined|null|\[object|NaN|unknown value/);
      expect(words).not.toMatch(/\b1 (?!of\b|is\b)[a-z]+s\b|\ba (?:encoder|adapter|f16|f32|i\d\d|8)\b/);
      const places = related.map(({ span }) => `${span.file.path}:${span.start}:${span.end}`);
      expect(new Set(places).size).toBe(places.length);
    }
  });

  test("suggests edits that help", () => {
    const text = readFileSync(root + path, "utf8");
    for (const diagnostic of foundIn(path)) {
      if (diagnostic.edits.length === 0) continue;
      const left = diagnose(path, withEdits(text, diagnostic));
      const place = (one: Diagnostic): string => `${one.code} at ${one.primary?.span.start}`;
      expect(left.map(place)).not.toContain(place(diagnostic));
    }
  });
});

test("every code has a case", () => {
  const codes = new Set([...found.values()].flat().map(({ code }) => code));
  expect(Object.keys(diagnosticCodes).filter((code) => !codes.has(code))).toEqual([]);
});

test("every folder is a code, or of files with several mistakes", () => {
  const folders = new Set(cases.map(({ folder }) => folder));
  expect([...folders].filter((name) => !(name in diagnosticCodes) && !mixed.has(name))).toEqual([]);
});

test("ten mistakes in one file are ten diagnostics", () => {
  const path = "test/fixtures/errors/ten-mistakes/tagger.oss";
  expect(foundIn(path)).toHaveLength(10);
  expect(new Set(foundIn(path).map(({ code }) => code)).size).toBeGreaterThanOrEqual(9);
});
