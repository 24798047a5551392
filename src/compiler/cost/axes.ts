/**
 * What a sweep varies: each axis with its values, as a user writes them or as a model declares them.
 *
 * Owns: reading `keep=0.5..1.0:0.1` and its like, and what is refused. Which values fit a parameter is
 * for the language to say.
 */
import type { DiagnosticError } from "../../lang/diagnostic.ts";
import { costFailure } from "./bindings.ts";

export interface SweepValue {
  readonly text: string;
  /** When it is a number. */
  readonly value: number | undefined;
}

export interface Axis {
  readonly name: string;
  /** A parameter of the model, or something that is bound when it is laid out: seconds, tokens, a size. */
  readonly kind: "parameter" | "binding";
  readonly values: readonly SweepValue[];
}

/** More is a mistake in a range. */
export const mostVariants = 200_000;

/**
 * The values in `0.5..1.0:0.1` (both ends included), `50%..100%:10%`, `8,64,256` or `130m,780m`.
 * Commas in brackets or quotes are part of a value: `[3, 6],[3, 6, 9]`.
 * @throws DiagnosticError `bad-sweep-values`
 */
export function readAxisValues(name: string, text: string): readonly SweepValue[] {
  const values = splitList(text).flatMap((part) => readPart(name, part.trim()));
  if (values.some((value) => value.text === "")) throw badValues(name, text, "a value is missing");
  const texts = values.map((value) => value.text);
  const twice = texts.find((value, i) => texts.indexOf(value) !== i);
  if (twice !== undefined) throw badValues(name, text, `${twice} is there twice`);
  return values;
}

/** Open sizes, seconds and tokens are numbers. */
export function readNumericAxis(name: string, text: string): Axis {
  const values = readAxisValues(name, text);
  const strange = values.find(({ value }) => value === undefined || value <= 0);
  if (strange !== undefined) throw badValues(name, text, `${strange.text} is no positive number`);
  return { name, kind: "binding", values };
}

/** The values of a parameter as the model's own `sweep` writes them. */
export function axisOfTexts(name: string, texts: readonly string[]): Axis {
  // Strings are given to a model without their quotes.
  const values = texts.map((text) => ({ text: text.replace(/^"(.*)"$/, "$1"), value: numberIn(text) }));
  return { name, kind: "parameter", values };
}

/** At commas outside of brackets and quotes. */
function splitList(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && "([{".includes(char)) depth += 1;
    else if (!quoted && ")]}".includes(char)) depth -= 1;
    if (char === "," && depth === 0 && !quoted) parts.push("");
    else parts.push((parts.pop() ?? "") + char);
  }
  return parts;
}

function readPart(name: string, part: string): SweepValue[] {
  const range = /^(.+?)\.\.(.+?)(?::(.*))?$/.exec(part);
  if (range === null || /["([{]/.test(part)) return [{ text: part, value: numberIn(part) }];
  const [from, to] = [numberIn(range[1] ?? ""), numberIn(range[2] ?? "")];
  const isWhole = Number.isInteger(from) && Number.isInteger(to) && !part.includes("%");
  const step = range[3] === undefined ? (isWhole ? 1 : undefined) : numberIn(range[3]);
  if (from === undefined || to === undefined) {
    throw badValues(name, part, "a range is written from..to:step, with numbers");
  }
  if (step === undefined) throw badValues(name, part, "a range of fractions needs a step, from..to:step");
  if (!(step > 0)) throw badValues(name, part, "its step is not positive");
  if (to < from) throw badValues(name, part, "it ends before it begins");
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count > mostVariants) throw badValues(name, part, `it has ${count} values`);
  return Array.from({ length: count }, (_, i) => {
    // 0.5 + 2 * 0.1 is 0.7, not 0.7000000000000001.
    const value = Number((from + i * step).toPrecision(12));
    return { text: String(value), value };
  });
}

function numberIn(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%)?$/.exec(text);
  if (match === null) return undefined;
  return Number((Number(match[1]) * (match[2] === undefined ? 1 : 0.01)).toPrecision(12));
}

function badValues(name: string, text: string, problem: string): DiagnosticError {
  return costFailure(
    "bad-sweep-values",
    `The values of ${name}, \`${text}\`, can't be read: ${problem}.`,
    "as in keep=0.5..1.0:0.1 or size=130m,780m,2.7b",
  );
}
