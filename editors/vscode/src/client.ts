/**
 * The extension for VS Code: starts the language server and stops it.
 *
 * Owns: which server that is. Everything the user sees is the server's, or declared in package.json.
 */
import { commands, type ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, type ServerOptions, TransportKind } from "vscode-languageclient/node";

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("ossicle.restart", () => restart(context)),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("ossicle.server.path")) void restart(context);
    }),
  );
  await start(context);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
  client = undefined;
}

async function restart(context: ExtensionContext): Promise<void> {
  await deactivate();
  await start(context);
}

async function start(context: ExtensionContext): Promise<void> {
  client = new LanguageClient("ossicle", "Ossicle", serverOptions(context), {
    documentSelector: [
      { language: "ossicle", scheme: "file" },
      { language: "ossicle", scheme: "untitled" },
    ],
    markdown: { supportHtml: false },
  });
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(`The language server of Ossicle can't be started: ${reason}`);
  }
}

/** The one that comes with the extension, unless the user names another. */
function serverOptions(context: ExtensionContext): ServerOptions {
  const path = workspace.getConfiguration("ossicle").get<string>("server.path", "").trim();
  if (path === "" || !workspace.isTrusted) {
    return { module: context.asAbsolutePath("dist/server/main.mjs"), transport: TransportKind.stdio };
  }
  // A file of a checkout, `bin/ossicle.js`, is run by the editor's own Node.
  if (/\.[cm]?js$/.test(path)) return { module: path, args: ["lsp"], transport: TransportKind.stdio };
  return { command: path, args: ["lsp"], transport: TransportKind.stdio };
}
