/**
 * After tests whose target is a page: it is closed, and how near they came to what is allowed is printed.
 */
import { afterAll } from "vitest";
import { closePage } from "./chromium-target.ts";
import { printComparisons } from "./tensors.ts";

afterAll(async () => {
  printComparisons("in Chromium");
  await closePage();
});
