/**
 * A device that a plan fits, in Node and in a page.
 *
 * Owns: asking the adapter for the limits and features that the plan needs, and saying which part of the
 * plan asks for more than the adapter has. What only shows once sizes are known (the arena) is checked
 * where they are.
 */
import type { KernelPlan, PlanBinding } from "../../compiler/plan.ts";
import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import { describeError, failure, failureDiagnostic } from "../failure.ts";
import { printBytes } from "./usage.ts";

export interface DeviceOptions {
  /** `navigator.gpu`, or what `openDawn` gives. */
  readonly gpu: Pick<GPU, "requestAdapter"> | undefined;
  readonly powerPreference?: GPUPowerPreference;
  /** Ask for clocks on the device, for traces; without them a trace measures each dispatch by itself. */
  readonly timestamps?: boolean;
}

/** What every device has; less than that can't be asked for. */
export const defaultLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupStorageSize: 16384,
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
} as const;

type Limit = keyof typeof defaultLimits;

/** A limit, what needs how much of it, and how to write it. */
interface Need {
  readonly limit: Limit;
  readonly amount: number;
  readonly what: string;
  readonly unit: "bytes" | "count";
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

async function requestAdapter({ gpu, powerPreference }: DeviceOptions): Promise<GPUAdapter> {
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
    const print = unit === "bytes" ? printBytes : String;
    problems.push(
      failureDiagnostic("webgpu-limit", `${what}, and the device allows ${print(most)} (${limit}).`, {
        hint:
          limit === "maxStorageBufferBindingSize" || limit === "maxBufferSize"
            ? "compile for the device's limits, or with weights of fewer bits"
            : "compile for the device's limits",
      }),
    );
  }
  for (const { label, features } of plan.kernels) {
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

function needsOf(plan: KernelPlan): Need[] {
  const needs: Need[] = [];
  for (const { label, workgroup, bindings, workgroupBytes } of plan.kernels) {
    const [x, y, z] = workgroup;
    const count = (limit: Limit, amount: number, noun: string): void => {
      needs.push({ limit, amount, what: `The kernel ${label} has ${amount} ${noun}`, unit: "count" });
    };
    const buffers = bindings.filter((kind) => kind !== "sizes").length;
    count("maxStorageBuffersPerShaderStage", buffers, "storage buffers");
    count("maxComputeInvocationsPerWorkgroup", x * y * z, "invocations in a workgroup");
    count("maxComputeWorkgroupSizeX", x, "invocations along x");
    count("maxComputeWorkgroupSizeY", y, "invocations along y");
    count("maxComputeWorkgroupSizeZ", z, "invocations along z");
    const what = `The kernel ${label} has ${printBytes(workgroupBytes)} of workgroup memory`;
    needs.push({ limit: "maxComputeWorkgroupStorageSize", amount: workgroupBytes, what, unit: "bytes" });
  }
  for (const { name, bytes } of plan.weights) {
    const what = `The weight ${name} has ${printBytes(bytes)}`;
    needs.push({ limit: "maxBufferSize", amount: bytes, what, unit: "bytes" });
  }
  for (const { dispatches } of plan.entries) {
    for (const { path, places } of dispatches) {
      for (const binding of places) {
        const [weight, amount] = boundWeight(plan, binding);
        const what = `At ${path}, ${printBytes(amount)} of the weight ${weight} are bound`;
        if (weight !== undefined) {
          needs.push({ limit: "maxStorageBufferBindingSize", amount, what, unit: "bytes" });
        }
      }
    }
  }
  return needs;
}

function boundWeight(
  plan: KernelPlan,
  { place, range }: PlanBinding,
): readonly [name: string | undefined, bytes: number] {
  if (place.kind !== "weight") return [undefined, 0];
  const weight = plan.weights[place.weight];
  return [weight?.name, range?.bytes ?? weight?.bytes ?? 0];
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
  const features = new Set<GPUFeatureName>(plan.kernels.flatMap((kernel) => kernel.features));
  if (options.timestamps === true && adapter.features.has("timestamp-query")) features.add("timestamp-query");
  return [...features];
}
