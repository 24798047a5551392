/** The parts of the contests on WebGPU that need no device: comparing, ratios, reports. */
import { describe, expect, test } from "vitest";
import { compareOutputs, inputsOf, type Output, oneByOne } from "../bench/webgpu/contest.ts";
import { driversHere } from "../bench/webgpu/drivers.ts";
import { kernelTable } from "../bench/webgpu/kernel-table.ts";
import { paceOf, paceRatio, printRatio } from "../bench/webgpu/pace.ts";
import { productForms, productKernel } from "../bench/webgpu/plain-kernels.ts";

const logits = (...values: number[]): readonly Output[] => [
  { name: "logits", shape: [1, values.length], values },
];

describe("outputs are compared before anything is timed", () => {
  test("the distance is a multiple of 1 + |value|", () => {
    expect(compareOutputs("peer", logits(1, 3.0004, -5), logits(1, 3, -5))).toBeCloseTo(1e-4, 6);
  });

  test.each<[string, readonly Output[], string]>([
    ["a value that is off", logits(1, 3.001, -5), "logits[1] is 3.001, and should be 3"],
    ["what is no number", logits(1, Number.NaN, -5), "logits[1] is NaN"],
    ["another shape", [{ name: "logits", shape: [3], values: [1, 3, -5] }], "of shape 3"],
    ["a missing output", [], "logits is missing"],
  ])("%s is refused", (_, got, message) => {
    expect(() => compareOutputs("peer", got, logits(1, 3, -5))).toThrow(message);
  });

  test("zeros prove nothing", () => {
    expect(() => compareOutputs("peer", logits(0, 0), logits(0, 0))).toThrow("nothing to compare");
    expect(() => compareOutputs("peer", [], [])).toThrow("nothing to compare");
  });
});

test("ids that come one by one are those that come at once", () => {
  const ids = { entry: "read", inputs: { tokens: { kind: "ids", length: 5 } }, fresh: true } as const;
  const whole = inputsOf(ids).get("tokens");
  const parts = oneByOne(inputsOf(ids)).map((inputs) => inputs.get("tokens"));
  expect(parts.map((part) => part?.shape)).toEqual(Array.from({ length: 5 }, () => [1, 1]));
  expect(parts.flatMap((part) => Array.from(part?.data ?? []))).toEqual(Array.from(whole?.data ?? []));
});

describe("ratios", () => {
  const pace = (...seconds: number[]) => paceOf(seconds.map((clock) => ({ clock, processor: 2 * clock })));

  test("are of medians, by either clock", () => {
    expect(paceRatio(pace(6, 100, 5), pace(2, 1, 3))).toEqual({ clock: 3, processor: 3 });
    expect(printRatio({ clock: 3, processor: 2.5 })).toBe("3.00 (2.50 by processor time)");
  });

  test("leave out a clock that one side lacks", () => {
    const without = paceOf([{ clock: 2, processor: undefined }]);
    expect(paceRatio(without, pace(1))).toEqual({ clock: 2, processor: undefined });
    expect(printRatio(paceRatio(without, pace(1)))).toBe("2.00");
  });
});

test("kernels are added up, the slowest first", () => {
  const time = (kernel: string, nanoseconds: number) =>
    ({ index: 0, path: "encoder", kernel, nanoseconds, clock: "device", macs: 3e9 }) as const;
  expect(
    kernelTable([time("row", 1e9), time("contract", 2e9), time("row", 1e9), time("contract", 4e9)]),
  ).toEqual([
    { kernel: "contract", dispatches: 2, seconds: 6, share: 0.75, flopsPerSecond: 2e9 },
    { kernel: "row", dispatches: 2, seconds: 2, share: 0.25, flopsPerSecond: 6e9 },
  ]);
});

test("plain products cover rows and columns that their blocks don't divide", () => {
  for (const form of productForms) {
    const { workgroups } = productKernel(form, { rows: 513, depth: 768, columns: 2304 });
    expect(workgroups[0] * 4 * form.quads * form.across).toBeGreaterThanOrEqual(2304);
    expect(workgroups[1] * form.rows * form.down).toBeGreaterThanOrEqual(513);
  }
});

test("a driver that the environment names is one contest, SwiftShader the other", () => {
  const named = driversHere({ VK_ICD_FILENAMES: "/drivers/lvp_icd.json", HOME: "/home" });
  expect(named.map(({ name, driver }) => [name, driver])).toEqual([
    ["Node, SwiftShader", "packaged"],
    ["Node, lvp_icd.json", "system"],
  ]);
  expect(named[0]?.environment).toEqual({ HOME: "/home" });
  expect(driversHere({}).map(({ name }) => name)).toEqual(["Node, SwiftShader", "Node, the system's driver"]);
});
