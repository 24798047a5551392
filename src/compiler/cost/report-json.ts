/**
 * A cost report as JSON and as CSV. The schema is docs/cost-schema.json; it grows, and `costSchema` is
 * raised when a field changes its meaning or goes away.
 */
import type { Dim } from "../../lang/dims.ts";
import type { Clip } from "./clip.ts";
import type { CostReport, EntryReport } from "./report.ts";
import type { TrainingCost } from "./training.ts";
import type { Amounts, CostTree } from "./tree.ts";

export const costSchema = 1;

/** Exactly, and as a number once everything in it is bound. */
interface Quantity {
  readonly expression: string;
  readonly value: number | null;
}

export function quantity(dim: Dim): Quantity {
  return { expression: String(dim), value: dim.constant ?? null };
}

export function reportToJson(report: CostReport): Record<string, unknown> {
  return {
    schema: costSchema,
    model: report.model,
    convention: { name: report.convention, definition: report.definition },
    settings: Object.fromEntries(report.settings),
    bindings: Object.fromEntries(report.bindings),
    parameters: { all: quantity(report.parameters), trainable: quantity(report.trainable) },
    entries: report.entries.map(entryToJson),
    clip: report.clip === undefined ? null : clipToJson(report.clip),
    device: report.device ?? null,
    budget: report.budget.map(({ text, measure, limit, value }) => ({
      text,
      measure,
      limit: limit.limit,
      value: value ?? null,
      within: value === undefined ? null : value <= limit.limit,
    })),
  };
}

function entryToJson(entry: EntryReport): unknown {
  const { dispatches, estimate } = entry;
  return {
    entry: entry.entry,
    continues: entry.continues ?? null,
    open: entry.open.map(({ name, kind, rate, input }) => ({
      name,
      kind,
      sampleRate: rate ?? null,
      input: input ?? null,
    })),
    total: {
      ...amountsToJson(entry.total),
      formula: entry.notation.write(entry.total.count, entry.repeat),
      where: Object.fromEntries(entry.notation.where.map(({ name, text }) => [name, text])),
      weightBytesByType: Object.fromEntries([...entry.weights].map(([dtype, dim]) => [dtype, quantity(dim)])),
      stateBytes: quantity(entry.state),
      peakBytes: entry.peak === undefined ? null : quantity(entry.peak),
      dispatches:
        "unavailable" in dispatches
          ? { unavailable: dispatches.unavailable }
          : dispatches.expression && quantity(dispatches.expression),
      computedOnce: { macs: quantity(entry.prepared.macs), scalar: quantity(entry.prepared.scalar) },
    },
    by: entry.by,
    tree: treeToJson(entry.tree),
    missed: entry.missed.map(({ op, nodes, macs, scalar, reason }) => ({
      op,
      nodes,
      macs: quantity(macs),
      scalar: quantity(scalar),
      reason,
    })),
    training: entry.training === undefined ? null : trainingToJson(entry.training),
    estimate:
      estimate === undefined
        ? null
        : {
            seconds: estimate.seconds,
            secondsByLimit: estimate.byLimit,
            ops: estimate.ops.map(({ node, seconds, limit }) => ({
              path: node.path.join("."),
              op: node.op,
              seconds,
              limit,
            })),
          },
  };
}

function amountsToJson(amounts: Amounts): Record<string, Quantity> {
  return {
    count: quantity(amounts.count),
    macs: quantity(amounts.macs),
    scalar: quantity(amounts.scalar),
    parameters: quantity(amounts.parameters),
    weightBytes: quantity(amounts.weights),
    bytesRead: quantity(amounts.read),
    bytesWritten: quantity(amounts.written),
  };
}

function treeToJson(tree: CostTree): unknown {
  return { path: tree.path, ...amountsToJson(tree.amounts), parts: tree.children.map(treeToJson) };
}

export function trainingToJson(training: TrainingCost): Record<string, Quantity> {
  return {
    trained: quantity(training.trained),
    frozen: quantity(training.frozen),
    forwardMacs: quantity(training.forward),
    backwardMacs: quantity(training.backward),
    gradientBytes: quantity(training.gradients),
    optimizerBytes: quantity(training.optimizer),
    activationBytes: quantity(training.kept),
  };
}

function clipToJson({ tokens, parts, count, scalar }: Clip): unknown {
  return {
    tokens,
    count: quantity(count),
    scalar: quantity(scalar),
    parts: parts.map((part) => ({
      entry: part.entry,
      times: part.times,
      count: quantity(part.count),
      scalar: quantity(part.scalar),
      components: part.components.map(({ name, count }) => ({ name, count: quantity(count) })),
    })),
  };
}

// ---------------------------------------------------------------- CSV

const columns = ["count", "macs", "scalar", "parameters", "weights", "read", "written"] as const;

/** One row for each row of the tree; what is open stays an expression. */
export function reportToCsv(report: CostReport): string {
  const header = [
    "entry",
    "path",
    "convention",
    ...columns.map((name) => (name === "count" ? name : headings[name])),
  ];
  const rows = report.entries.flatMap((entry) =>
    flatten(entry.tree).map(({ path, amounts }) => [
      entry.entry,
      path,
      report.convention,
      ...columns.map((name) => String(amounts[name])),
    ]),
  );
  return writeCsv([header, ...rows]);
}

const headings = {
  macs: "macs",
  scalar: "scalar_operations",
  parameters: "parameters",
  weights: "weight_bytes",
  read: "bytes_read",
  written: "bytes_written",
} as const;

function flatten(tree: CostTree): CostTree[] {
  return [tree, ...tree.children.flatMap(flatten)];
}

/** RFC 4180, with line feeds. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}
