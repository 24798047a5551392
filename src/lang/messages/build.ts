/**
 * How a message is put together.
 *
 * Owns: defaults of the parts that most messages leave out, and a few turns of phrase.
 */
import { type DiagnosticCode, diagnosticCodes } from "../codes.ts";
import type { Diagnostic, Edit, Label } from "../diagnostic.ts";
import type { Dim } from "../dims.ts";
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

/**
 * A hint and an edit for a name that is close to a known one; else the known names, if they are few,
 * after `introduction`, such as "its members are".
 */
export function didYouMean(
  written: string,
  span: Span,
  known: readonly string[],
  introduction = "there are",
): MessageParts {
  const close = suggest(written, known);
  const [best] = close;
  if (best !== undefined) {
    return {
      hint: `did you mean ${alternatives(close.map(code))}?`,
      edits: [{ span, replacement: best }],
    };
  }
  if (known.length === 0 || known.length > 12) return {};
  return { hint: `${introduction} ${enumeration(known.map(code))}` };
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** "a, b or c" */
export function alternatives(items: readonly string[]): string {
  return joined(items, "or");
}

/** "a, b and c" */
export function enumeration(items: readonly string[]): string {
  return joined(items, "and");
}

function joined(items: readonly string[], word: string): string {
  if (items.length <= 1) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} ${word} ${items[items.length - 1]}`;
}

/** "1 dimension", "3 dimensions" */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** "an encoder", "a policy" */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** With a full stop, beginning with a capital unless it begins with code. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

/** What stands at a place, when it is short enough to be quoted. */
export function quoted(span: Span): string | undefined {
  const text = span.file.text.slice(span.start, span.end);
  return text.length <= 40 && !text.includes("\n") ? text : undefined;
}

/** A size in a message: long expressions are cut. */
export function show(size: Dim): string {
  return cut(String(size));
}

/** So much of a text as a reader takes in. */
export function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60).replace(/[\ud800-\udbff]$/, "")}…`;
}
