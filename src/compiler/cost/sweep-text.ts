/**
 * A sweep as a table for a terminal, as JSON and as CSV.
 */
import { costFailure } from "./bindings.ts";
import { definitions } from "./conventions.ts";
import type { Column } from "./measurement.ts";
import { exactNumber, layTable, shortBytes, shortCount } from "./numbers.ts";
import { paretoFront } from "./pareto.ts";
import { writeCsv } from "./report-json.ts";
import type { Sweep, Variant } from "./sweep.ts";

export const sweepSchema = 1;

/** More rows are for CSV, JSON and the page. */
const mostRows = 200;

/** Two columns held against each other. */
export interface Comparison {
  readonly x: Column;
  readonly y: Column;
  /** In the order of the variants. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Of which of the two more is better. */
  readonly more: readonly [x: boolean, y: boolean];
  /** Indices of the variants that no other beats in both. */
  readonly front: ReadonlySet<number>;
}

/**
 * The columns that `clip.macs,params` names. An axis of numbers can be compared too, by its name; an
 * entry's name may be left out where only one entry has the measure. Less is better, and of `keep+` more.
 * @throws DiagnosticError `unknown-measure`
 */
export function compare(sweep: Sweep, names: readonly [string, string]): Comparison {
  const [x, y] = names.map((name) => readColumn(sweep, name.replace(/\+$/, "")));
  if (x === undefined || y === undefined) throw new RangeError("Two columns are compared.");
  const more = [names[0].endsWith("+"), names[1].endsWith("+")] as const;
  const points = sweep.variants.map((variant) => [x.value(variant), y.value(variant)] as const);
  const toLessen = points.map(([a, b]) => [more[0] ? -a : a, more[1] ? -b : b] as const);
  return { x: x.column, y: y.column, more, points, front: paretoFront(toLessen) };
}

/** `no other variant has less MACs and more keep` */
export function frontText({ x, y, more }: Comparison): string {
  const better = (column: Column, at: 0 | 1): string => `${more[at] ? "more" : "less"} of ${column.name}`;
  return `no other variant has ${better(x, 0)} and ${better(y, 1)}`;
}

interface Readable {
  readonly column: Column;
  readonly value: (variant: Variant) => number;
}

function readColumn({ axes, columns }: Sweep, name: string): Readable {
  const fitting = columns.flatMap((column, i) =>
    column.name === name || column.name.endsWith(`.${name}`) ? [{ column, i }] : [],
  );
  const found = fitting.find(({ column }) => column.name === name) ?? fitting[0];
  if (found !== undefined && (fitting.length === 1 || found.column.name === name)) {
    return { column: found.column, value: (variant) => variant.values[found.i] ?? Number.NaN };
  }
  const axis = axes.findIndex((candidate) => candidate.name === name);
  const isNumeric = axes[axis]?.values.every(({ value }) => value !== undefined) === true;
  if (isNumeric) {
    const column: Column = { name, title: name, unit: "" };
    return { column, value: (variant) => variant.at[axis]?.value ?? Number.NaN };
  }
  const numeric = axes.filter(({ values }) => values.every(({ value }) => value !== undefined));
  const known = [...columns, ...numeric].map((column) => column.name).join(", ");
  const message =
    fitting.length > 1
      ? `\`${name}\` is measured of several entries.`
      : `Nothing here is measured as \`${name}\`.`;
  throw costFailure("unknown-measure", message, `there are ${known}`);
}

export function writeValue(value: number, { unit }: Column): string {
  return unit === "B" ? shortBytes(value) : Number.isInteger(value) ? shortCount(value) : String(value);
}

export function sweepLines(sweep: Sweep, comparison: Comparison | undefined): string[] {
  const { axes, columns, variants, model } = sweep;
  const varied = axes.filter((axis) => axis.values.length > 1);
  const settled = axes.filter((axis) => axis.values.length === 1);
  const mark = (i: number): string => (comparison?.front.has(i) ? "*" : "");
  const shown = variants.slice(0, mostRows);
  const rows = shown.map((variant, i) => [
    ...axes.flatMap((axis, at) => (axis.values.length > 1 ? (variant.at[at]?.text ?? "") : [])),
    ...columns.map((column, at) => writeValue(variant.values[at] ?? 0, column)),
    ...(comparison === undefined ? [] : [mark(i)]),
  ]);
  const heading = [
    ...varied.map((axis) => axis.name),
    ...columns.map((column) => column.name),
    ...(comparison === undefined ? [] : [""]),
  ];
  const given = [
    ...sweep.settings,
    ...settled.map((axis) => [axis.name, axis.values[0]?.text ?? ""] as const),
  ];
  const at = given.map(([name, value]) => `${name} = ${value}`).join(", ");
  const left = variants.length - shown.length;
  return [
    `${model}${at === "" ? "" : `  at ${at}`}`,
    `${sweep.convention}: ${definitions[sweep.convention]}`,
    "",
    ...layTable([heading, ...rows]),
    ...(left === 0 ? [] : [`and ${left} more: --csv and --json have all`]),
    "",
    `${exactNumber(variants.length)} ${variants.length === 1 ? "variant" : "variants"}, laid out ${sweep.layouts === 1 ? "once" : `${sweep.layouts} times`}`,
    ...(comparison === undefined ? [] : [`* ${frontText(comparison)}`]),
  ];
}

export function sweepToJson(sweep: Sweep, comparison: Comparison | undefined): unknown {
  const { axes, columns, variants } = sweep;
  return {
    schema: sweepSchema,
    model: sweep.model,
    convention: { name: sweep.convention, definition: definitions[sweep.convention] },
    settings: Object.fromEntries(sweep.settings),
    axes: axes.map(({ name, kind, values }) => ({ name, kind, values: values.map(({ text }) => text) })),
    columns,
    variants: variants.map((variant, i) => ({
      at: Object.fromEntries(axes.map(({ name }, at) => [name, variant.at[at]?.text ?? ""])),
      values: Object.fromEntries(columns.map(({ name }, at) => [name, variant.values[at] ?? 0])),
      ...(comparison !== undefined && { best: comparison.front.has(i) }),
    })),
    compared: comparison === undefined ? null : [comparison.x.name, comparison.y.name],
    layouts: sweep.layouts,
  };
}

export function sweepToCsv({ axes, columns, variants }: Sweep): string {
  return writeCsv([
    [...axes, ...columns].map(({ name }) => name),
    ...variants.map(({ at, values }) => [...at.map(({ text }) => text), ...values.map(String)]),
  ]);
}
