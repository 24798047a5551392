/**
 * Diagnostics as data.
 *
 * Owns: the shape of a diagnostic and a collecting sink. Holds no wording (messages.ts) and no
 * rendering (render.ts): the terminal text and the JSON are made from this one value.
 */
import type { Span } from "./source.ts";

export type Severity = "error" | "warning";

/** A place with a few words about it. */
export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** A change that a tool can apply: replace the text of `span` by `replacement`. */
export interface Edit {
  readonly span: Span;
  readonly replacement: string;
}

export interface Diagnostic {
  /** Stable and searchable, such as `shape-mismatch`. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence that stands alone. */
  readonly message: string;
  /** Where it went wrong. Absent only when the fault has no place in a source text. */
  readonly primary?: Label;
  /** Where the expectation came from, in the order that explains best. */
  readonly related: readonly Label[];
  /** Facts that need no place: both shapes, the guard that could not be proved. */
  readonly notes: readonly string[];
  /** What to do about it. */
  readonly hint?: string;
  readonly edits: readonly Edit[];
}

/** Thrown across an interface that has no other way to report; the command line renders it. */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => d.message).join("\n"));
    this.name = "DiagnosticError";
    this.diagnostics = diagnostics;
  }
}

/** Collects diagnostics, drops exact repeats, and hands them out in source order. */
export class DiagnosticSink {
  readonly #found = new Map<string, Diagnostic>();

  report(diagnostic: Diagnostic): void {
    const place = diagnostic.primary?.span;
    // At one place the same mistake is often found again in other words: in every turn of a loop.
    const where = place === undefined ? diagnostic.message : `${place.file.path}|${place.start}|${place.end}`;
    const key = `${diagnostic.code}|${where}`;
    if (!this.#found.has(key)) this.#found.set(key, diagnostic);
  }

  get hasErrors(): boolean {
    return [...this.#found.values()].some((d) => d.severity === "error");
  }

  has(code: string): boolean {
    for (const diagnostic of this.#found.values()) if (diagnostic.code === code) return true;
    return false;
  }

  get size(): number {
    return this.#found.size;
  }

  sorted(): Diagnostic[] {
    return [...this.#found.values()].sort((a, b) => {
      const left = a.primary?.span;
      const right = b.primary?.span;
      if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
      if (left.file.path !== right.file.path) return left.file.path < right.file.path ? -1 : 1;
      return left.start - right.start || left.end - right.end;
    });
  }
}
