/**
 * The rules of the Trace Event Format for what is written here: metadata ("M") and complete events ("X").
 *
 * From "Trace Event Format" (Google, 2016): the fields of each kind; times in microseconds; the complete events of a
 * thread nest, and never overlap otherwise.
 */
import { expect } from "vitest";

interface Slice {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

export function expectTraceEvents(events: unknown): void {
  if (!Array.isArray(events)) throw new Error("the events are no list");
  const threads = new Map<string, Slice[]>();
  for (const event of events) {
    expect(event).toMatchObject({ name: expect.any(String), ph: expect.stringMatching(/^[XM]$/) });
    expect(Number.isInteger(event.pid) && Number.isInteger(event.tid), JSON.stringify(event)).toBe(true);
    expect(event.ts).toBeGreaterThanOrEqual(0);
    expect(event.args).toBeTypeOf("object");
    if (event.ph === "M") {
      expect(["process_name", "thread_name"]).toContain(event.name);
      expect(event.args).toEqual({ name: expect.any(String) });
      continue;
    }
    expect(event.dur).toBeGreaterThanOrEqual(0);
    // Viewers count in nanoseconds.
    const [start, end] = [Math.round(event.ts * 1000), Math.round((event.ts + event.dur) * 1000)];
    const thread = `${event.pid} ${event.tid}`;
    threads.set(thread, [...(threads.get(thread) ?? []), { start, end, name: event.name }]);
  }
  for (const slices of threads.values()) expectNested(slices);
}

function expectNested(slices: readonly Slice[]): void {
  const sorted = [...slices].sort((a, b) => a.start - b.start || b.end - a.end);
  const open: Slice[] = [];
  for (const slice of sorted) {
    while ((open.at(-1)?.end ?? Number.POSITIVE_INFINITY) <= slice.start) open.pop();
    const around = open.at(-1);
    expect(around === undefined || slice.end <= around.end, `${slice.name} leaves ${around?.name}`).toBe(
      true,
    );
    open.push(slice);
  }
}
