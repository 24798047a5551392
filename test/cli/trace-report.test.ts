/**
 * What is made of measured dispatches: rows, rates, bounds, and a file in the Trace Event Format.
 */
import { expect, test } from "vitest";
import { chromeTrace } from "../../src/cli/chrome-trace.ts";
import {
  type TracedDispatch,
  type TraceReport,
  traceLines,
  traceRows,
  traceToJson,
} from "../../src/cli/trace-report.ts";
import { leastBytes, longestChain } from "../../src/compiler/plan-bounds.ts";
import { smallPlan } from "../support/small-plan.ts";
import { expectTraceEvents } from "../support/trace-events.ts";

const dispatch = (index: number, path: string, kernel: string, nanoseconds: number): TracedDispatch => ({
  ...{ index, path, kernel, nanoseconds, least: nanoseconds - 1, most: nanoseconds + 1 },
  ...{ executed: 1000 * (index + 1), declared: 900, bytes: 4000, workgroups: [1, 2, 3] },
});

const report: TraceReport = {
  ...{ model: "Small", entry: "classify", adapter: "acme one", clock: "device", rounds: 3 },
  sizes: new Map([["B", 2]]),
  dispatches: [
    dispatch(0, "", "copy", 500),
    dispatch(1, "encoder.layer.0.attention", "contract", 2000),
    dispatch(2, "encoder.layer.0.norm", "row", 1000),
    dispatch(3, "encoder.layer.1.attention", "contract", 4000),
    dispatch(5, "head", "contract", 2500),
  ],
  callNanoseconds: 12_345_678,
  chain: 4,
  leastBytes: 2048,
};

test("rows by path, as deep as asked for, in the order of the model", () => {
  const names = (depth?: number): string[] =>
    traceRows(report, { by: "path", depth }).map(({ name }) => name);
  expect(names(1)).toEqual(["classify", "encoder", "head"]);
  expect(names(3)).toEqual(["classify", "encoder.layer.0", "encoder.layer.1", "head"]);
  const [, layer] = traceRows(report, { by: "path", depth: 3 });
  expect(layer).toEqual({
    name: "encoder.layer.0",
    dispatches: 2,
    nanoseconds: 3000,
    executed: 5000,
    bytes: 8000,
  });
});

test("rows by block and by kernel, longest first", () => {
  const rows = traceRows(report, { by: "block", depth: 4 });
  expect(rows.map(({ name, nanoseconds }) => [name, nanoseconds])).toEqual([
    ["encoder.layer.*.attention", 6000],
    ["head", 2500],
    ["encoder.layer.*.norm", 1000],
    ["classify", 500],
  ]);
  expect(traceRows(report, { by: "kernel" }).map(({ name }) => name)).toEqual(["contract", "row", "copy"]);
  expect(traceRows(report, { by: "dispatch" }).map(({ name }) => name)[4]).toBe("5 head (contract)");
});

test("the table, with rates and lower bounds", () => {
  const lines = traceLines(report, { by: "kernel", top: 1 });
  expect(lines).toEqual([
    "Small classify at B = 2, on acme one",
    "medians of 3 rounds, by the clocks of the device",
    "",
    "          dispatches     time    share  GFLOP/s  GB/s",
    "contract           3  8.50 µs   85.0 %     2.82  1.41",
    "2 more             2  1.50 µs   15.0 %     5.33  5.33",
    "all                5  10.0 µs  100.0 %     3.20  2.00",
    "",
    "one call, results read: 12.3 ms",
    "dispatches: 5, of which 4 wait for one another",
    "bytes: 19.5 KiB moved between dispatches at least; weights, inputs and results alone are 2.00 KiB",
    "multiply-adds: 16000 executed, 4500 declared",
  ]);
  expect(traceLines({ ...report, clock: "host" }, { by: "path" })[1]).toContain("the device has no clocks");
});

test("JSON holds the rows and every dispatch", () => {
  expect(traceToJson(report, { by: "kernel" })).toMatchObject({
    entry: "classify",
    clock: "device",
    sizes: { B: 2 },
    rows: [
      { name: "contract", gigaflopsPerSecond: 24_000 / 8500, gigabytesPerSecond: 12_000 / 8500 },
      {},
      {},
    ],
    dispatches: report.dispatches,
  });
});

test("a file that keeps the rules of the Trace Event Format", () => {
  const { traceEvents, displayTimeUnit } = JSON.parse(JSON.stringify(chromeTrace(report)));
  expect(displayTimeUnit).toBe("ns");
  expectTraceEvents(traceEvents);
  const complete = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
  const of = (category: string) => complete.filter(({ cat }: { cat: string }) => cat === category);
  expect(
    of("dispatch").map(({ name, ts, dur }: { name: string; ts: number; dur: number }) => [name, ts, dur]),
  ).toEqual([
    ["copy", 0, 0.5],
    ["contract", 0.5, 2],
    ["row", 2.5, 1],
    ["contract", 3.5, 4],
    ["contract", 7.5, 2.5],
  ]);
  const parts = new Map(
    of("part").map(({ args, ts, dur }: never) => [(args as { path: string }).path, [ts, dur]]),
  );
  expect(Object.fromEntries(parts)).toEqual({
    encoder: [0.5, 7],
    "encoder.layer": [0.5, 7],
    "encoder.layer.0": [0.5, 3],
    "encoder.layer.0.attention": [0.5, 2],
    "encoder.layer.0.norm": [2.5, 1],
    "encoder.layer.1": [3.5, 4],
    "encoder.layer.1.attention": [3.5, 4],
    head: [7.5, 2.5],
  });
});

test("what no arrangement of a plan can go below", () => {
  const [classify, prefill] = smallPlan.entries;
  if (classify === undefined || prefill === undefined) throw new Error("no entry");
  // Each dispatch reads what the one before wrote.
  expect(longestChain(classify)).toBe(3);
  const apart = classify.dispatches.map((one, index) => (index === 2 ? { ...one, places: [] } : one));
  expect(longestChain({ ...classify, dispatches: apart })).toBe(2);
  // A weight of 16 bytes, ten numbers in and ten out.
  expect(leastBytes(smallPlan, classify, new Map([["N", 10]]))).toBe(16 + 40 + 40);
  // x [2, 3] and its sums [2]; both states, [2, 1] and [2], as they come and as they go.
  const at = new Map([
    ["B", 2],
    ["T", 3],
  ]);
  expect(leastBytes(smallPlan, prefill, at)).toBe(24 + 8 + 2 * (8 + 8));
});
