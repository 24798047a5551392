/**
 * `ossicle lsp`: the language server, which an editor starts.
 */
import { type Command, Option } from "commander";

export function addLanguageServer(program: Command): void {
  program
    .command("lsp")
    .summary("the language server, for editors")
    .description(
      "Speaks the Language Server Protocol on standard input and output until the editor ends it. See docs/editors.md.",
    )
    .option("--stdio", "what it does in any case; editors often pass it")
    .addOption(new Option("--clientProcessId <number>", "ends when that process does").hideHelp())
    .action(async () => {
      // Loaded when wanted: no other command needs it.
      const { runLanguageServer } = await import("./language-server.ts");
      await runLanguageServer();
    });
}
