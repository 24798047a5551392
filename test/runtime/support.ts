/** Shared by the runtime's tests: reading fixtures and catching diagnostics. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type Diagnostic, DiagnosticError } from "../../src/lang/diagnostic.ts";
import type { ByteSink } from "../../src/runtime/byte-source.ts";

const testRoot = new URL("../", import.meta.url);

/** A file under test/ as an array of its own. */
export function fixture(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(path, testRoot)));
}

/** The one diagnostic that the work must fail with; anything else fails the test. */
export async function diagnosticOf(work: () => unknown): Promise<Diagnostic> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(DiagnosticError);
    if (!(error instanceof DiagnosticError)) throw error;
    expect(error.diagnostics).toHaveLength(1);
    const [diagnostic] = error.diagnostics;
    if (diagnostic !== undefined) return diagnostic;
  }
  throw new Error("the work was expected to fail");
}

export async function codeOf(work: () => unknown): Promise<string> {
  return (await diagnosticOf(work)).code;
}

export function collectingSink(): ByteSink & { bytes(): Uint8Array } {
  const parts: Uint8Array[] = [];
  return {
    async write(bytes) {
      parts.push(bytes.slice());
    },
    bytes: () => new Uint8Array(Buffer.concat(parts)),
  };
}

/** A generator of repeatable numbers below `limit`, for corrupting bytes. */
export function repeatable(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
