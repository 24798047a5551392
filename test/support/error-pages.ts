/**
 * The reference pages of diagnostics: docs/errors/, one page for each code and a list of all.
 *
 * Owns: their layout. What they say is in the catalogue of codes and in the fixtures.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CodeEntry, codeSubjects, diagnosticCodes } from "../../src/lang/codes.ts";
import { type ErrorCase, errorCases } from "./error-fixtures.ts";
import { root } from "./product-files.ts";

export const pageRoot = "docs/errors";

/** By path from the root of the repository. */
export function errorPages(): ReadonlyMap<string, string> {
  const cases = errorCases();
  const pages = new Map([[`${pageRoot}/README.md`, index()]]);
  for (const [code, entry] of Object.entries(diagnosticCodes)) {
    const own = cases.filter(({ folder }) => folder === code);
    pages.set(`${pageRoot}/${code}.md`, page(code, entry, own));
  }
  return pages;
}

function index(): string {
  const parts = [
    "# Errors and warnings",
    "What `ossicle check` can say of a program, by code. Each page says what the code means and shows programs that get it. Several mistakes are reported in one run, and one mistake once.",
  ];
  for (const { title, codes } of codeSubjects) {
    const rows = Object.entries(codes).map(
      ([code, { summary }]) => `| [${code}](${code}.md) | ${cell(summary)} |`,
    );
    parts.push(`## ${title}`, ["| code | meaning |", "| --- | --- |", ...rows].join("\n"));
  }
  parts.push(
    "A warning is silenced by its code: with `// ossicle: allow CODE` at the end of its line or on a line of its own before it, or with `--allow CODE` for a whole run. Errors can't be silenced.",
  );
  return `${parts.join("\n\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function page(code: string, entry: CodeEntry, cases: readonly ErrorCase[]): string {
  const { severity, summary, explanation } = entry;
  const kind = severity === "error" ? "Error" : "Warning";
  const parts = [`# ${code}`, `${kind}: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`, explanation];
  parts.push(cases.length === 1 ? "## An example" : "## Examples");
  for (const one of cases) parts.push(...example(one));
  parts.push("[All errors and warnings](README.md)");
  return `${parts.join("\n\n")}\n`;
}

function example({ name, path, textPath }: ErrorCase): string[] {
  const text = read(path);
  const [, command = `ossicle check ${name}.oss`] = /^\/\/ \$ (ossicle check .*)$/m.exec(text) ?? [];
  const parts = [`\`${name}.oss\`:`, fenced(text)];
  for (const imported of importsOf(text, path)) {
    parts.push(`\`${imported.specifier.replace("./", "")}\`:`, fenced(imported.text));
  }
  return [...parts, `\`${command}\` says:`, fenced(read(textPath))];
}

/** As it is: places in the message count its lines. */
function fenced(text: string): string {
  return ["```text", text.trimEnd(), "```"].join("\n");
}

/** Files beside the case that it imports. */
function importsOf(text: string, path: string): { specifier: string; text: string }[] {
  return [...text.matchAll(/from "(\.[^"]*)"/g)].flatMap(([, specifier = ""]) => {
    const place = join(dirname(path), specifier);
    return existsSync(root + place) ? [{ specifier, text: read(place) }] : [];
  });
}

function read(path: string): string {
  return readFileSync(root + path, "utf8");
}
