/**
 * Before tests whose target is WebGPU: the driver is chosen, in this process and for those it starts.
 */
import { chooseDriver } from "./gpu.ts";

await chooseDriver();
