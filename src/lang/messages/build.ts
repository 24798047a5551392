/**
 * How a message is put together.
 *
 * Owns: defaults of the parts that most messages leave out, and a few turns of phrase.
 */
import { type DiagnosticCode, diagnosticCodes } from "../codes.ts";
import type { Diagnostic, Edit, Label } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { suggest } from "../suggest.ts";

export interface MessageParts {
  readonly related?: readonly Label[];
  readonly notes?: readonly string[];
  readonly hint?: string | undefined;
  readonly edits?: readonly Edit[];
}

/** A diagnostic of a listed code; whether it is an error or a warning belongs to the code. */
export function report(
  code: DiagnosticCode,
  message: string,
  span: Span,
  label: string,
  parts: MessageParts = {},
): Diagnostic {
  return { ...reportAnywhere(code, message, parts), primary: { span, text: label } };
}

/** The same without a place in a source text. */
export function reportAnywhere(code: DiagnosticCode, message: string, parts: MessageParts = {}): Diagnostic {
  return {
    code,
    severity: diagnosticCodes[code].severity,
    message,
    related: parts.related ?? [],
    notes: parts.notes ?? [],
    ...(parts.hint === undefined ? {} : { hint: parts.hint }),
    edits: parts.edits ?? [],
  };
}

/** A hint and an edit for a name that is close to a known one; else the known names, if they are few. */
export function didYouMean(written: string, span: Span, known: readonly string[]): MessageParts {
  const close = suggest(written, known);
  const [best] = close;
  if (best !== undefined) {
    return {
      hint: `did you mean ${alternatives(close.map(code))}?`,
      edits: [{ span, replacement: best }],
    };
  }
  if (known.length > 0 && known.length <= 12) return { hint: `known here: ${known.map(code).join(", ")}` };
  return {};
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function alternatives(items: readonly string[]): string {
  if (items.length <= 1) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} or ${items[items.length - 1]}`;
}

/** "1 dimension", "3 dimensions" */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
