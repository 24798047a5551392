/**
 * WebGPU in tests that run in Node: Dawn on SwiftShader, from npm packages alone.
 *
 * A test that finds no adapter fails; only `OSSICLE_SKIP_WEBGPU`, set to the reason, leaves such tests
 * out, and says so.
 */
import { describe } from "vitest";
import { type DawnOptions, openDawn } from "../../src/runtime/gpu/dawn.ts";
import { chooseDriver } from "./software-driver.ts";

export { chooseDriver };

const skipReason = process.env["OSSICLE_SKIP_WEBGPU"] ?? "";

/** A `describe` for tests that need WebGPU, in Node or in a browser. */
export function describeWebGpu(name: string, body: () => void): void {
  if (skipReason === "") describe(name, body);
  else describe.skip(`${name} (left out by OSSICLE_SKIP_WEBGPU: ${skipReason})`, body);
}

/** Dawn on the driver that the environment names, or else on SwiftShader. */
export async function openTestGpu(options: DawnOptions = {}): Promise<GPU> {
  await chooseDriver();
  return openDawn(options);
}

/** A device of a fresh adapter with all that the adapter has, unless `descriptor` asks for something else. */
export async function openTestDevice(descriptor: GPUDeviceDescriptor = {}, gpu?: GPU): Promise<GPUDevice> {
  const adapter = await (gpu ?? (await openTestGpu())).requestAdapter();
  if (adapter === null) throw new Error("Dawn found no WebGPU adapter");
  return adapter.requestDevice(descriptor);
}

/** A device with subgroups, where the adapter has them. */
export async function openSubgroupDevice(gpu: GPU): Promise<GPUDevice> {
  const has = (await gpu.requestAdapter())?.features.has("subgroups") === true;
  return openTestDevice({ requiredFeatures: has ? ["subgroups"] : [] }, gpu);
}

/** `google swiftshader SwiftShader Device (LLVM 16.0.0)`. */
export function adapterName(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].filter((part) => part !== "").join(" ");
}
