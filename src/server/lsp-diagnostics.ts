/**
 * Diagnostics as the protocol has them.
 *
 * Owns: which part of ours goes where. Wording is the catalogue's.
 */
import {
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic as LspDiagnostic,
} from "vscode-languageserver";
import type { Diagnostic } from "../lang/diagnostic.ts";
import { rangeOf } from "./places.ts";
import type { Workspace } from "./workspace.ts";

/** `undefined` for one whose place is not in the file at `path`. */
export function toLspDiagnostic(
  diagnostic: Diagnostic,
  path: string,
  workspace: Workspace,
): LspDiagnostic | undefined {
  const { code, severity, primary, related } = diagnostic;
  if (primary !== undefined && primary.span.file.path !== path) return undefined;
  const nowhere = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
  const href = workspace.host.documentation(code);
  const relatedInformation = related.flatMap(({ span, text }): DiagnosticRelatedInformation[] => {
    const place = workspace.current(span);
    if (place === undefined) return [];
    const uri = workspace.documentAt(span.file.path)?.uri ?? workspace.host.uriOf(span.file.path);
    return [{ location: { uri, range: rangeOf(place) }, message: text }];
  });
  return {
    range: primary === undefined ? nowhere : rangeOf(primary.span),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    ...(href === undefined ? {} : { codeDescription: { href } }),
    source: "ossicle",
    message: shortened(messageOf(diagnostic), workspace),
    ...(code.startsWith("unused-") ? { tags: [DiagnosticTag.Unnecessary] } : {}),
    ...(relatedInformation.length === 0 ? {} : { relatedInformation }),
  };
}

/** Paths as a program would write them: from the library, or from the folder that is open. */
function shortened(message: string, { host, folders }: Workspace): string {
  const bases = [[host.library, "ossicle/"], ...folders.map((folder) => [folder, ""])];
  return bases.reduce(
    (text, [base = "", written = ""]) =>
      text.replaceAll(`${base}/`, written).replaceAll(`${base}\\`, written),
    message,
  );
}

function messageOf({ message, primary, notes, hint }: Diagnostic): string {
  const label = primary === undefined || primary.text === "" ? [] : [primary.text];
  const advice = hint === undefined ? [] : [`Hint: ${hint}`];
  return [message, ...label, ...notes, ...advice].join("\n");
}
