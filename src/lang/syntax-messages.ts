/**
 * The wording of everything that can be wrong with a text before it has a meaning.
 *
 * Owns: the only prose of lexing and parsing, one function per code. Where and when to report is
 * tokenize.ts's, delimiters.ts's and the grammar's.
 */
import type { SyntaxCode } from "./codes.ts";
import type { Diagnostic, Edit, Label } from "./diagnostic.ts";
import type { Span } from "./source.ts";

interface Extras {
  readonly label?: string | undefined;
  readonly related?: readonly Label[] | undefined;
  readonly notes?: readonly string[] | undefined;
  readonly hint?: string | undefined;
  readonly edits?: readonly Edit[] | undefined;
}

function error(code: SyntaxCode, message: string, span: Span, extras: Extras = {}): Diagnostic {
  return {
    code,
    severity: "error",
    message,
    primary: { span, text: extras.label ?? "" },
    related: extras.related ?? [],
    notes: extras.notes ?? [],
    ...(extras.hint === undefined ? {} : { hint: extras.hint }),
    edits: extras.edits ?? [],
  };
}

/** What may help beside "expected this, found that". */
export type SyntaxAdvice = Pick<Extras, "related" | "notes" | "hint" | "edits">;

export function syntaxError(
  span: Span,
  message: string,
  label: string,
  advice: SyntaxAdvice = {},
): Diagnostic {
  return error("syntax-error", message, span, { label, ...advice });
}

/**
 * `expected` is a noun phrase, "an expression" or "`:` and a type"; what follows its first ": " or
 * ", such as" is left out of the label.
 */
export function expectedSyntax(
  span: Span,
  expected: string,
  found: string,
  advice: SyntaxAdvice = {},
): Diagnostic {
  const [short = expected] = expected.split(/: |, such as /);
  return syntaxError(span, `Expected ${expected}, but found ${found}.`, `expected ${short}`, advice);
}

export function missingComma(span: Span, between: string): Diagnostic {
  return syntaxError(span, `A comma is missing between ${between}.`, "`,` expected before this", {
    hint: "separate them with `,`",
    edits: [{ span: { file: span.file, start: span.start, end: span.start }, replacement: ", " }],
  });
}

/** `span` reaches to what follows the word. */
export function returnWord(span: Span): Diagnostic {
  const word = { ...span, end: span.start + "return".length };
  return syntaxError(word, "There is no `return`.", "not a word of the language", {
    hint: "a body needs no `return`: its last line is its result",
    edits: [{ span, replacement: "" }],
  });
}

export function unclosedDelimiter(opener: Span, open: string, close: string, expectedAt: Span): Diagnostic {
  return error("unclosed-delimiter", `This \`${open}\` is never closed.`, expectedAt, {
    label: `\`${close}\` expected here at the latest`,
    related: [{ span: opener, text: `\`${open}\` opened here` }],
    hint: `add the missing \`${close}\``,
  });
}

export function mismatchedDelimiter(opener: Span, open: string, close: string, found: Span): Diagnostic {
  const written = found.file.text.slice(found.start, found.end);
  return error("unclosed-delimiter", `\`${open}\` is closed by \`${written}\`.`, found, {
    label: `\`${close}\` expected`,
    related: [{ span: opener, text: `\`${open}\` opened here` }],
    hint: `write \`${close}\` here`,
    edits: [{ span: found, replacement: close }],
  });
}

/** `found` covers the closers that stand in the wrong order. */
export function swappedDelimiters(opener: Span, open: string, close: string, found: Span): Diagnostic {
  const written = found.file.text.slice(found.start, found.end);
  const other = written.replace(close, "").trim();
  const replacement = `${close}${other}`;
  return error("unclosed-delimiter", `\`${written}\` closes brackets in the wrong order.`, found, {
    label: `\`${open}\` was opened last`,
    related: [{ span: opener, text: `\`${open}\` opened here` }],
    hint: `write \`${replacement}\``,
    edits: [{ span: found, replacement }],
  });
}

export function strayDelimiter(span: Span): Diagnostic {
  const written = span.file.text.slice(span.start, span.end);
  return error("unclosed-delimiter", `This \`${written}\` closes nothing.`, span, {
    label: "nothing is open here",
    hint: "remove it, or add what it should close",
  });
}

export function unterminatedString(span: Span): Diagnostic {
  return error("unterminated-string", "This string has no closing quote.", span, {
    label: 'no `"` before the end of the line',
    hint: 'one quote of this line has no partner: a string ends on its own line; write a line break as `\\n`, a quote as `\\"`',
  });
}

export function unknownCharacter(span: Span, what: string, advice: SyntaxAdvice = {}): Diagnostic {
  return error("unknown-character", `${what} has no meaning here.`, span, {
    label: "not understood",
    ...advice,
  });
}

export function badNumber(span: Span, reason: string, replacement: string | undefined): Diagnostic {
  const written = span.file.text.slice(span.start, span.end);
  return error("bad-number", `\`${written}\` is not a number: ${reason}.`, span, {
    label: reason,
    ...(replacement === undefined
      ? {}
      : { hint: `write \`${replacement}\``, edits: [{ span, replacement }] }),
  });
}

export function badUnit(
  span: Span,
  unit: string,
  suggestions: readonly string[],
  all: readonly string[],
): Diagnostic {
  const best = suggestions[0];
  return error("bad-unit", `\`${unit}\` is not a unit.`, span, {
    label: "unknown unit",
    notes: [`the units are ${all.join(", ")}`],
    ...(best === undefined
      ? { hint: "write a known unit right after the digits, or none" }
      : {
          hint: `did you mean ${suggestions.map((name) => `\`${name}\``).join(" or ")}?`,
          edits: [{ span, replacement: best }],
        }),
  });
}

export function badEscape(span: Span): Diagnostic {
  const written = span.file.text.slice(span.start, span.end);
  return error("bad-escape", `\`${written}\` is not an escape.`, span, {
    label: "unknown escape",
    hint: 'the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}` with the code point of a character',
  });
}

export function nestingTooDeep(span: Span, limit: number): Diagnostic {
  return error("nesting-too-deep", `This is nested more than ${limit} levels deep.`, span, {
    label: `level ${limit + 1} starts here`,
    notes: ["the rest of the file was not read"],
    hint: "give parts of it names with `let`, or split it into blocks",
  });
}
