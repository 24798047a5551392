/**
 * How long the language takes: reading text, checking a model again, and a whole `ossicle check` from
 * nothing.
 *
 * Owns: what is timed. A check again reads and checks all anew in a program that is warm, as an editor or a
 * sweep does; a check from nothing starts Node.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libraryRoot, openSourceTree } from "../src/cli/modules.ts";
import { sourceFiles } from "../src/cli/source-files.ts";
import { catalog } from "../src/compiler/ops/index.ts";
import { checkProgram } from "../src/lang/check.ts";
import { DiagnosticSink } from "../src/lang/diagnostic.ts";
import { parse } from "../src/lang/parse.ts";
import { loadProgram } from "../src/lang/program.ts";
import { SourceFile } from "../src/lang/source.ts";
import { printSpread, type Spread, spread, takeTurns } from "./measure.ts";

const checked = [
  "ossicle/encoders/ast.oss",
  "ossicle/decoders/mamba2.oss",
  "ossicle/decoders/mamba2-lm.oss",
  "ossicle/classifiers/ast.oss",
  // Four captioners with the largest decoder among them, each with three entries: the most that a file holds.
  "ossicle/captioners/sam.oss",
] as const;

/** A user's file with the largest of the library's models. */
const largest = 'import { Sam2b7 } from "ossicle/captioners/sam.oss"\n\nmodel Largest() = Sam2b7()\n';

interface Timed {
  readonly name: string;
  readonly milliseconds: Spread;
  /** Milliseconds of the processor, the least of the rounds; starts are another process's. */
  readonly processor: number;
}

export interface LanguageResult {
  readonly checks: readonly Timed[];
  /** With the first start on a machine, which finds no code kept, and what Node alone takes. */
  readonly cold: readonly Timed[];
  readonly parse: { readonly bytes: number; readonly megabytesPerSecond: Spread };
}

export async function measureLanguage(rounds: number): Promise<LanguageResult> {
  return { checks: await checks(rounds), cold: await starts(rounds), parse: await reading(rounds) };
}

async function checks(rounds: number): Promise<Timed[]> {
  const folder = mkdtempSync(join(tmpdir(), "ossicle-"));
  const largestPath = join(folder, "largest.oss");
  writeFileSync(largestPath, largest);
  const check = async (path: string): Promise<void> => {
    const sink = new DiagnosticSink();
    const tree = openSourceTree(path, undefined);
    checkProgram(loadProgram(tree.root, tree.loader, sink), catalog, sink);
    if (sink.hasErrors) throw new Error(`${path} has mistakes`);
  };
  const runs = Object.fromEntries([
    ...checked.map((path) => [path, () => check(path)] as const),
    ["a file with Sam2b7", () => check(largestPath)] as const,
  ]);
  try {
    return await timed(runs, 2 * rounds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checks started by a process of their own: as every start but the first, and as the first on a machine. */
async function starts(rounds: number): Promise<Timed[]> {
  const program = fileURLToPath(new URL("../../bin/ossicle.js", import.meta.url));
  const caches = mkdtempSync(join(tmpdir(), "ossicle-"));
  const start = async (cache: string, ...given: string[]): Promise<void> => {
    const env = { ...process.env, XDG_CACHE_HOME: join(caches, cache) };
    const { status } = spawnSync(process.execPath, given, { stdio: "ignore", env });
    if (status !== 0) throw new Error(`node ${given.join(" ")} ended with status ${status}`);
  };
  const [file] = checked;
  let firsts = 0;
  const runs = {
    [`check ${file}`]: () => start("kept", program, "check", file),
    "the same, for the first time": () => start(`new-${firsts++}`, program, "check", file),
    node: () => start("kept", "-e", "0"),
  };
  try {
    await start("kept", program, "check", file);
    return await timed(runs, rounds);
  } finally {
    rmSync(caches, { recursive: true });
  }
}

async function timed(runs: Readonly<Record<string, () => Promise<void>>>, rounds: number): Promise<Timed[]> {
  const times = await takeTurns(runs, Object.keys(runs), rounds, () => {});
  return [...times].map(([name, { clock, processor }]) => ({
    name,
    milliseconds: spread(clock.map((seconds) => 1000 * seconds)),
    processor: 1000 * Math.min(...processor),
  }));
}

async function reading(rounds: number): Promise<LanguageResult["parse"]> {
  const files = [...sourceFiles([libraryRoot()])].map(
    (path) => new SourceFile(path, readFileSync(path, "utf8")),
  );
  const once = files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
  const times = Math.ceil(500_000 / once);
  const read = async (): Promise<void> => {
    for (let i = 0; i < times; i++) for (const file of files) parse(file);
  };
  const measured = await takeTurns({ read }, ["read"], rounds, () => {});
  const bytes = times * once;
  const seconds = measured.get("read")?.clock ?? [];
  return { bytes, megabytesPerSecond: spread(seconds.map((second) => bytes / 1e6 / second)) };
}

export function printLanguage({ checks, cold, parse }: LanguageResult): string {
  return [
    "the language, in ms:",
    ...checks.map(
      ({ name, milliseconds, processor }) =>
        `  check ${name} again: ${printSpread(milliseconds, 0)}, ${processor.toFixed(0)} of the processor at best (aim 100)`,
    ),
    ...cold.map(
      ({ name, milliseconds }) =>
        `  from nothing, ${name}: ${printSpread(milliseconds, 0)}${name === "node" ? "" : " (aim 400)"}`,
    ),
    `  reading the library: ${printSpread(parse.megabytesPerSecond, 2)} MB/s (aim 1)`,
  ].join("\n");
}
