/**
 * docs/errors/ is made of the catalogue and the fixtures. `npm run docs` writes it.
 */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { codeSubjects, diagnosticCodes } from "../src/lang/codes.ts";
import { errorPages, pageRoot } from "./support/error-pages.ts";
import { root } from "./support/product-files.ts";

const pages = errorPages();

test.each([...pages])("%s is current", async (path, text) => {
  await expect(text).toMatchFileSnapshot(root + path);
});

test("there are no other pages", () => {
  const found = readdirSync(root + pageRoot).map((name) => `${pageRoot}/${name}`);
  expect(found.filter((path) => !pages.has(path))).toEqual([]);
});

test("every code is listed under one subject", () => {
  const listed = codeSubjects.flatMap(({ codes }) => Object.keys(codes));
  expect(listed.sort()).toEqual(Object.keys(diagnosticCodes).sort());
});

test("summaries are sentences, and explanations say more", () => {
  for (const [code, { summary, explanation }] of Object.entries(diagnosticCodes)) {
    expect(summary, code).toMatch(/^[A-Z`].*\.$/);
    expect(summary.length, code).toBeLessThan(110);
    expect(explanation.length, code).toBeGreaterThan(60);
    expect(explanation, code).toMatch(/\.$/);
    expect(explanation, code).not.toContain(summary);
  }
});
