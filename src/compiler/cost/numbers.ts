/**
 * How counts, bytes, shares and times are written for people.
 */
import type { Dim, DimNotation } from "../../lang/dims.ts";
import { shortNumber } from "../../lang/dims.ts";

/** `48,523,277,568` */
export function exactNumber(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `48.5 G`, and small numbers as they are. */
export function shortCount(value: number): string {
  return shortNumber(BigInt(Math.round(value))).replace(/([kMGTPE])$/, " $1");
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `328 MiB` */
export function shortBytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < byteUnits.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)} ${byteUnits[unit] ?? "B"}`;
}

/** `12.3 %`; nothing for nothing. */
export function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "";
  const percent = (100 * part) / whole;
  if (Math.abs(percent) < 0.05) return percent < 0 ? ">-0.1 %" : "<0.1 %";
  return `${percent.toFixed(1)} %`;
}

/** `1.2 s`, `34 ms`, `560 µs` */
export function shortTime(seconds: number): string {
  if (seconds >= 1) return `${seconds.toPrecision(3)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} µs`;
}

/** A number when it is one, else the formula. */
export function writeCount(dim: Dim, notation: DimNotation, repeat = 1): string {
  return dim.constant === undefined ? notation.write(dim, repeat) : shortCount(dim.constant);
}

export function writeBytes(dim: Dim, notation: DimNotation, repeat = 1): string {
  return dim.constant === undefined ? `${notation.write(dim, repeat)} bytes` : shortBytes(dim.constant);
}

/** Columns under their headings, the first to the left, the others to the right. */
export function layTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, [...cell].length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = " ".repeat((widths[i] ?? 0) - [...cell].length);
        return i === 0 ? cell + space : space + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** A name and what it is, side by side. */
export function layPairs(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...pairs.map(([name]) => [...name].length));
  return pairs.map(([name, text]) => `${name}${" ".repeat(width - [...name].length)}  ${text}`.trimEnd());
}
