/**
 * The kernels of a plan as pipelines.
 *
 * Owns: compiling each text once, all that are wanted at the same time, and saying what a compiler
 * complains of in terms of the model. Layouts are made from the plan, not from the text, so that
 * bindings can be made while kernels compile.
 */
import type { BindingKind, KernelPlan, PlanKernel } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { computeStage } from "./usage.ts";

const bufferTypes: Readonly<Record<BindingKind, GPUBufferBindingType>> = {
  read: "read-only-storage",
  "read-write": "storage",
  sizes: "uniform",
};

export class Kernels {
  readonly #memory: DeviceMemory;
  readonly #plan: KernelPlan;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(memory: DeviceMemory, plan: KernelPlan) {
    this.#memory = memory;
    this.#plan = plan;
  }

  kernel(index: number): PlanKernel {
    const kernel = this.#plan.kernels[index];
    if (kernel === undefined) throw failure("plan-damaged", `The plan has no kernel ${index}.`);
    return kernel;
  }

  layout({ bindings }: PlanKernel): GPUBindGroupLayout {
    const key = bindings.join(" ");
    const found = this.#layouts.get(key);
    if (found !== undefined) return found;
    const layout = this.#memory.device.createBindGroupLayout({
      label: key,
      entries: bindings.map((kind, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: bufferTypes[kind] },
      })),
    });
    this.#layouts.set(key, layout);
    return layout;
  }

  /**
   * @param path where the kernel is used first, for messages
   * @throws DiagnosticError `kernel-rejected`
   */
  pipeline(kernel: PlanKernel, path: string): Promise<GPUComputePipeline> {
    const key = `${kernel.bindings.join(" ")}\n${kernel.code}`;
    const found = this.#pipelines.get(key);
    if (found !== undefined) return found;
    const made = this.#compile(kernel, path);
    this.#pipelines.set(key, made);
    // What failed may be tried again, on the next device.
    made.catch(() => this.#pipelines.delete(key));
    return made;
  }

  async #compile(kernel: PlanKernel, path: string): Promise<GPUComputePipeline> {
    const { device } = this.#memory;
    const { label, code } = kernel;
    const watched = this.#memory.watch(() => {
      const module = device.createShaderModule({ label, code });
      const layout = device.createPipelineLayout({ label, bindGroupLayouts: [this.layout(kernel)] });
      const pipeline = device.createComputePipelineAsync({
        label,
        layout,
        compute: { module, entryPoint: "main" },
      });
      // It is waited for below, together with what the device says.
      pipeline.catch(() => undefined);
      return { module, pipeline };
    });
    const { module, pipeline } = watched.value;
    const [outcome, problem] = await this.#memory.await(
      Promise.all([
        pipeline.then(
          (value) => ({ value, error: undefined }),
          (error: unknown) => ({ value: undefined, error }),
        ),
        watched.problem,
      ]),
    );
    this.#memory.requireUsable();
    if (outcome.value !== undefined && problem === undefined) return outcome.value;
    const complaints = (await this.#memory.await(module.getCompilationInfo())).messages
      .filter((message) => message.type === "error")
      .map(({ lineNum, message }) => `line ${lineNum}: ${message}: ${lineOf(code, lineNum)}`);
    const whole = problem?.notes ?? linesOf(outcome.error);
    throw failure("kernel-rejected", `The device can't compile the kernel ${label}, used at ${path}.`, {
      notes: complaints.length > 0 ? complaints : whole,
    });
  }
}

function linesOf(error: unknown): string[] {
  return (error instanceof Error ? error.message : String(error)).trim().split("\n");
}

function lineOf(code: string, line: number): string {
  return code.split("\n")[line - 1]?.trim() ?? "";
}
