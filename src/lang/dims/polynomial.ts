/**
 * The canonical form behind a dimension: a polynomial with bigint coefficients over atoms.
 *
 * Owns: atoms, monomials, their order, sums and products, and the limits that keep every operation
 * finite. Terms are kept in descending graded lexicographic order with no zero coefficient, so two
 * polynomials are identical exactly when their keys are. That order is multiplicative, which is what
 * lets division.ts divide by leading terms. What an atom may hold is decided in atoms.ts and division.ts.
 */

/** Why an expression has no value, or can't be built. */
export type DimErrorKind = "unbound" | "division-by-zero" | "too-large";

/** A dimension that can't be evaluated or built; whoever knows the source text turns it into a diagnostic. */
export class DimError extends Error {
  readonly kind: DimErrorKind;
  readonly symbol: string | undefined;

  constructor(kind: DimErrorKind, message: string, symbol?: string) {
    super(message);
    this.name = "DimError";
    this.kind = kind;
    this.symbol = symbol;
  }
}

export type Rounding = "ceil" | "floor" | "round";

/** A real factor: a number, or the name of a real symbol such as a keep ratio. */
export type RealFactor = number | string;

/** An integer-valued thing that a polynomial treats as indivisible. Equal keys mean equal atoms. */
export type Atom =
  | { readonly kind: "symbol"; readonly key: string; readonly name: string }
  | {
      readonly kind: "floor";
      readonly key: string;
      readonly numerator: Polynomial;
      readonly divisor: Polynomial;
    }
  | { readonly kind: "min" | "max"; readonly key: string; readonly items: readonly Polynomial[] }
  | {
      readonly kind: "scaled";
      readonly key: string;
      readonly mode: Rounding;
      readonly factor: RealFactor;
      readonly argument: Polynomial;
    };

export interface Factor {
  readonly atom: Atom;
  readonly power: number;
}

/** A product of powers of distinct atoms, in the order of the atoms' keys. */
export interface Monomial {
  readonly key: string;
  readonly degree: number;
  readonly factors: readonly Factor[];
}

export interface Term {
  readonly coefficient: bigint;
  readonly monomial: Monomial;
}

const maximumTerms = 4_000;
const maximumProducts = 100_000;
const maximumDegree = 1_000;
const maximumKeyLength = 100_000;
const maximumCoefficient = 1n << 4096n;
/** Deeper nesting is refused, so that recursive walks stay shallow and parse.ts can read all that is printed. */
const maximumDepth = 60;

export class Polynomial {
  readonly terms: readonly Term[];
  #key: string | undefined;
  #depth: number | undefined;

  constructor(terms: readonly Term[]) {
    this.terms = terms;
  }

  get key(): string {
    this.#key ??= this.terms.map((term) => `${term.coefficient}*${term.monomial.key}`).join("+");
    return this.#key;
  }

  /** How deep atoms nest: 0 for a number, 1 for a symbol. */
  get depth(): number {
    if (this.#depth === undefined) {
      let depth = 0;
      for (const term of this.terms) {
        for (const { atom } of term.monomial.factors) depth = Math.max(depth, atomDepth(atom));
      }
      this.#depth = depth;
    }
    return this.#depth;
  }

  /** The value, when no atom occurs. */
  get value(): bigint | undefined {
    const first = this.terms[0];
    if (first === undefined) return 0n;
    return first.monomial.degree === 0 ? first.coefficient : undefined;
  }

  /** The coefficient of 1. It sorts last, as the only term of degree 0. */
  get constantTerm(): bigint {
    const last = this.terms.at(-1);
    return last !== undefined && last.monomial.degree === 0 ? last.coefficient : 0n;
  }
}

function atomDepth(atom: Atom): number {
  switch (atom.kind) {
    case "symbol":
      return 1;
    case "floor":
      return 1 + Math.max(atom.numerator.depth, atom.divisor.depth);
    case "min":
    case "max":
      return 1 + Math.max(...atom.items.map((item) => item.depth));
    case "scaled":
      return 1 + atom.argument.depth;
  }
}

export const unit: Monomial = { key: "", degree: 0, factors: [] };
export const zero = new Polynomial([]);
export const one = new Polynomial([{ coefficient: 1n, monomial: unit }]);

export function constant(value: bigint): Polynomial {
  return value === 0n ? zero : new Polynomial([{ coefficient: bounded(value), monomial: unit }]);
}

/** The polynomial that is one atom. Refuses atoms that nest too deep or take too long to tell apart. */
export function fromAtom(atom: Atom): Polynomial {
  if (atom.key.length > maximumKeyLength || atomDepth(atom) > maximumDepth) {
    throw new DimError("too-large", "The dimension expression nests too deep to be handled.");
  }
  return new Polynomial([{ coefficient: 1n, monomial: monomial([{ atom, power: 1 }]) }]);
}

export function monomial(factors: readonly Factor[]): Monomial {
  if (factors.length === 0) return unit;
  let degree = 0;
  for (const factor of factors) degree += factor.power;
  if (degree > maximumDegree) {
    throw new DimError(
      "too-large",
      `The dimension expression has degree ${degree}; ${maximumDegree} is the most.`,
    );
  }
  const key = factors.map(({ atom, power }) => (power === 1 ? atom.key : `${atom.key}^${power}`)).join("*");
  if (key.length > maximumKeyLength) throw new DimError("too-large", "The dimension expression is too long.");
  return { key, degree, factors };
}

/** Graded lexicographic: higher degree first, then the earlier atom, then its higher power. Negative when `a` leads. */
export function compareMonomials(a: Monomial, b: Monomial): number {
  if (a === b || a.key === b.key) return 0;
  if (a.degree !== b.degree) return b.degree - a.degree;
  for (let i = 0; ; i += 1) {
    const left = a.factors[i];
    const right = b.factors[i];
    if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1;
    if (left.atom.key !== right.atom.key) return left.atom.key < right.atom.key ? -1 : 1;
    if (left.power !== right.power) return right.power - left.power;
  }
}

export function add(a: Polynomial, b: Polynomial): Polynomial {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  const terms: Term[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a.terms[i];
    const right = b.terms[j];
    if (left === undefined && right === undefined) break;
    const order =
      left === undefined ? 1 : right === undefined ? -1 : compareMonomials(left.monomial, right.monomial);
    if (left !== undefined && order < 0) {
      terms.push(left);
      i += 1;
    } else if (right !== undefined && order > 0) {
      terms.push(right);
      j += 1;
    } else if (left !== undefined && right !== undefined) {
      const coefficient = bounded(left.coefficient + right.coefficient);
      if (coefficient !== 0n) terms.push({ coefficient, monomial: left.monomial });
      i += 1;
      j += 1;
    }
  }
  return checked(terms);
}

export function scale(a: Polynomial, factor: bigint): Polynomial {
  if (factor === 0n) return zero;
  if (factor === 1n) return a;
  return new Polynomial(
    a.terms.map(({ coefficient, monomial }) => ({ coefficient: bounded(coefficient * factor), monomial })),
  );
}

export function negate(a: Polynomial): Polynomial {
  return scale(a, -1n);
}

export function subtract(a: Polynomial, b: Polynomial): Polynomial {
  return add(a, negate(b));
}

export function multiplyMonomials(a: Monomial, b: Monomial): Monomial {
  if (a.degree === 0) return b;
  if (b.degree === 0) return a;
  const factors: Factor[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a.factors[i];
    const right = b.factors[j];
    if (left === undefined && right === undefined) break;
    if (left !== undefined && (right === undefined || left.atom.key < right.atom.key)) {
      factors.push(left);
      i += 1;
    } else if (right !== undefined && (left === undefined || left.atom.key > right.atom.key)) {
      factors.push(right);
      j += 1;
    } else if (left !== undefined && right !== undefined) {
      factors.push({ atom: left.atom, power: left.power + right.power });
      i += 1;
      j += 1;
    }
  }
  return monomial(factors);
}

export function multiplyTerm(a: Polynomial, term: Term): Polynomial {
  if (term.monomial.degree === 0) return scale(a, term.coefficient);
  // The order is multiplicative, so the products are already sorted.
  return new Polynomial(
    a.terms.map((own) => ({
      coefficient: bounded(own.coefficient * term.coefficient),
      monomial: multiplyMonomials(own.monomial, term.monomial),
    })),
  );
}

export function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const [left, right] = a.terms.length < b.terms.length ? [a, b] : [b, a];
  const first = left.terms[0];
  if (first === undefined) return zero;
  if (left.terms.length === 1) return multiplyTerm(right, first);
  if (left.terms.length * right.terms.length > maximumProducts) throw tooManyTerms();
  const collected = new TermCollector();
  for (const x of left.terms) {
    for (const y of right.terms) {
      collected.add(x.coefficient * y.coefficient, multiplyMonomials(x.monomial, y.monomial));
    }
  }
  return collected.polynomial();
}

export function power(base: Polynomial, exponent: number): Polynomial {
  const only = base.terms[0];
  if (only !== undefined && base.terms.length === 1) {
    if (exponent > maximumDegree && only.coefficient !== 1n && only.coefficient !== -1n) throw tooManyTerms();
    const coefficient = bounded(only.coefficient ** BigInt(exponent));
    const factors = only.monomial.factors.map((f) => ({ atom: f.atom, power: f.power * exponent }));
    return exponent === 0 ? one : new Polynomial([{ coefficient, monomial: monomial(factors) }]);
  }
  if (exponent > maximumDegree && base.terms.length > 0) throw tooManyTerms();
  let result = one;
  if (base.terms.length === 0) return exponent === 0 ? one : zero;
  for (let i = 0; i < exponent; i += 1) result = multiply(result, base);
  return result;
}

/** The sum of many, in one pass: adding them one at a time would copy the partial sum each time. */
export function sum(all: readonly Polynomial[]): Polynomial {
  // The layers of a stack bring the same polynomials again and again.
  const times = new Map<Polynomial, bigint>();
  for (const polynomial of all) times.set(polynomial, (times.get(polynomial) ?? 0n) + 1n);
  const collected = new TermCollector();
  for (const [polynomial, count] of times) {
    for (const term of polynomial.terms) collected.add(count * term.coefficient, term.monomial);
  }
  return collected.polynomial();
}

class TermCollector {
  readonly #terms = new Map<string, { coefficient: bigint; readonly monomial: Monomial }>();

  add(coefficient: bigint, monomial: Monomial): void {
    const found = this.#terms.get(monomial.key);
    if (found === undefined) {
      this.#terms.set(monomial.key, { coefficient: bounded(coefficient), monomial });
      if (this.#terms.size > maximumTerms) throw tooManyTerms();
    } else {
      found.coefficient = bounded(found.coefficient + coefficient);
    }
  }

  polynomial(): Polynomial {
    const terms = [...this.#terms.values()].filter((term) => term.coefficient !== 0n);
    return new Polynomial(terms.sort((a, b) => compareMonomials(a.monomial, b.monomial)));
  }
}

function checked(terms: readonly Term[]): Polynomial {
  if (terms.length > maximumTerms) throw tooManyTerms();
  return new Polynomial(terms);
}

function bounded(coefficient: bigint): bigint {
  if (coefficient > maximumCoefficient || coefficient < -maximumCoefficient) {
    throw new DimError("too-large", "A number in the dimension expression has more than 4096 bits.");
  }
  return coefficient;
}

function tooManyTerms(): DimError {
  return new DimError("too-large", `The dimension expression would have more than ${maximumTerms} terms.`);
}
