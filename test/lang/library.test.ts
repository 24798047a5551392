/**
 * Every file of the standard library says nothing wrong, checked as a user would check it: by itself.
 */
import { expect, test } from "vitest";
import { checkFile, library } from "../support/check-text.ts";

test("there are files to look at", () => {
  expect(library.length).toBeGreaterThan(8);
});

test.each(library.map(({ path }) => path))("%s has no errors and no warnings", (path) => {
  const { diagnostics } = checkFile(path);
  const places = diagnostics.map(({ code, message, primary }) => {
    const line = primary?.span.file.position(primary.span.start).line ?? 0;
    return `${primary?.span.file.path}:${line}: ${code}: ${message}`;
  });
  expect(places).toEqual([]);
});
