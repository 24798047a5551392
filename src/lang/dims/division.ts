/**
 * Division of polynomials: exact, and rounded down.
 *
 * Owns: the canonical form of floor(a / b). Whole multiples of the divisor are taken out, common
 * factors cancelled, nested floors merged, and the sign fixed, so that the ways to write one frame
 * count meet in one form. Every rule holds for all integer bindings at which both sides are defined.
 */
import {
  add,
  constant,
  DimError,
  type Factor,
  fromAtom,
  type Monomial,
  monomial,
  multiplyTerm,
  negate,
  Polynomial,
  scale,
  subtract,
  type Term,
  zero,
} from "./polynomial.ts";

/** Rounds toward minus infinity, unlike `/` on bigints. */
export function floorQuotient(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** a / b when b divides every coefficient or the polynomial itself; undefined otherwise. */
export function divideExactly(a: Polynomial, b: Polynomial): Polynomial | undefined {
  if (b.terms.length === 0) return undefined;
  const { quotient, remainder } = divideByLeading(a, b, true);
  return remainder.terms.length === 0 ? quotient : undefined;
}

export function floorDivide(a: Polynomial, b: Polynomial): Polynomial {
  const leading = b.terms[0];
  if (leading === undefined) throw new DimError("division-by-zero", "A dimension is divided by zero.");
  if (leading.coefficient < 0n) return floorDivide(negate(a), negate(b));
  if (a.terms.length === 0) return zero;
  const divisor = b.value;
  return divisor === undefined ? floorByPolynomial(a, b) : floorByConstant(a, divisor);
}

/** ceil(a / b): -floor(-a / b), which for a constant divisor meets floor((a + b - 1) / b). */
export function ceilDivide(a: Polynomial, b: Polynomial): Polynomial {
  return negate(floorDivide(negate(a), b));
}

function floorByConstant(a: Polynomial, c: bigint): Polynomial {
  if (c === 1n) return a;
  // floor((q*c + r)/c) = q + floor(r/c): coefficients keep their sign, the constant ends in 0..c-1.
  const whole: Term[] = [];
  const rest: Term[] = [];
  let common = c;
  for (const { coefficient, monomial } of a.terms) {
    const quotient = monomial.degree === 0 ? floorQuotient(coefficient, c) : coefficient / c;
    const remainder = coefficient - quotient * c;
    if (quotient !== 0n) whole.push({ coefficient: quotient, monomial });
    if (remainder === 0n) continue;
    rest.push({ coefficient: remainder, monomial });
    if (monomial.degree > 0) common = greatestCommonDivisor(common, remainder);
  }
  const outside = new Polynomial(whole);
  const inside = new Polynomial(rest);
  if ((inside.terms[0]?.monomial.degree ?? 0) === 0) return outside;
  if (common > 1n) {
    // floor((g*n + k)/(g*c)) = floor((n + floor(k/g))/c)
    const reduced = subtract(inside, constant(inside.constantTerm)).terms.map((term) => ({
      coefficient: term.coefficient / common,
      monomial: term.monomial,
    }));
    const shifted = add(new Polynomial(reduced), constant(floorQuotient(inside.constantTerm, common)));
    return add(outside, floorByConstant(shifted, c / common));
  }
  const merged = mergeNested(inside, c);
  if (merged !== undefined) return add(outside, merged);
  const leading = inside.terms[0];
  if (leading !== undefined && leading.coefficient < 0n) {
    const mirrored = add(negate(inside), constant(c - 1n));
    return subtract(outside, floorAtom(mirrored, constant(c)));
  }
  return add(outside, floorAtom(inside, constant(c)));
}

/**
 * floor((floor(a/b) + p)/c) = floor((a + b*p)/(b*c)) for constants b and c. Done only when one floor
 * qualifies: with two, the result would depend on which was taken.
 */
function mergeNested(inside: Polynomial, c: bigint): Polynomial | undefined {
  let found: { readonly term: Term; readonly numerator: Polynomial; readonly divisor: bigint } | undefined;
  for (const term of inside.terms) {
    const factor = term.monomial.factors[0];
    if (term.monomial.degree !== 1 || factor?.atom.kind !== "floor") continue;
    const divisor = factor.atom.divisor.value;
    if (divisor === undefined || (term.coefficient !== 1n && term.coefficient !== -1n)) continue;
    if (found !== undefined) return undefined;
    found = { term, numerator: factor.atom.numerator, divisor };
  }
  if (found === undefined) return undefined;
  const { term, numerator, divisor } = found;
  // -floor(a/b) = floor((-a + b - 1)/b)
  const own = term.coefficient > 0n ? numerator : add(negate(numerator), constant(divisor - 1n));
  const others = subtract(inside, new Polynomial([term]));
  return floorByConstant(add(own, scale(others, divisor)), divisor * c);
}

function floorByPolynomial(a: Polynomial, b: Polynomial): Polynomial {
  const reduced = cancelCommon(a, b);
  if (reduced.divisor.value !== undefined) return floorDivide(reduced.numerator, reduced.divisor);
  const { quotient, remainder } = divideByLeading(reduced.numerator, reduced.divisor, false);
  if (remainder.terms.length === 0) return quotient;
  if (quotient.terms.length > 0) return add(quotient, floorByPolynomial(remainder, reduced.divisor));
  return floorAtom(remainder, reduced.divisor);
}

function floorAtom(numerator: Polynomial, divisor: Polynomial): Polynomial {
  return fromAtom({ kind: "floor", key: `~floor(${numerator.key}/${divisor.key})`, numerator, divisor });
}

/** Cancels the integer and the monomial that divide every term of both. */
function cancelCommon(a: Polynomial, b: Polynomial): { numerator: Polynomial; divisor: Polynomial } {
  let content = 0n;
  let shared: Monomial | undefined;
  for (const term of [...b.terms, ...a.terms]) {
    content = greatestCommonDivisor(content, term.coefficient);
    shared = shared === undefined ? term.monomial : commonMonomial(shared, term.monomial);
    if (content === 1n && shared.degree === 0) return { numerator: a, divisor: b };
  }
  if (shared === undefined) return { numerator: a, divisor: b };
  const common = new Polynomial([{ coefficient: content, monomial: shared }]);
  return {
    numerator: divideByLeading(a, common, true).quotient,
    divisor: divideByLeading(b, common, true).quotient,
  };
}

/**
 * Long division by the leading term. With `exact`, stops at the first term that does not divide;
 * otherwise such terms go to the remainder and a larger coefficient gives up its whole multiples.
 */
export function divideByLeading(
  a: Polynomial,
  b: Polynomial,
  exact: boolean,
): { readonly quotient: Polynomial; readonly remainder: Polynomial } {
  const leading = b.terms[0];
  if (leading === undefined) throw new DimError("division-by-zero", "A dimension is divided by zero.");
  const quotient: Term[] = [];
  const remainder: Term[] = [];
  let left = a;
  let index = 0;
  let steps = 0;
  for (;;) {
    const term = left.terms[index];
    if (term === undefined) break;
    const ratio = divideMonomials(term.monomial, leading.monomial);
    const coefficient = term.coefficient / leading.coefficient;
    const whole = term.coefficient % leading.coefficient === 0n;
    if (ratio === undefined || coefficient === 0n || (exact && !whole)) {
      if (exact) return { quotient: zero, remainder: a };
      remainder.push(term);
      index += 1;
      continue;
    }
    const step: Term = { coefficient, monomial: ratio };
    quotient.push(step);
    if (b.terms.length === 1) {
      const rest = term.coefficient - coefficient * leading.coefficient;
      if (rest !== 0n) remainder.push({ coefficient: rest, monomial: term.monomial });
      index += 1;
      continue;
    }
    steps += left.terms.length - index + b.terms.length;
    if (steps > 1_000_000) throw new DimError("too-large", "The division of two dimensions takes too long.");
    left = subtract(new Polynomial(left.terms.slice(index)), multiplyTerm(b, step));
    index = 0;
    // A coefficient that did not divide leaves its rest in front: no further multiple fits in it.
    const rest = left.terms[0];
    if (!whole && rest !== undefined && rest.monomial.key === term.monomial.key) {
      remainder.push(rest);
      index = 1;
    }
  }
  return { quotient: new Polynomial(quotient), remainder: new Polynomial(remainder) };
}

/** a / b, or undefined when some power of b is not in a. */
export function divideMonomials(a: Monomial, b: Monomial): Monomial | undefined {
  if (b.degree === 0) return a;
  if (b.degree > a.degree) return undefined;
  const factors: Factor[] = [];
  let matched = 0;
  for (const { atom, power } of a.factors) {
    const taken = b.factors.find((factor) => factor.atom.key === atom.key)?.power ?? 0;
    if (taken > power) return undefined;
    if (taken > 0) matched += 1;
    if (power > taken) factors.push({ atom, power: power - taken });
  }
  return matched === b.factors.length ? monomial(factors) : undefined;
}

function commonMonomial(a: Monomial, b: Monomial): Monomial {
  const factors: Factor[] = [];
  for (const { atom, power } of a.factors) {
    const other = b.factors.find((factor) => factor.atom.key === atom.key);
    if (other !== undefined) factors.push({ atom, power: Math.min(power, other.power) });
  }
  return monomial(factors);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
