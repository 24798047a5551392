/**
 * A device that a plan fits, in Node and in a page.
 *
 * Owns: asking the adapter for the limits and features that the plan needs, and saying which part of the
 * plan asks for more than the adapter has. What only shows once sizes are known (the arena) is checked
 * where they are.
 */
import type { KernelPlan, PlanKernel } from "../../compiler/plan.ts";
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { describeError, failure, failureDiagnostic } from "../failure.ts";
import { defaultLimits, kernelNeeds, type Limit, needsOf, ownKernels, printAmount } from "./needs.ts";

export interface DeviceOptions {
  /** `navigator.gpu`, or what `openDawn` gives. */
  readonly gpu: Pick<GPU, "requestAdapter"> | undefined;
  readonly powerPreference?: GPUPowerPreference;
  /** Ask for clocks on the device, for traces; without them a trace measures each dispatch by itself. */
  readonly timestamps?: boolean;
  /** As for loading a model: to measure kernels, clocks are asked for. */
  readonly tune?: "default" | "cached" | "measure";
}

/** @throws DiagnosticError `webgpu-missing`, `webgpu-no-adapter`, `webgpu-limit`, `webgpu-feature`, `webgpu-device` */
export async function acquireDevice(plan: KernelPlan, options: DeviceOptions): Promise<GPUDevice> {
  const adapter = await requestAdapter(options);
  const problems = problemsWith(plan, adapter);
  if (problems.length > 0) throw new DiagnosticError(problems);
  try {
    return await adapter.requestDevice({
      label: plan.model,
      requiredLimits: requiredLimits(plan, adapter),
      requiredFeatures: requiredFeatures(plan, adapter, options),
    });
  } catch (error) {
    throw failure("webgpu-device", `The adapter ${adapterName(adapter.info)} gave no device.`, {
      notes: [describeError(error)],
    });
  }
}

export async function requestAdapter({ gpu, powerPreference }: DeviceOptions): Promise<GPUAdapter> {
  if (gpu === undefined) {
    throw failure("webgpu-missing", "There is no WebGPU here.", {
      hint: "use a browser with WebGPU, on a page served over https or from localhost",
    });
  }
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null) {
    throw failure("webgpu-no-adapter", "WebGPU found no adapter.", {
      hint: "It needs a GPU with a driver for Vulkan, Metal or Direct3D 12; a software driver such as lavapipe or SwiftShader serves too. In a browser, see about:gpu.",
    });
  }
  return adapter;
}

/** `google swiftshader`, as much as the adapter says. */
export function adapterName({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const parts = [vendor, architecture, device, description];
  return parts.filter((part) => part !== "").join(" ") || "unknown";
}

/** What an adapter or a device allows. */
export interface Allowance {
  readonly limits: Readonly<Record<Limit, number>>;
  readonly features: ReadonlySet<string>;
}

/** Why the plan can't run on this adapter; nothing when it can. */
export function problemsWith(plan: KernelPlan, adapter: Allowance): Diagnostic[] {
  const problems: Diagnostic[] = [];
  for (const { limit, amount, what, unit } of needsOf(plan)) {
    const most = adapter.limits[limit];
    if (amount <= most) continue;
    const allowed = printAmount(most, unit);
    problems.push(
      failureDiagnostic("webgpu-limit", `${what}, and the device allows ${allowed} (${limit}).`, {
        hint:
          limit === "maxStorageBufferBindingSize" || limit === "maxBufferSize"
            ? "compile for the device's limits, or with weights of fewer bits"
            : "compile for the device's limits",
      }),
    );
  }
  for (const [{ label, features }] of ownKernels(plan)) {
    for (const feature of features) {
      if (adapter.features.has(feature)) continue;
      problems.push(
        failureDiagnostic("webgpu-feature", `The kernel ${label} needs ${feature}, which the device lacks.`, {
          hint: `compile without ${feature}`,
        }),
      );
    }
  }
  return problems;
}

/** Whether the device can run a kernel at all. */
export function allows(device: Allowance, kernel: PlanKernel): boolean {
  return (
    kernelNeeds(kernel).every(({ limit, amount }) => amount <= device.limits[limit]) &&
    kernel.features.every((feature) => device.features.has(feature))
  );
}

/** As large as the adapter has them: how much is needed shows when sizes are known. */
const roomLimits = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;

function requiredLimits(plan: KernelPlan, adapter: GPUAdapter): Record<string, number> {
  const wanted: Record<string, number> = {};
  for (const limit of roomLimits) wanted[limit] = adapter.limits[limit];
  for (const { limit, amount } of needsOf(plan)) {
    wanted[limit] = Math.max(wanted[limit] ?? defaultLimits[limit], amount);
  }
  return wanted;
}

function requiredFeatures(plan: KernelPlan, adapter: GPUAdapter, options: DeviceOptions): GPUFeatureName[] {
  const wanted = plan.kernels.flatMap((kernel) => kernel.features);
  // What only kernels need that a device may choose is asked for where it is there.
  const features = new Set<GPUFeatureName>(wanted.filter((feature) => adapter.features.has(feature)));
  const isTimed = options.timestamps === true || options.tune === "measure";
  if (isTimed && adapter.features.has("timestamp-query")) features.add("timestamp-query");
  return [...features];
}
