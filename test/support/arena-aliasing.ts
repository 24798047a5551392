/**
 * The fact that the memory of plans rests on, as a function that a page can be given as text: ranges of
 * one buffer may be bound read-write beside each other in one dispatch, and not over each other.
 *
 * Uses nothing but its argument, so that its source runs anywhere.
 */
export interface Aliasing {
  /** The device's complaint about three disjoint ranges; none is expected. */
  readonly disjoint: string | undefined;
  /** The last of 64 sums of what lies in the first and the second range: 63 + 6300. */
  readonly last: number;
  /** Its complaint about two bindings of the same range. */
  readonly overlapping: string | undefined;
}

export async function arenaAliasing(device: GPUDevice): Promise<Aliasing> {
  const storage = 128 | 4 | 8; // STORAGE, COPY_SRC, COPY_DST
  const arena = device.createBuffer({ size: 1024, usage: storage });
  const staging = device.createBuffer({ size: 256, usage: 1 | 8 }); // MAP_READ, COPY_DST
  device.queue.writeBuffer(
    arena,
    0,
    Float32Array.from({ length: 64 }, (_, i) => i),
  );
  device.queue.writeBuffer(
    arena,
    256,
    Float32Array.from({ length: 64 }, (_, i) => 100 * i),
  );
  const code = `
    @group(0) @binding(0) var<storage, read_write> a: array<f32>;
    @group(0) @binding(1) var<storage, read_write> b: array<f32>;
    @group(0) @binding(2) var<storage, read_write> c: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { c[i] = a[i] + b[i]; }`;
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  const dispatch = async (offsets: readonly number[]): Promise<string | undefined> => {
    device.pushErrorScope("validation");
    const entries = offsets.map((offset, binding) => ({
      binding,
      resource: { buffer: arena, offset, size: 256 },
    }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(arena, 512, staging, 0, 256);
    device.queue.submit([encoder.finish()]);
    return (await device.popErrorScope())?.message;
  };
  const disjoint = await dispatch([0, 256, 512]);
  await staging.mapAsync(1);
  const last = new Float32Array(staging.getMappedRange())[63] ?? Number.NaN;
  staging.unmap();
  return { disjoint, last, overlapping: await dispatch([0, 0, 512]) };
}
