/**
 * What is known about a dimension's value before its symbols have one.
 *
 * Owns: sound bounds by interval arithmetic. Three views are taken and the best bound of each wins:
 * the terms as they are, the terms with every symbol counted from its minimum (N^2 - N is at least 0
 * for N >= 1), and the terms with one floor, min, max or scaled part replaced by what it lies near
 * (N - ceil(0.7*N) is at least 0). Nothing here feeds the canonical form.
 */
import { mapAtoms, roundProduct } from "./atoms.ts";
import { floorQuotient } from "./division.ts";
import {
  type Atom,
  add,
  constant,
  fromAtom,
  Polynomial,
  type Rounding,
  scale,
  subtract,
} from "./polynomial.ts";

/** Both ends included; undefined means unbounded. */
export interface DimRange {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

type Minimums = ReadonlyMap<string, number>;

const unbounded: DimRange = { min: undefined, max: undefined };

/** Relaxing more than this many parts at once seldom proves more, and the work is exponential in it. */
const relaxationDepth = 2;
const relaxationBudget = 200;
const maximumRelaxedTerms = 200;

export function rangeOf(polynomial: Polynomial, minimums: Minimums): DimRange {
  return new RangeFinder(minimums).range(polynomial);
}

class RangeFinder {
  readonly #minimums: Minimums;
  readonly #atoms = new Map<string, DimRange>();
  #budget = relaxationBudget;

  constructor(minimums: Minimums) {
    this.#minimums = minimums;
  }

  range(polynomial: Polynomial): DimRange {
    return this.#relaxed(polynomial, relaxationDepth);
  }

  #relaxed(polynomial: Polynomial, depth: number): DimRange {
    let known = this.#direct(polynomial);
    if (depth === 0 || polynomial.terms.length > maximumRelaxedTerms) return known;
    for (const { coefficient, monomial } of polynomial.terms) {
      const atom = monomial.factors[0]?.atom;
      if (monomial.degree !== 1 || atom === undefined || atom.kind === "symbol") continue;
      for (const { by, over, rest } of this.#relaxations(atom)) {
        if (this.#budget <= 0) return known;
        this.#budget -= 1;
        // over * atom = by - r with r in `rest`, so over * polynomial = others + coefficient * (by - r).
        const others = subtract(polynomial, new Polynomial([{ coefficient, monomial }]));
        const replaced = add(scale(others, over), scale(by, coefficient));
        const bounds = addRanges(this.#relaxed(replaced, depth - 1), scaleRange(rest, -coefficient));
        known = intersect(known, {
          min: bounds.min === undefined ? undefined : -floorQuotient(-bounds.min, over),
          max: bounds.max === undefined ? undefined : floorQuotient(bounds.max, over),
        });
      }
    }
    return known;
  }

  /** What an atom lies near: over * atom = by - r, with r in `rest`. */
  #relaxations(atom: Atom): { readonly by: Polynomial; readonly over: bigint; readonly rest: DimRange }[] {
    switch (atom.kind) {
      case "symbol":
        return [];
      case "floor": {
        const divisor = atom.divisor.value;
        if (divisor === undefined) return [];
        return [{ by: atom.numerator, over: divisor, rest: { min: 0n, max: divisor - 1n } }];
      }
      case "min":
        return atom.items.map((by) => ({ by, over: 1n, rest: { min: 0n, max: undefined } }));
      case "max":
        return atom.items.map((by) => ({ by, over: 1n, rest: { min: undefined, max: 0n } }));
      case "scaled": {
        // For x >= 0: 0 <= f <= 1 gives 0 <= mode(f*x) <= x, and f >= 1 gives mode(f*x) >= x.
        const argument = this.range(atom.argument);
        if (typeof atom.factor === "string" || argument.min === undefined || argument.min < 0n) return [];
        if (atom.factor < 0) return [];
        const rest = atom.factor <= 1 ? { min: 0n, max: argument.max } : { min: undefined, max: 0n };
        return [{ by: atom.argument, over: 1n, rest }];
      }
    }
  }

  #direct(polynomial: Polynomial): DimRange {
    const plain = this.#sum(polynomial, (atom) => this.#atom(atom));
    if (plain.min !== undefined && plain.max !== undefined) return plain;
    const size = polynomial.terms.length;
    const degree = polynomial.terms[0]?.monomial.degree ?? 0;
    if (size > 60 || degree < 2 || degree > 6) return plain;
    const lows = new Map<string, bigint>();
    const shifted = mapAtoms(polynomial, (atom) => {
      const low = this.#atom(atom).min ?? 0n;
      lows.set(atom.key, low);
      return add(fromAtom(atom), constant(low));
    });
    const fromLow = this.#sum(shifted, (atom) => {
      const { min, max } = this.#atom(atom);
      const low = lows.get(atom.key) ?? 0n;
      return {
        min: min === undefined ? undefined : min - low,
        max: max === undefined ? undefined : max - low,
      };
    });
    return intersect(plain, fromLow);
  }

  #sum(polynomial: Polynomial, rangeOfAtom: (atom: Atom) => DimRange): DimRange {
    let total: DimRange = { min: 0n, max: 0n };
    for (const { coefficient, monomial } of polynomial.terms) {
      let product: DimRange = { min: coefficient, max: coefficient };
      for (const { atom, power } of monomial.factors) {
        product = multiplyRanges(product, powerOfRange(rangeOfAtom(atom), power));
      }
      total = addRanges(total, product);
    }
    return total;
  }

  #atom(atom: Atom): DimRange {
    const known = this.#atoms.get(atom.key);
    if (known !== undefined) return known;
    const found = this.#computeAtom(atom);
    this.#atoms.set(atom.key, found);
    return found;
  }

  #computeAtom(atom: Atom): DimRange {
    switch (atom.kind) {
      case "symbol":
        return this.#symbol(atom.name);
      case "floor":
        return floorRange(this.range(atom.numerator), this.range(atom.divisor));
      case "min":
      case "max": {
        const items = atom.items.map((item) => this.range(item));
        const [first, ...others] = atom.kind === "min" ? items : items.map(mirror);
        const least = others.reduce(minimumRange, first ?? unbounded);
        return atom.kind === "min" ? least : mirror(least);
      }
      case "scaled": {
        const argument = this.range(atom.argument);
        if (typeof atom.factor === "string") return this.#named(atom.mode, atom.factor, argument);
        const low = roundBound(atom.mode, atom.factor, argument.min);
        const high = roundBound(atom.mode, atom.factor, argument.max);
        return atom.factor >= 0 ? { min: low, max: high } : { min: high, max: low };
      }
    }
  }

  #symbol(name: string): DimRange {
    const least = this.#minimums.get(name) ?? 1;
    return { min: Number.isFinite(least) ? BigInt(Math.ceil(least)) : undefined, max: undefined };
  }

  /** A named factor is a ratio: at least 0 unless a minimum says otherwise, with no upper bound. */
  #named(mode: Rounding, name: string, argument: DimRange): DimRange {
    const least = this.#minimums.get(name) ?? 0;
    if (least < 0) return unbounded;
    const min =
      argument.min !== undefined && argument.min >= 0n ? roundBound(mode, least, argument.min) : undefined;
    const max =
      argument.max !== undefined && argument.max <= 0n ? roundBound(mode, least, argument.max) : undefined;
    return { min, max };
  }
}

function roundBound(mode: Rounding, factor: number, bound: bigint | undefined): bigint | undefined {
  if (bound === undefined) return undefined;
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  if (bound > limit || bound < -limit) return undefined;
  if (Math.abs(Number(bound) * factor) > Number.MAX_SAFE_INTEGER) return undefined;
  return roundProduct(mode, factor, bound);
}

/** Says nothing unless the divisor is known to be positive. */
function floorRange(numerator: DimRange, divisor: DimRange): DimRange {
  const low = divisor.min;
  if (low === undefined || low < 1n) return unbounded;
  const high = divisor.max;
  const { min, max } = numerator;
  const far = (bound: bigint): bigint =>
    high === undefined ? (bound < 0n ? -1n : 0n) : floorQuotient(bound, high);
  return {
    min: min === undefined ? undefined : min < 0n ? floorQuotient(min, low) : far(min),
    max: max === undefined ? undefined : max < 0n ? far(max) : floorQuotient(max, low),
  };
}

function addRanges(a: DimRange, b: DimRange): DimRange {
  return {
    min: a.min === undefined || b.min === undefined ? undefined : a.min + b.min,
    max: a.max === undefined || b.max === undefined ? undefined : a.max + b.max,
  };
}

function mirror(a: DimRange): DimRange {
  return {
    min: a.max === undefined ? undefined : -a.max,
    max: a.min === undefined ? undefined : -a.min,
  };
}

function scaleRange(a: DimRange, factor: bigint): DimRange {
  return multiplyRanges(a, { min: factor, max: factor });
}

function multiplyRanges(a: DimRange, b: DimRange): DimRange {
  // With signs known, each end of the product is the product of two ends; 0 times unbounded is 0.
  const ends: { readonly value: bigint | undefined; readonly sign: number }[] = [];
  for (const x of [end(a.min, -1), end(a.max, 1)]) {
    for (const y of [end(b.min, -1), end(b.max, 1)]) {
      const sign = x.sign * y.sign;
      const finite = x.value !== undefined && y.value !== undefined ? x.value * y.value : undefined;
      ends.push({ value: sign === 0 ? 0n : finite, sign });
    }
  }
  let min: bigint | undefined;
  let max: bigint | undefined;
  let noMin = false;
  let noMax = false;
  for (const { value, sign } of ends) {
    if (value === undefined) {
      if (sign < 0) noMin = true;
      else noMax = true;
    } else {
      min = min === undefined ? value : lesser(min, value);
      max = max === undefined ? value : greater(max, value);
    }
  }
  return { min: noMin ? undefined : min, max: noMax ? undefined : max };
}

function end(value: bigint | undefined, infiniteSign: number): { value: bigint | undefined; sign: number } {
  if (value === undefined) return { value, sign: infiniteSign };
  return { value, sign: value === 0n ? 0 : value < 0n ? -1 : 1 };
}

function powerOfRange(a: DimRange, power: number): DimRange {
  if (power === 1) return a;
  const exponent = BigInt(power);
  const raise = (x: bigint | undefined): bigint | undefined => (x === undefined ? undefined : x ** exponent);
  if (power % 2 === 1 || (a.min !== undefined && a.min >= 0n))
    return { min: raise(a.min), max: raise(a.max) };
  if (a.max !== undefined && a.max <= 0n) return { min: raise(a.max), max: raise(a.min) };
  const low = raise(a.min);
  const high = raise(a.max);
  return { min: 0n, max: low === undefined || high === undefined ? undefined : greater(low, high) };
}

function minimumRange(a: DimRange, b: DimRange): DimRange {
  return {
    min: a.min === undefined || b.min === undefined ? undefined : lesser(a.min, b.min),
    max: a.max === undefined ? b.max : b.max === undefined ? a.max : lesser(a.max, b.max),
  };
}

function intersect(a: DimRange, b: DimRange): DimRange {
  return {
    min: a.min === undefined ? b.min : b.min === undefined ? a.min : greater(a.min, b.min),
    max: a.max === undefined ? b.max : b.max === undefined ? a.max : lesser(a.max, b.max),
  };
}

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function greater(a: bigint, b: bigint): bigint {
  if (a < b) return b;
  return a;
}
