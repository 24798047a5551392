/**
 * Dimensions as text.
 *
 * Owns: choosing, among the ways to write one value, the one that a reader expects: constants and
 * multiples that division took out of a floor go back in where it gets shorter, and ceil is written
 * where it says more than floor. parse.ts reads all of it back to the same value.
 */
import {
  type Atom,
  add,
  constant,
  type Monomial,
  negate,
  Polynomial,
  scale,
  subtract,
  type Term,
} from "./polynomial.ts";

/** A term as it will be printed: a coefficient and the text of what it multiplies. */
interface Part {
  readonly coefficient: bigint;
  readonly text: string;
}

type FloorAtom = Extract<Atom, { kind: "floor" }>;

export function print(polynomial: Polynomial): string {
  const rewritten = foldIntoFloors(polynomial);
  const parts: Part[] = rewritten.map(({ coefficient, monomial, floor }) => {
    if (floor !== undefined) return printFloorTerm(coefficient, floor.numerator, floor.divisor);
    return printTerm(coefficient, monomial);
  });
  if (parts.length === 0) return "0";
  // "N - 1" rather than "-1 + N": a positive term leads when there is one.
  const leading = parts[0];
  const positive = parts.findIndex((part) => part.coefficient > 0n);
  const leader = parts[positive];
  if (leading !== undefined && leading.coefficient < 0n && leader !== undefined) {
    parts.splice(positive, 1);
    parts.unshift(leader);
  }
  return parts
    .map(({ coefficient, text }, index) => {
      const sign = coefficient < 0n ? (index === 0 ? "-" : " - ") : index === 0 ? "" : " + ";
      const size = coefficient < 0n ? -coefficient : coefficient;
      return sign + (text === "" ? `${size}` : size === 1n ? text : `${size}*${text}`);
    })
    .join("");
}

interface DisplayTerm extends Term {
  /** Set when the term is `coefficient * floor(numerator / divisor)` with other terms folded in. */
  readonly floor?: { readonly numerator: Polynomial; readonly divisor: Polynomial };
}

/**
 * Finds floors that occur in one linear term, and moves into each what division took out of it:
 * terms whose monomial is still in its numerator, and the constant.
 */
function foldIntoFloors(polynomial: Polynomial): DisplayTerm[] {
  const occurrences = new Map<string, number>();
  for (const { monomial } of polynomial.terms) {
    for (const { atom } of monomial.factors) occurrences.set(atom.key, (occurrences.get(atom.key) ?? 0) + 1);
  }
  const linear = polynomial.terms.filter(
    (term) => linearFloor(term.monomial) !== undefined && occurrences.get(term.monomial.key) === 1,
  );
  let outside = subtract(polynomial, new Polynomial(linear));
  const folded = new Map<string, NonNullable<DisplayTerm["floor"]>>();
  for (const { coefficient, monomial } of linear) {
    const atom = linearFloor(monomial);
    if (atom === undefined) continue;
    const taken = takeOut(outside, atom, coefficient);
    outside = subtract(outside, scale(taken, coefficient));
    const divisor = atom.divisor.value ?? 0n;
    folded.set(monomial.key, {
      numerator: add(atom.numerator, scale(taken, divisor)),
      divisor: atom.divisor,
    });
  }
  return add(outside, new Polynomial(linear)).terms.map((term) => {
    const floor = folded.get(term.monomial.key);
    return floor === undefined ? term : { ...term, floor };
  });
}

function linearFloor(monomial: Monomial): FloorAtom | undefined {
  const atom = monomial.factors[0]?.atom;
  if (monomial.degree !== 1 || atom?.kind !== "floor" || atom.divisor.value === undefined) return undefined;
  return atom;
}

/** What to move into `coefficient * atom`: t, where coefficient * (atom + t) replaces it and coefficient * t. */
function takeOut(outside: Polynomial, atom: FloorAtom, coefficient: bigint): Polynomial {
  const inside = new Set(atom.numerator.terms.map((term) => term.monomial.key));
  const constantPart = atom.numerator.constantTerm;
  const divisor = atom.divisor.value ?? 1n;
  // floor(N/4) + 1 and ceil(N/4) + 1 are plainer than a shifted numerator.
  const plain = constantPart === 0n || constantPart === divisor - 1n;
  const taken = outside.terms.filter((term) => {
    if (term.coefficient % coefficient !== 0n) return false;
    return term.monomial.degree === 0 ? !plain : inside.has(term.monomial.key);
  });
  return new Polynomial(
    taken.map((term) => ({ coefficient: term.coefficient / coefficient, monomial: term.monomial })),
  );
}

function printFloorTerm(coefficient: bigint, numerator: Polynomial, divisor: Polynomial): Part {
  const weight = signWeight(numerator);
  // -floor(-a/b) is ceil(a/b), and the other way round.
  if (weight < 0 || (weight === 0 && coefficient < 0n)) {
    const value = divisor.value;
    const mirrored = negate(numerator);
    if (value === undefined) return { coefficient: -coefficient, text: printCall("ceil", mirrored, divisor) };
    const shifted = add(mirrored, constant(value - 1n));
    return { coefficient: -coefficient, text: printDivision(shifted, divisor) };
  }
  return { coefficient, text: printDivision(numerator, divisor) };
}

/** Positive when more terms with symbols are positive than negative. */
function signWeight(polynomial: Polynomial): number {
  let weight = 0;
  for (const { coefficient, monomial } of polynomial.terms) {
    if (monomial.degree > 0) weight += coefficient > 0n ? 1 : -1;
  }
  return weight;
}

/** As floor, or as ceil when that leaves no constant in the numerator. */
function printDivision(numerator: Polynomial, divisor: Polynomial): string {
  const value = divisor.value;
  if (value !== undefined && numerator.constantTerm === value - 1n) {
    return printCall("ceil", subtract(numerator, constant(value - 1n)), divisor);
  }
  return printCall("floor", numerator, divisor);
}

function printCall(name: "floor" | "ceil", numerator: Polynomial, divisor: Polynomial): string {
  const top = numerator.terms.length > 1 ? `(${print(numerator)})` : print(numerator);
  return `${name}(${top}/${printFactor(divisor)})`;
}

/** In parentheses unless it is one name, call, power or positive number. */
function printFactor(polynomial: Polynomial): string {
  const only = polynomial.terms[0];
  const bare =
    polynomial.terms.length === 1 &&
    only !== undefined &&
    (only.monomial.degree === 0
      ? only.coefficient > 0n
      : only.coefficient === 1n && only.monomial.factors.length === 1);
  return bare ? print(polynomial) : `(${print(polynomial)})`;
}

function printTerm(coefficient: bigint, monomial: Monomial): Part {
  const only = monomial.factors[0]?.atom;
  if (monomial.degree === 1 && only?.kind === "floor") {
    return printFloorTerm(coefficient, only.numerator, only.divisor);
  }
  const text = monomial.factors
    .map(({ atom, power }) => (power === 1 ? printAtom(atom) : `${printAtom(atom)}^${power}`))
    .join("*");
  return { coefficient, text };
}

function printAtom(atom: Atom): string {
  switch (atom.kind) {
    case "symbol":
      return atom.name;
    case "floor":
      return printDivision(atom.numerator, atom.divisor);
    case "min":
    case "max":
      return `${atom.kind}(${atom.items.map(print).join(", ")})`;
    case "scaled":
      return `${atom.mode}(${atom.factor}*${printFactor(atom.argument)})`;
  }
}
