/**
 * What a plan on a device says when something is wrong: inputs, plans, adapters, kernels, a lost device.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostTensor } from "../../../src/compiler/host-tensor.ts";
import type { KernelPlan } from "../../../src/compiler/plan.ts";
import { DiagnosticError } from "../../../src/lang/diagnostic.ts";
import { problemsWith } from "../../../src/runtime/gpu/device.ts";
import { GpuModel } from "../../../src/runtime/gpu/model.ts";
import { defaultLimits, type Limit } from "../../../src/runtime/gpu/needs.ts";
import { weightsFrom } from "../../../src/runtime/gpu/weight-streams.ts";
import { describeWebGpu, openTestGpu } from "../../support/gpu.ts";
import { f32, ramp, smallPlan, smallWeights } from "../../support/small-plan.ts";
import { watchGpu } from "../../support/watched-gpu.ts";

/** Code, message, notes and hint, one after another. */
async function problemOf(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof DiagnosticError))
    throw new Error(`no diagnostic but ${String(error)}`, { cause: error });
  return error.diagnostics
    .map(({ code, message, notes, hint }) => [`${code}: ${message}`, ...notes, hint ?? ""].join("\n"))
    .join("\n\n")
    .trim();
}

/** The plan with another text for one of its kernels. */
function withKernel(label: string, code: string): KernelPlan {
  const kernels = smallPlan.kernels.map((kernel) => (kernel.label === label ? { ...kernel, code } : kernel));
  return { ...smallPlan, kernels };
}

describeWebGpu("wrong inputs", () => {
  let model: GpuModel;
  beforeAll(async () => {
    model = await GpuModel.load(smallPlan, smallWeights, { gpu: await openTestGpu() });
  });
  afterAll(() => model.dispose());

  const integers: HostTensor = { dtype: "i64", shape: [1], data: Float64Array.of(3) };
  const cases: readonly [string, string, Record<string, HostTensor>, string][] = [
    [
      "no such entry",
      "clasify",
      {},
      "no-entry: The plan of Small has no entry clasify.\nits entries are classify, prefill, step",
    ],
    ["nothing", "classify", {}, "input-missing: The input x is missing.\ngive x f32[N]"],
    [
      "one too many",
      "classify",
      { x: f32([1], [1]), z: f32([1], [1]) },
      "input-unknown: The entry classify has no input z.\nits inputs are x",
    ],
    [
      "another rank",
      "classify",
      { x: f32([1, 1], [1]) },
      "input-shape: The input x has the shape [1, 1]; it must be f32[N].",
    ],
    ["another type", "classify", { x: integers }, "input-dtype: The input x is i64; it must be f32."],
    [
      "too few values",
      "classify",
      { x: f32([3], [1, 2]) },
      "input-length: The input x has 2 values; its shape has 3.",
    ],
    [
      "none at all",
      "classify",
      { x: f32([0], []) },
      "symbol-minimum: N is 0, dimension 0 of x; it must be at least 1.",
    ],
    [
      "too many",
      "classify",
      { x: f32([100_001], ramp(100_001)) },
      "guard-failed: N = 100001 must be at most 100000: more would take all day.\nN is 100001, dimension 0 of x",
    ],
    [
      "a wide step",
      "step",
      { x: f32([1, 2], [1, 2]) },
      "input-shape: Dimension 1 of the input x is 2; it must be 1.\nx is declared [B, 1] and got [1, 2]",
    ],
    [
      "a state of other rows",
      "step",
      { x: f32([2, 1], [1, 2]), calls_in: { dtype: "i32", shape: [3], data: Int32Array.of(1, 2, 3) } },
      "input-shape: Dimension 0 of the input calls_in is 3; it must be B = 2.\nB is 2, dimension 0 of x\ncalls_in is declared [B] and got [3]",
    ],
    [
      "a number too large",
      "step",
      { x: f32([1, 1], [1]), calls_in: { dtype: "i64", shape: [1], data: Float64Array.of(2 ** 40) } },
      "input-range: The input calls_in holds 1099511627776, which is no integer of 32 bits.",
    ],
  ];
  test.each(cases)("%s", async (_, entry, inputs, expected) => {
    const session = model.session();
    expect(await problemOf(session.call(entry, new Map(Object.entries(inputs))))).toBe(expected);
    // The session is as it was.
    const { outputs } = await session.call("step", new Map([["x", f32([1, 1], [2])]]));
    expect([...(outputs.get("sum")?.data ?? [])]).toEqual([2]);
    session.dispose();
  });

  test("rows that the state does not have", async () => {
    const session = model.session();
    await session.call("step", new Map([["x", f32([1, 1], [2])]]));
    const problem = await problemOf(session.call("step", new Map([["x", f32([2, 1], [1, 2])]])));
    expect(problem).toContain("input-shape: Dimension 0 of the input total_in is 1; it must be B = 2.");
    session.dispose();
  });

  test("an output that there is not", async () => {
    const inputs = new Map([["x", f32([1], [1])]]);
    const problem = await problemOf(model.session().call("classify", inputs, { read: ["z"] }));
    expect(problem).toBe("output-unknown: The entry classify has no output z.\nits outputs are y");
  });
});

describeWebGpu("wrong plans", () => {
  const classify = async (plan: KernelPlan): Promise<string> => {
    const model = await GpuModel.load(plan, smallWeights, { gpu: await openTestGpu() });
    try {
      return await problemOf(model.session().call("classify", new Map([["x", f32([4], [1, 2, 3, 4])]])));
    } finally {
      model.dispose();
    }
  };

  test("a kernel that does not compile is shown, with where it is used", async () => {
    const problem = await classify(
      withKernel("square", "@compute @workgroup_size(64)\nfn main() { let x = nothing; }"),
    );
    expect(problem).toBe(
      "kernel-rejected: The device can't compile the kernel square, used at encoder.square.\n" +
        "line 2: unresolved value 'nothing': fn main() { let x = nothing; }",
    );
  });

  test("a kernel that does not fit its bindings", async () => {
    const code = smallPlan.kernels[1]?.code.replace("@binding(1)", "@binding(7)") ?? "";
    const problem = await classify(withKernel("square", code));
    expect(problem).toContain(
      "kernel-rejected: The device can't compile the kernel square, used at encoder.square.",
    );
    expect(problem).toContain("Binding doesn't exist");
  });

  test("slots that share a place in one dispatch are found by the device, and the dispatch is named", async () => {
    const entries = smallPlan.entries.map((entry) => ({
      ...entry,
      slots: entry.slots.map((slot, index) => (index === 3 ? { ...slot, above: [] } : slot)),
    }));
    const problem = await classify({ ...smallPlan, entries });
    expect(problem).toContain("gpu-failed: The device refused the dispatch at encoder.fourth.");
    expect(problem).toContain("overlapping ranges");
  });

  test("too many workgroups, and values too large for the device, are found before anything runs", async () => {
    const [entry] = smallPlan.entries;
    if (entry === undefined) throw new Error("no entry");
    const wide = entry.dispatches.map((dispatch) => ({ ...dispatch, workgroups: [70_000, 1, 1] as const }));
    expect(await classify({ ...smallPlan, entries: [{ ...entry, dispatches: wide }] })).toContain(
      "webgpu-limit: The dispatch at encoder.affine has 70000 workgroups along an axis.",
    );
    const large = entry.slots.map((slot, i) => (i === 1 ? { ...slot, bytes: 2 ** 40 } : slot));
    const problem = await classify({ ...smallPlan, entries: [{ ...entry, slots: large }] });
    expect(problem).toContain("webgpu-limit: The value affine of classify takes 1024 GiB.");
    expect(problem).toContain("maxStorageBufferBindingSize");
  });
});

describe("adapters and what a plan needs", () => {
  const problems = (plan: KernelPlan, changes: Partial<Record<Limit, number>>) =>
    problemsWith(plan, { limits: { ...defaultLimits, ...changes }, features: new Set<string>() }).map(
      ({ code, message }) => `${code}: ${message}`,
    );

  test("a plan that fits", () => {
    expect(problems(smallPlan, {})).toEqual([]);
  });

  test("each part that is too much", () => {
    const [first, ...others] = smallPlan.kernels;
    if (first === undefined) throw new Error("no kernel");
    const kernels = [{ ...first, features: ["shader-f16" as const], workgroupBytes: 32768 }, ...others];
    const weights = smallPlan.weights.map((weight) =>
      weight.name === "weight" ? { ...weight, bytes: 154_484_736 } : weight,
    );
    expect(problems({ ...smallPlan, kernels, weights }, { maxStorageBuffersPerShaderStage: 5 })).toEqual([
      "webgpu-limit: The kernel affine has 32 KiB of workgroup memory, and the device allows 16 KiB (maxComputeWorkgroupStorageSize).",
      "webgpu-limit: The kernel accumulate has 6 storage buffers, and the device allows 5 (maxStorageBuffersPerShaderStage).",
      "webgpu-limit: At encoder.affine, 147.3 MiB of the weight weight are bound, and the device allows 128 MiB (maxStorageBufferBindingSize).",
      "webgpu-feature: The kernel affine needs shader-f16, which the device lacks.",
    ]);
  });

  test("no WebGPU, no adapter, no device", async () => {
    const load = (gpu: Pick<GPU, "requestAdapter"> | undefined) =>
      problemOf(GpuModel.load(smallPlan, smallWeights, { gpu }));
    expect(await load(undefined)).toContain("webgpu-missing: There is no WebGPU here.");
    const empty: Pick<GPU, "requestAdapter"> = { requestAdapter: async () => null };
    expect(await load(empty)).toContain("webgpu-no-adapter: WebGPU found no adapter.");
  });
});

describeWebGpu("no memory", () => {
  /** A GPU whose devices have none for buffers of this label. */
  async function without(label: string) {
    class GPUOutOfMemoryError {
      readonly message = "Out of memory\nwhile allocating";
    }
    const watched = watchGpu(await openTestGpu());
    const requestAdapter: GPU["requestAdapter"] = async (options) => {
      const adapter = await watched.gpu.requestAdapter(options);
      if (adapter === null) return null;
      const open = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor) => {
        const device = await open(descriptor);
        const create = device.createBuffer.bind(device);
        const pop = device.popErrorScope.bind(device);
        let refused = false;
        device.createBuffer = (wanted) => {
          refused ||= wanted.label === label;
          return create(wanted);
        };
        device.popErrorScope = async () => {
          const found = await pop();
          if (!refused) return found;
          refused = false;
          return new GPUOutOfMemoryError();
        };
        return device;
      };
      return adapter;
    };
    return { gpu: { requestAdapter }, devices: watched.devices };
  }

  test("for the weights", async () => {
    const { gpu, devices } = await without("the weights");
    expect(await problemOf(GpuModel.load(smallPlan, smallWeights, { gpu }))).toBe(
      "gpu-memory: The device has no 512 bytes for the weights.\nOut of memory\nwhile allocating\n0 bytes are in use\n" +
        "close other programs that use the GPU, or choose a smaller model or shorter inputs",
    );
    expect(devices[0]?.living.size).toBe(0);
  });

  test("for a call, which can be made again", async () => {
    const { gpu, devices } = await without("values within a call");
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    const call = () => session.call("classify", new Map([["x", f32([4], [1, 2, 3, 4])]]));
    expect(await problemOf(call())).toContain("bytes for values within a call.");
    const small = devices[0]?.living.size;
    expect(await problemOf(call())).toContain("gpu-memory");
    expect(devices[0]?.living.size).toBe(small);
    model.dispose();
    expect(devices[0]?.living.size).toBe(0);
  });
});

describeWebGpu("a lost device", () => {
  const numbers = [3, 1, 4, 1, 5, 9, 2, 6];
  const sums = [3, 4, 8, 9, 14, 23, 25, 31];
  const step = async (
    session: ReturnType<GpuModel["session"]>,
    value: number,
  ): Promise<number | undefined> => {
    const { outputs } = await session.call("step", new Map([["x", f32([1, 1], [value])]]));
    return outputs.get("sum")?.data[0];
  };

  test("is said to be lost", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    await step(session, 1);
    devices[0]?.device.destroy();
    expect(await problemOf(step(session, 2))).toContain("gpu-device-lost: The GPU device was lost.");
    expect(await problemOf(step(session, 2))).toContain(
      "load the plan again, or ask for recovery when loading",
    );
    model.dispose();
  });

  test.each([1, 3, 100])(
    "is replaced, with the state of every session (kept every %i calls)",
    async (every) => {
      const { gpu, devices } = watchGpu(await openTestGpu());
      const model = await GpuModel.load(smallPlan, smallWeights, { gpu, recovery: { every } });
      const [session, other] = [model.session(), model.session()];
      await step(other, 50);
      const snapshot = await other.snapshot();
      const found: (number | undefined)[] = [];
      for (const [index, number] of numbers.entries()) {
        // Lost between calls, and in the middle of one.
        if (index === 3) devices[0]?.device.destroy();
        const call = step(session, number);
        if (index === 6) devices[1]?.device.destroy();
        found.push(await call);
      }
      expect(found).toEqual(sums);
      expect(devices).toHaveLength(3);
      expect(await step(other, 1)).toBe(51);
      await other.restore(snapshot);
      expect(await step(other, 2)).toBe(52);
      model.dispose();
      for (const { living } of devices) expect(living.size).toBe(0);
    },
  );

  test("in the middle of a call that nothing can repeat", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    const x = f32([99_999], ramp(99_999));
    const call = session.call("classify", new Map([["x", x]]));
    const problem = problemOf(call);
    await new Promise((done) => setTimeout(done, 1));
    devices[0]?.device.destroy();
    expect(await problem).toContain("gpu-device-lost");
    model.dispose();
  });
});

describeWebGpu("weights", () => {
  const load = async (...parameters: Parameters<typeof weightsFrom>): Promise<string> => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const problem = await problemOf(GpuModel.load(smallPlan, weightsFrom(...parameters), { gpu }));
    expect(devices[0]?.living.size).toBe(0);
    return problem;
  };

  test("that are not all there", async () => {
    expect(await load("half", () => new Uint8Array(6))).toContain(
      "weights-incomplete: half does not hold all weights",
    );
  });

  test("whose source fails", async () => {
    const broken = load("broken", () => {
      throw new DiagnosticError([
        { code: "file-truncated", severity: "error", message: "It ends.", related: [], notes: [], edits: [] },
      ]);
    });
    expect(await broken).toBe("file-truncated: It ends.");
  });
});
