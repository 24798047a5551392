/**
 * docs/grammar/ is drawn from the parser's rules. `npm run docs` writes it.
 */
import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { diagramRoot, grammarPages, grammarRules, listedRules } from "./support/grammar-diagrams.ts";
import { root } from "./support/product-files.ts";
import { railroadSvg } from "./support/railroad.ts";

const pages = grammarPages();

test.each([...pages])("%s is current", async (path, text) => {
  await expect(text).toMatchFileSnapshot(root + path);
});

test("there are no other files", () => {
  const found = existsSync(root + diagramRoot) ? readdirSync(root + diagramRoot) : [];
  expect(found.map((name) => `${diagramRoot}/${name}`).filter((path) => !pages.has(path))).toEqual([]);
});

test("every rule is shown, once", () => {
  expect([...listedRules()].sort()).toEqual([...grammarRules().keys()].sort());
});

test("what rules call is a rule, or a kind of word", () => {
  const known = new Set([...grammarRules().keys(), "name", "word", "operator", "a number", "a string"]);
  const called = [...pages].flatMap(([path, text]) =>
    path.endsWith(".svg")
      ? [...text.matchAll(/class="rule"[^>]*\/>\n<text[^>]*>([^<]*)</g)].map((match) => match[1] ?? "")
      : [],
  );
  expect(called.length).toBeGreaterThan(50);
  expect(called.filter((name) => !known.has(name))).toEqual([]);
});

test("lines meet boxes, and text that XML would read is escaped", () => {
  const box = { kind: "box", text: "<", isWord: true } as const;
  const svg = railroadSvg({ kind: "choice", options: [{ kind: "sequence", parts: [] }, box] }, "a choice");
  expect(svg).toContain("&lt;</text>");
  expect(svg).not.toContain("NaN");
  for (const text of pages.values()) expect(text).not.toMatch(/NaN|undefined/);
});
