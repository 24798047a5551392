/**
 * A cost report as one page of HTML that needs nothing else.
 *
 * Owns: the page's text and looks. The picture is drawn by page-script.ts from data in the page; all
 * figures are in the text too. Light or dark as the reader's system is.
 */
import type { Dim } from "../../lang/dims.ts";
import { bindDim } from "./bindings.ts";
import { exactNumber, share, shortCount, writeBytes, writeCount } from "./numbers.ts";
import { pageScript } from "./page-script.ts";
import type { CostReport, EntryReport } from "./report.ts";
import { countTitle, givenTexts } from "./report-text.ts";
import type { CostTree } from "./tree.ts";

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
<h3>Part by part</h3>
<div class="scroll"><table><thead><tr><th>part</th><th>${unit}</th><th class="share">share</th><th>scalar</th><th>parameters</th></tr></thead><tbody class="tree"></tbody></table></div>
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
  const rows = clip.parts.map(({ entry, times, count }) => {
    const part = share(count.constant ?? 0, clip.count.constant ?? 0);
    return `<tr><td class="name">${escapeHtml(entry)}${times === 1 ? "" : ` ×${times}`}</td><td>${escapeHtml(text(count))}</td><td>${part}</td></tr>`;
  });
  return `<section id="clip"><h2>One clip <small>${clip.tokens} tokens</small></h2>
<div class="scroll"><table><thead><tr><th>entry</th><th>${countTitle(report)}</th><th>share</th></tr></thead><tbody>${rows.join("")}<tr><td class="name">in all</td><td>${escapeHtml(text(clip.count))}</td><td></td></tr></tbody></table></div></section>`;
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
    parts: tree.children.map(data),
  });
  return { name: entry.entry, tree: data(entry.tree), rows: entry.rows.children.map(data) };
}

function typicalValue(dim: Dim, entry: EntryReport): number {
  return bindDim(dim, entry.typical).constant ?? 0;
}

const fullCount = (dim: Dim): string =>
  dim.constant === undefined ? escapeHtml(String(dim)) : exactNumber(dim.constant);

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** JSON that can stand inside a script element. */
function embed(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const pageStyle = `
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1d2126;--quiet:#646b75;--line:#dfe2e6;--card:#fff;--bar:#4c78a8;
--c0:#cfe0f3;--c1:#d6ecd2;--c2:#fbe3c4;--c3:#e6daf3;--c4:#f8d6d3;--c5:#cfece8;--c6:#f4ecb8;--c7:#e2e4e8}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e8eb;--quiet:#98a1ac;--line:#30363d;--card:#1c2026;--bar:#6ea0d6;
--c0:#274364;--c1:#2b4d2c;--c2:#5e431c;--c3:#453060;--c4:#602f2c;--c5:#1f4f4a;--c6:#544a17;--c7:#3a4048}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:20px;margin:40px 0 12px}h3{font-size:15px;margin:26px 0 8px}
small{font-weight:400;color:var(--quiet);font-size:.8em}p{margin:6px 0}.quiet{color:var(--quiet)}
code{font:13px/1.6 ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:9px 12px}
dt{color:var(--quiet);font-size:12.5px}dd{margin:0}.facts dd{font-size:18px;font-variant-numeric:tabular-nums}
.formulas{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px;margin:12px 0}
.formulas dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}.formulas dt{padding-top:2px}
summary{cursor:pointer;color:var(--quiet);margin-top:8px}
.picture{margin:18px 0 4px}.crumbs{min-height:26px;font-size:13.5px}.crumbs button{all:unset;cursor:pointer;color:var(--bar);text-decoration:underline}
.chart{position:relative;overflow:hidden}
.bar{all:unset;box-sizing:border-box;position:absolute;border-radius:3px;padding:0 5px;font-size:12px;line-height:24px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis;cursor:pointer;border-right:1px solid var(--bg)}
.bar:hover{filter:brightness(.93)}.bar:focus-visible,.fold:focus-visible,.crumbs button:focus-visible{outline:2px solid var(--bar);outline-offset:-2px}
.bar.top{background:var(--c7)!important;font-weight:600}
${Array.from({ length: 8 }, (_, i) => `.c${i}{background:var(--c${i})}`).join("")}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:24px;margin-top:22px}
.wide{grid-template-columns:1fr}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:3px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--quiet);font-weight:500}th:first-child,td.name{text-align:left}
td.share{position:relative;min-width:110px}td.share i{position:absolute;left:8px;top:7px;bottom:7px;background:var(--bar);opacity:.28;border-radius:2px;max-width:calc(100% - 16px)}td.share span{position:relative}
.fold{all:unset;display:inline-block;width:1.1em;cursor:pointer;color:var(--quiet)}
#tip{position:fixed;z-index:2;max-width:420px;background:var(--card);border:1px solid var(--line);border-radius:7px;padding:7px 10px;font-size:13px;box-shadow:0 4px 16px #0003;pointer-events:none;overflow-wrap:anywhere}
@media(max-width:560px){.pair{grid-template-columns:1fr}main{padding:18px 12px}}
`;
