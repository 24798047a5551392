/**
 * SwiftShader for Dawn, from npm packages alone.
 *
 * Owns: the choice of the driver. An environment that names one (`VK_ICD_FILENAMES` or `VK_DRIVER_FILES`)
 * is obeyed.
 */
import { constants } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { swiftShader } from "./unpacked-archives.ts";

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
