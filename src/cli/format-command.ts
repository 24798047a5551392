/**
 * `ossicle fmt`: files in their canonical layout.
 *
 * Owns: that a file is rewritten whole or not at all, and only when its layout changes. The layout
 * itself is src/lang/print.ts.
 */
import type { Command } from "commander";
import { format } from "../lang/format.ts";
import { SourceFile } from "../lang/source.ts";
import { failure } from "../runtime/failure.ts";
import { readFileText } from "./files.ts";
import { type CommonOptions, useColor } from "./options.ts";
import { Output } from "./output.ts";
import { writeWhole } from "./output-files.ts";
import type { Run } from "./run-state.ts";
import { sourceFiles } from "./source-files.ts";

interface FormatOptions extends CommonOptions {
  readonly check?: boolean;
}

/** What stands for standard input among the arguments. */
const standardInput = "-";

export function addFormat(program: Command, run: Run): void {
  const command = program.command("fmt");
  command
    .summary("lay out source files in the one canonical way")
    .description(
      "Rewrites files in the canonical layout. Comments stay where they are. A file with mistakes is left as it is.",
    )
    .argument("<path...>", "an .oss file, a folder for all those in it, or - for standard input")
    .option("--check", "change nothing; list the files that would change, and fail if there are any")
    .option("--json", "print one JSON value on standard output")
    .option("--no-color", "print without colours")
    .action(async (paths: readonly string[], options: FormatOptions) => {
      if (paths.includes(standardInput) && paths.length > 1) {
        command.error("error: - stands for standard input and can't be mixed with files", { exitCode: 2 });
      }
      const output = new Output("fmt", { json: options.json === true, color: useColor(options) });
      run.status = paths.includes(standardInput)
        ? await formatStandardInput(options, output)
        : await formatFiles(paths, options, output);
    });
}

async function formatStandardInput(options: FormatOptions, output: Output): Promise<number> {
  const before = await readStandardInput();
  const { text, diagnostics } = format(new SourceFile("<stdin>", before));
  output.diagnostics(diagnostics);
  const changed = text !== undefined && text !== before;
  output.set("changed", changed);
  if (text !== undefined && options.check !== true) {
    output.set("text", text);
    if (text !== "") output.line(text.slice(0, -1));
  }
  return finish(output, options.check === true && changed);
}

async function formatFiles(
  paths: readonly string[],
  options: FormatOptions,
  output: Output,
): Promise<number> {
  const isCheck = options.check === true;
  const results: { path: string; changed: boolean; ok: boolean }[] = [];
  for (const path of sourceFiles(paths)) {
    const before = await readFileText(path);
    const { text, diagnostics } = format(new SourceFile(path, before));
    output.diagnostics(diagnostics);
    const changed = text !== undefined && text !== before;
    if (changed && !isCheck) {
      await writeWhole(path, (sink) => sink.write(new TextEncoder().encode(text)));
    }
    results.push({ path, changed, ok: text !== undefined });
    if (changed) output.line(isCheck ? path : `formatted ${path}`);
  }
  output.set("files", results);
  return finish(output, isCheck && results.some(({ changed }) => changed));
}

function finish(output: Output, wouldChange: boolean): number {
  if (wouldChange) output.set("ok", false);
  const status = output.finish();
  return wouldChange ? 1 : status;
}

async function readStandardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw failure("file-not-text", "Standard input is not text in UTF-8.");
  }
}
