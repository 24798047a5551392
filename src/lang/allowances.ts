/**
 * Warnings that a file silences: `// ossicle: allow unused-let, unused-member`.
 *
 * Owns: reading such comments and where they hold: on the line they end, or, alone on a line, on the
 * next line that holds more than comments.
 */
import { isWarningCode } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import * as messages from "./messages.ts";
import type { SourceFile } from "./source.ts";
import type { Comment } from "./tokenize.ts";

/** Codes by line. */
export type Allowances = ReadonlyMap<number, ReadonlySet<string>>;

export function readAllowances(
  file: SourceFile,
  comments: readonly Comment[],
  report: (diagnostic: Diagnostic) => void,
): Allowances {
  const allowances = new Map<number, Set<string>>();
  for (const { text, span } of comments) {
    const [, list] = /^\/\/\s*ossicle:\s*allow\b(.*)$/.exec(text) ?? [];
    if (list === undefined) continue;
    const codes = new Set<string>();
    const listStart = span.start + text.length - list.length;
    for (const match of list.matchAll(/[^\s,]+/g)) {
      const [code] = match;
      const start = listStart + match.index;
      if (isWarningCode(code)) codes.add(code);
      else report(messages.unknownAllowance(code, file.span(start, start + code.length)));
    }
    const line = lineItHolds(file, file.position(span.start).line);
    allowances.set(line, new Set([...(allowances.get(line) ?? []), ...codes]));
  }
  return allowances;
}

function lineItHolds(file: SourceFile, own: number): number {
  const isOnlyComment = (line: number): boolean => /^\s*(?:\/\/.*)?$/.test(file.line(line));
  if (!isOnlyComment(own)) return own;
  let line = own;
  while (line < file.lineCount && isOnlyComment(line)) line++;
  return line;
}

export function isAllowed({ code, severity, primary }: Diagnostic, allowances: Allowances): boolean {
  if (severity !== "warning" || primary === undefined) return false;
  const { line } = primary.span.file.position(primary.span.start);
  return allowances.get(line)?.has(code) === true;
}
