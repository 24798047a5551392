/**
 * The command line.
 *
 * Owns: the list of commands, and what becomes of an error: 0 fine, 1 the input is wrong, 2 used
 * wrongly. A fault of ours is a diagnostic too; OSSICLE_DEBUG=1 shows where it came from.
 */
import { Command, CommanderError } from "commander";
import { type Diagnostic, DiagnosticError } from "../lang/diagnostic.ts";
import { failureDiagnostic } from "../runtime/failure.ts";
import { addCheck } from "./check-command.ts";
import { addClassify } from "./classify-command.ts";
import { addCompile } from "./compile-command.ts";
import { addCost } from "./cost-command.ts";
import { addDiff } from "./diff-command.ts";
import { addDoc } from "./doc-command.ts";
import { addFormat } from "./format-command.ts";
import { addCaption, addGenerate } from "./generate-command.ts";
import { addInspect } from "./inspect-command.ts";
import { addLanguageServer } from "./lsp-command.ts";
import { useColor } from "./options.ts";
import { Output } from "./output.ts";
import { addRun } from "./run-command.ts";
import type { Run } from "./run-state.ts";
import { addSweep } from "./sweep-command.ts";
import { packageVersion } from "./version.ts";

export async function main(arguments_: readonly string[]): Promise<number> {
  process.stdout.off("error", readerGone).on("error", readerGone);
  const run: Run = { status: 0 };
  const program = buildProgram(run);
  try {
    await program.parseAsync([...arguments_], { from: "user" });
    return run.status;
  } catch (error) {
    const json = arguments_.includes("--json");
    const color = useColor({ color: !arguments_.includes("--no-color") });
    const output = new Output(arguments_[0] ?? "ossicle", { json, color });
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // In words it is on standard error already.
      if (json) output.diagnostics([wrongUsage(error)]);
      if (json) output.finish();
      return 2;
    }
    output.diagnostics(error instanceof DiagnosticError ? error.diagnostics : [internalError(error)]);
    output.finish();
    return 1;
  }
}

/** A reader that went away (`ossicle … | head`) is no error. */
function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
}

function buildProgram(run: Run): Command {
  const program = new Command("ossicle")
    .description("A small typed language for audio-language models: check, compile and run them.")
    .version(packageVersion(), "-V, --version")
    .exitOverride()
    .showHelpAfterError("(see --help)")
    .configureHelp({ sortSubcommands: false });
  addCheck(program, run);
  addFormat(program, run);
  addDiff(program, run);
  addDoc(program, run);
  addCost(program, run);
  addSweep(program, run);
  addInspect(program, run);
  addCompile(program, run);
  addRun(program, run);
  addClassify(program, run);
  addLanguageServer(program);
  addGenerate(program, run);
  addCaption(program, run);
  return program;
}

function wrongUsage(error: CommanderError): Diagnostic {
  const text = error.message.replace(/^error: /, "").replace(/\.?$/, ".");
  const message = text.charAt(0).toUpperCase() + text.slice(1);
  return failureDiagnostic("wrong-usage", message, { hint: "See --help." });
}

function internalError(error: unknown): Diagnostic {
  const text = error instanceof Error ? error.message : String(error);
  const trace = process.env["OSSICLE_DEBUG"] === "1" && error instanceof Error ? [error.stack ?? ""] : [];
  return {
    code: "internal-error",
    severity: "error",
    message: `Ossicle made a mistake: ${text}`,
    related: [],
    notes: trace,
    hint: "this is a fault of ours; run with OSSICLE_DEBUG=1 and report what it prints",
    edits: [],
  };
}
