/**
 * The language server in a process of its own, with an editor's side that is pleasant to test with.
 *
 * Owns: open texts and their versions, places by what is written there, and waiting for diagnostics.
 */
import type { ChildProcess } from "node:child_process";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { startBinary } from "./cli.ts";
import { LanguageClient, type Message } from "./language-client.ts";

interface Place {
  readonly line: number;
  readonly character: number;
}
export interface Range {
  readonly start: Place;
  readonly end: Place;
}
export interface Shown {
  readonly range: Range;
  readonly severity: number;
  readonly code: string;
  readonly codeDescription?: { readonly href: string };
  readonly message: string;
  readonly tags?: readonly number[];
  readonly relatedInformation?: readonly { readonly location: Located; readonly message: string }[];
}
export interface Located {
  readonly uri: string;
  readonly range: Range;
}
interface Published {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly Shown[];
}

export const nowhere: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** An editor with files of its own; `‸` in a text is where its cursor is. */
export class Editor {
  readonly client: LanguageClient;
  readonly child: ChildProcess;
  readonly #texts = new Map<string, { text: string; version: number }>();

  constructor(child: ChildProcess) {
    this.child = child;
    this.client = new LanguageClient(child);
  }

  async start(folders: readonly string[], set?: unknown): Promise<Message> {
    this.client.requests.set("workspace/configuration", () => [set ?? null]);
    const answer = await this.client.ask("initialize", {
      processId: process.pid,
      rootUri: null,
      workspaceFolders: folders.map((path) => ({ uri: pathToFileURL(path).href, name: "folder" })),
      capabilities: {
        workspace: { configuration: true, workspaceFolders: true },
        textDocument: { completion: { completionItem: { snippetSupport: true } } },
      },
    });
    this.client.notify("initialized", {});
    return answer;
  }

  /** Opens or replaces a text; gives the diagnostics once all is checked. */
  async write(uri: string, text: string): Promise<readonly Shown[]> {
    const known = this.#texts.get(uri);
    const version = (known?.version ?? 0) + 1;
    this.#texts.set(uri, { text, version });
    const told = this.diagnostics(uri, version);
    if (known === undefined) {
      this.client.notify("textDocument/didOpen", {
        textDocument: { uri, languageId: "ossicle", version, text },
      });
    } else {
      this.client.notify("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [{ text }],
      });
    }
    return await told;
  }

  async diagnostics(uri: string, version?: number): Promise<readonly Shown[]> {
    const message = await this.client.next(({ method, params }) => {
      if (method !== "textDocument/publishDiagnostics") return false;
      const published = params as Published;
      return published.uri === uri && (version === undefined || published.version === version);
    });
    return (message.params as Published).diagnostics;
  }

  /** Where `written` is in the text, plus `offset`. */
  at(uri: string, written: string, offset = 0): { textDocument: { uri: string }; position: Place } {
    const text = this.#texts.get(uri)?.text ?? "";
    const found = text.indexOf(written);
    if (found < 0) throw new Error(`the text has no ${written}`);
    const lines = text.slice(0, found + offset).split(/\r\n|\n/);
    return {
      textDocument: { uri },
      position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 },
    };
  }

  async ask<Result>(method: string, params: unknown): Promise<Result> {
    const { result, error } = await this.client.ask(method, params);
    if (error !== undefined) throw new Error(error.message);
    return result as Result;
  }

  async refusal(method: string, params: unknown): Promise<string> {
    const { error } = await this.client.ask(method, params);
    return error?.message ?? "";
  }

  async hover(uri: string, written: string, offset = 0): Promise<string> {
    const found = await this.ask<{ contents: { value: string } } | null>(
      "textDocument/hover",
      this.at(uri, written, offset),
    );
    return found?.contents.value ?? "";
  }

  async labels(uri: string, written: string, offset: number): Promise<readonly string[]> {
    const items = await this.ask<readonly { label: string }[]>(
      "textDocument/completion",
      this.at(uri, written, offset),
    );
    return items.map(({ label }) => label);
  }

  textAt(uri: string, { start, end }: Range): string {
    const lines = (this.#texts.get(uri)?.text ?? "").split(/\r\n|\n/);
    return start.line === end.line ? (lines[start.line] ?? "").slice(start.character, end.character) : "";
  }
}

export async function editor(folders: readonly string[] = [], set?: unknown): Promise<Editor> {
  const child = startBinary(["lsp", "--stdio"], { input: true });
  onTestFinished(() => {
    child.kill();
  });
  const opened = new Editor(child);
  await opened.start(folders, set);
  return opened;
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (status) => resolve(status)));
}
