/**
 * Functions that JavaScript has not, to nearly the last bit.
 *
 * Owns: erf after W. J. Cody, "Rational Chebyshev approximations for the error function",
 * Math. Comp. 23 (1969), rounding half to even as IEEE 754 and ONNX's Round have it, and the nearest binary16.
 */
import { smallFloatBits } from "../onnx/raw-data.ts";

/** erf(x) = x R(x^2) for |x| <= 0.46875. */
const smallTop = [
  3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315,
];
const smallBottom = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
/** erfc(x) = exp(-x^2) R(x) up to 4. */
const middleTop = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
];
const middleBottom = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
/** erfc(x) = exp(-x^2) / x (1/sqrt(pi) + R(1/x^2) / x^2) beyond. */
const largeTop = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
];
const largeBottom = [
  2.568520192289822, 1.8729528499234604, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
];

/** Cody's form: the last coefficient of the top leads; the bottom is monic. */
function rational(top: readonly number[], bottom: readonly number[], t: number): number {
  const last = top.length - 1;
  let numerator = (top[last] ?? 0) * t;
  let denominator = t;
  for (let i = 0; i < last - 1; i++) {
    numerator = (numerator + (top[i] ?? 0)) * t;
    denominator = (denominator + (bottom[i] ?? 0)) * t;
  }
  return (numerator + (top[last - 1] ?? 0)) / (denominator + (bottom[last - 1] ?? 0));
}

/** exp(-x^2) with the square split, so that its rounding is not multiplied by x^2. */
function expMinusSquare(x: number): number {
  const head = Math.trunc(x * 16) / 16;
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
}

export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size <= 0.46875) return x * rational(smallTop, smallBottom, x * x);
  if (size > 6) return Math.sign(x);
  let rest: number;
  if (size <= 4) {
    rest = expMinusSquare(size) * rational(middleTop, middleBottom, size);
  } else {
    const inverse = 1 / (size * size);
    const tail = inverse * rational(largeTop, largeBottom, inverse);
    rest = (expMinusSquare(size) * (1 / Math.sqrt(Math.PI) - tail)) / size;
  }
  return Math.sign(x) * (0.5 - rest + 0.5);
}

export function roundToEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** Exclusive or of two integers of up to 53 bits, in two's complement. */
export function xor(a: number, b: number): number {
  if ((a | 0) === a && (b | 0) === b) return a ^ b;
  return Number(BigInt.asIntN(64, BigInt(a) ^ BigInt(b)));
}

/** The number that the 16 bits of the nearest binary16 stand for; an infinity past its largest. */
export function toHalf(value: number): number {
  if (!Number.isFinite(value)) return value;
  const bits = smallFloatBits(value, 10, 15);
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
