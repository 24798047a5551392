/**
 * How long an editor waits for diagnostics while its user types.
 *
 * Owns: a long file put together from the library, and typing in it through the real server, a character
 * at a time. The clock runs from the change to the diagnostics of the text with that change.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { LanguageClient } from "../test/support/language-client.ts";
import { printSpread, type Spread, spread } from "./measure.ts";

export interface LanguageServerResult {
  readonly lines: number;
  readonly keystrokes: number;
  /** Milliseconds from a keystroke to its diagnostics. */
  readonly response: Spread;
  /** The same when the text is whole after the keystroke, and when it is half-typed. */
  readonly whole: Spread;
  readonly broken: Spread;
  /** Milliseconds from opening the file to its first diagnostics, in a fresh server. */
  readonly open: number;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const parts = [
  "blocks/linear",
  "blocks/attention",
  "blocks/patches",
  "encoders/ast",
  "encoders/audiomae",
  "frontends/kaldi-fbank",
  "policies/scores",
  "policies/topk",
];
/** Milliseconds between keystrokes of someone who types fast; the rest of the file is checked meanwhile. */
const betweenKeys = 150;

/** Typed at the end of a body; what it says is right only in between. */
const typed = "let shifted = 2 * x - layernorm_before(x) / 3";

/** The library's files as one, about 500 lines. */
export function longFile(): string {
  const texts = parts.map((part) => readFileSync(`${root}models/${part}.oss`, "utf8"));
  const bodies = texts.map((text) => text.replace(/^import \{[^}]*\} from "[^"]*"\n/gm, "").trim());
  const declared = bodies.join("\n");
  const imports = texts.flatMap((text) =>
    [...text.matchAll(/^import \{([^}]*)\} from "\.\.?\/([^"]*)"/gm)].flatMap(([, names = "", path = ""]) =>
      names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "" && !new RegExp(`^\\w+ ${name}\\b`, "m").test(declared))
        .map((name) => `import { ${name} } from "ossicle/${path}"`),
    ),
  );
  return `${[[...new Set(imports)].join("\n"), ...bodies].join("\n\n").trim()}\n`;
}

export async function measureLanguageServer(rounds: number): Promise<LanguageServerResult> {
  const program = `${root}bin/ossicle.js`;
  const child = spawn(process.execPath, [program, "lsp", "--stdio"], { stdio: ["pipe", "pipe", "ignore"] });
  const client = new LanguageClient(child);
  const uri = pathToFileURL(`${root}models/classifiers/long.oss`).href;
  await client.ask("initialize", { processId: process.pid, capabilities: {}, rootUri: null });
  client.notify("initialized", {});
  const text = longFile();
  const lines = text.split("\n").length - 1;
  let version = 1;
  const told = (): Promise<unknown> =>
    client.next(
      ({ method, params }) => method === "textDocument/publishDiagnostics" && isOf(params, uri, version),
    );
  const started = performance.now();
  const first = told();
  client.notify("textDocument/didOpen", { textDocument: { uri, languageId: "ossicle", version, text } });
  await first;
  const open = performance.now() - started;
  const all: { readonly time: number; readonly isWhole: boolean }[] = [];
  const target = text.indexOf("    // 2. here a policy");
  const { line } = positionAt(text, target);
  for (let round = 0; round <= rounds; round++) {
    // A line of its own first, as the editor makes it.
    const at = { line, character: 0 };
    let column = 4;
    const change = async (from: number, to: number, newText: string): Promise<void> => {
      // Typing leaves time between keystrokes, in which the rest is checked.
      await new Promise((resolve) => setTimeout(resolve, betweenKeys));
      version += 1;
      const range = {
        start: { line, character: from },
        end: { line: to < from ? line + 1 : line, character: Math.max(to, 0) },
      };
      const waiting = told();
      const before = performance.now();
      client.notify("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [
          { range: to < 0 ? { start: at, end: { line: line + 1, character: 0 } } : range, text: newText },
        ],
      });
      const answer = await waiting;
      const time = performance.now() - before;
      if (round > 0) all.push({ time, isWhole: !hasErrors(answer) });
    };
    await change(0, 0, "    \n");
    for (const character of typed) {
      await change(column, column, character);
      column += 1;
    }
    await change(0, -1, "");
  }
  child.stdin?.end();
  await new Promise((resolve) => child.once("exit", resolve));
  const times = (isWanted: (one: (typeof all)[number]) => boolean): Spread =>
    spread(all.filter(isWanted).map(({ time }) => time));
  return {
    lines,
    keystrokes: all.length,
    response: times(() => true),
    whole: times(({ isWhole }) => isWhole),
    broken: times(({ isWhole }) => !isWhole),
    open,
  };
}

function positionAt(text: string, offset: number): { line: number; character: number } {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

function isOf(params: unknown, uri: string, version: number): boolean {
  if (typeof params !== "object" || params === null) return false;
  return "uri" in params && params.uri === uri && "version" in params && params.version === version;
}

function hasErrors(message: unknown): boolean {
  return JSON.stringify(message).includes('"severity":1');
}

export function printLanguageServer({
  lines,
  keystrokes,
  response,
  whole,
  broken,
  open,
}: LanguageServerResult): string {
  return [
    `language server, ${lines} lines, ${keystrokes} keystrokes (milliseconds; aim 30)`,
    `  keystroke to diagnostics  ${printSpread(response, 1)}`,
    `  text that is whole        ${printSpread(whole, 1)}`,
    `  half-typed                ${printSpread(broken, 1)}`,
    `  opening the file          ${open.toFixed(0)}`,
  ].join("\n");
}
