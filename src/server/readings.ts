/**
 * What is read from a text alone, once for each text.
 *
 * Owns: the cache of syntax trees and names, the division of a file into its declarations, and carrying
 * a place over from one state of a file to another: what was found for a declaration stays true while
 * the user edits the one above it.
 */
import type { Declaration } from "../lang/ast.ts";
import { type ParseResult, parse } from "../lang/parse.ts";
import type { SourceFile, Span } from "../lang/source.ts";
import { readNames } from "./name-reader.ts";
import type { FileNames } from "./names.ts";

/** A declaration with its text. */
export interface Section {
  readonly name: string;
  readonly declaration: Declaration;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Every word of the text: more than the names that it uses. */
  readonly words: ReadonlySet<string>;
}

interface Reading {
  readonly parsed: ParseResult;
  names: FileNames | undefined;
  sections: readonly Section[] | undefined;
}

const readings = new WeakMap<SourceFile, Reading>();

function readingOf(file: SourceFile): Reading {
  const known = readings.get(file);
  if (known !== undefined) return known;
  const reading: Reading = { parsed: parse(file), names: undefined, sections: undefined };
  readings.set(file, reading);
  return reading;
}

export function parsedFile(file: SourceFile): ParseResult {
  return readingOf(file).parsed;
}

export function namesOf(file: SourceFile): FileNames {
  const reading = readingOf(file);
  reading.names ??= readNames(reading.parsed.unit);
  return reading.names;
}

export function sectionsOf(file: SourceFile): readonly Section[] {
  const reading = readingOf(file);
  reading.sections ??= reading.parsed.unit.declarations.map((declaration) => {
    const { start, end } = declaration.span;
    const text = file.text.slice(start, end);
    const words = new Set(text.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? []);
    return { name: declaration.name.name, declaration, start, end, text, words };
  });
  return reading.sections;
}

/**
 * The place in `to` that a place in another state of the same file has become; `undefined` when its
 * text is not there any more. Sought from both ends of its declaration.
 */
export function relocate(span: Span, to: SourceFile): Span | undefined {
  const { file, start, end } = span;
  if (file === to) return span;
  if (file.path !== to.path) return undefined;
  const text = file.text.slice(start, end);
  const section = sectionsOf(file).find((one) => one.start <= start && end <= one.end);
  const isSame = (place: number): boolean => to.text.startsWith(text, place);
  if (section === undefined) return isSame(start) ? to.span(start, end) : undefined;
  const target = sectionsOf(to).find((one) => one.name === section.name);
  if (target === undefined) return undefined;
  for (const place of [start - section.start + target.start, start - section.end + target.end]) {
    const isInside = place >= target.start && place + text.length <= target.end;
    if (isInside && isSame(place)) return to.span(place, place + text.length);
  }
  return undefined;
}
