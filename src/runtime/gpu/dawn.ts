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
}

/** Throws a DiagnosticError (`webgpu-missing`). */
export async function openDawn(options: DawnOptions = {}): Promise<GPU> {
  const toggles = options.toggles ?? [];
  try {
    const { create } = await import("webgpu");
    return create(toggles.length === 0 ? [] : [`enable-dawn-features=${toggles.join(",")}`]);
  } catch (error) {
    throw failure("webgpu-missing", "The package webgpu, which runs plans in Node, could not be loaded.", {
      notes: [describeError(error)],
      hint: "Install it beside ossicle: npm install webgpu. Or run the model with the target onnx, which needs no more.",
    });
  }
}
