/**
 * Short ways to say that something given to the runtime is unusable.
 *
 * Owns: building a diagnostic that has no place in a source text (a file, a checkpoint, a recording).
 * The wording stays with whoever found the fault; the shape is lang/diagnostic.ts.
 */
import { type Diagnostic, DiagnosticError, type Severity } from "../lang/diagnostic.ts";

export interface FailureDetails {
  readonly severity?: Severity;
  /** Facts: what was found, what was expected. */
  readonly notes?: readonly string[];
  /** What to do about it. */
  readonly hint?: string;
}

export function failureDiagnostic(code: string, message: string, details: FailureDetails = {}): Diagnostic {
  return {
    code,
    severity: details.severity ?? "error",
    message,
    related: [],
    notes: details.notes ?? [],
    ...(details.hint !== undefined && { hint: details.hint }),
    edits: [],
  };
}

/** For `throw failure(…)`. */
export function failure(code: string, message: string, details: FailureDetails = {}): DiagnosticError {
  return new DiagnosticError([failureDiagnostic(code, message, details)]);
}

/** What went wrong in one line, for a note: foreign libraries throw errors, strings and numbers. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const firstLine = text.split("\n", 1)[0] ?? "";
  return firstLine.length > 200 ? `${firstLine.slice(0, 200)}…` : firstLine || "no reason was given";
}

/** `1 byte`, `20 bytes`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
