/**
 * A sweep as one page of HTML that needs nothing else: the plot, and the table behind it.
 */
import { escapeHtml, pageStyle } from "./page-style.ts";
import { drawPlot } from "./plot.ts";
import type { Sweep } from "./sweep.ts";
import { type Comparison, frontText, writeValue } from "./sweep-text.ts";

export function sweepPage(sweep: Sweep, comparison: Comparison): string {
  const { axes, columns, variants, settings } = sweep;
  const title = `Variants of ${sweep.model}`;
  const varied = axes.map((axis, at) => ({ axis, at })).filter(({ axis }) => axis.values.length > 1);
  const settled = axes.flatMap(({ name, values }) =>
    values.length === 1 ? [[name, values[0]?.text ?? ""] as const] : [],
  );
  const at = [...settings, ...settled].map(([name, value]) => `${name} = ${value}`).join(", ");
  const header = [...varied.map(({ axis }) => axis), ...columns]
    .map(({ name }) => `<th>${escapeHtml(name)}</th>`)
    .join("");
  const rows = variants.map((variant, i) => {
    const cells = [
      ...varied.map(({ at: place }) => variant.at[place]?.text ?? ""),
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
td:first-child{text-align:left}tr.front td:first-child::after{content:" ●";color:var(--bar)}</style>
</head>
<body>
<main>
<h1>${escapeHtml(sweep.model)}</h1>
<p class="lead">${variants.length} variants${at === "" ? "" : ` at ${escapeHtml(at)}`}.</p>
<figure>${drawPlot(sweep, comparison)}</figure>
<p class="quiet">● ${escapeHtml(frontText(comparison))}.</p>
<div class="scroll"><table><thead><tr>${header}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>
</main>
</body>
</html>
`;
}
