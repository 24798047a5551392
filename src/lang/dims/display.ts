/**
 * Rearranges a canonical polynomial into the sum that a reader expects.
 *
 * Owns: undoing, for print.ts, what division.ts took apart. Constants and multiples return into the
 * floor that they came out of, `x - c*floor(x/c)` becomes `x % c`, and a power such as
 * floor((T - 240)/160)^2 is found again in its expansion. The value never changes; the floors in the
 * result are not canonical, so it must not be used as a Dim.
 */
import { mapAtoms } from "./atoms.ts";
import { divideByLeading, divideExactly, divideMonomials } from "./division.ts";
import {
  type Atom,
  add,
  constant,
  DimError,
  fromAtom,
  monomial,
  multiply,
  negate,
  one,
  Polynomial,
  scale,
  subtract,
  type Term,
  zero,
} from "./polynomial.ts";

type FloorAtom = Extract<Atom, { kind: "floor" }>;

/** `factor * (numerator % divisor)`. */
export interface Remainder {
  readonly factor: Term;
  readonly numerator: Polynomial;
  readonly divisor: Polynomial;
}

export interface Display {
  readonly sum: Polynomial;
  readonly remainders: readonly Remainder[];
}

/** Larger expressions are printed as they are: few read them. */
const maximumArranged = 10_000;
/** Powers are searched for only in expressions this small: the search substitutes and counts terms. */
const maximumSearchTerms = 40;
const maximumSearchDegree = 6;

export function arrange(polynomial: Polynomial): Display {
  const atoms = floorAtoms(polynomial);
  const untouched = { sum: polynomial, remainders: [] };
  if (atoms.length * polynomial.terms.length > maximumArranged) return untouched;
  try {
    return arrangeFloors(polynomial, atoms);
  } catch (error) {
    // At the very limits a rearrangement may be too large where the polynomial is not.
    if (error instanceof DimError) return untouched;
    throw error;
  }
}

function arrangeFloors(polynomial: Polynomial, atoms: readonly FloorAtom[]): Display {
  let sum = polynomial;
  const remainders: Remainder[] = [];
  for (const atom of atoms) {
    const remainder = takeRemainder(sum, atom);
    if (remainder !== undefined) {
      sum = remainder.rest;
      remainders.push(remainder.found);
    } else if (atom.divisor.value !== undefined) {
      sum = foldBack(sum, atom, atom.divisor.value);
    }
  }
  return { sum, remainders };
}

function floorAtoms(polynomial: Polynomial): readonly FloorAtom[] {
  const found = new Map<string, FloorAtom>();
  for (const { monomial } of polynomial.terms) {
    for (const { atom } of monomial.factors) if (atom.kind === "floor") found.set(atom.key, atom);
  }
  return [...found.values()];
}

/** The polynomial as a sum of coefficients times powers of `atom`: its coefficients, lowest power first. */
function inPowersOf(polynomial: Polynomial, atom: Atom): readonly Polynomial[] {
  const coefficients: Term[][] = [];
  for (const { coefficient, monomial: whole } of polynomial.terms) {
    const factor = whole.factors.find((other) => other.atom.key === atom.key);
    const rest = factor === undefined ? whole : divideMonomials(whole, monomial([factor]));
    // Dividing by one monomial keeps the order, so each coefficient arrives sorted.
    if (rest === undefined) continue;
    const power = factor?.power ?? 0;
    const terms = coefficients[power] ?? [];
    terms.push({ coefficient, monomial: rest });
    coefficients[power] = terms;
  }
  return Array.from(coefficients, (terms) => new Polynomial(terms ?? []));
}

/** k*x - k*d*floor(x/d), with all of k*x present, is k*(x % d). */
function takeRemainder(
  sum: Polynomial,
  atom: FloorAtom,
): { readonly found: Remainder; readonly rest: Polynomial } | undefined {
  const [others, linear, ...higher] = inPowersOf(sum, atom);
  if (others === undefined || linear === undefined || higher.length > 0) return undefined;
  const ratio = divideExactly(negate(linear), atom.divisor);
  const factor = ratio?.terms[0];
  if (ratio === undefined || factor === undefined || ratio.terms.length > 1) return undefined;
  const product = multiply(ratio, atom.numerator);
  if (countSymbolic(product) === 0) return undefined;
  const rest = subtract(others, product);
  // A constant may stay behind; anything else left over means that x was not there.
  if (countSymbolic(rest) !== countSymbolic(others) - countSymbolic(product)) return undefined;
  // 256*ceil(T/256) - T says more than 255 - (T + 255) % 256.
  if (factor.coefficient < 0n && rest.constantTerm !== others.constantTerm) return undefined;
  return { found: { factor, numerator: atom.numerator, divisor: atom.divisor }, rest };
}

function countSymbolic(polynomial: Polynomial): number {
  return polynomial.terms.length - (polynomial.constantTerm === 0n ? 0 : 1);
}

function foldBack(sum: Polynomial, atom: FloorAtom, divisor: bigint): Polynomial {
  const coefficients = inPowersOf(sum, atom);
  const [others, linear, ...higher] = coefficients;
  if (others === undefined || linear === undefined) return sum;
  if (higher.length === 0) {
    const shift = linearShift(others, linear, atom, divisor);
    return shift.terms.length === 0 ? sum : shifted(sum, atom, shift, divisor);
  }
  if (sum.terms.length > maximumSearchTerms || coefficients.length > maximumSearchDegree) return sum;
  let best = sum;
  for (const shift of powerShifts(coefficients)) {
    const candidate = shifted(sum, atom, shift, divisor);
    if (candidate.terms.length < best.terms.length) best = candidate;
  }
  return best;
}

/** What can move from the terms beside k * atom into it: multiples of k of terms that its numerator has. */
function linearShift(others: Polynomial, linear: Polynomial, atom: FloorAtom, divisor: bigint): Polynomial {
  if (linear.terms.length > 1) return zero;
  const inside = new Set(atom.numerator.terms.map((term) => term.monomial.key));
  const constantPart = atom.numerator.constantTerm;
  // floor(N/4) + 1 and ceil(N/4) + 1 are plainer than a shifted numerator.
  const plain = constantPart === 0n || constantPart === divisor - 1n;
  let shift = zero;
  for (const term of others.terms) {
    const quotient = divideExactly(new Polynomial([term]), linear);
    const moved = quotient?.terms[0];
    if (quotient === undefined || moved === undefined) continue;
    const fits = moved.monomial.degree === 0 ? !plain : inside.has(moved.monomial.key);
    if (fits && keepsSigns(atom.numerator, add(atom.numerator, scale(quotient, divisor)))) {
      shift = add(shift, quotient);
    }
  }
  return shift;
}

/**
 * Shifts t for which the polynomial may be shorter in atom + t. If it is a*(atom + t)^n + b*(atom + t)^(n-1),
 * its coefficient of power n - 1 is n*a*t + b.
 */
function powerShifts(coefficients: readonly Polynomial[]): readonly Polynomial[] {
  const degree = coefficients.length - 1;
  const leading = scale(coefficients[degree] ?? one, BigInt(degree));
  const { quotient } = divideByLeading(coefficients[degree - 1] ?? zero, leading, false);
  const small = [1n, -1n, 2n, -2n, 3n, -3n, 4n, -4n].map(constant);
  return [quotient, ...small];
}

/** The same value in terms of floor + shift, which becomes one floor; unchanged where that can't be read back. */
function shifted(sum: Polynomial, atom: FloorAtom, shift: Polynomial, divisor: bigint): Polynomial {
  const numerator = add(atom.numerator, scale(shift, divisor));
  if (!keepsSigns(atom.numerator, numerator)) return sum;
  const moved = fromAtom({ ...atom, key: `${atom.key}'`, numerator });
  return mapAtoms(sum, (other) => (other.key === atom.key ? subtract(moved, shift) : fromAtom(other)));
}

/** Whether division.ts, which leaves coefficients their sign, takes the same multiples out again. */
function keepsSigns(before: Polynomial, after: Polynomial): boolean {
  const signs = new Map(before.terms.map((term) => [term.monomial.key, term.coefficient > 0n]));
  return after.terms.every(({ coefficient, monomial }) => {
    const positive = signs.get(monomial.key);
    return monomial.degree === 0 || positive === undefined || positive === coefficient > 0n;
  });
}
