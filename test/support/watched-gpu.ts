/**
 * A GPU that counts: which devices were opened, and how many buffers live on each.
 */
export interface WatchedDevice {
  readonly device: GPUDevice;
  /** Buffers that were created and not destroyed. */
  readonly living: ReadonlySet<GPUBuffer>;
  /** What was created since the last look: buffers, pipelines, bind groups, submissions. */
  readonly counts: Map<"buffers" | "pipelines" | "groups" | "submissions" | "passes", number>;
}

export interface WatchedGpu {
  readonly gpu: Pick<GPU, "requestAdapter">;
  readonly devices: readonly WatchedDevice[];
}

export function watchGpu(gpu: GPU): WatchedGpu {
  const devices: WatchedDevice[] = [];
  const requestAdapter: GPU["requestAdapter"] = async (options) => {
    const adapter = await gpu.requestAdapter(options);
    if (adapter === null) return null;
    const open = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await open(descriptor);
      devices.push(watchDevice(device));
      return device;
    };
    return adapter;
  };
  return { gpu: { requestAdapter }, devices };
}

function watchDevice(device: GPUDevice): WatchedDevice {
  const living = new Set<GPUBuffer>();
  const counts: WatchedDevice["counts"] = new Map();
  const count = (kind: "buffers" | "pipelines" | "groups" | "submissions" | "passes"): void => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  };
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    count("buffers");
    living.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      living.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  const createPipeline = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    count("pipelines");
    return createPipeline(descriptor);
  };
  const createBindGroup = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    count("groups");
    return createBindGroup(descriptor);
  };
  const createEncoder = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    const encoder = createEncoder(descriptor);
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (pass) => {
      count("passes");
      return begin(pass);
    };
    return encoder;
  };
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    count("submissions");
    return submit(buffers);
  };
  return { device, living, counts };
}
