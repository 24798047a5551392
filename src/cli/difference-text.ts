/**
 * A difference between two graphs in lines for people.
 *
 * Owns: putting what is alike at many paths into one line, and how a change, a size and a count are
 * written. What differs is src/compiler/difference.ts.
 */
import type { GraphDifference, NamedChange, OpChange, SizeChange } from "../compiler/difference.ts";
import { groupPaths } from "../compiler/path-groups.ts";
import { countRatio, printCount, shortCount } from "../compiler/totals.ts";
import type { Dim } from "../lang/dims.ts";

/** Lines of one kind of change that are shown unless all are asked for. */
const mostLines = 40;

export function differenceLines(difference: GraphDifference, all: boolean): string[] {
  const { inputs, outputs, parameters, ops, sizes, guards, rewired, totals } = difference;
  const { before, after } = totals;
  return [
    ...section("inputs", inputs.map(namedLine), all),
    ...section("results", outputs.map(namedLine), all),
    ...section("learned tensors", groupedNames(parameters), all),
    ...section("ops", groupedOps(ops), all),
    ...section("sizes", groupedSizes(sizes), all),
    ...section("guards", guards.map(guardLine), all),
    ...(rewired ? ["the same ops, that take their operands from elsewhere"] : []),
    ...section(
      "in all",
      [totalLine("learned", before.parameters, after.parameters), totalLine("MACs", before.macs, after.macs)],
      true,
    ),
  ];
}

function section(title: string, lines: readonly string[], all: boolean): string[] {
  if (lines.length === 0) return [];
  const shown = all ? lines : lines.slice(0, mostLines);
  const rest = lines.length - shown.length;
  const more = rest === 0 ? [] : [`… ${rest} more (--all shows them)`];
  return [title, ...[...shown, ...more].map((line) => `  ${line}`)];
}

const sign = (before: unknown, after: unknown) =>
  before === undefined ? "+" : after === undefined ? "-" : "~";

function changeText({ before, after }: NamedChange): string {
  if (before === undefined || after === undefined) return before ?? after ?? "";
  // Of a tensor and what it starts as, only what differs is worth reading.
  const [old, now] = [before.split(" = "), after.split(" = ")];
  if (old[1] === now[1]) return `${old[0]} → ${now[0]}`;
  return old[0] === now[0] ? `starts as ${old[1]} → ${now[1]}` : `${before} → ${after}`;
}

function namedLine(change: NamedChange): string {
  return `${sign(change.before, change.after)} ${change.name}: ${changeText(change)}`;
}

function guardLine({ name, before, after }: NamedChange): string {
  return `${sign(before, after)} ${name}`;
}

function groupedNames(changes: readonly NamedChange[]): string[] {
  const items = changes.map((change) => ({
    path: change.name,
    text: `${sign(change.before, change.after)} ${changeText(change)}`,
  }));
  return groupPaths(items).map(({ pattern, text }) => `${text.slice(0, 2)}${pattern}: ${text.slice(2)}`);
}

/** One line for what happens at a path, and that for all paths where the same happens. */
function groupedOps(changes: readonly OpChange[]): string[] {
  const signs = { removed: "-", added: "+", changed: "~" } as const;
  const byPath = new Map<string, OpChange[]>();
  for (const change of changes) {
    const key = `${signs[change.kind]} ${change.path}`;
    byPath.set(key, [...(byPath.get(key) ?? []), change]);
  }
  const items = [...byPath.values()].flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    const counted = new Map<string, number>();
    for (const { op, details } of alike) {
      const text = details.length === 0 ? op : `${op} (${details.join(", ")})`;
      counted.set(text, (counted.get(text) ?? 0) + 1);
    }
    const listed = [...counted].map(([text, count]) => (count === 1 ? text : `${count} ${text}`));
    return [{ path: first.path, text: `${signs[first.kind]} ${listed.join(", ")}` }];
  });
  return groupPaths(items).map(
    ({ pattern, text }) => `${text.slice(0, 2)}${pattern || "the entry itself"}: ${text.slice(2)}`,
  );
}

/** Sizes by the item of a list that they belong to: a whole layer in one line. */
function groupedSizes(changes: readonly SizeChange[]): string[] {
  const byItem = new Map<string, Set<string>>();
  for (const { path, before, after } of changes) {
    const item = /^(.*\.\d+)(?:\.|$)/.exec(path)?.[1] ?? path;
    const texts = byItem.get(item) ?? new Set();
    byItem.set(item, texts.add(`${before} → ${after}`));
  }
  const items = [...byItem].map(([path, texts]) => ({ path, text: shortened([...texts]) }));
  return groupPaths(items).map(({ pattern, text }) => `~ ${pattern || "the entry itself"}: ${text}`);
}

function shortened(texts: readonly string[]): string {
  const shown = texts.slice(0, 4).join(", ");
  return texts.length > 4 ? `${shown} and ${texts.length - 4} more` : shown;
}

function totalLine(name: string, before: Dim, after: Dim): string {
  if (before.equals(after)) return `${name}: ${quantity(before)}, the same`;
  const ratio = countRatio(before, after);
  const change = ratio === undefined ? "" : `, ${changeOf(ratio)}`;
  return `${name}: ${quantity(before)} → ${quantity(after)}${change}`;
}

/** `-37.1 %`, `× 12.5` */
function changeOf(ratio: number): string {
  if (ratio >= 10) return `× ${ratio.toPrecision(3)}`;
  return `${ratio < 1 ? "-" : "+"}${Math.abs((ratio - 1) * 100).toPrecision(3)} %`;
}

function quantity(count: Dim): string {
  const short = count.constant === undefined ? undefined : shortCount(count.constant);
  return short === undefined ? printCount(count) : `${short} (${printCount(count)})`;
}
