/**
 * Configurations as Python writes them: JSON in which numbers may be infinite.
 *
 * Owns: the words `Infinity`, `-Infinity` and `NaN` outside of texts, and the form
 * `{"__float__": "Infinity"}` that newer versions of transformers write instead.
 */

/** @throws SyntaxError as JSON.parse does */
export function parseRelaxedJson(text: string): unknown {
  const finite = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (found) => {
    if (found.startsWith('"')) return found;
    // The largest power of ten that a reader of doubles takes for infinite; NaN has no such number.
    return found === "NaN" ? "null" : found.startsWith("-") ? "-1e999" : "1e999";
  });
  return JSON.parse(finite, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("__float__" in value)) return value;
    return value.__float__ === "Infinity"
      ? Number.POSITIVE_INFINITY
      : value.__float__ === "-Infinity"
        ? Number.NEGATIVE_INFINITY
        : value;
  });
}
