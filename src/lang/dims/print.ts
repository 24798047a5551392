/**
 * Dimensions as text.
 *
 * Owns: the notation. display.ts arranges the sum first; here each floor is written as floor or ceil,
 * whichever says less, and terms are put in order. parse.ts reads all of it back to the same value.
 */
import { arrange, type Remainder } from "./display.ts";
import { type Atom, add, constant, type Monomial, negate, type Polynomial, subtract } from "./polynomial.ts";

/** A term as it will be printed. */
interface Part {
  readonly coefficient: bigint;
  /** What the coefficient multiplies; "" for 1. */
  readonly text: string;
  /** Whether the text is one name, call or power, which binds tighter than a product. */
  readonly tight: boolean;
}

export function print(polynomial: Polynomial): string {
  return joinParts(partsOf(polynomial));
}

function partsOf(polynomial: Polynomial): readonly Part[] {
  const { sum, remainders } = arrange(polynomial);
  const parts = sum.terms.map(({ coefficient, monomial }) => printTerm(coefficient, monomial));
  // After the terms with symbols, before the constant.
  const end = sum.constantTerm === 0n ? parts.length : parts.length - 1;
  parts.splice(end, 0, ...remainders.map(printRemainder));
  return parts;
}

function printRemainder({ factor, numerator, divisor }: Remainder): Part {
  const text = `${printFactor(numerator)} % ${printFactor(divisor)}`;
  const by = printTerm(factor.coefficient, factor.monomial);
  if (by.text !== "") return { ...by, text: `${by.text}*(${text})`, tight: false };
  // In parentheses after a minus too: many read -a % b as (-a) % b.
  return { ...by, text: by.coefficient === 1n ? text : `(${text})`, tight: false };
}

function joinParts(parts: readonly Part[]): string {
  if (parts.length === 0) return "0";
  // "N - E" rather than "-E + N": a positive term leads when there is one.
  const positive = parts.findIndex((part) => part.coefficient > 0n);
  const leader = parts[positive];
  const ordered = leader === undefined ? parts : [leader, ...parts.filter((_, index) => index !== positive)];
  return (parts[0]?.coefficient ?? 1n) < 0n ? joinOrdered(ordered) : joinOrdered(parts);
}

function joinOrdered(parts: readonly Part[]): string {
  return parts
    .map(({ coefficient, text }, index) => {
      const negative = coefficient < 0n;
      const sign = index === 0 ? (negative ? "-" : "") : negative ? " - " : " + ";
      const size = negative ? -coefficient : coefficient;
      return sign + (text === "" ? `${size}` : size === 1n ? text : `${size}*${text}`);
    })
    .join("");
}

function printTerm(coefficient: bigint, monomial: Monomial): Part {
  const only = monomial.factors[0]?.atom;
  if (monomial.degree === 1 && only?.kind === "floor") {
    return printFloorTerm(coefficient, only.numerator, only.divisor);
  }
  const text = monomial.factors
    .map(({ atom, power }) => (power === 1 ? printAtom(atom) : `${printAtom(atom)}^${power}`))
    .join("*");
  return { coefficient, text, tight: monomial.factors.length === 1 };
}

/** -floor(-a/b) is ceil(a/b), and the other way round: the sign goes where it leaves fewer minuses. */
function printFloorTerm(coefficient: bigint, numerator: Polynomial, divisor: Polynomial): Part {
  const weight = signWeight(numerator);
  if (weight > 0 || (weight === 0 && coefficient > 0n)) {
    return { coefficient, text: printDivision(numerator, divisor), tight: true };
  }
  const mirrored = negate(numerator);
  const value = divisor.value;
  const text =
    value === undefined
      ? printCall("ceil", mirrored, divisor)
      : printDivision(add(mirrored, constant(value - 1n)), divisor);
  return { coefficient: -coefficient, text, tight: true };
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
  const parts = partsOf(numerator);
  const remainder = numerator.terms.length > 1 && parts[0]?.tight === false;
  const top = parts.length > 1 || remainder ? `(${joinParts(parts)})` : joinParts(parts);
  return `${name}(${top}/${printFactor(divisor)})`;
}

/** In parentheses unless it is one name, call, power or positive number. */
function printFactor(polynomial: Polynomial): string {
  const parts = partsOf(polynomial);
  const [only, ...others] = parts;
  const bare =
    only !== undefined &&
    others.length === 0 &&
    (only.text === "" ? only.coefficient > 0n : only.tight && only.coefficient === 1n);
  return bare ? joinParts(parts) : `(${joinParts(parts)})`;
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
