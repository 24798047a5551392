/**
 * Dimensions as text.
 *
 * Owns: the notation. display.ts arranges the sum first; here each floor is written as floor or ceil,
 * whichever says less, and terms are put in order. parse.ts reads all of it back to the same value.
 */
import { arrange } from "./display.ts";
import { type Atom, add, constant, type Monomial, negate, type Polynomial, subtract } from "./polynomial.ts";

/** A term as it will be printed: a coefficient and the text of what it multiplies, "" for 1. */
interface Part {
  readonly coefficient: bigint;
  readonly text: string;
}

export function print(polynomial: Polynomial): string {
  const { sum, remainders } = arrange(polynomial);
  const parts = sum.terms.map(({ coefficient, monomial }) => printTerm(coefficient, monomial));
  // After the terms with symbols, before the constant.
  const end = sum.constantTerm === 0n ? parts.length : parts.length - 1;
  const printed = remainders.map(({ coefficient, numerator, divisor }) => {
    const text = `${printFactor(numerator)} % ${printFactor(divisor)}`;
    const scale = coefficient.coefficient;
    // In parentheses after a minus too: many read -a % b as (-a) % b.
    const plain = scale === 1n && coefficient.monomial.degree === 0;
    const by = coefficient.monomial.degree === 0 ? "" : `${printTerm(1n, coefficient.monomial).text}*`;
    return { coefficient: scale, text: plain ? text : `${by}(${text})` };
  });
  parts.splice(end, 0, ...printed);
  return joinParts(parts);
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
  return { coefficient, text };
}

/** -floor(-a/b) is ceil(a/b), and the other way round: the sign goes where it leaves fewer minuses. */
function printFloorTerm(coefficient: bigint, numerator: Polynomial, divisor: Polynomial): Part {
  const weight = signWeight(numerator);
  if (weight > 0 || (weight === 0 && coefficient > 0n)) {
    return { coefficient, text: printDivision(numerator, divisor) };
  }
  const mirrored = negate(numerator);
  const value = divisor.value;
  const text =
    value === undefined
      ? printCall("ceil", mirrored, divisor)
      : printDivision(add(mirrored, constant(value - 1n)), divisor);
  return { coefficient: -coefficient, text };
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
  const text = print(polynomial);
  const [only, ...others] = polynomial.terms;
  const single = only !== undefined && others.length === 0 && !text.startsWith("-");
  const bare =
    single && (only.monomial.degree === 0 || (only.coefficient === 1n && only.monomial.factors.length === 1));
  return bare ? text : `(${text})`;
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
