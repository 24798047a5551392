/**
 * What holds of the formatter whatever the program; the tests choose how often to try.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { format, sameTree } from "../../src/lang/format.ts";
import { parse } from "../../src/lang/parse.ts";
import { printUnit } from "../../src/lang/print.ts";
import { SourceFile } from "../../src/lang/source.ts";
import { lex } from "../../src/lang/tokens.ts";
import { randomProgram, randomUnit } from "../support/random-program.ts";

const read = (text: string) => parse(new SourceFile("random.oss", text));
const formatted = (text: string) => format(new SourceFile("random.oss", text)).text;

/** Printing and parsing are inverse, and what was printed is formatted. */
export function printsAndParses(numRuns: number): void {
  fc.assert(
    fc.property(randomUnit, (unit) => {
      const text = printUnit(unit);
      const { unit: again, diagnostics } = read(text);
      expect(diagnostics.map((d) => d.message)).toEqual([]);
      expect(sameTree(unit, again)).toBe(true);
      expect(formatted(text)).toBe(text);
    }),
    { numRuns },
  );
}

/** No comment is lost, wherever it stands, and formatting again changes nothing. */
export function keepsComments(numRuns: number): void {
  const kinds = fc.constantFrom("//", "///", "\n//", "\n\n///");
  const places = fc.array(fc.tuple(fc.nat(), kinds), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(randomProgram, places, (text, wanted) => {
      const commented = withComments(text, wanted);
      // A line break there may change what the text means, or leave nothing that it means.
      fc.pre(read(commented).diagnostics.length === 0);
      const once = formatted(commented) ?? "";
      expect(marks(once)).toEqual(marks(commented));
      expect(formatted(once)).toBe(once);
    }),
    { numRuns },
  );
}

function marks(text: string): string[] {
  return [...text.matchAll(/\/\/ mark \d+/g)].map(([mark]) => mark).sort();
}

/** Comments behind chosen tokens. */
function withComments(text: string, wanted: readonly (readonly [number, string])[]): string {
  const { tokens } = lex(text);
  const ends = wanted
    .map(([place, slashes], index) => {
      const token = tokens[place % Math.max(1, tokens.length)];
      return { end: token === undefined ? 0 : token.startOffset + token.image.length, slashes, index };
    })
    .sort((a, b) => b.end - a.end);
  return ends.reduce(
    (commented, { end, slashes, index }) =>
      `${commented.slice(0, end)} ${slashes} mark ${index}\n${commented.slice(end)}`,
    text,
  );
}
