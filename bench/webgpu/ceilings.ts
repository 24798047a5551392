/**
 * What a device does at best: the fastest of the plain products at each of a model's sizes, and of two ways to copy.
 *
 * Owns: running them on a device of its own, and holding each product to the sums that it should give.
 */
import { bufferUsage, mapForReading } from "../../src/runtime/gpu/usage.ts";
import { noise } from "../products.ts";
import type { Spent } from "./contest.ts";
import {
  type CopyWay,
  copyKernel,
  type PlainKernel,
  type ProductForm,
  type ProductSize,
  productForms,
  productKernel,
} from "./plain-kernels.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface Ceilings {
  /** The names of the forms that this device can run. */
  readonly forms: readonly string[];
  /** A product, in one of the forms. */
  product(form: string, size: ProductSize): Promise<Spent>;
  /** A copy that reads and writes `bytes` together. */
  copy(way: CopyWay, bytes: number): Promise<Spent>;
  close(): void;
}

interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number];
}

export async function openCeilings(gpu: GPU, stopwatch: Stopwatch): Promise<Ceilings> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("there is no WebGPU adapter");
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeInvocationsPerWorkgroup } = adapter.limits;
  const requiredLimits = { maxStorageBufferBindingSize, maxBufferSize, maxComputeInvocationsPerWorkgroup };
  const device = await adapter.requestDevice({ requiredLimits });
  const problems: string[] = [];
  device.addEventListener("uncapturederror", (event) => problems.push(event.error.message));
  const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
  const buffers = new Map<string, GPUBuffer>();
  const buffer = (name: string, bytes: number, fill?: () => Float32Array): GPUBuffer => {
    const known = buffers.get(name);
    if (known !== undefined) return known;
    const made = device.createBuffer({ size: bytes, usage });
    if (fill !== undefined) device.queue.writeBuffer(made, 0, fill() as Float32Array<ArrayBuffer>);
    buffers.set(name, made);
    return made;
  };
  const kernels = new Map<string, Ready>();
  const ready = async (
    name: string,
    kernel: () => PlainKernel,
    bound: readonly GPUBuffer[],
  ): Promise<Ready> => {
    const known = kernels.get(name);
    if (known !== undefined) return known;
    const { code, workgroups } = kernel();
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: bound.map((each, binding) => ({ binding, resource: { buffer: each } })),
    });
    const made = { pipeline, group, workgroups };
    kernels.set(name, made);
    return made;
  };
  const timed = async (record: (encoder: GPUCommandEncoder) => void): Promise<Spent> => {
    const stop = stopwatch();
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const spent = stop();
    const [problem] = problems;
    if (problem !== undefined) throw new Error(problem);
    return spent;
  };
  const dispatch =
    ({ pipeline, group, workgroups }: Ready) =>
    (encoder: GPUCommandEncoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
    };

  const read = async (from: GPUBuffer, offset: number, count: number): Promise<Float32Array> => {
    const staging = device.createBuffer({
      size: 4 * count,
      usage: bufferUsage.mapRead | bufferUsage.copyTarget,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, offset, staging, 0, 4 * count);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(mapForReading);
    const values = new Float32Array(staging.getMappedRange().slice(0));
    staging.destroy();
    return values;
  };

  /** A row in the middle and the last one, as they should be. */
  const check = async (
    form: ProductForm,
    { rows, depth, columns }: ProductSize,
    product: GPUBuffer,
  ): Promise<void> => {
    const left = noise([rows, depth], 1).data;
    const right = noise([depth, columns], 1).data;
    for (const row of [rows >> 1, rows - 1]) {
      const got = await read(product, 4 * row * columns, columns);
      for (const column of [0, columns >> 1, columns - 1]) {
        let want = 0;
        for (let k = 0; k < depth; k++)
          want += (left[row * depth + k] ?? 0) * (right[k * columns + column] ?? 0);
        const off = Math.abs((got[column] ?? Number.NaN) - want);
        if (!(off <= 1e-3 * Math.sqrt(depth))) {
          throw new Error(
            `the plain product "${form.name}" is wrong at [${row}, ${column}]: ${got[column]}, not ${want}`,
          );
        }
      }
    }
  };
  const checked = new Set<string>();
  const forms = productForms.filter(({ across, down, rows, quads, shared }) => {
    const bytes = 16 * ((rows * down * shared) / 4 + shared * quads * across);
    return (
      across * down <= maxComputeInvocationsPerWorkgroup &&
      bytes <= device.limits.maxComputeWorkgroupStorageSize
    );
  });

  return {
    forms: forms.map(({ name }) => name),
    product: async (name, size) => {
      const form = forms.find((each) => each.name === name);
      if (form === undefined) throw new Error(`there is no form of a product called ${name}`);
      const { rows, depth, columns } = size;
      const shape = `${rows} ${depth} ${columns}`;
      const product = buffer(`product ${rows} ${columns}`, 4 * rows * columns);
      const bound = [
        buffer(`left ${rows} ${depth}`, 4 * rows * depth, () =>
          Float32Array.from(noise([rows, depth], 1).data),
        ),
        buffer(`right ${depth} ${columns}`, 4 * depth * columns, () =>
          Float32Array.from(noise([depth, columns], 1).data),
        ),
        product,
      ];
      const kernel = await ready(`${name} ${shape}`, () => productKernel(form, size), bound);
      const spent = await timed(dispatch(kernel));
      if (!checked.has(`${name} ${shape}`)) await check(form, size, product);
      checked.add(`${name} ${shape}`);
      return spent;
    },
    copy: async (way, bytes) => {
      const half = bytes / 2;
      const from = buffer(`from ${half}`, half, () => new Float32Array(half / 4).fill(1));
      const to = buffer(`to ${half}`, half);
      if (way === "command") return timed((encoder) => encoder.copyBufferToBuffer(from, 0, to, 0, half));
      return timed(dispatch(await ready(`copy ${half}`, () => copyKernel(half), [from, to])));
    },
    close: () => {
      for (const each of buffers.values()) each.destroy();
      device.destroy();
    },
  };
}
