/**
 * A cost report as lines for a terminal.
 */
import { Dim, type DimNotation, notationOf } from "../../lang/dims.ts";
import { bindDim } from "./bindings.ts";
import { targetTitles } from "./device-work.ts";
import { measureFacts } from "./measures.ts";
import {
  exactNumber,
  layPairs,
  layTable,
  share,
  shortBytes,
  shortCount,
  shortTime,
  writeBytes,
  writeCount,
} from "./numbers.ts";
import type { CostReport, EntryReport } from "./report.ts";
import { type CostTree, executedOf } from "./tree.ts";

export function reportLines(report: CostReport): string[] {
  const bound = givenTexts(report);
  return [
    report.model + (bound.length === 0 ? "" : `  at ${bound.join(", ")}`),
    `${report.convention}: ${report.definition}`,
    `parameters ${exact(report.parameters)}, trainable ${exact(report.trainable)}`,
    ...report.entries.flatMap((entry) => ["", ...entryLines(entry, report)]),
    ...clipLines(report),
    ...budgetLines(report),
  ];
}

/** `keep = 70%`, `T = 160000` */
export function givenTexts({ settings, bindings }: CostReport): string[] {
  return [...settings, ...bindings].map(([name, value]) => `${name} = ${value}`);
}

const exact = (dim: Dim): string => (dim.constant === undefined ? String(dim) : exactNumber(dim.constant));

export function countTitle({ convention }: Pick<CostReport, "convention">): string {
  return convention === "flops" ? "FLOPs" : "MACs";
}

function entryLines(entry: EntryReport, report: CostReport): string[] {
  const { notation, total, repeat } = entry;
  const title = countTitle(report);
  const names = notation.where.map(({ name, text }) => `${name} = ${text}`);
  const typical = [...entry.typical].filter(([name]) => !entry.bindings.has(name));
  const rows = rowsOf(entry.rows, entry, 0);
  const isRounded = rows.some((row) => row.some((cell) => cell.startsWith("≈")));
  const shares = typical.map(([name, value]) => `${name} = ${value}`).join(", ");
  return [
    `${entry.entry}${entry.continues === undefined ? "" : `, which continues ${entry.continues}`}`,
    ...indent([
      ...layPairs([
        [title, countText(total.count, notation, repeat)],
        ["scalar operations", countText(total.scalar, notation, repeat)],
        ["learned tensors", `${exact(total.parameters)} elements, ${weightsText(entry)}`],
        [
          "activations",
          `${writeBytes(total.read, notation, repeat)} read, ${writeBytes(total.written, notation, repeat)} written`,
        ],
        [
          "peak live memory",
          entry.peak === undefined
            ? "the largest of many expressions: give numbers"
            : writeBytes(entry.peak, notation),
        ],
        ...(entry.state.constant === 0 ? [] : [["state", writeBytes(entry.state, notation)] as const]),
        ...(entry.masked.constant === 0
          ? []
          : [
              [
                "of these masked",
                `${writeCount(entry.masked, notation, repeat)} MACs, executed and not needed`,
              ] as const,
            ]),
        ...targetPairs(entry),
        ...(entry.prepared.macs.constant === 0
          ? []
          : [["computed once", `${exact(entry.prepared.macs)} MACs, from learned tensors alone`] as const]),
      ]),
      ...secondsLine(entry, title),
      ...(names.length === 0 ? [] : [`where ${names.join(", ")}`]),
      ...trainingLines(entry),
      ...estimateLines(entry, report),
      ...overheadLines(entry),
      ...missedLines(entry, report),
      ...(entry.by === "kind" ? [] : ["", ...headingTable("kind", entry.kinds, entry, title)]),
      "",
      ...layTable([
        [
          entry.by === "path" ? "part" : entry.by,
          title,
          "share",
          "scalar",
          "parameters",
          ...(entry.target === undefined ? [] : ["dispatches", "executed"]),
        ],
        ...rows,
      ]),
      ...(shares === "" ? [] : [`shares${isRounded ? ", and numbers after ≈," : ""} at ${shares}`]),
    ]),
  ];
}

/** A short table under a heading that has no learned tensors. */
function headingTable(heading: string, tree: CostTree, entry: EntryReport, title: string): string[] {
  const rows = rowsOf(tree, entry, 0).map((row) => row.slice(0, 4));
  return layTable([
    [heading, title, "share", "scalar"],
    ...rows.filter((row) => row[1] !== "" || row[3] !== ""),
  ]);
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === "" ? "" : `  ${line}`));

/** Both exactly and shortly, or as a formula. */
function countText(dim: Dim, notation: DimNotation, repeat: number): string {
  if (dim.constant === undefined) return notation.write(dim, repeat);
  const short = shortCount(dim.constant);
  const full = exactNumber(dim.constant);
  return short === full ? full : `${full} (${short})`;
}

function weightsText({ weights }: EntryReport): string {
  const parts = [...weights].map(([dtype, bytes]) => `${writeBytes(bytes, plain)} ${dtype}`);
  return parts.length === 0 ? "0 B" : parts.join(", ");
}

const plain = { write: (dim: Dim) => String(dim), where: [] };

/** The count in whole seconds of sound, where the length of a recording is all that is open. */
function secondsLine(entry: EntryReport, title: string): string[] {
  const waveforms = entry.open.filter((symbol) => symbol.kind === "samples");
  if (waveforms.length === 0) return [];
  const inSeconds = new Map(
    waveforms.map(({ name, rate }) => [name, Dim.symbol("seconds").mul(rate ?? 1)] as const),
  );
  const dim = entry.total.count.substitute(inSeconds);
  return [`${title} ${entry.notation.write(dim, entry.repeat)} for whole seconds of sound`];
}

function trainingLines({ training, notation }: EntryReport): string[] {
  if (training === undefined) return [];
  const { trained, frozen, forward, backward, gradients, optimizer, kept } = training;
  return [
    "",
    "a step of training",
    ...layPairs([
      ["  trained, frozen", `${exact(trained)}, ${exact(frozen)} elements`],
      ["  forward, backward", `${writeCount(forward, notation)}, ${writeCount(backward, notation)} MACs`],
      [
        "  gradients, optimizer",
        `${writeBytes(gradients, notation)}, ${writeBytes(optimizer, notation)} (AdamW)`,
      ],
      ["  activations kept", writeBytes(kept, notation)],
    ]),
  ];
}

function estimateLines({ estimate, open }: EntryReport, { device }: CostReport): string[] {
  if (device === undefined) return [];
  if (estimate === undefined) {
    return ["", `estimated time: needs numbers for ${open.map(({ name }) => name).join(", ")}`];
  }
  const byOp = new Map<string, { times: number; seconds: number; limits: Map<string, number> }>();
  for (const { node, seconds, limit } of estimate.ops) {
    const group = byOp.get(node.op) ?? { times: 0, seconds: 0, limits: new Map<string, number>() };
    group.times += 1;
    group.seconds += seconds;
    group.limits.set(limit, (group.limits.get(limit) ?? 0) + seconds);
    byOp.set(node.op, group);
  }
  const largest = [...byOp].sort(([, a], [, b]) => b.seconds - a.seconds).slice(0, mostOps);
  return [
    "",
    `estimated time ${shortTime(estimate.seconds)} on ${device}`,
    ...layTable([
      ...largest.map(([op, { times, seconds, limits }]) => [
        `  ${op} ×${times}`,
        shortTime(seconds),
        share(seconds, estimate.seconds),
        `bound by ${[...limits]
          .sort(([, a], [, b]) => b - a)
          .map(([limit]) => limitNames[limit] ?? limit)
          .join(", ")}`,
      ]),
      [
        "  results, given out",
        shortTime(estimate.byLimit.results),
        share(estimate.byLimit.results, estimate.seconds),
        "copied",
      ],
    ]),
  ];
}

const mostOps = 6;
const limitNames: Readonly<Record<string, string>> = {
  compute: "arithmetic",
  bandwidth: "memory",
  start: "starting it",
};

function missedLines({ missed, notation }: EntryReport, { convention }: CostReport): string[] {
  if (missed.length === 0) return [];
  return [
    "",
    `${convention} does not count`,
    ...layPairs(
      missed.map(({ op, nodes, macs, scalar, reason }) => [
        `  ${op} ×${nodes}`,
        macs.constant === 0
          ? `${writeCount(scalar, notation)} scalar operations`
          : `${writeCount(macs, notation)} MACs (${reason})`,
      ]),
    ),
  ];
}

function rowsOf(tree: CostTree, entry: EntryReport, depth: number): string[][] {
  return tree.children.flatMap((child) => {
    const { count, scalar, parameters } = child.amounts;
    const [part, whole] = [count, entry.total.count].map((dim) => bindDim(dim, entry.typical).constant ?? 0);
    const times = child.times === 1 ? "" : ` ×${child.times}`;
    const row = [
      `${"  ".repeat(depth)}${child.name === "" ? "(itself)" : child.name}${times}`,
      cellText(count, entry, child.times),
      share(part ?? 0, whole ?? 0),
      cellText(scalar, entry, child.times),
      parameters.constant === 0 ? "" : exact(parameters),
      ...(entry.target === undefined ? [] : targetCells(child, entry)),
    ];
    return [row, ...rowsOf(child, entry, depth + 1)];
  });
}

function targetPairs({ target, notation, repeat }: EntryReport): (readonly [string, string])[] {
  if (target === undefined) return [["dispatches", "not counted: --target webgpu compiles the plan"]];
  const { executed, dispatches } = target;
  return [
    ["dispatches", `${exactNumber(dispatches)} on ${targetTitles[target.target]}`],
    ["executed there", `${countText(executed, notation, repeat)} MACs`],
  ];
}

/** By reason, what is executed beyond the MACs that the entry declares. */
function overheadLines({ target, notation, repeat, typical, open }: EntryReport): string[] {
  if (target === undefined || target.overhead.length === 0) return [];
  const whole = bindDim(target.declared, typical).constant ?? 0;
  const rows = target.overhead.map(({ reason, macs, dispatches, parts }) => [
    `  ${reason}`,
    writeCount(macs, notation, repeat),
    share(bindDim(macs, typical).constant ?? 0, whole),
    [...new Set(parts.map(({ op }) => op))].join(", ") + (dispatches === 1 ? "" : ` ×${dispatches}`),
  ]);
  return [
    "",
    `executed beyond the MACs of core, or less (-), on ${targetTitles[target.target]}`,
    ...(open.length === 0
      ? layTable(rows)
      : rows.flatMap(([reason = "", macs = "", part = "", where = ""]) => [
          `${reason}, ${where}`,
          `    ${macs}${part === "" ? "" : `  (${part})`}`,
        ])),
  ];
}

function targetCells({ amounts, times }: CostTree, entry: EntryReport): string[] {
  const executed = executedOf(amounts);
  return [
    amounts.dispatches.constant === 0 ? "" : exact(amounts.dispatches),
    cellText(executed, entry, times),
  ];
}

/** A formula that would make the table wider than it is of use gives way to its number at typical sizes. */
const longestFormula = 56;

function cellText(dim: Dim, { notation, typical }: EntryReport, times: number): string {
  if (dim.constant === 0) return "";
  const text = writeCount(dim, notation, times);
  const value = text.length > longestFormula ? bindDim(dim, typical).constant : undefined;
  return value === undefined ? text : `≈ ${shortCount(value)}`;
}

function clipLines(report: CostReport): string[] {
  const { clip } = report;
  if (clip === undefined) return [];
  const title = countTitle(report);
  const dims = [
    clip.count,
    ...clip.parts.flatMap((part) => [part.count, ...part.components.map((c) => c.count)]),
  ];
  const notation = notationOf(dims.filter((dim) => dim.constant === undefined));
  const text = (dim: Dim): string =>
    dim.constant === undefined ? notation.write(dim) : countPair(dim.constant);
  const typical = new Map(report.entries.flatMap((entry) => [...entry.typical]));
  const value = (dim: Dim): number => bindDim(dim, typical).constant ?? 0;
  const row = (name: string, dim: Dim, dispatches?: number): string[] => [
    name,
    text(dim),
    share(value(dim), value(clip.count)),
    dispatches === undefined ? "" : exactNumber(dispatches),
  ];
  const names = notation.where.map(({ name, text }) => `${name} = ${text}`);
  return [
    "",
    `one clip of ${clip.tokens} ${clip.tokens === 1 ? "token" : "tokens"}`,
    ...indent([
      ...layTable([
        ["part", title, "share", ...(clip.dispatches === undefined ? [] : ["dispatches"])],
        ...clip.parts.flatMap(({ entry, times, count, dispatches, components }) => [
          row(times === 1 ? entry : `${entry} ×${times}`, count, dispatches),
          ...components.map((component) => row(`  ${component.name}`, component.count)),
        ]),
        ["in all", text(clip.count), "", clip.dispatches === undefined ? "" : exactNumber(clip.dispatches)],
      ]),
      ...(names.length === 0 ? [] : [`where ${names.join(", ")}`]),
    ]),
  ];
}

function budgetLines({ budget }: CostReport): string[] {
  if (budget.length === 0) return [];
  const rows = budget.map(({ text, measure, limit, value }) => {
    const write = measureFacts[measure].unit === "B" ? shortBytes : shortCount;
    return [text, write(value), value <= limit.limit ? "within" : `over by ${write(value - limit.limit)}`];
  });
  return ["", "budget", ...indent(layTable(rows))];
}

const countPair = (value: number): string => `${exactNumber(value)} (${shortCount(value)})`;
