/**
 * Half-precision numbers: IEEE binary16 (`f16`) and bfloat16 (`bf16`).
 *
 * Owns: both directions, one number or many. Widening is exact. Narrowing rounds once, to nearest
 * with ties to even, straight from the double it is given: going through f32 first would round twice
 * and can land on the wrong neighbour.
 */

/** The bits of a binary format with an implicit leading one. */
interface Layout {
  readonly fractionBits: number;
  /** Exponent of the smallest normal number. */
  readonly smallestExponent: number;
  readonly largestExponent: number;
}

const binary16: Layout = { fractionBits: 10, smallestExponent: -14, largestExponent: 15 };
const bfloat16: Layout = { fractionBits: 7, smallestExponent: -126, largestExponent: 127 };

const scratch = new DataView(new ArrayBuffer(8));

/** Adding and subtracting 2^52 leaves the nearest integer, ties to even, for 0 <= x < 2^51. */
const roundingConstant = 2 ** 52;

function narrow(value: number, layout: Layout): number {
  scratch.setFloat64(0, value);
  const high = scratch.getUint32(0);
  const sign = high >>> 31 ? 0x8000 : 0;
  const infinity = (layout.largestExponent - layout.smallestExponent + 2) << layout.fractionBits;
  if (Number.isNaN(value)) return sign | infinity | (1 << (layout.fractionBits - 1));
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, layout.smallestExponent);
  if (exponent > layout.largestExponent) return sign | infinity;
  // In units of the last place. A scale by a power of two is exact: no double that rounds to
  // anything but zero here is small enough to lose bits on the way.
  const units = Math.abs(value) * 2 ** (layout.fractionBits - exponent);
  const rounded = units + roundingConstant - roundingConstant;
  // The leading one of a normal number adds itself to the exponent field, as does a carry out of the
  // fraction, up to infinity; a subnormal has neither.
  return sign | (((exponent - layout.smallestExponent) << layout.fractionBits) + rounded);
}

/** The 16 bits of the nearest binary16 number. */
export function toF16Bits(value: number): number {
  return narrow(value, binary16);
}

/** The 16 bits of the nearest bfloat16 number. */
export function toBf16Bits(value: number): number {
  return narrow(value, bfloat16);
}

export function fromF16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

export function fromBf16Bits(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** Every binary16 number, made when first needed: a look-up widens ten times faster than arithmetic. */
let f16Table: Float32Array | undefined;

export function widenF16(bits: Uint16Array): Float32Array {
  f16Table ??= Float32Array.from({ length: 65536 }, (_, index) => fromF16Bits(index));
  const table = f16Table;
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] ?? 0] ?? 0;
  return out;
}

export function widenBf16(bits: Uint16Array): Float32Array {
  const out = new Float32Array(bits.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] ?? 0) << 16;
  return out;
}

export function narrowF16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = narrow(values[i] ?? 0, binary16);
  return out;
}

export function narrowBf16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = narrow(values[i] ?? 0, bfloat16);
  return out;
}
