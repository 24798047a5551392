/**
 * What a trace found, put together: rows by path, block or kernel, with rates and lower bounds.
 *
 * Owns: the sums and the printed table. Rates count what the kernels execute and the least that they must move,
 * so that no arrangement looks faster than it is.
 */
import { layTable, share, shortBytes, shortCount, shortTime } from "../compiler/cost/numbers.ts";

export const traceGroupings = ["path", "block", "kernel", "dispatch"] as const;
export type TraceGrouping = (typeof traceGroupings)[number];

export interface TracedDispatch {
  /** Its number in the entry. */
  readonly index: number;
  readonly path: string;
  readonly kernel: string;
  /** Medians of the rounds, with the least and the most. */
  readonly nanoseconds: number;
  readonly least: number;
  readonly most: number;
  readonly executed: number;
  readonly declared: number;
  readonly bytes: number;
  readonly workgroups: readonly number[];
}

export interface TraceReport {
  readonly model: string;
  readonly entry: string;
  readonly adapter: string;
  /** `device`: the device's own clocks; `host`: each dispatch by itself, with the way there and back. */
  readonly clock: "device" | "host";
  readonly rounds: number;
  readonly sizes: ReadonlyMap<string, number>;
  readonly dispatches: readonly TracedDispatch[];
  /** The median of whole calls, results read. */
  readonly callNanoseconds: number;
  /** Dispatches that wait for one another, and the bytes of weights, inputs and results. */
  readonly chain: number;
  readonly leastBytes: number;
}

export interface TraceRow {
  readonly name: string;
  readonly dispatches: number;
  readonly nanoseconds: number;
  readonly executed: number;
  readonly bytes: number;
}

export interface RowOptions {
  readonly by: TraceGrouping;
  /** Segments of a path that are kept; all by default. */
  readonly depth?: number | undefined;
}

/** Longest first; by path and by dispatch in the order of the model. */
export function traceRows({ entry, dispatches }: TraceReport, { by, depth }: RowOptions): TraceRow[] {
  const rows = new Map<string, TraceRow>();
  for (const dispatch of dispatches) {
    const name = nameOf(dispatch, entry, by, depth);
    const known = rows.get(name) ?? { name, dispatches: 0, nanoseconds: 0, executed: 0, bytes: 0 };
    rows.set(name, {
      name,
      dispatches: known.dispatches + 1,
      nanoseconds: known.nanoseconds + dispatch.nanoseconds,
      executed: known.executed + dispatch.executed,
      bytes: known.bytes + dispatch.bytes,
    });
  }
  const all = [...rows.values()];
  return by === "block" || by === "kernel" ? all.sort((a, b) => b.nanoseconds - a.nanoseconds) : all;
}

function nameOf(
  { path, kernel, index }: TracedDispatch,
  entry: string,
  by: TraceGrouping,
  depth: number | undefined,
): string {
  switch (by) {
    case "kernel":
      return kernel;
    case "dispatch":
      return `${index} ${path} (${kernel})`;
    case "path":
    case "block": {
      const segments = (path === "" ? entry : path).split(".").slice(0, depth);
      // The same part of every layer is one block.
      return segments.map((segment) => (by === "block" && /^\d+$/.test(segment) ? "*" : segment)).join(".");
    }
  }
}

/** Multiply-adds count twice. A thousand million operations in a second are as many as one in a nanosecond. */
const gigaflops = ({ executed, nanoseconds }: Pick<TraceRow, "executed" | "nanoseconds">): number =>
  nanoseconds > 0 ? (2 * executed) / nanoseconds : 0;
const gigabytes = ({ bytes, nanoseconds }: Pick<TraceRow, "bytes" | "nanoseconds">): number =>
  nanoseconds > 0 ? bytes / nanoseconds : 0;

export function traceLines(
  report: TraceReport,
  options: RowOptions & { readonly top?: number | undefined },
): string[] {
  const { model, entry, adapter, clock, rounds, sizes, dispatches, callNanoseconds, chain, leastBytes } =
    report;
  const total = sumOf("all", dispatches);
  const rows = traceRows(report, options);
  const longest = [...rows].sort((a, b) => b.nanoseconds - a.nanoseconds).slice(0, options.top);
  const shown = options.top === undefined ? rows : longest;
  const hidden = rows.filter((row) => !shown.includes(row));
  const rest = hidden.length === 0 ? [] : [restOf(hidden)];
  const at = [...sizes].map(([name, value]) => `${name} = ${value}`).join(", ");
  const declared = dispatches.reduce((sum, dispatch) => sum + dispatch.declared, 0);
  const heading = ["", "dispatches", "time", "share", "GFLOP/s", "GB/s"];
  const lines = (list: readonly TraceRow[]): string[][] =>
    list.map((row) => [
      row.name,
      String(row.dispatches),
      shortTime(row.nanoseconds / 1e9),
      share(row.nanoseconds, total.nanoseconds),
      row.executed === 0 ? "" : gigaflops(row).toFixed(2),
      gigabytes(row).toFixed(2),
    ]);
  return [
    `${model} ${entry}${at === "" ? "" : ` at ${at}`}, on ${adapter}`,
    clock === "device"
      ? `medians of ${rounds} rounds, by the clocks of the device`
      : `medians of ${rounds} rounds; the device has no clocks, so each dispatch was submitted and waited for by itself: good for comparing them, not for adding them up`,
    "",
    ...layTable([heading, ...lines([...shown, ...rest, total])]),
    "",
    `one call, results read: ${shortTime(callNanoseconds / 1e9)}`,
    `dispatches: ${dispatches.length}, of which ${chain} wait for one another`,
    `bytes: ${shortBytes(total.bytes)} moved between dispatches at least; weights, inputs and results alone are ${shortBytes(leastBytes)}`,
    `multiply-adds: ${shortCount(total.executed)} executed, ${shortCount(declared)} declared`,
  ];
}

function sumOf(name: string, dispatches: readonly TracedDispatch[]): TraceRow {
  const sum = (of: (dispatch: TracedDispatch) => number): number =>
    dispatches.reduce((total, dispatch) => total + of(dispatch), 0);
  return {
    name,
    dispatches: dispatches.length,
    nanoseconds: sum(({ nanoseconds }) => nanoseconds),
    executed: sum(({ executed }) => executed),
    bytes: sum(({ bytes }) => bytes),
  };
}

function restOf(rows: readonly TraceRow[]): TraceRow {
  const sum = (of: (row: TraceRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return {
    name: `${rows.length} more`,
    dispatches: sum(({ dispatches }) => dispatches),
    nanoseconds: sum(({ nanoseconds }) => nanoseconds),
    executed: sum(({ executed }) => executed),
    bytes: sum(({ bytes }) => bytes),
  };
}

export function traceToJson(report: TraceReport, options: RowOptions): unknown {
  const { sizes, dispatches, ...rest } = report;
  return {
    ...rest,
    sizes: Object.fromEntries(sizes),
    rows: traceRows(report, options).map((row) => ({
      ...row,
      gigaflopsPerSecond: gigaflops(row),
      gigabytesPerSecond: gigabytes(row),
    })),
    dispatches,
  };
}
