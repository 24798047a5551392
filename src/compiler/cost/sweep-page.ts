/**
 * A sweep as one page of HTML that needs nothing else: the plot, and the table behind it.
 */
import { escapeHtml, pageStyle } from "./page-style.ts";
import { drawPlot } from "./plot.ts";
import type { Sweep } from "./sweep.ts";
import { type Comparison, writeValue } from "./sweep-text.ts";

export function sweepPage(sweep: Sweep, comparison: Comparison): string {
  const { axes, columns, variants, settings } = sweep;
  const title = `Variants of ${sweep.model}`;
  const at = [...settings].map(([name, value]) => `${name} = ${value}`).join(", ");
  const header = [...axes, ...columns].map(({ name }) => `<th>${escapeHtml(name)}</th>`).join("");
  const rows = variants.map((variant, i) => {
    const cells = [
      ...variant.at.map(({ text }) => text),
      ...columns.map((column, k) => writeValue(variant.values[k] ?? 0, column)),
    ];
    const best = comparison.front.has(i) ? ' class="front"' : "";
    return `<tr${best}>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}
figure{margin:18px 0;border:1px solid var(--line);border-radius:8px;overflow:hidden}figure svg{display:block;width:100%;height:auto}
tr.front td:first-child::before{content:"● ";color:var(--bar)}</style>
</head>
<body>
<main>
<h1>${escapeHtml(sweep.model)}</h1>
<p class="lead">${variants.length} variants${at === "" ? "" : ` at ${escapeHtml(at)}`}.</p>
<figure>${drawPlot(sweep, comparison)}</figure>
<p class="quiet">● no other variant has less of both ${escapeHtml(comparison.x.title)} and ${escapeHtml(comparison.y.title)}.</p>
<div class="scroll"><table><thead><tr>${header}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>
</main>
</body>
</html>
`;
}
