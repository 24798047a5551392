/**
 * A dimension computed in another algebra: nodes of a graph, shader text, JavaScript.
 *
 * Owns: the walk over the canonical form, so that targets need not know it. Subtraction arrives as
 * multiplication by a negative constant, powers as repeated multiplication.
 */
import type { Atom, Polynomial, RealFactor, Rounding } from "./polynomial.ts";

/** One method for each way to make an integer. Divisors are positive wherever the dimension has a value. */
export interface DimAlgebra<T> {
  constant(value: bigint): T;
  symbol(name: string): T;
  add(a: T, b: T): T;
  multiply(a: T, b: T): T;
  /** Rounds toward minus infinity. */
  floorDivide(a: T, b: T): T;
  minimum(a: T, b: T): T;
  maximum(a: T, b: T): T;
  /** `mode(factor * a)` with the IEEE double product; `round` goes to even. */
  scaled(mode: Rounding, factor: RealFactor, a: T): T;
}

export function fold<T>(polynomial: Polynomial, algebra: DimAlgebra<T>): T {
  const terms = polynomial.terms.map(({ coefficient, monomial }) => {
    const factors = monomial.factors.flatMap(({ atom, power }) => {
      const value = foldAtom(atom, algebra);
      return Array.from({ length: power }, () => value);
    });
    if (coefficient !== 1n || factors.length === 0) factors.unshift(algebra.constant(coefficient));
    return factors.reduce((a, b) => algebra.multiply(a, b));
  });
  return terms.length === 0 ? algebra.constant(0n) : terms.reduce((a, b) => algebra.add(a, b));
}

function foldAtom<T>(atom: Atom, algebra: DimAlgebra<T>): T {
  switch (atom.kind) {
    case "symbol":
      return algebra.symbol(atom.name);
    case "floor":
      return algebra.floorDivide(fold(atom.numerator, algebra), fold(atom.divisor, algebra));
    case "min":
      return atom.items.map((item) => fold(item, algebra)).reduce((a, b) => algebra.minimum(a, b));
    case "max":
      return atom.items.map((item) => fold(item, algebra)).reduce((a, b) => algebra.maximum(a, b));
    case "scaled":
      return algebra.scaled(atom.mode, atom.factor, fold(atom.argument, algebra));
  }
}
