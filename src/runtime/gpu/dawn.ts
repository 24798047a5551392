/**
 * WebGPU in Node: Dawn, from the package `webgpu`, which is loaded when it is asked for.
 *
 * Owns: finding the package and saying so when it is missing. The only file here that a page does not
 * load: there, WebGPU is `navigator.gpu`.
 */
import { describeError, failure } from "../failure.ts";

export interface DawnOptions {
  /** Dawn's toggles to switch on, such as `disable_robustness`: for measurements. */
  readonly toggles?: readonly string[];
  /** Dawn's toggles to switch off, such as `timestamp_quantization`. */
  readonly without?: readonly string[];
}

/** Dawn ends with the object that opened it, whatever still uses its devices: it is kept for good. */
const opened = new Map<string, GPU>();

/** The same object for the same options. Throws a DiagnosticError (`webgpu-missing`). */
export async function openDawn(options: DawnOptions = {}): Promise<GPU> {
  const { toggles = [], without = [] } = options;
  const flags = [
    ...(toggles.length > 0 ? [`enable-dawn-features=${toggles.join(",")}`] : []),
    ...(without.length > 0 ? [`disable-dawn-features=${without.join(",")}`] : []),
  ];
  const key = flags.join(" ");
  try {
    const { create } = await import("webgpu");
    const gpu = opened.get(key) ?? create(flags);
    opened.set(key, gpu);
    return gpu;
  } catch (error) {
    throw failure("webgpu-missing", "The package webgpu, which runs plans in Node, could not be loaded.", {
      notes: [describeError(error)],
      hint: "Install it beside ossicle: npm install webgpu. Or run the model with the target onnx, which needs no more.",
    });
  }
}
