/**
 * A cost report as one page of HTML that needs nothing else.
 *
 * Owns: the page's text and looks. The picture is drawn by page-script.ts from data in the page; all
 * figures are in the text too. Light or dark as the reader's system is.
 */
import type { Dim } from "../../lang/dims.ts";
import { bindDim } from "./bindings.ts";
import { targetTitles } from "./device-work.ts";
import { measureFacts } from "./measures.ts";
import { exactNumber, share, shortCount, writeBytes, writeCount } from "./numbers.ts";
import { pageScript } from "./page-script.ts";
import { escapeHtml, pageStyle } from "./page-style.ts";
import type { CostReport, EntryReport } from "./report.ts";
import { countTitle, givenTexts } from "./report-text.ts";
import { type CostTree, executedOf } from "./tree.ts";

export function costPage(report: CostReport): string {
  const title = `What ${report.model} costs`;
  const bound = givenTexts(report).join(", ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(report.model)}</h1>
<p class="lead">${bound === "" ? "" : `At ${escapeHtml(bound)}. `}${fullCount(report.parameters)} parameters, ${fullCount(report.trainable)} of them trainable.</p>
<p class="quiet"><b>${report.convention}</b>: ${escapeHtml(report.definition)}.</p>
</header>
${report.entries.map((entry) => entrySection(entry, report)).join("\n")}
${clipSection(report)}
</main>
<div id="tip" role="tooltip" hidden></div>
<script type="application/json" id="data">${embed(report.entries.map((entry) => pageData(entry)))}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

function entrySection(entry: EntryReport, report: CostReport): string {
  const { notation, total, repeat } = entry;
  const unit = countTitle(report);
  const typical = [...entry.typical].filter(([name]) => !entry.bindings.has(name));
  const shares = typical.map(([name, value]) => `${name} = ${value}`).join(", ");
  const facts: readonly (readonly [string, string])[] = [
    [unit, writeCount(total.count, notation, repeat)],
    ["scalar operations", writeCount(total.scalar, notation, repeat)],
    ["parameters", writeCount(total.parameters, notation)],
    ["weights", writeBytes(total.weights, notation)],
    ["read", writeBytes(total.read, notation, repeat)],
    ["written", writeBytes(total.written, notation, repeat)],
    ["peak live memory", entry.peak === undefined ? "depends" : writeBytes(entry.peak, notation)],
    ["state", entry.state.constant === 0 ? "none" : writeBytes(entry.state, notation)],
    ...(entry.masked.constant === 0
      ? []
      : [["MACs that are masked", writeCount(entry.masked, notation, repeat)] as const]),
    ...(entry.target === undefined
      ? []
      : [
          [measureFacts.dispatches.title, exactNumber(entry.target.dispatches)] as const,
          [measureFacts.executed.title, writeCount(entry.target.executed, notation, repeat)] as const,
        ]),
  ];
  // Long formulas have a line of their own.
  const isShort = ([, value]: readonly [string, string]): boolean => [...value].length <= 14;
  return `<section id="entry-${escapeHtml(entry.entry)}">
<h2>${escapeHtml(entry.entry)}${entry.continues === undefined ? "" : ` <small>continues ${escapeHtml(entry.continues)}</small>`}</h2>
<dl class="facts">${facts
    .filter(isShort)
    .map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join("")}</dl>
${exactLine(total.count, unit)}
${formulaList(
  facts.filter((fact) => !isShort(fact)),
  entry,
)}
<div class="picture"></div>
${shares === "" ? "" : `<p class="quiet">Shares and widths at ${escapeHtml(shares)}.</p>`}
<div class="${entry.open.length > 0 ? "pair wide" : "pair"}">
${headingTable("Kind of work", entry.kinds, entry, unit)}
${headingTable("Component", entry.components, entry, unit)}
</div>
${overheadTable(entry)}
<h3>Part by part</h3>
<div class="scroll"><table><thead><tr><th>part</th><th>${unit}</th><th class="share">share</th><th>scalar</th><th>parameters</th>${entry.target === undefined ? "" : "<th>dispatches</th><th>executed</th>"}</tr></thead><tbody class="tree"></tbody></table></div>
${missedList(entry, report)}
</section>`;
}

function exactLine(count: Dim, unit: string): string {
  return count.constant === undefined
    ? ""
    : `<p class="quiet">${exactNumber(count.constant)} ${unit} exactly.</p>`;
}

function formulaList(
  facts: readonly (readonly [string, string])[],
  { notation, total }: EntryReport,
): string {
  if (facts.length === 0) return "";
  const rows = facts.map(
    ([name, text]) => `<dt>${escapeHtml(name)}</dt><dd><code>${escapeHtml(text)}</code></dd>`,
  );
  const where = notation.where.map(
    ({ name, text }) => `<code>${escapeHtml(name)} = ${escapeHtml(text)}</code>`,
  );
  const names = where.length === 0 ? "" : `<p>where ${where.join(", ")}</p>`;
  const exact = `<details><summary>the exact count</summary><code>${escapeHtml(String(total.count))}</code></details>`;
  return `<div class="formulas"><dl>${rows.join("")}</dl>${names}${exact}</div>`;
}

function headingTable(heading: string, tree: CostTree, entry: EntryReport, unit: string): string {
  const whole = typicalValue(entry.total.count, entry);
  const rows = tree.children
    .filter(({ amounts }) => amounts.count.constant !== 0 || amounts.scalar.constant !== 0)
    .map(({ name, amounts }) => {
      const cells = [
        amounts.count.constant === 0 ? "" : writeCount(amounts.count, entry.notation),
        share(typicalValue(amounts.count, entry), whole),
        amounts.scalar.constant === 0 ? "" : writeCount(amounts.scalar, entry.notation),
      ];
      return `<tr><td class="name">${escapeHtml(name)}</td>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
    });
  return `<div class="scroll"><table><thead><tr><th>${heading}</th><th>${unit}</th><th>share</th><th>scalar</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** By reason, what a target executes beyond. */
function overheadTable({ target, notation, repeat, typical }: EntryReport): string {
  if (target === undefined) return "";
  const whole = bindDim(target.declared, typical).constant ?? 0;
  const rows = target.overhead.map(({ reason, macs, dispatches, parts }) => {
    const ops = [...new Set(parts.map(({ op }) => op))].join(", ");
    const cells = [
      writeCount(macs, notation, repeat),
      share(bindDim(macs, typical).constant ?? 0, whole),
      `${ops} ×${dispatches}`,
    ];
    return `<tr><td class="name">${escapeHtml(reason)}</td>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  });
  const title = `Executed on ${targetTitles[target.target]} beyond the MACs of core, or less`;
  if (rows.length === 0)
    return `<p>Executed on ${targetTitles[target.target]}: the MACs of core, no more.</p>`;
  return `<h3>${title}</h3>
<div class="scroll"><table class="overhead"><thead><tr><th>reason</th><th>MACs</th><th>share</th><th>where</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function missedList({ missed, notation }: EntryReport, { convention }: CostReport): string {
  if (missed.length === 0) return "";
  const items = missed.map(({ op, nodes, macs, scalar, reason }) => {
    const count =
      macs.constant === 0
        ? `${writeCount(scalar, notation)} scalar operations`
        : `${writeCount(macs, notation)} MACs (${reason})`;
    return `<li><code>${escapeHtml(op)}</code> ×${nodes}: ${escapeHtml(count)}</li>`;
  });
  return `<details><summary>What ${convention} does not count</summary><ul>${items.join("")}</ul></details>`;
}

function clipSection(report: CostReport): string {
  const { clip } = report;
  if (clip === undefined) return "";
  const text = (dim: Dim): string => (dim.constant === undefined ? String(dim) : shortCount(dim.constant));
  const row = (name: string, count: Dim, level: string): string => {
    const part = share(count.constant ?? 0, clip.count.constant ?? 0);
    return `<tr><td class="name"${level}>${escapeHtml(name)}</td><td>${escapeHtml(text(count))}</td><td>${part}</td></tr>`;
  };
  const rows = clip.parts.flatMap(({ entry, times, count, components }) => [
    row(times === 1 ? entry : `${entry} ×${times}`, count, ""),
    ...components.map((component) => row(component.name, component.count, ' style="padding-left:2em"')),
  ]);
  return `<section id="clip"><h2>One clip <small>${clip.tokens} tokens</small></h2>
<div class="scroll"><table><thead><tr><th>part</th><th>${countTitle(report)}</th><th>share</th></tr></thead><tbody>${rows.join("")}<tr><td class="name">in all</td><td>${escapeHtml(text(clip.count))}</td><td></td></tr></tbody></table></div></section>`;
}

// ---------------------------------------------------------------- data of the picture

const positionColor = 7;

function pageData(entry: EntryReport): unknown {
  // Parts of one name have one colour, wherever they stand; positions in lists have none.
  const colors = new Map<string, number>();
  const colorOf = (name: string): number => {
    if (/^\d|^\{/.test(name)) return positionColor;
    const known = colors.get(name) ?? colors.size % positionColor;
    colors.set(name, known);
    return known;
  };
  const data = (tree: CostTree): unknown => ({
    name: tree.name,
    path: tree.path,
    times: tree.times,
    color: colorOf(tree.name),
    value: typicalValue(tree.amounts.count, entry),
    count: writeCount(tree.amounts.count, entry.notation, tree.times),
    scalar: writeCount(tree.amounts.scalar, entry.notation, tree.times),
    parameters: writeCount(tree.amounts.parameters, entry.notation),
    ...targetData(tree, entry),
    parts: tree.children.map(data),
  });
  return { name: entry.entry, tree: data(entry.tree), rows: entry.rows.children.map(data) };
}

function targetData({ amounts, times }: CostTree, { notation, target }: EntryReport): Record<string, string> {
  if (target === undefined) return {};
  const executed = executedOf(amounts);
  return {
    dispatches: amounts.dispatches.constant === 0 ? "" : exactNumber(amounts.dispatches.constant ?? 0),
    executed: executed.constant === 0 ? "" : writeCount(executed, notation, times),
  };
}

function typicalValue(dim: Dim, entry: EntryReport): number {
  return bindDim(dim, entry.typical).constant ?? 0;
}

const fullCount = (dim: Dim): string =>
  dim.constant === undefined ? escapeHtml(String(dim)) : exactNumber(dim.constant);

/** JSON that can stand inside a script element. */
function embed(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
