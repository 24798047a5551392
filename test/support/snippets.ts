/**
 * Fenced blocks of Markdown: what the documentation promises, so that tests can hold it to that.
 *
 * Owns: finding them. The words after the fence say what a block is: its language first, then
 * `name=value` pairs such as `file=tiny.oss` and `error=shape-mismatch`.
 */
import { lineAt, type SourceText } from "./source-text.ts";

export interface Snippet {
  readonly document: string;
  /** Of the opening fence. */
  readonly line: number;
  readonly language: string;
  readonly options: ReadonlyMap<string, string>;
  readonly text: string;
}

export function snippetsOf(document: SourceText): Snippet[] {
  const fence = /^( *)```([^\n`]*)\n([\s\S]*?)^\1```[ \t]*$/gm;
  return [...document.text.matchAll(fence)].map((match) => {
    const [, indent = "", words = "", body = ""] = match;
    const [language = "", ...options] = words.trim().split(/\s+/);
    return {
      document: document.path,
      line: lineAt(document.text, match.index),
      language,
      options: new Map(options.map((option) => splitOnce(option))),
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  });
}

function splitOnce(option: string): [string, string] {
  const at = option.indexOf("=");
  return at < 0 ? [option, ""] : [option.slice(0, at), option.slice(at + 1)];
}

export interface ConsoleStep {
  readonly command: string;
  /** What it prints, without the line end; `…` stands for anything on a line, alone for any lines. */
  readonly output: string;
}

/** `$ command` lines with what each prints below it. Without a `$`, every line is a command. */
export function stepsOf(text: string): ConsoleStep[] {
  const lines = text.trimEnd().split("\n");
  if (!lines.some((line) => line.startsWith("$ "))) {
    const commands = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
    return commands.map((command) => ({ command, output: "…" }));
  }
  const steps: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else steps.at(-1)?.output.push(line);
  }
  return steps.map(({ command, output }) => ({ command, output: output.join("\n") }));
}

/** The pattern that a printed text must match as a whole. */
export function outputPattern(output: string): RegExp {
  const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const lines = output
    .split("\n")
    .map((line) =>
      line.trim() === "…"
        ? "(?:.*\\n)*?"
        : `${line.trimEnd().split("…").map(literally).join(".*")}[ \\t]*\\n`,
    );
  return new RegExp(`^${output === "" ? "" : lines.join("")}$`);
}

/** A command line as a shell would split it, for words and quotes only. */
export function splitCommand(command: string): string[] {
  const words = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}
