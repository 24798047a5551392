/**
 * Codes of mistakes in a text that has no meaning yet.
 */
import type { CodeTable } from "./code.ts";

export const syntaxCodes = {
  "syntax-error": {
    severity: "error",
    cause: "text",
    summary: "The text does not follow the grammar.",
    explanation:
      "Something else is expected at this place. The message names what was expected and what was found instead; where a habit from another language is the likely reason, the hint shows how Ossicle writes it. Reading goes on after the mistake, so one run shows all of them.",
  },
  "unclosed-delimiter": {
    severity: "error",
    cause: "text",
    summary: "A bracket has no partner.",
    explanation:
      "Every `(`, `[` and `{` is closed by its own kind. When the brackets of a file do not match, the indentation of the lines tells where one is most likely missing, so indent what lies inside by two more spaces and the message will point at the right line.",
  },
  "unterminated-string": {
    severity: "error",
    cause: "text",
    summary: "A string has no closing quote.",
    explanation:
      'A string begins and ends with `"` on one line. Inside, a line break is written `\\n` and a quote `\\"`.',
  },
  "unknown-character": {
    severity: "error",
    cause: "text",
    summary: "A character that means nothing in Ossicle.",
    explanation:
      "Outside of strings and comments a program is made of ASCII letters, digits, `_` and the operators. Characters that look alike often come from a document or a chat: a long dash for `-`, `×` for `*`, curly quotes. The hint shows the one to write where it is known.",
  },
  "bad-number": {
    severity: "error",
    cause: "text",
    summary: "A number that can't be read.",
    explanation:
      "Numbers are written in decimal, such as `3`, `0.5` or `1e-6`: they start with a digit, and digits are not grouped by `_`. A unit may follow right after the digits.",
  },
  "bad-unit": {
    severity: "error",
    cause: "text",
    summary: "Letters after a number that are no unit.",
    explanation:
      "A unit follows the digits without a space: `16kHz`, `25ms`, `70%`, `128MiB`, `32G`. There are no others, because each of them has an exact meaning in the type of a parameter.",
  },
  "bad-escape": {
    severity: "error",
    cause: "text",
    summary: "A backslash in a string is followed by something it does not know.",
    explanation:
      'The escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}` with the code point of a character in hexadecimal. To write a backslash itself, double it.',
  },
  "nesting-too-deep": {
    severity: "error",
    cause: "text",
    summary: "Brackets, expressions or blocks lie inside one another too many times.",
    explanation:
      "Nesting is limited far above what a model needs. In a text, give parts names with `let` or move them to blocks of their own. Where blocks make blocks, look for a block that ends up containing itself.",
  },
} satisfies CodeTable;
