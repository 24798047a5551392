/**
 * The mel spectrogram as an image, with the patches that survived in colour and the others dimmed.
 *
 * Owns: pixels. One pixel for each cell of the spectrogram, frequency upwards.
 */
import { PNG } from "pngjs";

/** Normalised log mel energies, row-major [frames, bins]. */
export interface Spectrogram {
  readonly frames: number;
  readonly bins: number;
  readonly values: ArrayLike<number>;
}

/** How an encoder cuts the spectrogram: patch sizes and steps in cells, and the order of its tokens. */
export interface PatchGrid {
  readonly size: number;
  readonly timeStride: number;
  readonly frequencyStride: number;
  readonly major: "time" | "frequency";
}

/** Black through purple and orange to pale yellow: even steps in brightness, safe for the colour-blind. */
const stops: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [28, 16, 68],
  [79, 18, 123],
  [129, 37, 129],
  [181, 54, 122],
  [229, 80, 100],
  [251, 135, 97],
  [254, 194, 135],
  [252, 253, 191],
];

export function colour(share: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = stops[Math.floor(place)] ?? [0, 0, 0];
  const high = stops[Math.ceil(place)] ?? low;
  const part = place - Math.floor(place);
  const mix = (channel: 0 | 1 | 2): number =>
    Math.round(low[channel] + (high[channel] - low[channel]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** Which cells at least one of the kept patches covers, row-major [frames, bins]. */
export function coverage(spectrogram: Spectrogram, grid: PatchGrid, kept: Iterable<number>): Uint8Array {
  const { frames, bins } = spectrogram;
  const rows = 1 + Math.floor((frames - grid.size) / grid.timeStride);
  const columns = 1 + Math.floor((bins - grid.size) / grid.frequencyStride);
  const covered = new Uint8Array(frames * bins);
  for (const patch of kept) {
    const row = grid.major === "time" ? Math.floor(patch / columns) : patch % rows;
    const column = grid.major === "time" ? patch % columns : Math.floor(patch / rows);
    for (let t = 0; t < grid.size; t++) {
      const start = (row * grid.timeStride + t) * bins + column * grid.frequencyStride;
      covered.fill(1, start, start + grid.size);
    }
  }
  return covered;
}

/** A PNG of `frames` by `bins` pixels. Without `covered` every cell is in colour. */
export function drawSpectrogram(spectrogram: Spectrogram, covered?: Uint8Array): Uint8Array {
  const { frames, bins, values } = spectrogram;
  const [low, high] = extent(values);
  const image = new PNG({ width: frames, height: bins });
  for (let frame = 0; frame < frames; frame++) {
    for (let bin = 0; bin < bins; bin++) {
      const cell = frame * bins + bin;
      const share = ((values[cell] ?? 0) - low) / (high - low || 1);
      const pixel = ((bins - 1 - bin) * frames + frame) * 4;
      image.data.set(covered === undefined || covered[cell] === 1 ? colour(share) : dimmed(share), pixel);
      image.data[pixel + 3] = 255;
    }
  }
  return PNG.sync.write(image);
}

/** What was dropped stays readable, in pale grey. */
function dimmed(share: number): readonly [number, number, number] {
  const grey = Math.round(236 - 46 * Math.min(1, Math.max(0, share)));
  return [grey, grey, grey + 3];
}

function extent(values: ArrayLike<number>): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
