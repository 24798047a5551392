/**
 * Printing: diagnostics, JSON, and results for people.
 *
 * Owns: what goes to which stream. Results go to standard output, diagnostics and progress to
 * standard error; with `--json` everything is one JSON value on standard output.
 */
import type { Diagnostic } from "../lang/diagnostic.ts";
import { diagnosticToJson, renderDiagnostic } from "../lang/render.ts";

/** Raised when a field of the JSON output changes its meaning or goes away. */
export const jsonVersion = 1;

export interface OutputOptions {
  readonly json: boolean;
  readonly color: boolean;
}

export class Output {
  readonly json: boolean;
  readonly color: boolean;
  readonly #command: string;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #fields: Record<string, unknown> = {};

  constructor(command: string, options: OutputOptions) {
    this.json = options.json;
    this.color = options.color;
    this.#command = command;
  }

  /** A line for people; nothing with `--json`. */
  line(text = ""): void {
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** A field of the JSON result. */
  set(name: string, value: unknown): void {
    this.#fields[name] = value;
  }

  diagnostics(found: readonly Diagnostic[]): void {
    this.#diagnostics.push(...found);
    if (this.json) return;
    for (const diagnostic of found)
      process.stderr.write(`${renderDiagnostic(diagnostic, { color: this.color })}\n\n`);
    const errors = found.filter((diagnostic) => diagnostic.severity === "error").length;
    if (errors > 1) process.stderr.write(`${errors} errors\n`);
  }

  /** Writes the JSON value, if that is what was asked for; gives the exit status. */
  finish(): number {
    const ok = this.#diagnostics.every((diagnostic) => diagnostic.severity !== "error");
    if (this.json) {
      const value = {
        ossicle: jsonVersion,
        command: this.#command,
        ok,
        diagnostics: this.#diagnostics.map(diagnosticToJson),
        ...this.#fields,
      };
      process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    }
    return ok ? 0 : 1;
  }
}
