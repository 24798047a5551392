/**
 * docs/library says what the sources in models/ say. `npm run docs` writes it.
 */
import { describe, expect, test } from "vitest";
import { openLibrary } from "../../src/cli/doc-command.ts";
import { markdownPages } from "../../src/cli/reference/markdown.ts";
import { filesUnder } from "../support/product-files.ts";

const pages = markdownPages(openLibrary(undefined), {
  sources: "../../models",
  notice: "Written by `npm run docs` from the sources in models/. Edit those.",
});

describe("docs/library", () => {
  test.each(pages.map((page) => [page.path, page.text] as const))("%s", async (path, text) => {
    await expect(text).toMatchFileSnapshot(`../../docs/library/${path}`);
  });

  test("has no page of a source that is gone", () => {
    const written = new Set(pages.map((page) => `docs/library/${page.path}`));
    const found = filesUnder("docs/library", /\.md$/).map((file) => file.path);
    expect(found.filter((path) => !written.has(path))).toEqual([]);
  });
});
