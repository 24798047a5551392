/**
 * The language server as a program of its own: what the extension for VS Code starts.
 */
import { runLanguageServer } from "./language-server.ts";

await runLanguageServer();
