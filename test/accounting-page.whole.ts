/** docs/accounting.md: its tables are counted anew (npm run docs writes them). */
import { expect, test } from "vitest";
import { firstLength } from "../examples/figures/comparison.ts";
import { tableNames, tables, withTables } from "../examples/figures/tables.ts";
import { readText } from "./support/product-files.ts";

const page = readText("docs/accounting.md");

test("holds every table once", () => {
  expect(tableNames(page).sort()).toEqual(Object.keys(tables).sort());
});

test("says what is counted today", async () => {
  await expect(withTables(page)).toMatchFileSnapshot("../docs/accounting.md");
});

test("the length from which something holds is after the last where it does not", () => {
  expect(firstLength(() => true)).toBe("1");
  expect(firstLength((length) => length > 7 || length === 3)).toBe("8");
  expect(firstLength((length) => length < 9)).toBe("never");
});
