/**
 * Changing the sample rate.
 *
 * Owns: a polyphase low-pass filter, a sinc under a Kaiser window (A. V. Oppenheim, R. W. Schafer,
 * Discrete-Time Signal Processing, section 7.5). Output sample n lies exactly at the time of input
 * sample n·from/to: no delay. Nothing above half the lower rate passes (110 dB down by design); a
 * constant stays exactly as it is. Beyond its ends the signal counts as zero.
 */

const attenuation = 110;
const kaiserBeta = 0.1102 * (attenuation - 8.7);

/** Reach of the filter to either side, in samples of the lower rate. */
const reach = 96;

/** Where the filter is 6 dB down, as a share of half the lower rate: the fall ends at the full half. */
const cutoff = 1 - (attenuation - 8) / (2.285 * 2 * reach) / Math.PI / 2;

/** Points of the filter's table for one sample of the lower rate; linear between them is -160 dB off. */
const resolution = 8192;

/** Filters for all phases are kept while they take up to this many numbers. */
const mostKept = 1 << 22;

/**
 * @param signal one channel
 * @param from its rate in hertz, an integer
 * @param to the rate wanted, an integer
 * @returns ceil(length · to / from) samples; the signal itself when the rates agree
 */
export function resample(signal: Float32Array, from: number, to: number): Float32Array {
  if (from === to) return signal;
  const shared = greatestCommonDivisor(from, to);
  // Output n lies at input n·step/phases.
  const step = from / shared;
  const phases = to / shared;
  const scale = Math.min(1, to / from);
  const side = Math.ceil(reach / scale);
  const out = new Float32Array(Math.ceil((signal.length * phases) / step));
  const isKept = phases * side * 2 <= mostKept;
  const kept: (Float64Array | undefined)[] = [];
  const scratch = new Float64Array(side * 2);
  for (let n = 0; n < out.length; n++) {
    const position = n * step;
    const whole = Math.floor(position / phases);
    const phase = position - whole * phases;
    let filter = kept[phase];
    if (filter === undefined) {
      filter = isKept ? new Float64Array(side * 2) : scratch;
      fillFilter(filter, phase / phases, scale);
      if (isKept) kept[phase] = filter;
    }
    // filter[j] belongs to input whole - side + 1 + j.
    out[n] = weightedSum(filter, signal, whole - side + 1);
  }
  return out;
}

/** Of the filter laid over the signal from `start`. Four sums, since each addition waits for the one before. */
function weightedSum(filter: Float64Array, signal: Float32Array, start: number): number {
  const end = Math.min(filter.length, signal.length - start);
  let [a, b, c, d] = [0, 0, 0, 0];
  let j = Math.max(0, -start);
  for (; j + 3 < end; j += 4) {
    a += (filter[j] ?? 0) * (signal[start + j] ?? 0);
    b += (filter[j + 1] ?? 0) * (signal[start + j + 1] ?? 0);
    c += (filter[j + 2] ?? 0) * (signal[start + j + 2] ?? 0);
    d += (filter[j + 3] ?? 0) * (signal[start + j + 3] ?? 0);
  }
  for (; j < end; j++) a += (filter[j] ?? 0) * (signal[start + j] ?? 0);
  return a + b + (c + d);
}

/** Coefficients for an output that lies `fraction` of an input sample after a whole one; they sum to 1. */
function fillFilter(filter: Float64Array, fraction: number, scale: number): void {
  const table = prototypeTable();
  const side = filter.length / 2;
  let sum = 0;
  for (let j = 0; j < filter.length; j++) {
    const distance = Math.abs(j - side + 1 - fraction) * scale * resolution;
    const index = Math.floor(distance);
    const low = table[index] ?? 0;
    const value = low + ((table[index + 1] ?? 0) - low) * (distance - index);
    filter[j] = value;
    sum += value;
  }
  for (let j = 0; j < filter.length; j++) filter[j] = (filter[j] ?? 0) / sum;
}

let table: Float64Array | undefined;

/** One side of the windowed sinc, made when first needed. */
function prototypeTable(): Float64Array {
  if (table !== undefined) return table;
  const made = new Float64Array(reach * resolution + 1);
  for (let i = 0; i < made.length; i++) {
    const t = i / resolution;
    const angle = Math.PI * cutoff * t;
    const sinc = i === 0 ? 1 : Math.sin(angle) / angle;
    made[i] = sinc * besselI0(kaiserBeta * Math.sqrt(1 - (t / reach) ** 2));
  }
  table = made;
  return made;
}

/** The modified Bessel function of order zero, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
