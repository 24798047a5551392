/**
 * Before tests whose target is WebGPU: the driver is chosen, in this process and for those it starts.
 */
import { afterAll } from "vitest";
import { chooseDriver } from "./software-driver.ts";
import { printComparisons } from "./tensors.ts";

await chooseDriver();
afterAll(() => printComparisons("on WebGPU in Node"));
