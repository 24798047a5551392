/**
 * After tests whose target is a page: it is closed, and how near they came to what is allowed is printed.
 */
import { afterAll } from "vitest";
import { closePage } from "./chromium-target.ts";
import { chooseDriver } from "./software-driver.ts";
import { printComparisons } from "./tensors.ts";

// For what starts the built program, which has Dawn.
await chooseDriver();
afterAll(async () => {
  printComparisons("in Chromium");
  await closePage();
});
