/**
 * WebGPU in tests that run in Node: Dawn on SwiftShader, from npm packages alone.
 *
 * Owns: the choice of the adapter. An environment that names a Vulkan driver (`VK_ICD_FILENAMES` or
 * `VK_DRIVER_FILES`) is obeyed. A test that finds no adapter fails; only `OSSICLE_SKIP_WEBGPU`, set to
 * the reason, leaves such tests out, and says so.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { describe } from "vitest";
import { type DawnOptions, openDawn } from "../../src/runtime/gpu/dawn.ts";
import { swiftShader } from "./unpacked-archives.ts";

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

/** `google swiftshader SwiftShader Device (LLVM 16.0.0)`. */
export function adapterName(adapter: GPUAdapter): string {
  const { vendor, architecture, device, description } = adapter.info;
  return [vendor, architecture, device, description].filter((part) => part !== "").join(" ");
}

/** Has Dawn in this process, and in those that it starts, use SwiftShader unless a driver is named. */
export async function chooseDriver(): Promise<void> {
  const named = process.env["VK_ICD_FILENAMES"] ?? process.env["VK_DRIVER_FILES"];
  // Elsewhere Dawn speaks Metal or Direct3D, and SwiftShader comes for Linux on x64 alone.
  if (named !== undefined || process.platform !== "linux" || process.arch !== "x64") return;
  if (!isMainThread) throw new Error("a worker thread can't set the environment that Vulkan reads");
  const folder = await swiftShader();
  process.env["VK_ICD_FILENAMES"] = join(folder, "vk_swiftshader_icd.json");
  loadLibrary(join(folder, "libvulkan.so.1"));
}

/**
 * Loads a library for those who will ask for it by its bare name. It is no extension of Node, which
 * says so; by then it is loaded, and RTLD_NODELETE keeps it.
 */
function loadLibrary(path: string): void {
  const keepLoaded = 0x1000;
  const holder: NodeModule = Object.create(null, { exports: { value: {}, writable: true } });
  try {
    process.dlopen(holder, path, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch (error) {
    if (!String(error).includes("did not self-register")) throw error;
  }
}
