/**
 * Plans on a device in Node: results, state, errors, and what is left behind.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { GpuModel } from "../../../src/runtime/gpu/model.ts";
import type { GpuSession } from "../../../src/runtime/gpu/session.ts";
import { describeWebGpu, openTestGpu } from "../../support/gpu.ts";
import { classified, f32, ramp, smallPlan, smallWeights } from "../../support/small-plan.ts";

describeWebGpu("a plan on a device", () => {
  let gpu: GPU;
  let model: GpuModel;
  beforeAll(async () => {
    gpu = await openTestGpu();
    model = await GpuModel.load(smallPlan, smallWeights, { gpu });
  });
  afterAll(() => model.dispose());

  const sumOf = async (session: GpuSession, entry: string, rows: readonly (readonly number[])[]) => {
    const columns = rows[0]?.length ?? 0;
    const { outputs } = await session.call(entry, new Map([["x", f32([rows.length, columns], rows.flat())]]));
    return [...(outputs.get("sum")?.data ?? [])];
  };

  test("computes, for sizes one after another", async () => {
    const session = model.session();
    for (const count of [1, 5, 64, 1000, 65, 5]) {
      const x = ramp(count);
      const { outputs } = await session.call("classify", new Map([["x", f32([count], x)]]));
      const y = outputs.get("y");
      expect(y?.shape).toEqual([count]);
      expect([...(y?.data ?? [])]).toEqual(classified(x));
    }
    session.dispose();
  });

  test("state goes from call to call, from entry to entry, and back to zero", async () => {
    const session = model.session();
    expect(await sumOf(session, "prefill", [[1, 2, 3]])).toEqual([6]);
    expect(await sumOf(session, "step", [[10]])).toEqual([16]);
    expect(await sumOf(session, "step", [[0.5]])).toEqual([16.5]);
    expect([...((await session.readState()).get("calls")?.data ?? [])]).toEqual([3]);
    await session.reset();
    expect(await sumOf(session, "step", [[4]])).toEqual([4]);
    session.dispose();
  });

  test("an entry without state leaves it as it is", async () => {
    const session = model.session();
    await sumOf(session, "step", [[2]]);
    await session.call("classify", new Map([["x", f32([100], ramp(100))]]));
    expect(await sumOf(session, "step", [[3]])).toEqual([5]);
    session.dispose();
  });

  test("sessions have states of their own", async () => {
    const [first, second] = [model.session(), model.session()];
    await Promise.all([sumOf(first, "step", [[1]]), sumOf(second, "step", [[100]])]);
    const sums = await Promise.all([sumOf(first, "step", [[1]]), sumOf(second, "step", [[1]])]);
    expect(sums).toEqual([[2], [101]]);
    first.dispose();
    second.dispose();
  });

  test("snapshots are gone back to, also by another session", async () => {
    const [session, other] = [model.session(), model.session()];
    await sumOf(session, "prefill", [[1, 2, 3]]);
    const snapshot = await session.snapshot();
    await sumOf(session, "step", [[100]]);
    await session.restore(snapshot);
    expect(await sumOf(session, "step", [[1]])).toEqual([7]);
    await other.restore(snapshot);
    expect(await sumOf(other, "step", [[2]])).toEqual([8]);
    snapshot.dispose();
    session.dispose();
    other.dispose();
  });

  test("rows are repeated, exchanged and dropped", async () => {
    const session = model.session();
    const axes = new Map([
      ["total", 0],
      ["calls", 0],
    ]);
    await sumOf(session, "prefill", [[5, 6]]);
    await session.reorder([0, 0, 0], axes);
    expect(await sumOf(session, "step", [[1], [2], [3]])).toEqual([12, 13, 14]);
    await session.reorder([2, 0, 2], axes);
    expect(await sumOf(session, "step", [[0], [0], [1]])).toEqual([14, 12, 15]);
    await session.reorder([1], axes);
    expect(await sumOf(session, "step", [[0]])).toEqual([12]);
    await expect(session.reorder([1], axes)).rejects.toThrow("There is no row 1 of the state total");
    await expect(session.reorder([0, 0], new Map())).rejects.toThrow("holds one sequence");
    session.dispose();
  });

  test("states are given and read as tensors", async () => {
    const session = model.session();
    const inputs = new Map([
      ["x", f32([2, 1], [1, 2])],
      ["total_in", f32([2, 1], [10, 20])],
    ]);
    const { outputs } = await session.call("step", inputs, { read: ["sum", "total_out", "calls_out"] });
    expect([...(outputs.get("sum")?.data ?? [])]).toEqual([11, 22]);
    expect(outputs.get("total_out")).toEqual(f32([2, 1], [11, 22]));
    expect(outputs.get("calls_out")).toEqual({ dtype: "i32", shape: [2], data: Int32Array.of(1, 1) });
    await session.writeState(new Map([["total", f32([1, 1], [7])]]));
    expect(await sumOf(session, "step", [[1]])).toEqual([8]);
    session.dispose();
  });

  test("a result stays on the device and is an input of the next call", async () => {
    const session = model.session();
    const x = ramp(9);
    const { outputs, kept } = await session.call("classify", new Map([["x", f32([9], x)]]), {
      read: [],
      keep: ["y"],
    });
    expect(outputs.size).toBe(0);
    const y = kept.get("y");
    if (y === undefined) throw new Error("nothing was kept");
    const again = await session.call("classify", new Map([["x", y]]));
    expect([...(again.outputs.get("y")?.data ?? [])]).toEqual(
      classified(classified(x)).map((value) => Math.fround(value)),
    );
    y.dispose();
    session.dispose();
  });

  test("each dispatch is timed, and the call has its effect", async () => {
    const session = model.session();
    const times = await session.trace("classify", new Map([["x", f32([4096], ramp(4096))]]));
    expect(times.map(({ path, kernel, clock }) => [path, kernel, clock])).toEqual([
      ["encoder.affine", "affine", "host"],
      ["encoder.square", "square", "host"],
      ["encoder.fourth", "square", "host"],
    ]);
    expect(times.every(({ nanoseconds }) => nanoseconds > 0)).toBe(true);
    await session.trace("step", new Map([["x", f32([1, 1], [3])]]));
    expect(await sumOf(session, "step", [[4]])).toEqual([7]);
    session.dispose();
    const clocked = await GpuModel.load(smallPlan, smallWeights, { gpu, timestamps: true });
    const stamps = await clocked.session().trace("classify", new Map([["x", f32([99999], ramp(99999))]]));
    expect(stamps.map(({ clock }) => clock)).toEqual(["device", "device", "device"]);
    expect(Math.max(...stamps.map(({ nanoseconds }) => nanoseconds))).toBeGreaterThan(0);
    clocked.dispose();
  });
});
