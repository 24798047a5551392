/**
 * What two variants cost, side by side.
 *
 * Owns: which figures are compared (of the whole model, of every entry, of every component, of a clip),
 * and how they read. A figure that one of the two does not have is absent there.
 */
import { Dim, type DimNotation, notationOf } from "../../lang/dims.ts";
import { definitions } from "./conventions.ts";
import { measureFacts } from "./measures.ts";
import { layTable, shortBytes, shortCount } from "./numbers.ts";
import type { CostReport, EntryReport } from "./report.ts";
import { countTitle } from "./report-text.ts";

export interface CostChange {
  /** Absent for figures of the whole model. */
  readonly entry: string | undefined;
  /** `MACs`, or `MACs of encoder AstEncoder` */
  readonly figure: string;
  readonly unit: "" | "B";
  readonly before: Dim | undefined;
  readonly after: Dim | undefined;
}

type Figures = ReadonlyMap<string, Omit<CostChange, "before" | "after"> & { readonly value: Dim }>;

export function compareCosts(before: CostReport, after: CostReport): readonly CostChange[] {
  const [old, now] = [figuresOf(before), figuresOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key): CostChange[] => {
    const [a, b] = [old.get(key), now.get(key)];
    const one = a ?? b;
    if (one === undefined) return [];
    const { entry, figure, unit } = one;
    return [{ entry, figure, unit, before: a?.value, after: b?.value }];
  });
}

export function isChanged({ before, after }: CostChange): boolean {
  return before === undefined || after === undefined || !before.equals(after);
}

function figuresOf(report: CostReport): Figures {
  const figures = new Map<string, Omit<CostChange, "before" | "after"> & { readonly value: Dim }>();
  const add = (entry: string | undefined, figure: string, unit: "" | "B", value: Dim | undefined): void => {
    if (value !== undefined) figures.set(`${entry ?? ""}|${figure}`, { entry, figure, unit, value });
  };
  add(undefined, "parameters", "", report.parameters);
  add(undefined, "trainable", "", report.trainable);
  for (const entry of report.entries) addEntry(entry, countTitle(report), add);
  if (report.clip !== undefined) add("clip", countTitle(report), "", report.clip.count);
  return figures;
}

function addEntry(
  entry: EntryReport,
  title: string,
  add: (entry: string, figure: string, unit: "" | "B", value: Dim | undefined) => void,
): void {
  const { total, state, peak, components, target } = entry;
  add(entry.entry, title, "", total.count);
  for (const { name, amounts } of components.children) {
    if (amounts.count.constant !== 0) add(entry.entry, `${title} of ${name}`, "", amounts.count);
  }
  add(entry.entry, "scalar operations", "", total.scalar);
  add(entry.entry, "weights", "B", total.weights);
  add(entry.entry, "activations", "B", total.read.add(total.written));
  add(entry.entry, "peak live memory", "B", peak);
  if (state.constant !== 0) add(entry.entry, "state", "B", state);
  if (target === undefined) return;
  add(entry.entry, measureFacts.dispatches.title, "", Dim.of(target.dispatches));
  add(entry.entry, measureFacts.executed.title, "", target.executed);
}

/** Nothing where nothing differs. */
export function costChangeLines(changes: readonly CostChange[], report: CostReport): string[] {
  const changed = changes.filter(isChanged);
  if (changed.length === 0) return [];
  const dims = changed.flatMap(({ before, after }) => [before, after].filter((dim) => dim !== undefined));
  const notation = notationOf(dims.filter((dim) => dim.constant === undefined));
  const write = (dim: Dim | undefined, unit: "" | "B"): string => writeFigure(dim, unit, notation);
  const rows = changed.map(({ entry, figure, unit, before, after }) => [
    entry === undefined ? figure : `${entry}: ${figure}`,
    write(before, unit),
    write(after, unit),
    changeOf(before, after),
  ]);
  const where = notation.where.map(({ name, text }) => `${name} = ${text}`);
  return [
    `cost, ${report.convention}: ${definitions[report.convention]}`,
    ...layTable([["", "A", "B", "change"], ...rows]).map((line) => `  ${line}`),
    ...(where.length === 0 ? [] : [`  where ${where.join(", ")}`]),
  ];
}

function writeFigure(dim: Dim | undefined, unit: "" | "B", notation: DimNotation): string {
  if (dim === undefined) return "–";
  if (dim.constant !== undefined) return unit === "B" ? shortBytes(dim.constant) : shortCount(dim.constant);
  return `${notation.write(dim)}${unit === "B" ? " bytes" : ""}`;
}

/** `-35.7 %`; where both are formulas, of the whole quotient if it is a number. */
function changeOf(before: Dim | undefined, after: Dim | undefined): string {
  if (before === undefined || after === undefined) return "";
  const [old, now] = [before.constant, after.constant];
  if (old === undefined || now === undefined || old === 0) return "";
  const percent = (100 * (now - old)) / old;
  const digits = Math.abs(percent) < 0.1 ? 3 : 1;
  return `${percent > 0 ? "+" : ""}${percent.toFixed(digits)} %`;
}

export function costChangesToJson(changes: readonly CostChange[]): unknown {
  const quantity = (dim: Dim | undefined) =>
    dim === undefined ? null : { expression: String(dim), value: dim.constant ?? null };
  return changes.map((change) => ({
    entry: change.entry ?? null,
    figure: change.figure,
    unit: change.unit,
    before: quantity(change.before),
    after: quantity(change.after),
    same: !isChanged(change),
  }));
}
