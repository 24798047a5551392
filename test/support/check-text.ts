/**
 * Checking a text as if it lay in the standard library.
 *
 * Owns: a loader that reads the library from models/ once.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { catalog } from "../../src/compiler/ops/index.ts";
import { CallMemory } from "../../src/lang/call-memory.ts";
import { type CheckedEntry, checkProgram } from "../../src/lang/check.ts";
import { type Diagnostic, DiagnosticSink } from "../../src/lang/diagnostic.ts";
import type { EntryRequest } from "../../src/lang/model.ts";
import { loadProgram, type ModuleLoader } from "../../src/lang/program.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { filesUnder, root } from "./product-files.ts";

export const library = filesUnder("models", /\.oss$/);
const texts = new Map(library.map(({ path, text }) => [path, text]));

export const loader: ModuleLoader = (specifier, from) => {
  const path = specifier.startsWith("ossicle/")
    ? specifier.replace("ossicle/", "models/")
    : join(dirname(from.path), specifier);
  const text = texts.get(path);
  if (text === undefined) return { ok: false, reason: "there is no such file" };
  return { ok: true, file: new SourceFile(path, text) };
};

export interface Checked {
  readonly entries: readonly CheckedEntry[];
  readonly diagnostics: readonly Diagnostic[];
  /** Of the processor: what else the machine does is no part of it. */
  readonly milliseconds: number;
  /** What calls have in common, unless every one was to be evaluated. */
  readonly memory: CallMemory;
}

/** `path` tells where imports start from. */
export function checkText(
  text: string,
  path = "models/test/case.oss",
  request?: EntryRequest,
  remembering: "remembering" | "forgetting" = "remembering",
): Checked {
  const before = process.cpuUsage();
  const sink = new DiagnosticSink();
  const program = loadProgram(new SourceFile(path, text), loader, sink);
  const memory = new CallMemory(program);
  const used = remembering === "forgetting" ? "none" : memory;
  const { entries } = checkProgram(program, catalog, sink, request, used);
  const diagnostics = sink.sorted();
  const { user, system } = process.cpuUsage(before);
  return { entries, diagnostics, milliseconds: (user + system) / 1000, memory };
}

/** As it lies on the disk. */
export function checkFile(path: string): Checked {
  return checkText(readFileSync(root + path, "utf8"), path);
}

/** What is wrong with diagnostics as data: places outside their files, above all. */
export function faultsOf(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.flatMap(({ code, message, primary, related, edits }) => {
    const spans = [primary, ...related, ...edits].flatMap((label) => label?.span ?? []);
    const outside = spans.filter(
      ({ file, start, end }) => !(0 <= start && start <= end && end <= file.text.length),
    );
    const faults = outside.map(({ start, end }) => `${code}: ${start}..${end} lies outside its file`);
    if (message.length > 1000) faults.push(`${code}: a message of ${message.length} characters`);
    return faults;
  });
}
