/**
 * Peak memory of the whole program running a model at full size.
 *
 * Owns: reading the kernel's own high-water mark of a child process, where there is one.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface MemoryResult {
  readonly name: string;
  readonly peakBytes: number;
  readonly weightBytes: number;
}

/** The bench runs as a bundle, two levels below the root. */
const programBesideBundle = fileURLToPath(new URL("../../bin/ossicle.js", import.meta.url));

/** `undefined` where the system keeps no such mark. */
export async function measureMemory(
  name: string,
  arguments_: readonly string[],
  weightBytes: number,
  program: string = programBesideBundle,
): Promise<MemoryResult | undefined> {
  const child = spawn(process.execPath, [program, ...arguments_], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, highWater(child.pid ?? 0));
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  clearInterval(watch);
  if (status !== 0) throw new Error(`ossicle ${arguments_.join(" ")} ended with status ${status}: ${said}`);
  return peakBytes === 0 ? undefined : { name, peakBytes, weightBytes };
}

function highWater(process_: number): number {
  try {
    const status = readFileSync(`/proc/${process_}/status`, "utf8");
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export function printMemory({ name, peakBytes, weightBytes }: MemoryResult): string {
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return `${name}: peak ${mega(peakBytes)} MB, weights ${mega(weightBytes)} MB, ${mega(peakBytes - weightBytes)} MB over, ${(peakBytes / weightBytes).toFixed(2)} times the weights (aim 400 MB over, or 1.3 times)`;
}
