/**
 * A trace in the Trace Event Format, which Perfetto and chrome://tracing open.
 *
 * Owns: the events. Dispatches are laid end to end, as long as they took in the median; around them lie the parts of
 * the model that they belong to. Complete events ("X") of a thread nest and never overlap otherwise, as the format asks.
 */
import type { TracedDispatch, TraceReport } from "./trace-report.ts";

/** Times are in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ChromeTrace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ns";
  readonly otherData: Readonly<Record<string, unknown>>;
}

const place = { pid: 1, tid: 1 } as const;

export function chromeTrace(report: TraceReport): ChromeTrace {
  const { model, entry, adapter, clock, rounds, sizes, dispatches } = report;
  const events: TraceEvent[] = [
    { ...place, name: "process_name", ph: "M", ts: 0, args: { name: `${model} on ${adapter}` } },
    { ...place, name: "thread_name", ph: "M", ts: 0, args: { name: entry } },
  ];
  /** Parts of the model that have begun and not ended. */
  const open: { readonly name: string; readonly path: string; readonly start: number }[] = [];
  const close = (depth: number, end: number): void => {
    for (let part = open[depth]; part !== undefined; part = open[depth]) {
      open.length = depth;
      const { name, path, start } = part;
      events.push({ ...place, name, ph: "X", cat: "part", ts: start, dur: end - start, args: { path } });
    }
  };
  let now = 0;
  for (const dispatch of dispatches) {
    const segments = dispatch.path === "" ? [] : dispatch.path.split(".");
    let shared = 0;
    while (shared < segments.length && open[shared]?.name === segments[shared]) shared++;
    closeFrom(open.length, shared, (depth) => close(depth, now));
    for (const [depth, name] of segments.entries()) {
      if (depth < shared) continue;
      open.push({ name, path: segments.slice(0, depth + 1).join("."), start: now });
    }
    const end = now + dispatch.nanoseconds / 1000;
    events.push({ ...place, ...eventOf(dispatch), ts: now, dur: end - now });
    now = end;
  }
  closeFrom(open.length, 0, (depth) => close(depth, now));
  return {
    traceEvents: events,
    displayTimeUnit: "ns",
    otherData: {
      clock: clock === "device" ? "timestamps of the device" : "each dispatch by itself, from the host",
      rounds,
      sizes: Object.fromEntries(sizes),
      note: "Dispatches are laid end to end, each as long as the median of the rounds.",
    },
  };
}

/** The innermost parts end first. */
function closeFrom(count: number, shared: number, close: (depth: number) => void): void {
  for (let depth = count - 1; depth >= shared; depth--) close(depth);
}

function eventOf(dispatch: TracedDispatch): Pick<TraceEvent, "name" | "ph" | "cat" | "args"> {
  const { index, path, kernel, executed, declared, bytes, workgroups, least, most } = dispatch;
  return {
    name: kernel,
    ph: "X",
    cat: "dispatch",
    args: {
      dispatch: index,
      path,
      workgroups,
      executed,
      declared,
      bytes,
      leastNanoseconds: least,
      mostNanoseconds: most,
    },
  };
}
