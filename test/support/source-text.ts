/**
 * TypeScript text as far as the rules of the architecture need it.
 *
 * Owns: telling code from comments and literals, and finding the imports of a file. Not a parser: it
 * reads the text that the formatter leaves, and a test holds it to the forms that occur.
 */

/** A file by its path from the root of the repository, with `/` on every system. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly specifier: string;
  /** Whether it is gone at run time: `import type`, `export type`, `typeof import( )`. */
  readonly typeOnly: boolean;
  /** The names as the file calls them; empty for `import "x"` and `import("x")`. */
  readonly names: readonly string[];
  readonly line: number;
}

/** The text with comments and the contents of strings, templates and patterns blanked; offsets stay. */
export function maskText(text: string): string {
  const masked = text.split("");
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (masked[i] !== "\n") masked[i] = " ";
  };
  /** For each open `${`, how many braces are open inside it. */
  const holes: number[] = [];
  let at = 0;
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const character = text[at] ?? "";
    if (two === "//") {
      const end = endOf(text, at, "\n", 0);
      blank(at, end);
      at = end;
    } else if (two === "/*") {
      const end = endOf(text, at + 2, "*/", 2);
      blank(at, end);
      at = end;
    } else if (character === '"' || character === "'") {
      const end = quotedEnd(text, at);
      blank(at + 1, end - 1);
      at = end;
    } else if (character === "`" || (character === "}" && holes.at(-1) === 0)) {
      if (character === "}") holes.pop();
      const end = templateEnd(text, at + 1);
      const opensHole = text.slice(end - 2, end) === "${";
      blank(at + 1, opensHole ? end - 2 : end - 1);
      if (opensHole) holes.push(0);
      at = end;
    } else if (character === "/" && startsPattern(masked, at)) {
      const end = patternEnd(text, at);
      blank(at + 1, end);
      at = end;
    } else {
      const inside = holes.at(-1);
      if (inside !== undefined && character === "{") holes[holes.length - 1] = inside + 1;
      if (inside !== undefined && character === "}") holes[holes.length - 1] = inside - 1;
      at += 1;
    }
  }
  return masked.join("");
}

function endOf(text: string, from: number, mark: string, length: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + length;
}

function quotedEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === text[start] || text[at] === "\n") return at + 1;
  }
  return text.length;
}

/** After the closing backtick, or after the `${` of the next hole. */
function templateEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}

/** A `/` divides after a value, and begins a regular expression after anything else. */
function startsPattern(masked: readonly string[], at: number): boolean {
  let end = at;
  while (end > 0 && masked[end - 1]?.trim() === "") end -= 1;
  const previous = masked.slice(Math.max(0, end - 12), end).join("");
  if (/\b(?:return|typeof|case|in|of|do|else|void|delete|throw|yield|await)$/.test(previous)) return true;
  return previous === "" || /[([{,;:=!&|?+\-*%<>~^}]$/.test(previous);
}

function patternEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "/" && !inClass) return at + 1;
  }
  return start + 1;
}

const name = "[A-Za-z_$][\\w$]*";
const braces = "\\{[^}]*\\}";
const all = `\\*(?:\\s+as\\s+${name})?`;
const clause = `(?:${name}|${braces}|${all})(?:\\s*,\\s*(?:${braces}|${all}))?`;
const staticImport = new RegExp(
  `^[ \\t]*(?:import|export)\\s+(?:(type)\\s+(?!from\\b))?(${clause})\\s*from\\s*["'](\\s*)["']`,
  "gm",
);
const bareImport = /^[ \t]*import\s*["'](\s*)["']/gm;
const dynamicImport = /(\btypeof\s+)?\bimport\s*\(\s*["'](\s*)["']/g;

/** The imports of a file, re-exports included, in the order of the text. */
export function importsOf(source: SourceText): Import[] {
  const masked = maskText(source.text);
  const found: { import: Import; at: number }[] = [];
  const add = (
    match: RegExpExecArray,
    contents: string,
    typeOnly: boolean,
    names: readonly string[],
  ): void => {
    // The closing quote ends the match, and what it quotes lies before it.
    const end = match.index + match[0].length - 1;
    const specifier = source.text.slice(end - contents.length, end);
    found.push({ import: { specifier, typeOnly, names, line: lineAt(source.text, end) }, at: end });
  };
  for (const match of masked.matchAll(staticImport)) {
    add(match, match[3] ?? "", match[1] !== undefined, namesOf(match[2] ?? ""));
  }
  for (const match of masked.matchAll(bareImport)) add(match, match[1] ?? "", false, []);
  for (const match of masked.matchAll(dynamicImport)) add(match, match[2] ?? "", match[1] !== undefined, []);
  return found.sort((a, b) => a.at - b.at).map((item) => item.import);
}

/** `{ a, type B, c as d }` and `* as e` as a, B, d and e. */
function namesOf(text: string): string[] {
  const parts = text.replace(/[{}]/g, ",").split(",");
  return parts
    .map((part) => part.trim().split(/\s+/).at(-1) ?? "")
    .filter((part) => part !== "" && part !== "*");
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** The path that a relative specifier leads to. */
export function resolveImport(from: string, specifier: string): string {
  const segments = from.split("/").slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return segments.join("/");
}
