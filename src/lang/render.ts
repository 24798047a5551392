/**
 * A diagnostic as text for a terminal, and as an object for JSON.
 *
 * Owns: code frames and their layout. Holds no wording: what it prints is in the diagnostic. Text
 * from a source file never reaches the terminal with its control characters.
 */
import type { Diagnostic, Label } from "./diagnostic.ts";
import type { SourceFile, Span } from "./source.ts";

export interface RenderOptions {
  /** Whether to mark up with ANSI escape codes. */
  readonly color: boolean;
}

/** Columns of source text that a frame shows of a line. */
const frameWidth = 100;
/** Columns before the span that stay visible when a line is cut. */
const leadWidth = 40;
const tabWidth = 4;

type Style = "error" | "warning" | "strong" | "gutter" | "related" | "hint";
const codes: Readonly<Record<Style, string>> = {
  error: "1;31",
  warning: "1;33",
  strong: "1",
  gutter: "34",
  related: "36",
  hint: "32",
};
type Paint = (style: Style, text: string) => string;

/** Several lines without a line end after the last. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string {
  const paint: Paint = (style, text) =>
    options.color && text !== "" ? `\u001b[${codes[style]}m${text}\u001b[0m` : text;
  const { severity, code, primary, related, notes, hint } = diagnostic;
  const labels = primary === undefined ? related : [primary, ...related];
  const gutter = Math.max(1, ...labels.map(({ span }) => String(lineOf(span)).length));

  const lines = [
    `${paint(severity, `${severity}[${code}]`)}${paint("strong", `: ${withoutControls(diagnostic.message)}`)}`,
  ];
  const frames = groupByLine(primary, related);
  for (const [index, frame] of frames.entries()) {
    const isFirst = index === 0 && primary !== undefined;
    lines.push(...renderFrame(frame, isFirst, gutter, severity, paint));
  }
  const margin = `${" ".repeat(gutter)} ${paint("gutter", "=")}`;
  if (frames.length > 0 && (notes.length > 0 || hint !== undefined)) {
    lines.push(`${" ".repeat(gutter)} ${paint("gutter", "|")}`);
  }
  const facts: [Style, string, string][] = notes.map((note) => ["strong", "note", note]);
  if (hint !== undefined) facts.push(["hint", "help", hint]);
  for (const [style, name, text] of facts) {
    const [first = "", ...rest] = text.split("\n").map(withoutControls);
    lines.push(`${margin} ${paint(style, name)}: ${first}`);
    for (const line of rest) lines.push(`${" ".repeat(gutter + name.length + 5)}${line}`);
  }
  return lines.join("\n");
}

// ---------------------------------------------------------------- frames

interface Mark {
  readonly label: Label;
  readonly isPrimary: boolean;
}

/** The marks on one line. */
interface Frame {
  readonly file: SourceFile;
  readonly line: number;
  readonly marks: readonly Mark[];
}

/** Labels on the primary's line share its frame; every other line has its own, in the given order. */
function groupByLine(primary: Label | undefined, related: readonly Label[]): readonly Frame[] {
  const marks: Mark[] = related.map((label) => ({ label, isPrimary: false }));
  if (primary !== undefined) marks.unshift({ label: primary, isPrimary: true });
  const frames: { file: SourceFile; line: number; marks: Mark[] }[] = [];
  for (const mark of marks) {
    const { file } = mark.label.span;
    const line = lineOf(mark.label.span);
    const shared = frames.find((frame) => frame.file === file && frame.line === line);
    // A line too long to show whole is shown once for each of its marks.
    if (shared !== undefined && isShownWhole(file.line(line))) shared.marks.push(mark);
    else frames.push({ file, line, marks: [mark] });
  }
  return frames;
}

function renderFrame(
  frame: Frame,
  isFirst: boolean,
  gutter: number,
  severity: Diagnostic["severity"],
  paint: Paint,
): string[] {
  const blank = `${" ".repeat(gutter)} ${paint("gutter", "|")}`;
  const number = String(frame.line).padStart(gutter);
  const start = frame.marks[0]?.label.span.start ?? 0;
  const { column } = frame.file.position(start);
  const place = `${withoutControls(frame.file.path)}:${frame.line}:${column}`;
  const rows = frame.marks.map(({ label, isPrimary }) => {
    const { text, before, length, goesOn } = layOut(label.span, frame.line);
    const carets = `${(isPrimary ? "^" : "-").repeat(length)}${goesOn ? "…" : ""}`;
    const words = [carets, withoutControls(label.text)].filter((word) => word !== "").join(" ");
    return { text, row: `${blank} ${" ".repeat(before)}${paint(isPrimary ? severity : "related", words)}` };
  });
  const text = rows[0]?.text ?? "";
  return [
    `${" ".repeat(gutter)}${paint("gutter", isFirst ? "-->" : ":::")} ${place}`,
    blank,
    `${paint("gutter", `${number} |`)}${text === "" ? "" : ` ${text}`}`,
    ...rows.map(({ row }) => row),
  ];
}

interface Layout {
  /** The line, or what the frame shows of it. */
  readonly text: string;
  /** Columns before the marks, and columns marked. */
  readonly before: number;
  readonly length: number;
  /** Whether the span goes on beyond what is shown. */
  readonly goesOn: boolean;
}

/** Places the marks of a span under its first line. */
function layOut(span: Span, lineNumber: number): Layout {
  const line = span.file.line(lineNumber);
  const start = Math.min(span.file.position(span.start).column - 1, line.length);
  const end = Math.min(start + (span.end - span.start), line.length);
  const goesOnBelow = lineOf({ ...span, start: Math.max(span.start, span.end - 1) }) > lineNumber;

  // Only the neighbourhood is looked at: a line can be millions of characters long.
  const from = start > frameWidth * 2 ? start - frameWidth * 2 : 0;
  const cells = toCells(line.slice(from, start + frameWidth * 2), from);
  const total = cells.reduce((sum, cell) => sum + cell.width, 0);
  const isWhole = from === 0 && start + frameWidth * 2 >= line.length && total <= frameWidth;
  const spanColumn = cells.reduce((sum, cell) => (cell.offset < start ? sum + cell.width : sum), 0);
  const left = isWhole || spanColumn <= frameWidth / 2 ? 0 : spanColumn - leadWidth;

  let column = 0;
  let before = 0;
  let length = 0;
  const shown: string[] = [];
  let shownEnd = from;
  for (const cell of cells) {
    const isShown = column >= left && (isWhole || column + cell.width <= left + frameWidth);
    if (isShown) {
      shown.push(cell.text);
      shownEnd = cell.offset + cell.text.length;
      if (cell.offset < start) before += cell.width;
      else if (cell.offset < end) length += cell.width;
    }
    column += cell.width;
  }
  const cutLeft = from > 0 || left > 0;
  const cutRight = !isWhole && (column > left + frameWidth || start + frameWidth * 2 < line.length);
  return {
    text: `${cutLeft ? "…" : ""}${shown.join("")}${cutRight ? "…" : ""}`.trimEnd(),
    before: before + (cutLeft ? 1 : 0),
    length: Math.max(1, length),
    goesOn: goesOnBelow || (cutRight && end > shownEnd),
  };
}

function isShownWhole(line: string): boolean {
  if (line.length > frameWidth) return false;
  return toCells(line, 0).reduce((sum, cell) => sum + cell.width, 0) <= frameWidth;
}

function lineOf(span: Span): number {
  return span.file.position(span.start).line;
}

// ---------------------------------------------------------------- characters

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly offset: number;
}

function toCells(text: string, firstOffset: number): Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  let offset = firstOffset;
  for (const character of text) {
    const width = character === "\t" ? tabWidth - (column % tabWidth) : displayWidth(character);
    cells.push({ text: character === "\t" ? " ".repeat(width) : withoutControls(character), width, offset });
    column += width;
    offset += character.length;
  }
  return cells;
}

/** Terminal columns of one character: none for a combining mark, two for East Asian and emoji. */
function displayWidth(character: string): number {
  if (/^(?:\p{Mark}|[\u200b-\u200f])/u.test(character)) return 0;
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
    character,
  )
    ? 2
    : 1;
}

function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

// ---------------------------------------------------------------- JSON

/** Lines and columns start at 1, offsets (UTF-16) at 0. */
export interface PositionJson {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface PlaceJson {
  readonly file: string;
  readonly start: PositionJson;
  /** The place just after the last character. */
  readonly end: PositionJson;
}

export interface DiagnosticJson {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly primary: (PlaceJson & { readonly text: string }) | null;
  readonly related: readonly (PlaceJson & { readonly text: string })[];
  readonly notes: readonly string[];
  readonly hint: string | null;
  readonly edits: readonly (PlaceJson & { readonly replacement: string })[];
}

/** Plain data, the same keys always. */
export function diagnosticToJson(diagnostic: Diagnostic): DiagnosticJson {
  const { code, severity, message, primary, related, notes, hint, edits } = diagnostic;
  return {
    code,
    severity,
    message,
    primary: primary === undefined ? null : labelToJson(primary),
    related: related.map(labelToJson),
    notes: [...notes],
    hint: hint ?? null,
    edits: edits.map(({ span, replacement }) => ({ ...placeToJson(span), replacement })),
  };
}

function labelToJson({ span, text }: Label): PlaceJson & { readonly text: string } {
  return { ...placeToJson(span), text };
}

function placeToJson({ file, start, end }: Span): PlaceJson {
  const at = (offset: number) => ({ ...file.position(offset), offset });
  return { file: file.path, start: at(start), end: at(end) };
}
