/**
 * The picture of a pruned run: one spectrogram for the input and one for each pruning site.
 *
 * Owns: the page as SVG, so that text stays sharp at every size; the spectrograms are embedded images.
 */
import { coverage, drawSpectrogram, type PatchGrid, type Spectrogram } from "./raster.ts";

export interface Site {
  /** 0-based, as in the policy's `at`. */
  readonly layer: number;
  /** The input patches that survived. */
  readonly kept: readonly number[];
}

export interface PictureFacts {
  readonly title: string;
  readonly subtitle: string;
  readonly spectrogram: Spectrogram;
  readonly grid: PatchGrid;
  readonly patches: number;
  readonly sites: readonly Site[];
  /** Frames that the recording fills; the rest is padding. */
  readonly recordedFrames: number;
  /** Seconds from one frame to the next. */
  readonly frameSeconds: number;
}

const width = 1120;
const left = 84;
const plotWidth = 860;
const plotHeight = 132;
const top = 96;
const gap = 22;

export function drawPicture(facts: PictureFacts): string {
  const { spectrogram, grid, sites, patches } = facts;
  const panels = [
    { label: "input", kept: patches, image: drawSpectrogram(spectrogram) },
    ...sites.map((site) => ({
      label: `after layer ${site.layer}`,
      kept: site.kept.length,
      image: drawSpectrogram(spectrogram, coverage(spectrogram, grid, site.kept)),
    })),
  ];
  const height = top + panels.length * (plotHeight + gap) + 74;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-sans-serif, system-ui, 'Helvetica Neue', Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(left, 42, facts.title, 'font-size="22" font-weight="600" fill="#1b1b25"'),
    text(left, 68, facts.subtitle, 'font-size="13.5" fill="#5d5d6c"'),
    ...panels.map((panel, i) => drawPanel(panel, top + i * (plotHeight + gap), facts)),
    drawTimeAxis(top + panels.length * (plotHeight + gap) - gap, facts),
    drawLegend(height - 24),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

interface Panel {
  readonly label: string;
  readonly kept: number;
  readonly image: Uint8Array;
}

function drawPanel(panel: Panel, y: number, facts: PictureFacts): string {
  const data = Buffer.from(panel.image).toString("base64");
  const share = Math.round((100 * panel.kept) / facts.patches);
  const x = left + plotWidth + 20;
  const padding = left + (plotWidth * facts.recordedFrames) / facts.spectrogram.frames;
  return [
    `<image x="${left}" y="${y}" width="${plotWidth}" height="${plotHeight}" preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${data}"/>`,
    `<rect x="${left}" y="${y}" width="${plotWidth}" height="${plotHeight}" fill="none" stroke="#c9c9d4"/>`,
    facts.recordedFrames < facts.spectrogram.frames
      ? `<line x1="${padding.toFixed(1)}" x2="${padding.toFixed(1)}" y1="${y}" y2="${y + plotHeight}" stroke="#2a9d8f" stroke-width="1.5" stroke-dasharray="4 3"/>`
      : "",
    ...frequencyTicks(facts.spectrogram.bins).map(({ hertz, share: at }) => {
      const tick = y + plotHeight * (1 - at);
      const name = hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`;
      return (
        `<line x1="${left - 5}" x2="${left}" y1="${tick.toFixed(1)}" y2="${tick.toFixed(1)}" stroke="#8a8a98"/>` +
        text(left - 9, tick + 4, name, 'font-size="11" fill="#5d5d6c" text-anchor="end"')
      );
    }),
    text(x, y + 40, panel.label, 'font-size="14" font-weight="600" fill="#1b1b25"'),
    text(x, y + 66, `${panel.kept} patches`, 'font-size="14" fill="#1b1b25"'),
    text(x, y + 87, `${share} %`, 'font-size="14" fill="#5d5d6c"'),
  ].join("\n");
}

/** Where frequencies lie on the mel axis of the filterbank, 20 Hz to 8 kHz. */
function frequencyTicks(bins: number): { hertz: number; share: number }[] {
  const mel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);
  const [low, high] = [mel(20), mel(8000)];
  const step = (high - low) / (bins + 1);
  return [200, 1000, 4000].map((hertz) => ({ hertz, share: ((mel(hertz) - low) / step - 0.5) / bins }));
}

function drawTimeAxis(y: number, { spectrogram, frameSeconds, recordedFrames }: PictureFacts): string {
  const seconds = spectrogram.frames * frameSeconds;
  const step = seconds > 4 ? 1 : 0.25;
  const parts: string[] = [];
  for (let at = 0; at <= seconds; at += step) {
    const x = (left + (plotWidth * at) / seconds).toFixed(1);
    parts.push(`<line x1="${x}" x2="${x}" y1="${y}" y2="${y + 5}" stroke="#8a8a98"/>`);
    parts.push(text(Number(x), y + 19, String(at), 'font-size="11" fill="#5d5d6c" text-anchor="middle"'));
  }
  parts.push(text(left + plotWidth, y + 36, "seconds", 'font-size="11" fill="#5d5d6c" text-anchor="end"'));
  if (recordedFrames < spectrogram.frames) {
    const x = left + (plotWidth * recordedFrames) / spectrogram.frames;
    parts.push(text(x + 6, y + 36, "padding", 'font-size="11" fill="#2a9d8f"'));
  }
  return parts.join("\n");
}

function drawLegend(y: number): string {
  const swatches = [0.15, 0.4, 0.65, 0.9].map(
    (share, i) => `<rect x="${left + i * 12}" y="${y - 10}" width="12" height="12" fill="${swatch(share)}"/>`,
  );
  return [
    ...swatches,
    text(left + 56, y, "kept", 'font-size="12" fill="#1b1b25"'),
    `<rect x="${left + 104}" y="${y - 10}" width="12" height="12" fill="#d4d4d8"/>`,
    text(left + 122, y, "dropped", 'font-size="12" fill="#1b1b25"'),
  ].join("\n");
}

const swatches: readonly string[] = ["#331067", "#9a2d80", "#f2675b", "#fddc9e"];

function swatch(share: number): string {
  return swatches[Math.min(swatches.length - 1, Math.floor(share * swatches.length))] ?? "#000000";
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}
