/**
 * Faults of the compiler itself.
 *
 * Owns: how a broken promise between two stages is reported. It is a diagnostic like any other, so
 * that a user never sees a stack trace, but its hint says that the program is not to blame.
 */
import { DiagnosticError, type Label } from "../lang/diagnostic.ts";
import type { Provenance } from "./graph.ts";

export function internalFault(
  message: string,
  at?: Provenance,
  notes: readonly string[] = [],
): DiagnosticError {
  const primary: Label | undefined = at?.span && { span: at.span, text: at.path };
  return new DiagnosticError([
    {
      code: "internal-fault",
      severity: "error",
      message: at === undefined || at.path === "" ? message : `${message} (at ${at.path})`,
      ...(primary && { primary }),
      related: [],
      notes,
      hint: "This is a fault in the compiler, not in the program; please report it with the program that shows it.",
      edits: [],
    },
  ]);
}
