/**
 * Symbolic dimensions: exact integer expressions over named symbols.
 *
 * Owns: the `Dim` value that types, costs and plans hold. A Dim is immutable and canonical when
 * built, so equality is a comparison of keys: sound for all integer bindings, complete for
 * polynomials, and good at floors (dims/division.ts says which meet). The algebra behind it is in dims/;
 * plain numbers, by far the most frequent, never reach it.
 */
import { collectSymbols, evaluate, extreme, scaled, substitute, symbol } from "./dims/atoms.ts";
import { ceilDivide, divideExactly, floorDivide } from "./dims/division.ts";
import { type DimAlgebra, fold } from "./dims/fold.ts";
import { notationFor } from "./dims/formula.ts";
import { parse } from "./dims/parse.ts";
import {
  add,
  constant,
  DimError,
  multiply,
  negate,
  type Polynomial,
  type RealFactor,
  type Rounding,
  subtract,
  sum,
} from "./dims/polynomial.ts";
import { print } from "./dims/print.ts";
import { type DimRange, rangeOf } from "./dims/range.ts";

export type { DimAlgebra } from "./dims/fold.ts";
export { shortNumber } from "./dims/formula.ts";
export { DimError, type DimErrorKind, type RealFactor, type Rounding } from "./dims/polynomial.ts";
export type { DimRange } from "./dims/range.ts";

const noMinimums: ReadonlyMap<string, number> = new Map();
const noFactors: ReadonlyMap<string, RealFactor> = new Map();
const noSymbols: ReadonlySet<string> = new Set();

export class Dim {
  /** The value when it is a number within the safe integers. */
  readonly constant: number | undefined;
  #polynomial: Polynomial | undefined;
  #symbols: ReadonlySet<string> | undefined;
  #text: string | undefined;

  private constructor(value: number | undefined, polynomial: Polynomial | undefined) {
    this.constant = value;
    this.#polynomial = polynomial;
  }

  /** Any integer; a number must be whole. */
  static of(value: number | bigint): Dim {
    if (typeof value === "bigint") return Dim.#from(constant(value));
    if (Number.isSafeInteger(value)) return Dim.#number(value);
    if (!Number.isInteger(value)) throw new RangeError(`A dimension is a whole number, not ${value}.`);
    return Dim.#from(constant(BigInt(value)));
  }

  /** A named integer. Names are letters, digits, `_`, `.`, `$` and `#`, not starting with a digit or a dot. */
  static symbol(name: string): Dim {
    return Dim.#from(symbol(name));
  }

  static min(first: Dim | number, ...others: readonly (Dim | number)[]): Dim {
    return Dim.#extreme("min", [first, ...others]);
  }

  static max(first: Dim | number, ...others: readonly (Dim | number)[]): Dim {
    return Dim.#extreme("max", [first, ...others]);
  }

  /**
   * `mode(factor * dim)` with the IEEE double product, as Python computes `ceil(0.7 * n)`; `round`
   * goes to even. A string names a real symbol, bound by `evaluate` or `substitute`.
   */
  static scaled(mode: Rounding, factor: RealFactor, dim: Dim | number): Dim {
    return Dim.#from(scaled(mode, factor, toPolynomial(dim)));
  }

  /** Whether a <= b whenever every symbol is at least its minimum (1 where none is given). */
  static provablyAtMost(a: Dim | number, b: Dim | number, minimums = noMinimums): boolean {
    const [low, high] = [typeof a === "number" ? a : a.constant, typeof b === "number" ? b : b.constant];
    if (low !== undefined && high !== undefined) return low <= high;
    const difference = toDim(b).sub(a);
    if (minimums !== noMinimums) return isNeverNegative(difference, minimums);
    // A stack of equal layers asks the same of every layer.
    const { key } = difference;
    const known = neverNegative.get(key);
    if (known !== undefined) return known;
    const found = isNeverNegative(difference, minimums);
    if (neverNegative.size >= mostRemembered) neverNegative.clear();
    neverNegative.set(key, found);
    return found;
  }

  /** The same as `a.equals(b)`. */
  static provablyEqual(a: Dim | number, b: Dim | number): boolean {
    return toDim(a).equals(b);
  }

  /** Equal for equal dimensions. */
  get key(): string {
    return this.constant === undefined ? this.polynomial.key : String(this.constant);
  }

  /** Internal to dims.ts: sums and products of many build polynomials directly. */
  static fromPolynomial(polynomial: Polynomial): Dim {
    return Dim.#from(polynomial);
  }

  /** The canonical form; only the modules under dims/ know what it looks like. */
  get polynomial(): Polynomial {
    this.#polynomial ??= constant(BigInt(this.constant ?? 0));
    return this.#polynomial;
  }

  add(other: Dim | number): Dim {
    const a = this.constant;
    const b = typeof other === "number" ? other : other.constant;
    if (a === 0) return toDim(other);
    if (b === 0) return this;
    if (a !== undefined && b !== undefined && Number.isSafeInteger(a + b)) return Dim.of(a + b);
    return Dim.#from(add(this.polynomial, toPolynomial(other)));
  }

  sub(other: Dim | number): Dim {
    const a = this.constant;
    const b = typeof other === "number" ? other : other.constant;
    if (b === 0) return this;
    if (a !== undefined && b !== undefined && Number.isSafeInteger(a - b)) return Dim.of(a - b);
    return Dim.#from(subtract(this.polynomial, toPolynomial(other)));
  }

  mul(other: Dim | number): Dim {
    const a = this.constant;
    const b = typeof other === "number" ? other : other.constant;
    if (a === 1) return toDim(other);
    if (b === 1) return this;
    if (a !== undefined && b !== undefined && Number.isSafeInteger(a * b)) return Dim.of(a * b);
    return Dim.#from(multiply(this.polynomial, toPolynomial(other)));
  }

  negate(): Dim {
    return this.constant === undefined ? Dim.#from(negate(this.polynomial)) : Dim.of(-this.constant);
  }

  /** floor(this / divisor). Throws DimError when the divisor is 0. */
  floorDivide(divisor: Dim | number): Dim {
    const a = this.constant;
    const b = typeof divisor === "number" ? divisor : divisor.constant;
    if (b === 1) return this;
    if (a !== undefined && b !== undefined && b > 0) {
      // Exact, where a / b might round up to the next whole number.
      const multiple = a - positiveRemainder(a, b);
      if (Number.isSafeInteger(multiple)) return Dim.of(multiple / b);
    }
    return Dim.#from(floorDivide(this.polynomial, toPolynomial(divisor)));
  }

  /** ceil(this / divisor). Throws DimError when the divisor is 0. */
  ceilDivide(divisor: Dim | number): Dim {
    const b = typeof divisor === "number" ? divisor : divisor.constant;
    if (b === 1) return this;
    if (this.constant !== undefined && b !== undefined) return this.negate().floorDivide(b).negate();
    return Dim.#from(ceilDivide(this.polynomial, toPolynomial(divisor)));
  }

  /** this - divisor * floor(this / divisor): from 0 up to the divisor for a positive one. */
  modulo(divisor: Dim | number): Dim {
    return this.sub(this.floorDivide(divisor).mul(divisor));
  }

  /** The quotient, or undefined when the divisor is 0 or does not provably divide. */
  divideExactly(divisor: Dim | number): Dim | undefined {
    const b = typeof divisor === "number" ? divisor : divisor.constant;
    if (b === 1) return this;
    if (this.constant !== undefined && b !== undefined) {
      return b === 0 || this.constant % b !== 0 ? undefined : Dim.of(this.constant / b);
    }
    const quotient = divideExactly(this.polynomial, toPolynomial(divisor));
    return quotient === undefined ? undefined : Dim.#from(quotient);
  }

  /** Sound: equal for all integer bindings. Complete for polynomials. */
  equals(other: Dim | number): boolean {
    if (this === other) return true;
    const b = typeof other === "number" ? other : other.constant;
    if (this.constant !== undefined || b !== undefined) return this.constant === b;
    return this.polynomial.key === toPolynomial(other).key;
  }

  /** The names of its symbols, real factors included. */
  symbols(): ReadonlySet<string> {
    if (this.constant !== undefined) return noSymbols;
    if (this.#symbols === undefined) {
      const names = new Set<string>();
      collectSymbols(this.polynomial, names);
      this.#symbols = names;
    }
    return this.#symbols;
  }

  /**
   * The value under `bindings`, which give whole numbers to symbols and real ones to named factors.
   * Throws DimError for an unbound symbol, a division by zero, or a value beyond the safe integers.
   */
  evaluate(bindings: ReadonlyMap<string, number>): number {
    if (this.constant !== undefined) return this.constant;
    const value = Number(evaluate(this.polynomial, bindings));
    if (!Number.isSafeInteger(value)) {
      throw new DimError("too-large", `The value ${value} of a dimension is beyond the safe integers.`);
    }
    return value;
  }

  /** Replaces symbols by dimensions, and named real factors by numbers or other names. */
  substitute(dims: ReadonlyMap<string, Dim>, factors = noFactors): Dim {
    const names = this.symbols();
    let touched = false;
    const replacements = new Map<string, Polynomial>();
    for (const name of names) {
      const dim = dims.get(name);
      if (dim !== undefined) replacements.set(name, dim.polynomial);
      touched ||= dim !== undefined || factors.has(name);
    }
    return touched ? Dim.#from(substitute(this.polynomial, replacements, factors)) : this;
  }

  /**
   * Bounds on the value, each undefined when none is known. A symbol is at least its minimum, 1 where
   * none is given; a named real factor at least 0.
   */
  range(minimums = noMinimums): DimRange {
    if (this.constant !== undefined) {
      const value = BigInt(this.constant);
      return { min: value, max: value };
    }
    return rangeOf(this.polynomial, minimums);
  }

  /** Computes the dimension in another algebra, such as the nodes of a graph. */
  fold<T>(algebra: DimAlgebra<T>): T {
    return fold(this.polynomial, algebra);
  }

  /** As a reader would write it: `floor((T - 240)/160)`, `12*N + 3`, `ceil(0.7*N)`. `parseDim` reads it back. */
  toString(): string {
    this.#text ??= this.constant === undefined ? print(this.polynomial) : String(this.constant);
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }

  static readonly #small: Dim[] = [];

  static #number(value: number): Dim {
    // Adding 0 turns -0 into 0.
    if (value < 0 || value > 8192) return new Dim(value + 0, undefined);
    const known = Dim.#small[value];
    if (known !== undefined) return known;
    const made = new Dim(value + 0, undefined);
    Dim.#small[value] = made;
    return made;
  }

  static #from(polynomial: Polynomial): Dim {
    const value = polynomial.value;
    if (value === undefined) return new Dim(undefined, polynomial);
    const number = Number(value);
    return Number.isSafeInteger(number) ? Dim.#number(number) : new Dim(undefined, polynomial);
  }

  static #extreme(kind: "min" | "max", items: readonly (Dim | number)[]): Dim {
    return Dim.#from(extreme(kind, items.map(toPolynomial)));
  }
}

/** Answers that were worked out before, by the key of the dimension; each is small. */
const neverNegative = new Map<string, boolean>();
const mostRemembered = 20_000;

function isNeverNegative(dim: Dim, minimums: ReadonlyMap<string, number>): boolean {
  const least = dim.range(minimums).min;
  return least !== undefined && least >= 0n;
}

function toDim(value: Dim | number): Dim {
  return typeof value === "number" ? Dim.of(value) : value;
}

function toPolynomial(value: Dim | number): Polynomial {
  return toDim(value).polynomial;
}

function positiveRemainder(a: number, b: number): number {
  const remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}

/** The dimension that `text` spells in the notation of `Dim.toString`, or undefined. Never throws. */
export function parseDim(text: string): Dim | undefined {
  const polynomial = parse(text);
  return polynomial === undefined ? undefined : Dim.fromPolynomial(polynomial);
}

/** How a report writes dimensions: shortened, factored, with names for parts that come again. Rounds. */
export interface DimNotation {
  /** `repeat`: how often a part is known to be repeated, such as the layers of a stack. */
  write(dim: Dim, repeat?: number): string;
  /** What the names stand for, each defined by those before it. */
  readonly where: readonly { readonly name: string; readonly text: string }[];
}

/** One notation for all that a report shows; `toString` is exact. */
export function notationOf(dims: readonly Dim[]): DimNotation {
  const notation = notationFor(dims.map((dim) => dim.polynomial));
  return { where: notation.where, write: (dim, repeat) => notation.write(dim.polynomial, repeat) };
}

/** The sum of many dimensions, 0 for none. Faster than adding one at a time. */
export function sumDims(dims: readonly Dim[]): Dim {
  let total = 0;
  const symbolic: Polynomial[] = [];
  for (const dim of dims) {
    const next = dim.constant === undefined ? Number.NaN : total + dim.constant;
    if (Number.isSafeInteger(next)) total = next;
    else symbolic.push(dim.polynomial);
  }
  if (symbolic.length === 0) return Dim.of(total);
  return Dim.fromPolynomial(sum([...symbolic, constant(BigInt(total))]));
}

/** The product of many dimensions, 1 for none. */
export function productDims(dims: readonly Dim[]): Dim {
  return dims.reduce((product, dim) => product.mul(dim), Dim.of(1));
}
