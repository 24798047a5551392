/**
 * The pictures of a sound: its waveform, and the features that the model sees.
 */
import type { HostTensor } from "../../src/runtime/gpu/browser.ts";

/** The lowest and the highest sample of each column. */
export function drawWaveform(canvas: HTMLCanvasElement, sound: Float32Array): void {
  const context = contextOf(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  const loudest = sound.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
  for (let column = 0; column < width; column++) {
    const start = Math.floor((column * sound.length) / width);
    const end = Math.max(start + 1, Math.floor(((column + 1) * sound.length) / width));
    let low = 0;
    let high = 0;
    for (const sample of sound.subarray(start, end)) {
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    const top = (0.5 - (0.48 * high) / loudest) * height;
    const bottom = (0.5 - (0.48 * low) / loudest) * height;
    context.fillRect(column, top, 1, Math.max(1.5, bottom - top));
  }
}

/** Time runs to the right, frequency upwards; the brightest value is white. */
export function drawSpectrogram(canvas: HTMLCanvasElement, features: HostTensor): void {
  const [bins = 1, frames = 1] = [...features.shape].reverse();
  canvas.width = frames;
  canvas.height = bins;
  const context = contextOf(canvas);
  const image = context.createImageData(frames, bins);
  const { data } = features;
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (let frame = 0; frame < frames; frame++) {
    for (let bin = 0; bin < bins; bin++) {
      const value = ((data[frame * bins + bin] ?? low) - low) / (high - low || 1);
      image.data.set(colour(value), 4 * ((bins - 1 - bin) * frames + frame));
    }
  }
  context.putImageData(image, 0, 0);
}

/** From near black over blue and teal to a light yellow. */
const colours = [
  [13, 17, 32],
  [31, 62, 115],
  [22, 128, 145],
  [128, 196, 140],
  [252, 244, 190],
] as const;

function colour(value: number): [number, number, number, number] {
  const place = Math.min(Math.max(value, 0), 1) * (colours.length - 1);
  const index = Math.min(Math.floor(place), colours.length - 2);
  const [from, to] = [colours[index] ?? colours[0], colours[index + 1] ?? colours[0]];
  const mix = (channel: 0 | 1 | 2): number => from[channel] + (to[channel] - from[channel]) * (place - index);
  return [mix(0), mix(1), mix(2), 255];
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("the browser gives no 2d context");
  return context;
}
