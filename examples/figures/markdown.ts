/**
 * Numbers and tables as Markdown.
 */

export type Cell = string | number;

/** The first column is text, the others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, at) => (at === 0 ? "---" : "---:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** `48,523,277,568` */
export function digits(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `48.523`, in billions: rounded in whole numbers, as 48.5705 in a double may lie on either side of it. */
export function giga(count: number, decimals = 3): string {
  const unit = 10n ** BigInt(9 - decimals);
  const units = (BigInt(count) + unit / 2n) / unit;
  const scale = 10n ** BigInt(decimals);
  if (decimals === 0) return String(units);
  return `${units / scale}.${String(units % scale).padStart(decimals, "0")}`;
}

/** `18.7 MiB` */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [count, 0];
  while (size >= 1000 && unit + 1 < units.length) [size, unit] = [size / 1024, unit + 1];
  return `${Number(size.toPrecision(3))} ${units[unit]}`;
}
