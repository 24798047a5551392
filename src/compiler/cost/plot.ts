/**
 * Two measures of the variants of a sweep against each other, as SVG that needs nothing else.
 *
 * Owns: scales, ticks, legend and looks. Less is better on both axes: the variants that no other beats
 * are joined by a line. Colours tell the values of the axis that has most to tell; light or dark as
 * the reader's system is.
 */

import type { Column } from "./measurement.ts";
import { shortBytes, shortCount } from "./numbers.ts";
import type { Sweep, Variant } from "./sweep.ts";
import type { Comparison } from "./sweep-text.ts";

const width = 860;
const height = 548;
const left = 88;
const right = 24;
const top = 92;
const bottom = 62;
/** More values than colours: then there is no legend. */
const mostColors = 8;

export function drawPlot(sweep: Sweep, comparison: Comparison): string {
  const { x, y, points } = comparison;
  const horizontal = new Scale(
    points.map((point) => point[0]),
    left,
    width - right,
  );
  const vertical = new Scale(
    points.map((point) => point[1]),
    height - bottom,
    top,
  );
  const colors = colorAxis(sweep, comparison);
  const front = [...comparison.front].sort((a, b) => (points[a]?.[0] ?? 0) - (points[b]?.[0] ?? 0));
  const place = (i: number): string => {
    const [px, py] = points[i] ?? [0, 0];
    return `${fixed(horizontal.at(px))},${fixed(vertical.at(py))}`;
  };
  const dots = sweep.variants.map((variant, i) => {
    const [cx = "0", cy = "0"] = place(i).split(",");
    const isBest = comparison.front.has(i);
    const color = colors === undefined ? 0 : colors.indexOf(variant);
    const title = `${nameOf(sweep, variant)}\n${x.name} ${write(points[i]?.[0] ?? 0, x)}\n${y.name} ${write(points[i]?.[1] ?? 0, y)}`;
    return `<circle cx="${cx}" cy="${cy}" r="${isBest ? 5.5 : 4}" class="d${color}${isBest ? " best" : ""}"><title>${escapeXml(title)}</title></circle>`;
  });
  const line = front.length > 1 ? `<polyline points="${front.map(place).join(" ")}" class="joined"/>` : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(`${y.title} against ${x.title}`)}" font-family="ui-sans-serif,system-ui,'Helvetica Neue',Arial,sans-serif" font-size="13">
<style>${style}</style>
<rect width="${width}" height="${height}" class="paper"/>
<text x="${left}" y="28" class="title">${escapeXml(sweep.model)}</text>
<text x="${left}" y="48" class="quiet">${sweep.variants.length} variants; the line joins those that no other beats in both</text>
${horizontal.ticks.map((tick) => xTick(tick, horizontal, x)).join("\n")}
${vertical.ticks.map((tick) => yTick(tick, vertical, y)).join("\n")}
<text x="${(left + width - right) / 2}" y="${height - 14}" text-anchor="middle">${escapeXml(axisTitle(x, horizontal))}</text>
<text transform="translate(18 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(axisTitle(y, vertical))}</text>
${line}
${dots.join("\n")}
${colors === undefined ? "" : legend(colors)}
</svg>
`;
}

function axisTitle({ title }: Column, { isLogarithmic }: Scale): string {
  return isLogarithmic ? `${title} (logarithmic)` : title;
}

const fixed = (value: number): string => value.toFixed(1);

function write(value: number, { unit }: Column): string {
  if (unit === "B") return shortBytes(value);
  return value >= 1000 ? shortCount(value) : String(Number(value.toPrecision(6)));
}

function nameOf({ axes }: Sweep, variant: Variant): string {
  return axes
    .flatMap((axis, i) => (axis.values.length > 1 ? `${axis.name} = ${variant.at[i]?.text ?? ""}` : []))
    .join(", ");
}

function xTick(tick: number, scale: Scale, column: Column): string {
  const at = fixed(scale.at(tick));
  return `<line x1="${at}" x2="${at}" y1="${top}" y2="${height - bottom}" class="grid"/><text x="${at}" y="${height - bottom + 20}" text-anchor="middle" class="quiet">${write(tick, column)}</text>`;
}

function yTick(tick: number, scale: Scale, column: Column): string {
  const at = fixed(scale.at(tick));
  return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" class="grid"/><text x="${left - 8}" y="${at}" dy="4" text-anchor="end" class="quiet">${write(tick, column)}</text>`;
}

// ---------------------------------------------------------------- scales

/** Logarithmic where the values span more than two powers of ten, else linear; a little room at both ends. */
class Scale {
  readonly isLogarithmic: boolean;
  readonly ticks: readonly number[];
  readonly #from: number;
  readonly #to: number;
  readonly #start: number;
  readonly #end: number;

  constructor(values: readonly number[], start: number, end: number) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    this.isLogarithmic = low > 0 && high / low > 100;
    const [from, to] = [this.#measure(low), this.#measure(high)];
    const room = to > from ? (to - from) * 0.05 : Math.abs(to) * 0.05 || 1;
    this.#from = from - room;
    this.#to = to + room;
    this.#start = start;
    this.#end = end;
    this.ticks = this.isLogarithmic
      ? powers(this.#from, this.#to)
      : roundSteps(this.#from, this.#to).filter((tick) => tick >= 0 || low < 0);
  }

  at(value: number): number {
    const share = (this.#measure(value) - this.#from) / (this.#to - this.#from);
    return this.#start + share * (this.#end - this.#start);
  }

  #measure(value: number): number {
    return this.isLogarithmic ? Math.log10(value) : value;
  }
}

/** 1, 2 and 5 times powers of ten, about six of them. */
function roundSteps(from: number, to: number): number[] {
  const rough = (to - from) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function powers(from: number, to: number): number[] {
  const all: number[] = [];
  for (let exponent = Math.floor(from); exponent <= to; exponent++) {
    for (const factor of to - from < 4 ? [1, 2, 5] : [1]) all.push(factor * 10 ** exponent);
  }
  return all.filter((value) => Math.log10(value) >= from && Math.log10(value) <= to);
}

// ---------------------------------------------------------------- colours

interface ColorAxis {
  readonly name: string;
  readonly values: readonly string[];
  readonly indexOf: (variant: Variant) => number;
}

/** The axis whose values are told by colour: words before numbers, and none that the plot shows already. */
function colorAxis({ axes }: Sweep, { x, y }: Comparison): ColorAxis | undefined {
  const candidates = axes
    .map((axis, i) => ({ axis, i, isWord: axis.values.some(({ value }) => value === undefined) }))
    .filter(({ axis }) => axis.values.length > 1 && axis.values.length <= mostColors)
    .filter(({ axis }) => axis.name !== x.name && axis.name !== y.name)
    .sort((a, b) => Number(b.isWord) - Number(a.isWord));
  const [chosen] = candidates;
  if (chosen === undefined) return undefined;
  const values = chosen.axis.values.map(({ text }) => text);
  return {
    name: chosen.axis.name,
    values,
    indexOf: (variant) => Math.max(0, values.indexOf(variant.at[chosen.i]?.text ?? "")),
  };
}

function legend({ name, values }: ColorAxis): string {
  const step = 26 + Math.max(...values.map((value) => value.length)) * 7.4;
  const start = left + name.length * 7.4 + 18;
  const items = values.map((value, i) => {
    const at = start + i * step;
    return `<circle cx="${fixed(at)}" cy="70" r="5" class="d${i}"/><text x="${fixed(at + 9)}" y="74">${escapeXml(value)}</text>`;
  });
  return `<text x="${left}" y="74" class="quiet">${escapeXml(name)}</text>\n${items.join("\n")}`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

// Okabe and Ito's palette, which the colour-blind can tell apart, and one more.
const palette = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8a8f98", "#b5a800"];

const style = `
.paper{fill:#fbfbfa}text{fill:#1d2126}.title{font-size:18px;font-weight:600}.quiet{fill:#646b75;font-size:12px}
.grid{stroke:#dfe2e6}.joined{fill:none;stroke:#1d2126;stroke-width:1.3;stroke-dasharray:5 4;opacity:.6}
circle{fill-opacity:.75}.best{stroke:#1d2126;stroke-width:1.4;fill-opacity:1}
${palette.map((color, i) => `.d${i}{fill:${color}}`).join("")}
@media(prefers-color-scheme:dark){.paper{fill:#15181c}text{fill:#e6e8eb}.quiet{fill:#98a1ac}.grid{stroke:#30363d}.joined,.best{stroke:#e6e8eb}}
`;
