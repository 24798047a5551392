/**
 * What a plan needs of a device, limit by limit.
 *
 * Owns: the limits of WebGPU that a plan can exceed, how much of each it needs, and who needs it. Knows no
 * device: a page or a command can ask before it opens one, and before any weight is read. What depends on
 * sizes is asked of one entry, at sizes.
 */
import type { KernelPlan, PlanBinding, PlanEntry, PlanKernel } from "../../compiler/plan.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import { layOutSlots } from "./slot-layout.ts";
import { aligned, printBytes } from "./usage.ts";

/** What every device has; less than that can't be asked for (WebGPU, "Limits"). */
export const defaultLimits = {
  maxStorageBuffersPerShaderStage: 8,
  maxUniformBuffersPerShaderStage: 12,
  maxBindingsPerBindGroup: 1000,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
  maxUniformBufferBindingSize: 2 ** 16,
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
} as const;

export type Limit = keyof typeof defaultLimits;

/** A limit, what needs how much of it, and how to write it. */
export interface Need {
  readonly limit: Limit;
  readonly amount: number;
  /** A sentence's beginning: `The kernel square has 2 storage buffers`. */
  readonly what: string;
  readonly unit: "bytes" | "count";
  /** Where in the model, when it is one place: `encoder.layer.3.attention`. */
  readonly path?: string | undefined;
  /** The weight that is too large. */
  readonly weight?: number | undefined;
}

/** The kernels that the plan runs unless a device chooses others, each with the path where it is used first. */
export function ownKernels({
  kernels,
  entries,
}: KernelPlan): (readonly [kernel: PlanKernel, path: string])[] {
  const paths = new Map<number, string>();
  for (const { kernel, path } of entries.flatMap(({ dispatches }) => dispatches)) {
    if (!paths.has(kernel)) paths.set(kernel, path);
  }
  return [...paths].flatMap(([index, path]) => {
    const kernel = kernels[index];
    return kernel === undefined ? [] : [[kernel, path] as const];
  });
}

export function kernelNeeds(
  { label, workgroup, bindings, workgroupBytes }: PlanKernel,
  path?: string,
): Need[] {
  const [x, y, z] = workgroup;
  const count = (limit: Limit, amount: number, noun: string): Need => {
    return { limit, amount, what: `The kernel ${label} has ${amount} ${noun}`, unit: "count", path };
  };
  const uniforms = bindings.filter((kind) => kind === "sizes").length;
  const what = `The kernel ${label} has ${printBytes(workgroupBytes)} of workgroup memory`;
  return [
    count("maxStorageBuffersPerShaderStage", bindings.length - uniforms, "storage buffers"),
    count("maxUniformBuffersPerShaderStage", uniforms, "uniform buffers"),
    count("maxBindingsPerBindGroup", bindings.length, "bindings"),
    count("maxComputeInvocationsPerWorkgroup", x * y * z, "invocations in a workgroup"),
    count("maxComputeWorkgroupSizeX", x, "invocations along x"),
    count("maxComputeWorkgroupSizeY", y, "invocations along y"),
    count("maxComputeWorkgroupSizeZ", z, "invocations along z"),
    { limit: "maxComputeWorkgroupStorageSize", amount: workgroupBytes, what, unit: "bytes", path },
  ];
}

/** What is needed whatever the sizes are. */
export function needsOf(plan: KernelPlan): Need[] {
  const needs = ownKernels(plan).flatMap(([kernel, path]) => kernelNeeds(kernel, path));
  for (const [weight, { name, bytes }] of plan.weights.entries()) {
    const what = `The weight ${name} has ${printBytes(bytes)}`;
    needs.push({ limit: "maxBufferSize", amount: bytes, what, unit: "bytes", weight });
  }
  for (const { dispatches } of plan.entries) {
    for (const { path, places, sizes } of dispatches) {
      const numbers = sizes.length * 4;
      const what = `At ${path}, ${printBytes(numbers)} of sizes are bound`;
      needs.push({ limit: "maxUniformBufferBindingSize", amount: numbers, what, unit: "bytes", path });
      for (const binding of places) needs.push(...boundWeight(plan, path, binding));
    }
  }
  return needs;
}

function boundWeight(plan: KernelPlan, path: string, { place, range }: PlanBinding): Need[] {
  if (place.kind !== "weight") return [];
  const found = plan.weights[place.weight];
  if (found === undefined) return [];
  const amount = range?.bytes ?? found.bytes;
  const what = `At ${path}, ${printBytes(amount)} of the weight ${found.name} are bound`;
  const { weight } = place;
  return [{ limit: "maxStorageBufferBindingSize", amount, what, unit: "bytes", path, weight }];
}

/** What an entry needs at these sizes: its arena, what is bound of it, states, and workgroups. */
export function needsAt(entry: PlanEntry, symbols: Symbols): Need[] {
  const { name, slots, dispatches, inputs, outputs } = entry;
  const needs: Need[] = [];
  const bytes = (limit: Limit, amount: number, what: string, path?: string): void => {
    needs.push({ limit, amount, what: `${what} ${printBytes(amount)}`, unit: "bytes", path });
  };
  const layout = layOutSlots(entry, symbols);
  for (const [index, slot] of slots.entries()) {
    const path = dispatches[slot.first]?.path;
    const what = slot.label === "" ? `Slot ${index}` : `The value ${slot.label}`;
    const amount = layout.slots[index]?.bytes ?? 0;
    bytes("maxStorageBufferBindingSize", amount, `${what} of ${name} takes`, path);
  }
  bytes("maxBufferSize", layout.bytes, `The arena of ${name} takes`);
  for (const [ports, time] of [
    [inputs, "reads"],
    [outputs, "leaves"],
  ] as const) {
    let total = 0;
    for (const { state, shape } of ports) {
      if (state === undefined) continue;
      const amount = shape.reduce<number>((product, size) => product * evaluateSize(size, symbols), 4);
      total += aligned(Math.max(amount, 1));
      bytes("maxStorageBufferBindingSize", amount, `The state ${state} that ${name} ${time} takes`);
    }
    if (total > 0) bytes("maxBufferSize", total, `The states that ${name} ${time} take`);
  }
  for (const { path, workgroups } of dispatches) {
    for (const [axis, size] of workgroups.entries()) {
      const amount = evaluateSize(size, symbols);
      const what = `The dispatch at ${path || name} has ${amount} workgroups along ${"xyz"[axis]}`;
      needs.push({ limit: "maxComputeWorkgroupsPerDimension", amount, what, unit: "count", path });
    }
  }
  return needs;
}

/** `1.5 MiB`, `12`. */
export function printAmount(amount: number, unit: Need["unit"]): string {
  return unit === "bytes" ? printBytes(amount) : String(amount);
}
