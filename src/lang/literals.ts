/**
 * What number and string literals mean, and what is wrong with those that mean nothing.
 *
 * Owns: splitting a number from its unit and decoding escapes. Reports nothing itself: problems
 * come back as data with offsets into the literal.
 */

export const units = [
  "Hz",
  "kHz",
  "s",
  "ms",
  "us",
  "%",
  "KiB",
  "MiB",
  "GiB",
  "B",
  "k",
  "M",
  "G",
  "T",
] as const;

export interface NumberReading {
  /** Digits that JavaScript reads, without the unit; `"0"` when there was nothing to save. */
  readonly text: string;
  readonly unit: string | undefined;
  readonly problem:
    | { readonly kind: "bad-number"; readonly reason: string; readonly replacement: string | undefined }
    | { readonly kind: "bad-unit"; readonly unit: string; readonly start: number }
    | undefined;
}

export function readNumber(image: string): NumberReading {
  const match = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([^\d].*)?$/.exec(image);
  const text = match?.[1];
  const unit = match?.[2];
  if (text === undefined) return badNumber("0", "a number starts with a digit", `0${image}`);
  if (!Number.isFinite(Number(text))) return badNumber("0", "it is too large for a 64-bit number");
  if (unit === undefined || (units as readonly string[]).includes(unit))
    return { text, unit, problem: undefined };
  if (unit.startsWith(".")) return badNumber(text, "it has more than one decimal point");
  if (/^[eE]$/.test(unit)) return badNumber(text, "its exponent has no digits");
  if (/^[xXbBoO][\da-fA-F]+$/.test(unit) && text === "0")
    return badNumber(text, "numbers are written in decimal");
  if (/^_\d/.test(unit)) {
    return badNumber(text, "digits are not separated by `_`", image.replaceAll("_", ""));
  }
  return { text, unit: undefined, problem: { kind: "bad-unit", unit, start: image.length - unit.length } };
}

function badNumber(text: string, reason: string, replacement?: string): NumberReading {
  return { text, unit: undefined, problem: { kind: "bad-number", reason, replacement } };
}

export interface StringReading {
  readonly value: string;
  readonly terminated: boolean;
  /** Offsets of wrong escapes into the literal, its quote included. */
  readonly badEscapes: readonly { readonly start: number; readonly end: number }[];
}

const escapes: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", t: "\t" };

/** Reads a literal from its opening quote on. A wrong escape stands for itself. */
export function readString(image: string): StringReading {
  const badEscapes: { start: number; end: number }[] = [];
  if (!image.includes("\\")) {
    const terminated = image.length > 1 && image.endsWith('"');
    return { value: image.slice(1, terminated ? -1 : undefined), terminated, badEscapes };
  }
  const pieces: string[] = [];
  const unicode = /\\u\{([0-9a-fA-F]{1,6})\}/y;
  let from = 1;
  let at = 1;
  while (at < image.length && image[at] !== '"') {
    if (image[at] !== "\\") {
      at += 1;
      continue;
    }
    pieces.push(image.slice(from, at));
    unicode.lastIndex = at;
    const digits = unicode.exec(image)?.[1];
    const codePoint = digits === undefined ? undefined : Number.parseInt(digits, 16);
    const simple = escapes[image[at + 1] ?? ""];
    if (simple !== undefined) {
      pieces.push(simple);
      from = at + 2;
    } else if (digits !== undefined && codePoint !== undefined && isScalarValue(codePoint)) {
      pieces.push(String.fromCodePoint(codePoint));
      from = at + digits.length + 4;
    } else if (at + 1 === image.length) {
      from = at; // A line that ends in `\` lacks its closing quote; that says it all.
      break;
    } else {
      const end = digits === undefined ? Math.min(at + 2, image.length) : at + digits.length + 4;
      badEscapes.push({ start: at, end });
      from = at;
      at = end;
      continue;
    }
    at = from;
  }
  pieces.push(image.slice(from, at));
  return { value: pieces.join(""), terminated: image[at] === '"', badEscapes };
}

/** What would not be seen in a text, or would change how the rest of it is shown. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufeff]/u;
const shortEscapes: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t" };

/** The literal of a value; what `readString` makes of it is the value again. */
export function writeString(value: string): string {
  let text = '"';
  for (const character of value) {
    const short = shortEscapes[character];
    if (short !== undefined) text += short;
    else if (invisible.test(character)) text += `\\u{${character.codePointAt(0)?.toString(16)}}`;
    else text += character;
  }
  return `${text}"`;
}

/** A code point that text can hold: not one half of a surrogate pair. */
function isScalarValue(codePoint: number): boolean {
  return codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
}
