/**
 * A cost report as JSON and as CSV. The schema is docs/cost-schema.json; it grows, and `costSchema` is
 * raised when a field changes its meaning or goes away.
 */
import type { Dim } from "../../lang/dims.ts";
import type { Clip } from "./clip.ts";
import type { CostReport, EntryReport, TargetReport } from "./report.ts";
import type { TrainingCost } from "./training.ts";
import { type Amounts, type CostTree, executedOf } from "./tree.ts";

export const costSchema = 2;

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
      value,
      within: value <= limit.limit,
    })),
  };
}

function entryToJson(entry: EntryReport): unknown {
  const { estimate, target } = entry;
  const ofTarget = target !== undefined;
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
      ...amountsToJson(entry.total, ofTarget),
      formula: entry.notation.write(entry.total.count, entry.repeat),
      where: Object.fromEntries(entry.notation.where.map(({ name, text }) => [name, text])),
      weightBytesByType: Object.fromEntries([...entry.weights].map(([dtype, dim]) => [dtype, quantity(dim)])),
      stateBytes: quantity(entry.state),
      peakBytes: entry.peak === undefined ? null : quantity(entry.peak),
      maskedMacs: quantity(entry.masked),
      computedOnce: { macs: quantity(entry.prepared.macs), scalar: quantity(entry.prepared.scalar) },
    },
    target: target === undefined ? null : targetToJson(target),
    by: entry.by,
    tree: treeToJson(entry.tree, ofTarget),
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

function targetToJson({ target, dispatches, executed, overhead }: TargetReport): unknown {
  return {
    name: target,
    dispatches,
    executedMacs: quantity(executed),
    overhead: overhead.map((named) => ({
      reason: named.reason,
      macs: quantity(named.macs),
      dispatches: named.dispatches,
      parts: named.parts.map(({ path, op, macs }) => ({ path, op, macs: quantity(macs) })),
    })),
  };
}

function amountsToJson(amounts: Amounts, ofTarget: boolean): Record<string, Quantity | null> {
  return {
    count: quantity(amounts.count),
    macs: quantity(amounts.macs),
    scalar: quantity(amounts.scalar),
    parameters: quantity(amounts.parameters),
    weightBytes: quantity(amounts.weights),
    bytesRead: quantity(amounts.read),
    bytesWritten: quantity(amounts.written),
    dispatches: ofTarget ? quantity(amounts.dispatches) : null,
    executedMacs: ofTarget ? quantity(executedOf(amounts)) : null,
  };
}

function treeToJson(tree: CostTree, ofTarget: boolean): unknown {
  const parts = tree.children.map((child) => treeToJson(child, ofTarget));
  return { path: tree.path, ...amountsToJson(tree.amounts, ofTarget), parts };
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

function clipToJson({ tokens, parts, count, scalar, dispatches }: Clip): unknown {
  return {
    tokens,
    count: quantity(count),
    scalar: quantity(scalar),
    dispatches: dispatches ?? null,
    parts: parts.map((part) => ({
      entry: part.entry,
      times: part.times,
      count: quantity(part.count),
      scalar: quantity(part.scalar),
      dispatches: part.dispatches ?? null,
      components: part.components.map(({ name, count }) => ({ name, count: quantity(count) })),
    })),
  };
}

// ---------------------------------------------------------------- CSV

const columns = ["count", "macs", "scalar", "parameters", "weights", "read", "written"] as const;

/** One row for each row of the tree; what is open stays an expression. */
export function reportToCsv(report: CostReport): string {
  const ofTarget = report.entries.some(({ target }) => target !== undefined);
  const header = [
    "entry",
    "path",
    "convention",
    ...columns.map((name) => (name === "count" ? name : headings[name])),
    ...(ofTarget ? ["dispatches", "executed_macs"] : []),
  ];
  const rows = report.entries.flatMap((entry) =>
    flatten(entry.tree).map(({ path, amounts }) => [
      entry.entry,
      path,
      report.convention,
      ...columns.map((name) => String(amounts[name])),
      ...(ofTarget ? [String(amounts.dispatches), String(executedOf(amounts))] : []),
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
