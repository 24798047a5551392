/**
 * The command line.
 *
 * Owns: the list of commands, each loaded when it is wanted, and what becomes of an error: 0 fine, 1 the
 * input is wrong, 2 used wrongly. A fault of ours is a diagnostic too; OSSICLE_DEBUG=1 shows where it
 * came from.
 */
import { Command, CommanderError } from "commander";
import { type Diagnostic, DiagnosticError } from "../lang/diagnostic.ts";
import { failureDiagnostic } from "../runtime/failure.ts";
import { useColor } from "./options.ts";
import { Output } from "./output.ts";
import type { Run } from "./run-state.ts";
import { packageVersion } from "./version.ts";

type AddCommand = (program: Command, run: Run) => void;

/** In the order of the help. What compiles and runs is large: `check` should not wait for it. */
const commands: ReadonlyMap<string, () => Promise<AddCommand>> = new Map([
  ["check", async () => (await import("./check-command.ts")).addCheck],
  ["fmt", async () => (await import("./format-command.ts")).addFormat],
  ["diff", async () => (await import("./diff-command.ts")).addDiff],
  ["doc", async () => (await import("./doc-command.ts")).addDoc],
  ["cost", async () => (await import("./cost-command.ts")).addCost],
  ["sweep", async () => (await import("./sweep-command.ts")).addSweep],
  ["calibrate", async () => (await import("./calibrate-command.ts")).addCalibrate],
  ["device", async () => (await import("./device-command.ts")).addDevice],
  ["inspect", async () => (await import("./inspect-command.ts")).addInspect],
  ["compile", async () => (await import("./compile-command.ts")).addCompile],
  ["run", async () => (await import("./run-command.ts")).addRun],
  ["trace", async () => (await import("./trace-command.ts")).addTrace],
  ["classify", async () => (await import("./classify-command.ts")).addClassify],
  ["lsp", async () => (await import("./lsp-command.ts")).addLanguageServer],
  ["generate", async () => (await import("./generate-command.ts")).addGenerate],
  ["caption", async () => (await import("./generate-command.ts")).addCaption],
  ["weights", async () => (await import("./weights-command.ts")).addWeights],
  ["import", async () => (await import("./import-command.ts")).addImport],
]);

export async function main(arguments_: readonly string[]): Promise<number> {
  process.stdout.off("error", readerGone).on("error", readerGone);
  const run: Run = { status: 0 };
  try {
    const program = await buildProgram(run, arguments_[0]);
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

/**
 * With the command that `first` names, or with all of them: for the help, and for words that are none. The
 * version needs none.
 */
async function buildProgram(run: Run, first: string | undefined): Promise<Command> {
  const program = new Command("ossicle")
    .description("A small typed language for audio-language models: check, compile and run them.")
    .version(packageVersion(), "-V, --version")
    .exitOverride()
    .showHelpAfterError("(see --help)")
    .configureHelp({ sortSubcommands: false });
  if (first === "-V" || first === "--version") return program;
  const only = first === undefined ? undefined : commands.get(first);
  for (const load of only === undefined ? commands.values() : [only]) (await load())(program, run);
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
