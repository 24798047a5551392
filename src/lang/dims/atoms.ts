/**
 * The other atoms of a dimension: symbols, min and max, and products with a real factor.
 *
 * Owns: how they are built in canonical form, evaluated and substituted. The product with a real
 * factor is the IEEE double product, because the published systems compute `ceil(0.7 * n)` in
 * Python and a token count must come out the same; `round` goes to even, as Python's does.
 */
import { floorDivide, floorQuotient } from "./division.ts";
import {
  type Atom,
  constant,
  DimError,
  fromAtom,
  multiply,
  type Polynomial,
  power,
  type RealFactor,
  type Rounding,
  scale,
  subtract,
  sum,
  zero,
} from "./polynomial.ts";

/** Any sign beyond ASCII counts as a letter: a name that the language refuses is refused once, where it is read. */
const namePattern = /^[A-Za-z_$#\u0080-\uffff][A-Za-z0-9_.$#\u0080-\uffff]*$/;

export function symbol(name: string): Polynomial {
  assertName(name);
  return fromAtom({ kind: "symbol", key: name, name });
}

function assertName(name: string): void {
  if (!namePattern.test(name)) throw new RangeError(`"${name}" can't name a dimension symbol.`);
}

/**
 * The least or greatest of `items` (at least one). Items that differ by a number are compared here and
 * now; nothing is assumed about symbols, so equality stays sound for all integers.
 */
export function extreme(kind: "min" | "max", items: readonly Polynomial[]): Polynomial {
  const flattened = items.flatMap((item) => {
    const only = item.terms[0];
    const factor = only?.monomial.factors[0];
    const single = item.terms.length === 1 && only?.coefficient === 1n && only.monomial.degree === 1;
    return single && factor?.atom.kind === kind ? factor.atom.items : [item];
  });
  const best = new Map<string, Polynomial>();
  for (const item of flattened) {
    const variable = subtract(item, constant(item.constantTerm)).key;
    const known = best.get(variable);
    const better =
      known === undefined ||
      (kind === "min" ? item.constantTerm < known.constantTerm : item.constantTerm > known.constantTerm);
    if (better) best.set(variable, item);
  }
  const kept = [...best.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const first = kept[0];
  if (first === undefined) throw new RangeError(`${kind} needs at least one dimension.`);
  if (kept.length === 1) return first;
  return fromAtom({ kind, key: `~${kind}(${kept.map((item) => item.key).join(",")})`, items: kept });
}

/** `mode(factor * argument)`. Whole factors multiply exactly; a constant argument is computed. */
export function scaled(mode: Rounding, factor: RealFactor, argument: Polynomial): Polynomial {
  if (argument.terms.length === 0) return zero;
  if (typeof factor === "string") {
    assertName(factor);
  } else {
    if (!Number.isFinite(factor)) throw notFinite();
    if (Number.isSafeInteger(factor)) return scale(argument, BigInt(factor));
    const value = argument.value;
    if (value !== undefined) return constant(roundProduct(mode, factor, value));
  }
  return fromAtom({ kind: "scaled", key: `~${mode}[${factor}](${argument.key})`, mode, factor, argument });
}

/** The rounded double product. Refuses what leaves the safe integers, where doubles no longer count by one. */
export function roundProduct(mode: Rounding, factor: number, value: bigint): bigint {
  const operand = Number(value);
  const product = factor * operand;
  if (!Number.isSafeInteger(operand) || !(Math.abs(product) <= Number.MAX_SAFE_INTEGER)) throw notFinite();
  return BigInt(rounders[mode](product));
}

function notFinite(): DimError {
  return new DimError("too-large", "A dimension times a real factor leaves the safe integers.");
}

const rounders: Readonly<Record<Rounding, (x: number) => number>> = {
  ceil: Math.ceil,
  floor: Math.floor,
  round: (x) => {
    const below = Math.floor(x);
    const part = x - below;
    if (part !== 0.5) return part < 0.5 ? below : below + 1;
    return below % 2 === 0 ? below : below + 1;
  },
};

/** The value under `bindings`. Exact, except in products with a real factor. */
export function evaluate(polynomial: Polynomial, bindings: ReadonlyMap<string, number>): bigint {
  let total = 0n;
  for (const { coefficient, monomial } of polynomial.terms) {
    let product = coefficient;
    for (const factor of monomial.factors) {
      product *= evaluateAtom(factor.atom, bindings) ** BigInt(factor.power);
    }
    total += product;
  }
  return total;
}

function evaluateAtom(atom: Atom, bindings: ReadonlyMap<string, number>): bigint {
  switch (atom.kind) {
    case "symbol": {
      const value = lookUp(atom.name, bindings);
      if (!Number.isSafeInteger(value)) {
        throw new DimError(
          "unbound",
          `Dimension ${atom.name} is bound to ${value}, not a whole number.`,
          atom.name,
        );
      }
      return BigInt(value);
    }
    case "floor": {
      const divisor = evaluate(atom.divisor, bindings);
      if (divisor === 0n) throw new DimError("division-by-zero", "A dimension is divided by zero.");
      return floorQuotient(evaluate(atom.numerator, bindings), divisor);
    }
    case "min":
    case "max": {
      const values = atom.items.map((item) => evaluate(item, bindings));
      return values.reduce((a, b) => ((atom.kind === "min" ? a < b : a > b) ? a : b));
    }
    case "scaled": {
      const factor = typeof atom.factor === "string" ? lookUp(atom.factor, bindings) : atom.factor;
      return roundProduct(atom.mode, factor, evaluate(atom.argument, bindings));
    }
  }
}

function lookUp(name: string, bindings: ReadonlyMap<string, number>): number {
  const value = bindings.get(name);
  if (value === undefined) throw new DimError("unbound", `Dimension ${name} has no value.`, name);
  return value;
}

/** Rebuilds a polynomial with each atom replaced. */
export function mapAtoms(polynomial: Polynomial, replace: (atom: Atom) => Polynomial): Polynomial {
  const replaced = new Map<string, Polynomial>();
  return sum(
    polynomial.terms.map(({ coefficient, monomial }) => {
      let product = constant(coefficient);
      for (const { atom, power: exponent } of monomial.factors) {
        let by = replaced.get(atom.key);
        if (by === undefined) {
          by = replace(atom);
          replaced.set(atom.key, by);
        }
        product = multiply(product, power(by, exponent));
      }
      return product;
    }),
  );
}

/** Replaces symbols by polynomials and named real factors by numbers or other names. */
export function substitute(
  polynomial: Polynomial,
  dims: ReadonlyMap<string, Polynomial>,
  factors: ReadonlyMap<string, RealFactor>,
): Polynomial {
  const inner = (part: Polynomial): Polynomial => substitute(part, dims, factors);
  return mapAtoms(polynomial, (atom) => {
    switch (atom.kind) {
      case "symbol":
        return dims.get(atom.name) ?? fromAtom(atom);
      case "floor":
        return floorDivide(inner(atom.numerator), inner(atom.divisor));
      case "min":
      case "max":
        return extreme(atom.kind, atom.items.map(inner));
      case "scaled": {
        const factor =
          typeof atom.factor === "string" ? (factors.get(atom.factor) ?? atom.factor) : atom.factor;
        return scaled(atom.mode, factor, inner(atom.argument));
      }
    }
  });
}

/** Adds the names of all symbols, integer and real, to `names`. */
export function collectSymbols(polynomial: Polynomial, names: Set<string>): void {
  for (const { monomial } of polynomial.terms) {
    for (const { atom } of monomial.factors) {
      switch (atom.kind) {
        case "symbol":
          names.add(atom.name);
          break;
        case "floor":
          collectSymbols(atom.numerator, names);
          collectSymbols(atom.divisor, names);
          break;
        case "min":
        case "max":
          for (const item of atom.items) collectSymbols(item, names);
          break;
        case "scaled":
          if (typeof atom.factor === "string") names.add(atom.factor);
          collectSymbols(atom.argument, names);
          break;
      }
    }
  }
}
