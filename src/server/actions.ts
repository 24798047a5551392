/**
 * Corrections that the editor can make.
 *
 * Owns: the edits that diagnostics bring, importing an unknown name, and silencing a warning.
 */
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic as LspDiagnostic,
  type TextEdit,
} from "vscode-languageserver";
import { isWarningCode } from "../lang/codes.ts";
import type { Diagnostic } from "../lang/diagnostic.ts";
import type { SourceFile } from "../lang/source.ts";
import { exportsFor, importEdit } from "./exports.ts";
import { toLspDiagnostic } from "./lsp-diagnostics.ts";
import { positionOf, rangeOf } from "./places.ts";
import type { OpenDocument, Workspace } from "./workspace.ts";

export function codeActions(
  document: OpenDocument,
  start: number,
  end: number,
  workspace: Workspace,
): CodeAction[] {
  return document.analysis.diagnostics().flatMap((diagnostic) => {
    const span = diagnostic.primary?.span;
    if (span === undefined || span.file.path !== document.path || span.end < start || span.start > end)
      return [];
    const shown = toLspDiagnostic(diagnostic, document.path, workspace);
    if (shown === undefined) return [];
    return [
      ...ownEdits(diagnostic, shown, workspace),
      ...imports(diagnostic, shown, document, workspace),
      ...allowance(diagnostic, shown, document),
    ];
  });
}

function ownEdits(diagnostic: Diagnostic, shown: LspDiagnostic, workspace: Workspace): CodeAction[] {
  const { edits } = diagnostic;
  if (edits.length === 0 || edits.some(({ span }) => workspace.isLibrary(span.file.path))) return [];
  const changes: Record<string, TextEdit[]> = {};
  for (const { span, replacement } of edits) {
    const uri = workspace.documentAt(span.file.path)?.uri ?? workspace.host.uriOf(span.file.path);
    const edit = { range: rangeOf(span), newText: replacement };
    changes[uri] = [...(changes[uri] ?? []), edit];
  }
  const title = editTitle(diagnostic);
  return [
    { title, kind: CodeActionKind.QuickFix, diagnostics: [shown], isPreferred: true, edit: { changes } },
  ];
}

function editTitle({ edits }: Diagnostic): string {
  const [first] = edits;
  if (first === undefined || edits.length > 1) return "Correct this";
  const written = oneLine(first.span.file.text.slice(first.span.start, first.span.end));
  const replacement = oneLine(first.replacement);
  if (written === "") return `Insert \`${replacement}\``;
  return replacement === "" ? `Remove \`${written}\`` : `Change \`${written}\` to \`${replacement}\``;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

/** More files than these hardly declare what was meant. */
const mostImports = 4;

function imports(
  { code, primary }: Diagnostic,
  shown: LspDiagnostic,
  document: OpenDocument,
  workspace: Workspace,
): CodeAction[] {
  if (code !== "unknown-name" || primary === undefined) return [];
  const { file } = document;
  const name = file.text.slice(primary.span.start, primary.span.end);
  return exportsFor(file, workspace)
    .filter(({ named }) => named.name === name)
    .slice(0, mostImports)
    .map(({ specifier }) => {
      const { offset, text } = importEdit(file, name, specifier);
      const at = positionOf(file, offset);
      return {
        title: `Import \`${name}\` from "${specifier}"`,
        kind: CodeActionKind.QuickFix,
        diagnostics: [shown],
        edit: { changes: { [document.uri]: [{ range: { start: at, end: at }, newText: text }] } },
      };
    });
}

function allowance(
  { code, primary }: Diagnostic,
  shown: LspDiagnostic,
  document: OpenDocument,
): CodeAction[] {
  if (!isWarningCode(code) || primary === undefined || code === "unknown-allowance") return [];
  const { file } = document;
  const { line } = file.position(primary.span.start);
  const at = { line: line - 1, character: 0 };
  const indent = /^\s*/.exec(file.line(line))?.[0] ?? "";
  const newText = `${indent}// ossicle: allow ${code}${lineEnd(file)}`;
  return [
    {
      title: `Allow ${code} here`,
      kind: CodeActionKind.QuickFix,
      diagnostics: [shown],
      edit: { changes: { [document.uri]: [{ range: { start: at, end: at }, newText }] } },
    },
  ];
}

function lineEnd({ text }: SourceFile): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
