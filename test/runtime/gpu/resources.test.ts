/**
 * What a plan takes of a device: nothing new once it is prepared, nothing at all once it is disposed of.
 */
import { expect, test } from "vitest";
import { GpuModel } from "../../../src/runtime/gpu/model.ts";
import { describeWebGpu, openTestGpu } from "../../support/gpu.ts";
import { classified, f32, ramp, smallPlan, smallWeights } from "../../support/small-plan.ts";
import { watchGpu } from "../../support/watched-gpu.ts";

describeWebGpu("a device is used sparingly", () => {
  test("a call after prepare creates nothing, and is one pass and one submission", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    await session.prepare("classify", new Map([["N", 100]]));
    await session.prepare("step", new Map([["B", 2]]));
    const counts = devices[0]?.counts;
    counts?.clear();
    const x = f32([100], ramp(100));
    for (let turn = 0; turn < 3; turn++) await session.call("classify", new Map([["x", x]]));
    expect(Object.fromEntries(counts ?? [])).toEqual({ passes: 3, submissions: 3 });
    // A step leaves the state that the next one reads: both sides were made ready.
    for (let turn = 0; turn < 4; turn++) await session.call("step", new Map([["x", f32([2, 1], [1, 2])]]));
    expect(counts?.get("buffers")).toBeUndefined();
    expect(counts?.get("pipelines")).toBeUndefined();
    expect(counts?.get("groups")).toBeUndefined();
    expect(counts?.get("submissions")).toBe(7);
    model.dispose();
  });

  test("the same text is compiled once", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const [first, second] = [model.session(), model.session()];
    await Promise.all([first, second].map((session) => session.prepare("classify", new Map([["N", 7]]))));
    await first.prepare("classify", new Map([["N", 8]]));
    expect(devices[0]?.counts.get("pipelines")).toBe(2);
    model.dispose();
  });

  test("many sizes take no more than a few", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    for (let count = 1; count <= 40; count++) {
      const { outputs } = await session.call("classify", new Map([["x", f32([count], ramp(count))]]));
      expect([...(outputs.get("y")?.data ?? [])]).toEqual(classified(ramp(count)));
    }
    // Weights, arena, results, and the sizes of the sixteen that were used last.
    expect(devices[0]?.living.size).toBe(3 + 16);
    model.dispose();
  });

  test("nothing is left after dispose, whoever the device belongs to", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const session = model.session();
    await session.call("classify", new Map([["x", f32([3], [1, 2, 3])]]), { keep: ["y"] });
    await session.call("step", new Map([["x", f32([1, 1], [1])]]));
    await session.snapshot();
    const [watched] = devices;
    expect(watched?.living.size).toBeGreaterThan(5);
    model.dispose();
    expect(watched?.living.size).toBe(0);
    await expect(watched?.device.lost).resolves.toMatchObject({ reason: "destroyed" });
    await expect(session.call("step", new Map([["x", f32([1, 1], [1])]]))).rejects.toThrow("disposed of");
    model.dispose();

    const adapter = await gpu.requestAdapter();
    const device = await adapter?.requestDevice();
    if (device === undefined) throw new Error("no device");
    const guest = await GpuModel.load(smallPlan, smallWeights, { gpu, device });
    await guest.session().call("step", new Map([["x", f32([1, 1], [1])]]));
    guest.dispose();
    expect(devices[1]?.living.size).toBe(0);
    const still = device.createBuffer({ size: 16, usage: 8 });
    expect(still.size).toBe(16);
    device.destroy();
  });

  test("a session gives back what was its own", async () => {
    const { gpu, devices } = watchGpu(await openTestGpu());
    const model = await GpuModel.load(smallPlan, smallWeights, { gpu });
    const keeper = model.session();
    await keeper.call("step", new Map([["x", f32([1, 1], [1])]]));
    const before = devices[0]?.living.size;
    const session = model.session();
    await session.call("step", new Map([["x", f32([1, 1], [1])]]));
    session.dispose();
    expect(devices[0]?.living.size).toBe(before);
    model.dispose();
  });
});
