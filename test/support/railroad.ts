/**
 * Railroad diagrams as SVG.
 *
 * Owns: the shapes of a track and how they are laid out. A track enters at the left and leaves at the
 * right at the same height; alternatives hang below the first, repetitions run back underneath.
 */

/** Follow the line from left to right: every way through is a text of the language. */
export type Track =
  | { readonly kind: "box"; readonly text: string; readonly isWord: boolean }
  | { readonly kind: "sequence"; readonly parts: readonly Track[] }
  | { readonly kind: "choice"; readonly options: readonly Track[] }
  /** Once or more, with what stands between two turns. */
  | { readonly kind: "loop"; readonly part: Track; readonly between: Track };

export const nothing: Track = { kind: "sequence", parts: [] };

interface Laid {
  readonly width: number;
  /** How far it reaches above and below the line. */
  readonly up: number;
  readonly down: number;
  draw(x: number, y: number): string;
}

const letter = 7.3;
const half = 11;
const radius = 8;
const gap = 10;

/** A document of its own; `title` is for those who can't see it. */
export function railroadSvg(track: Track, title: string): string {
  const laid = layTrack(track);
  const margin = 12;
  const width = Math.ceil(laid.width + 2 * (margin + 2 * gap));
  const height = Math.ceil(laid.up + laid.down + 2 * margin);
  const y = laid.up + margin;
  const start = margin + gap;
  const end = start + laid.width + 2 * gap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 4}" height="${height}" viewBox="0 0 ${width + 4} ${height}">`,
    `<title>${title}</title>`,
    "<style>rect.page{fill:#fff}path{fill:none;stroke:#555;stroke-width:1.5}text{font:12px monospace;text-anchor:middle;fill:#111}",
    "rect.word{fill:#e4eefb;stroke:#4a76b0}rect.rule{fill:#f7f1e1;stroke:#a8893f}</style>",
    `<rect class="page" width="${width + 4}" height="${height}"/>`,
    path(`M${margin} ${y - 6}v12M${margin + 4} ${y - 6}v12M${margin} ${y}H${start + gap}`),
    laid.draw(start + gap, y),
    path(`M${start + gap + laid.width} ${y}H${end + gap - 4}m-4 -6v12m4 -12v12`),
    "</svg>\n",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function layTrack(track: Track): Laid {
  switch (track.kind) {
    case "box":
      return layBox(track.text, track.isWord);
    case "sequence":
      return laySequence(track.parts.map(layTrack));
    case "choice":
      return layChoice(track.options.map(layTrack));
    case "loop":
      return layLoop(layTrack(track.part), layTrack(track.between));
  }
}

function layBox(text: string, isWord: boolean): Laid {
  const width = text.length * letter + 16;
  return {
    width,
    up: half,
    down: half,
    draw: (x, y) =>
      `<rect class="${isWord ? "word" : "rule"}" x="${round(x)}" y="${round(y - half)}" width="${round(width)}" height="${2 * half}" rx="${isWord ? half : 3}"/>\n<text x="${round(x + width / 2)}" y="${round(y + 4)}">${escaped(text)}</text>`,
  };
}

function laySequence(parts: readonly Laid[]): Laid {
  const between = Math.max(0, parts.length - 1) * gap;
  return {
    width: parts.reduce((sum, part) => sum + part.width, between),
    up: Math.max(0, ...parts.map((part) => part.up)),
    down: Math.max(0, ...parts.map((part) => part.down)),
    draw(x, y) {
      let at = x;
      const drawn: string[] = [];
      for (const [i, part] of parts.entries()) {
        if (i > 0) drawn.push(path(`M${round(at)} ${round(y)}h${gap}`));
        if (i > 0) at += gap;
        drawn.push(part.draw(at, y));
        at += part.width;
      }
      return drawn.join("\n");
    },
  };
}

function layChoice(options: readonly Laid[]): Laid {
  const inner = Math.max(...options.map((option) => option.width));
  const width = inner + 4 * radius;
  const heights: number[] = [];
  let down = 0;
  for (const [i, option] of options.entries()) {
    const height = i === 0 ? 0 : down + Math.max(option.up + 6, 2 * radius);
    heights.push(height);
    down = height + option.down;
  }
  return {
    width,
    up: options[0]?.up ?? 0,
    down,
    draw(x, y) {
      const drawn = options.map((option, i) => {
        const height = heights[i] ?? 0;
        const left = x + 2 * radius;
        const right = left + option.width;
        const drop = height - 2 * radius;
        const into =
          i === 0
            ? `M${round(x)} ${round(y)}H${round(left)}`
            : `M${round(x)} ${round(y)}${arc(1, 1)}v${round(drop)}${arc(1, 1, "late")}`;
        const out =
          i === 0
            ? `M${round(right)} ${round(y)}H${round(x + width)}`
            : `M${round(right)} ${round(y + height)}H${round(x + width - 2 * radius)}${arc(1, -1)}v${round(-drop)}${arc(1, -1, "late")}`;
        return `${path(into)}\n${option.draw(left, y + height)}\n${path(out)}`;
      });
      return drawn.join("\n");
    },
  };
}

function layLoop(part: Laid, between: Laid): Laid {
  const inner = Math.max(part.width, between.width);
  const width = inner + 4 * radius;
  const height = part.down + Math.max(between.up + 6, 2 * radius);
  return {
    width,
    up: part.up,
    down: height + between.down,
    draw(x, y) {
      const left = x + 2 * radius;
      const right = left + inner;
      const drop = height - 2 * radius;
      const lead = (inner - part.width) / 2;
      const back = (inner - between.width) / 2;
      return [
        path(`M${round(x)} ${round(y)}H${round(left + lead)}`),
        part.draw(left + lead, y),
        path(`M${round(left + lead + part.width)} ${round(y)}H${round(x + width)}`),
        path(
          `M${round(right)} ${round(y)}${arc(1, 1)}v${round(drop)}${arc(-1, 1, "late")}H${round(right - back)}`,
        ),
        between.draw(left + back, y + height),
        path(
          `M${round(left + back)} ${round(y + height)}H${round(left)}${arc(-1, -1)}v${round(-drop)}${arc(1, -1, "late")}`,
        ),
      ].join("\n");
    },
  };
}

/** A quarter of a circle: from level to upright, or (`late`) from upright to level. */
function arc(right: 1 | -1, down: 1 | -1, when?: "late"): string {
  const sweep = (right === down) === (when === undefined) ? 1 : 0;
  return `a${radius} ${radius} 0 0 ${sweep} ${right * radius} ${down * radius}`;
}

function path(data: string): string {
  return `<path d="${data}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
