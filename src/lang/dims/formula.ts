/**
 * Dimensions as a reader of a report wants them: factors in front, large numbers shortened, parts that
 * come again named once. `B·(12·(7.08M·N + 1536·N²) + 101M)  where N = 1 + ceil(keep·512)`
 *
 * Owns: that notation. It rounds, so nothing reads it back; print.ts writes the exact expression.
 */
import { mapAtoms } from "./atoms.ts";
import { arrange, type Display, type Remainder } from "./display.ts";
import { divideMonomials } from "./division.ts";
import {
  type Atom,
  add,
  constant,
  type Factor,
  fromAtom,
  type Monomial,
  monomial,
  negate,
  Polynomial,
  subtract,
  type Term,
  unit,
} from "./polynomial.ts";
import { print } from "./print.ts";

/** One way of writing for several dimensions, which share the names of their parts. */
export interface Notation {
  /** `repeat`: how often a part is known to be repeated, such as the layers of a stack: a welcome factor. */
  write(polynomial: Polynomial, repeat?: number): string;
  /** Names that the texts use, each defined by those before it. */
  readonly where: readonly { readonly name: string; readonly text: string }[];
}

type CompoundAtom = Exclude<Atom, { kind: "symbol" }>;

interface Naming {
  readonly atom: CompoundAtom;
  readonly name: string;
  /** What the name adds to the atom: extra tokens, mostly. */
  readonly shift: bigint;
  /** The name is what rounds up where the atom rounds minus that down. */
  readonly roundsUp: boolean;
}

/** Exact up to here; beyond, three digits and a letter. */
const largestExact = 99_999n;
const letters = ["", "k", "M", "G", "T", "P", "E"];
const largestShift = 4;
/** Beyond this nobody reads it, and looking for the best shift costs more than it gives. */
const maximumTerms = 200;

export function notationFor(polynomials: readonly Polynomial[]): Notation {
  const displays = new Map(polynomials.map((polynomial) => [polynomial.key, arrange(polynomial)]));
  const readable = [...displays.values()].filter(({ sum }) => sum.terms.length <= maximumTerms);
  const namings = nameParts(readable);
  const rename = (inner: Polynomial) => renameAtoms(inner, namings);
  return {
    where: namings.map(({ atom, name, shift, roundsUp }) => {
      const text = roundsUp ? writeRoundedUp(atom, rename) : writeAtom(atom, rename);
      return { name, text: shift === 0n ? text : `${shift} + ${text}` };
    }),
    write(polynomial, repeat = 1) {
      const { sum, remainders } = displays.get(polynomial.key) ?? arrange(polynomial);
      if (sum.terms.length > maximumTerms) return print(polynomial);
      const rest = remainders.map((remainder) => writeRemainder(remainder, rename));
      const text = writeFactored(rename(sum), BigInt(repeat));
      return text === "0" && rest.length > 0 ? rest.join(" + ") : [text, ...rest].join(" + ");
    },
  };
}

function writeRemainder(
  { factor, numerator, divisor }: Remainder,
  rename: (inner: Polynomial) => Polynomial,
): string {
  const modulo = `(${writeSum(rename(numerator))} mod ${writeSum(rename(divisor))})`;
  const by = writeTerm(factor);
  return by === "1" ? modulo : `${by}·${modulo}`;
}

/** `7.08M`, `48.5G`, `1536` */
export function shortNumber(value: bigint): string {
  const size = value < 0n ? -value : value;
  if (size <= largestExact) return String(value);
  const digits = Number(size).toExponential(2);
  const [mantissa = "1", exponent = "0"] = digits.split("e");
  const power = Number(exponent);
  const letter = letters[Math.floor(power / 3)];
  if (letter === undefined) return `${value < 0n ? "-" : ""}${mantissa}e${power}`;
  const scaled = Number(mantissa) * 10 ** (power % 3);
  return `${value < 0n ? "-" : ""}${Number(scaled.toPrecision(3))}${letter}`;
}

// ---------------------------------------------------------------- names

/** Names the parts that occur more than once, those inside others first. */
function nameParts(displays: readonly Display[]): readonly Naming[] {
  const found = new Map<string, { readonly atom: CompoundAtom; uses: number }>();
  const symbols = new Set<string>();
  const visit = (polynomial: Polynomial): void => {
    for (const term of polynomial.terms) for (const { atom } of term.monomial.factors) note(atom);
  };
  const note = (atom: Atom): void => {
    if (atom.kind === "symbol") {
      symbols.add(atom.name);
      return;
    }
    const known = found.get(atom.key);
    if (known !== undefined) {
      known.uses += 1;
      return;
    }
    found.set(atom.key, { atom, uses: 1 });
    for (const part of partsOf(atom)) visit(part);
  };
  for (const { sum, remainders } of displays) {
    visit(sum);
    for (const { numerator, divisor } of remainders) {
      visit(numerator);
      visit(divisor);
    }
  }
  const named = [...found.values()].filter(({ uses }) => uses > 1).map(({ atom }) => atom);
  const ordered = named.sort((a, b) => depthOf(a) - depthOf(b) || (a.key < b.key ? -1 : 1));
  const letter = ["N", "K", "M", "R"].find((name) => ![...symbols].some((s) => s.startsWith(name))) ?? "part";
  const shift = bestShift(displays, ordered);
  return ordered.map((atom, index) => ({
    atom,
    name: ordered.length === 1 ? letter : `${letter}${subscript(index + 1)}`,
    shift: atom.kind === "scaled" ? shift : 0n,
    roundsUp: isRoundedUp(atom),
  }));
}

function partsOf(atom: CompoundAtom): readonly Polynomial[] {
  switch (atom.kind) {
    case "floor":
      return [atom.numerator, atom.divisor];
    case "min":
    case "max":
      return atom.items;
    case "scaled":
      return [atom.argument];
  }
}

function depthOf(atom: CompoundAtom): number {
  return 1 + Math.max(...partsOf(atom).map((part) => part.depth));
}

/** The smallest shift of rounded parts that makes the sums shortest: K + 1 tokens for K kept. */
function bestShift(displays: readonly Display[], atoms: readonly CompoundAtom[]): bigint {
  const rounded = new Set(atoms.filter((atom) => atom.kind === "scaled").map((atom) => atom.key));
  if (rounded.size === 0) return 0n;
  let best = 0n;
  let fewest = Number.POSITIVE_INFINITY;
  for (let shift = 0n; shift <= largestShift; shift++) {
    const move = (atom: Atom): Polynomial =>
      rounded.has(atom.key) ? subtract(fromAtom(atom), constant(shift)) : fromAtom(atom);
    const terms = displays.reduce((total, { sum }) => total + mapAtoms(sum, move).terms.length, 0);
    if (terms >= fewest) continue;
    best = shift;
    fewest = terms;
  }
  return best;
}

function renameAtoms(polynomial: Polynomial, namings: readonly Naming[]): Polynomial {
  if (namings.length === 0 && !polynomial.terms.some(hasRoundedUp)) return polynomial;
  const named = (name: string): Polynomial => fromAtom({ kind: "symbol", key: name, name });
  return mapAtoms(polynomial, (atom) => {
    const naming = namings.find((other) => other.atom.key === atom.key);
    if (naming?.roundsUp === true) return negate(named(naming.name));
    if (naming !== undefined) return subtract(named(naming.name), constant(naming.shift));
    if (!isRoundedUp(atom)) return fromAtom(atom);
    return negate(named(writeRoundedUp(atom, (inner) => renameAtoms(inner, namings))));
  });
}

/** Whether it is floor(-x/y), which a reader knows as minus ceil(x/y). */
function isRoundedUp(atom: Atom): boolean {
  return (
    atom.kind === "floor" &&
    atom.divisor.value === undefined &&
    atom.numerator.terms.every(({ coefficient }) => coefficient < 0n)
  );
}

const hasRoundedUp = ({ monomial: { factors } }: Term): boolean =>
  factors.some(({ atom }) => isRoundedUp(atom));

function writeRoundedUp(atom: Atom, rename: (inner: Polynomial) => Polynomial): string {
  if (atom.kind !== "floor") return writeAtom(atom, rename);
  const numerator = writeOperand(rename(negate(atom.numerator)));
  return `ceil(${numerator}/${writeOperand(rename(atom.divisor))})`;
}

// ---------------------------------------------------------------- text

/** With what all terms share in front, and then what is repeated. */
function writeFactored(sum: Polynomial, repeat: bigint): string {
  const common = commonMonomial(sum.terms);
  if (common.degree === 0 || sum.terms.length === 1) return writeRepeated(sum, repeat);
  const inner = new Polynomial(
    sum.terms.map(({ coefficient, monomial: whole }) => ({
      coefficient,
      monomial: divideMonomials(whole, common) ?? unit,
    })),
  );
  return `${writeMonomial(common)}·(${writeRepeated(inner, repeat)})`;
}

function writeRepeated(sum: Polynomial, repeat: bigint): string {
  if (repeat <= 1n) return writeSum(sum);
  const inside = sum.terms.filter((t) => t.monomial.degree > 0 && t.coefficient % repeat === 0n);
  if (inside.length < 2) return writeSum(sum);
  const outside = new Polynomial(sum.terms.filter((term) => !inside.includes(term)));
  const once = inside.map((term) => ({ ...term, coefficient: term.coefficient / repeat }));
  const text = `${repeat}·(${writeSum(new Polynomial(once))})`;
  return outside.terms.length === 0 ? text : joinTerms([text, ...writeTerms(outside)]);
}

function commonMonomial(terms: readonly Term[]): Monomial {
  const [first, ...others] = terms;
  if (first === undefined) return unit;
  const shared: Factor[] = [];
  for (const { atom, power } of first.monomial.factors) {
    const least = others.reduce((lowest, { monomial: { factors } }) => {
      return Math.min(lowest, factors.find((factor) => factor.atom.key === atom.key)?.power ?? 0);
    }, power);
    if (least > 0) shared.push({ atom, power: least });
  }
  return shared.length === 0 ? unit : monomial(shared);
}

function writeSum(sum: Polynomial): string {
  return sum.terms.length === 0 ? "0" : joinTerms(writeTerms(sum));
}

/** By name, low powers first, the constant at the end. */
function writeTerms(sum: Polynomial): string[] {
  const rank = ({ monomial: { factors, degree } }: Term): [number, string, number] => [
    degree === 0 ? 1 : 0,
    factors.map(({ atom }) => writeAtom(atom)).join("·"),
    degree,
  ];
  const ranked = sum.terms.map((term) => ({ term, rank: rank(term) }));
  ranked.sort((a, b) => {
    const [[end, name, degree], [otherEnd, otherName, otherDegree]] = [a.rank, b.rank];
    return end - otherEnd || (name < otherName ? -1 : name > otherName ? 1 : degree - otherDegree);
  });
  return ranked.map(({ term }) => writeTerm(term));
}

function joinTerms(terms: readonly string[]): string {
  const positive = terms.findIndex((term) => !term.startsWith("-"));
  const leading = positive > 0 ? [terms[positive] ?? "", ...terms.filter((_, i) => i !== positive)] : terms;
  return leading
    .map((term, index) => (index === 0 ? term : term.startsWith("-") ? ` − ${term.slice(1)}` : ` + ${term}`))
    .join("");
}

function writeTerm({ coefficient, monomial: { factors, degree } }: Term): string {
  if (degree === 0) return shortNumber(coefficient);
  const product = writeMonomial({ key: "", factors, degree });
  if (coefficient === 1n) return product;
  return coefficient === -1n ? `-${product}` : `${shortNumber(coefficient)}·${product}`;
}

function writeMonomial({ factors }: Monomial): string {
  return factors
    .map(({ atom, power }) => (power === 1 ? writeAtom(atom) : `${writeAtom(atom)}${superscript(power)}`))
    .join("·");
}

const asIs = (polynomial: Polynomial): Polynomial => polynomial;

function writeAtom(atom: Atom, rename: (inner: Polynomial) => Polynomial = asIs): string {
  switch (atom.kind) {
    case "symbol":
      return atom.name;
    case "floor":
      return writeDivision(rename(atom.numerator), rename(atom.divisor));
    case "min":
    case "max":
      return `${atom.kind}(${atom.items.map((item) => writeSum(rename(item))).join(", ")})`;
    case "scaled":
      return `${atom.mode}(${atom.factor}·${writeOperand(rename(atom.argument))})`;
  }
}

/** floor((N + 3)/4) is ceil(N/4). */
function writeDivision(numerator: Polynomial, divisor: Polynomial): string {
  const value = divisor.value;
  const rounded = value !== undefined && numerator.constantTerm === value - 1n && value > 1n;
  const top = rounded ? add(numerator, constant(1n - value)) : numerator;
  return `${rounded ? "ceil" : "floor"}(${writeOperand(top)}/${writeOperand(divisor)})`;
}

function writeOperand(polynomial: Polynomial): string {
  const text = writeSum(polynomial);
  return polynomial.terms.length > 1 ? `(${text})` : text;
}

function superscript(power: number): string {
  return [...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? "").join("");
}

function subscript(index: number): string {
  return [...String(index)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)] ?? "").join("");
}
