/**
 * Running the command as a user does, and the same thing quickly.
 *
 * Owns: the real program in a process of its own (`runBinary`), the same `main` in this process with
 * its output captured (`runHere`), and folders for what commands write.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { main } from "../../src/cli/main.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const program = join(root, "bin/ossicle.js");

export interface Finished {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A program to start instead of node, with its own first arguments: to run as another user. */
  readonly through?: readonly string[];
  /** Whether the test writes to its standard input; else there is none. */
  readonly input?: boolean;
}

/** Starts the built program. */
export function startBinary(arguments_: readonly string[], options: ProcessOptions = {}): ChildProcess {
  if (!existsSync(join(root, "dist/cli/main.cjs"))) {
    throw new Error("dist/ is missing, and this test runs the built program: run `npm run build` first.");
  }
  const [command = "", ...before] = [...(options.through ?? []), process.execPath];
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  return spawn(command, [...before, program, ...arguments_], {
    cwd: options.cwd ?? root,
    env: { ...inherited, ...options.environment },
    stdio: [options.input === true ? "pipe" : "ignore", "pipe", "pipe"],
  });
}

export async function runBinary(
  arguments_: readonly string[],
  options: ProcessOptions = {},
): Promise<Finished> {
  return await finished(startBinary(arguments_, options));
}

/** Waits for a started program; both streams are read to their end. */
export async function finished(child: ChildProcess): Promise<Finished> {
  const streams = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      streams[name] += text;
    });
  }
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...streams }));
  });
}

/** The command in this process: no start-up time, and the source as it is, not as it was built. */
export async function runHere(
  arguments_: readonly string[],
  { cwd }: { readonly cwd?: string } = {},
): Promise<Finished> {
  const folder = process.cwd();
  const streams = { stdout: "", stderr: "" };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = (chunk: string | Uint8Array): boolean => {
      streams[name] += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk);
      return true;
    };
  }
  try {
    if (cwd !== undefined) process.chdir(cwd);
    const status = await main(arguments_);
    return { status, signal: null, ...streams };
  } finally {
    process.chdir(folder);
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
}

/** A folder that is gone when the test ends. Without symbolic links in its path. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ossicle-test-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
