/**
 * Arithmetic on what is known while compiling: integers that may hold open symbols, exact
 * quotients, reals, and quantities with units.
 *
 * Owns: the meaning of operators and functions on static values. Knows no scope and reports
 * nothing: a failure is a sentence that the caller places.
 */
import type { BinaryOperator } from "./ast.ts";
import { Dim } from "./dims.ts";
import { describeValue, intValue, type Unit, type Value } from "./value.ts";

export type StaticResult =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly hint?: string;
      /** It has no answer only because a size in it is not known yet. */
      readonly isOpen?: true;
    };

const fine = (value: Value): StaticResult => ({ ok: true, value });
const refuse = (problem: string, hint?: string): StaticResult =>
  hint === undefined ? { ok: false, problem } : { ok: false, problem, hint };

/** Refused only because a size is not known yet. */
const undecided = (problem: string, hint?: string): StaticResult =>
  hint === undefined ? { ok: false, problem, isOpen: true } : { ok: false, problem, hint, isOpen: true };

const one = Dim.of(1);
/** Longer texts and lists come from a mistake such as doubling in a circle. */
const longest = 100_000;

/** A quotient that divides is an integer; signs live in the numerator. */
export function quotient(numerator: Dim, denominator: Dim): StaticResult {
  if (denominator.constant === 0) return refuse(`${grouped(numerator)} / 0 has no value`);
  const whole = numerator.divideExactly(denominator);
  return fine(whole === undefined ? { kind: "quotient", numerator, denominator } : intValue(whole));
}

/** The value as a number, when it is one now. */
export function asNumber(value: Value): number | undefined {
  switch (value.kind) {
    case "int":
      return value.dim.constant;
    case "real":
    case "quantity":
      return value.value;
    case "quotient": {
      const numerator = value.numerator.constant;
      const denominator = value.denominator.constant;
      return numerator === undefined || denominator === undefined ? undefined : numerator / denominator;
    }
    case "scaled": {
      const dim = value.dim.constant;
      return dim === undefined || typeof value.factor === "string" ? undefined : value.factor * dim;
    }
    default:
      return undefined;
  }
}

export function isStaticNumber(value: Value): boolean {
  return ["int", "quotient", "real", "scaled", "quantity"].includes(value.kind);
}

function asFraction(value: Value): { numerator: Dim; denominator: Dim } | undefined {
  if (value.kind === "int") return { numerator: value.dim, denominator: one };
  return value.kind === "quotient" ? value : undefined;
}

export function negate(value: Value): StaticResult {
  const zero = intValue(Dim.of(0));
  if (value.kind === "quantity") return fine({ ...value, value: -value.value });
  if (value.kind === "real") return fine({ kind: "real", value: -value.value });
  return binary("-", zero, value);
}

/** What may be assumed of values that are not known yet. */
export interface Assumptions {
  /** Of symbols that are not sizes: those are at least 1. */
  readonly minimums: ReadonlyMap<string, number>;
  /** Names of real factors that lie strictly between 0 and 1. */
  readonly ratios: ReadonlySet<string>;
}

const nothingAssumed: Assumptions = { minimums: new Map(), ratios: new Set() };

export function binary(
  operator: BinaryOperator,
  left: Value,
  right: Value,
  assumed = nothingAssumed,
): StaticResult {
  switch (operator) {
    case "&&":
    case "||":
      if (isCondition(left) && isCondition(right) && !(left.kind === "bool" && right.kind === "bool")) {
        return undecided(`\`${operator}\` can't combine conditions on sizes that are not known yet`);
      }
      if (left.kind !== "bool" || right.kind !== "bool") break;
      return fine({
        kind: "bool",
        value: operator === "&&" ? left.value && right.value : left.value || right.value,
      });
    case "==":
    case "!=":
      return compareEqual(operator, left, right, assumed);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compareOrder(operator, left, right, assumed);
    case "@":
      break;
    default:
      return arithmetic(operator, left, right);
  }
  return refuse(`\`${operator}\` can't combine ${describeValue(left)} and ${describeValue(right)}`);
}

function arithmetic(operator: "+" | "-" | "*" | "/" | "%", left: Value, right: Value): StaticResult {
  const a = asFraction(left);
  const b = asFraction(right);
  if (a !== undefined && b !== undefined) return fractions(operator, a, b);
  if (left.kind === "quantity" || right.kind === "quantity") return quantities(operator, left, right);
  if (left.kind === "string" && right.kind === "string" && operator === "+") {
    if (left.value.length + right.value.length > longest) return refuse("the string would become too long");
    return fine({ kind: "string", value: left.value + right.value });
  }
  if (left.kind === "list" && right.kind === "list" && operator === "+") {
    if (left.items.length + right.items.length > longest) return refuse("the list would become too long");
    return fine({ kind: "list", items: [...left.items, ...right.items] });
  }
  if (!isStaticNumber(left) || !isStaticNumber(right)) {
    return refuse(`\`${operator}\` can't combine ${describeValue(left)} and ${describeValue(right)}`);
  }
  const x = asNumber(left);
  const y = asNumber(right);
  if (x !== undefined && y !== undefined) return reals(operator, x, y);
  if (operator === "*") {
    const scaled = scale(left, right) ?? scale(right, left);
    if (scaled !== undefined) return fine(scaled);
  }
  return undecided(
    `${describeValue(left.kind === "int" ? right : left)} must be rounded to an integer before \`${operator}\``,
    "round it with `ceil(…)`, `floor(…)` or `round(…)`",
  );
}

function isCondition(value: Value): boolean {
  return value.kind === "bool" || value.kind === "condition";
}

function scale(real: Value, other: Value): Value | undefined {
  if (other.kind !== "int") return undefined;
  if (real.kind === "real") return { kind: "scaled", factor: real.value, dim: other.dim };
  if (real.kind === "scaled" && typeof real.factor === "string" && real.dim.constant === 1) {
    return { kind: "scaled", factor: real.factor, dim: other.dim };
  }
  return undefined;
}

function fractions(
  operator: "+" | "-" | "*" | "/" | "%",
  a: { numerator: Dim; denominator: Dim },
  b: { numerator: Dim; denominator: Dim },
): StaticResult {
  switch (operator) {
    case "+":
      return quotient(
        a.numerator.mul(b.denominator).add(b.numerator.mul(a.denominator)),
        a.denominator.mul(b.denominator),
      );
    case "-":
      return quotient(
        a.numerator.mul(b.denominator).sub(b.numerator.mul(a.denominator)),
        a.denominator.mul(b.denominator),
      );
    case "*":
      return quotient(a.numerator.mul(b.numerator), a.denominator.mul(b.denominator));
    case "/":
      return quotient(a.numerator.mul(b.denominator), a.denominator.mul(b.numerator));
    case "%":
      if (!a.denominator.equals(one) || !b.denominator.equals(one)) {
        const parts = [a.numerator, a.denominator, b.numerator, b.denominator];
        const isOpen = parts.some((part) => part.constant === undefined);
        return (isOpen ? undecided : refuse)("`%` needs two integers");
      }
      if (b.numerator.constant === 0) return refuse(`${grouped(a.numerator)} % 0 has no value`);
      return fine(intValue(a.numerator.modulo(b.numerator)));
  }
}

function reals(operator: "+" | "-" | "*" | "/" | "%", x: number, y: number): StaticResult {
  const values = { "+": x + y, "-": x - y, "*": x * y, "/": x / y, "%": x - y * Math.floor(x / y) };
  const value = values[operator];
  if (!Number.isFinite(value)) return refuse(`${x} ${operator} ${y} is not a finite number`);
  return fine({ kind: "real", value });
}

function quantities(operator: "+" | "-" | "*" | "/" | "%", left: Value, right: Value): StaticResult {
  const x = asNumber(left);
  const y = asNumber(right);
  const problem = `\`${operator}\` can't combine ${describeValue(left)} and ${describeValue(right)}`;
  const isTiming = left.kind === "quantity" && right.kind === "quantity" && left.unit !== right.unit;
  const hint = isTiming ? "a duration times a frequency is a number of samples" : undefined;
  if (x === undefined || y === undefined) {
    return isStaticNumber(left) && isStaticNumber(right) ? undecided(problem) : refuse(problem);
  }
  const unitOf = (value: Value): Unit | undefined => (value.kind === "quantity" ? value.unit : undefined);
  const a = unitOf(left);
  const b = unitOf(right);
  if (a !== undefined && b !== undefined) {
    if (a === b && (operator === "+" || operator === "-")) {
      return fine({ kind: "quantity", unit: a, value: operator === "+" ? x + y : x - y });
    }
    if (a === b && operator === "/") return fine(snap(x / y));
    // A duration at a rate is a number of samples.
    if (operator === "*" && new Set([a, b]).size === 2 && a !== "B" && b !== "B") return fine(snap(x * y));
    return refuse(problem, hint);
  }
  if (operator === "*") return fine({ kind: "quantity", unit: a ?? b ?? "s", value: x * y });
  if (operator === "/" && a !== undefined) return fine({ kind: "quantity", unit: a, value: x / y });
  return refuse(problem);
}

/** 25ms at 16kHz is 400 samples, although 0.025 has no exact binary form. */
function snap(value: number): Value {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) <= 1e-9 * Math.abs(value)
    ? intValue(Dim.of(nearest))
    : { kind: "real", value };
}

function compareEqual(operator: "==" | "!=", left: Value, right: Value, assumed: Assumptions): StaticResult {
  const answer = (equal: boolean): StaticResult =>
    fine({ kind: "bool", value: (operator === "==") === equal });
  if (left.kind === "none" || right.kind === "none") return answer(left.kind === right.kind);
  const a = asFraction(left);
  const b = asFraction(right);
  if (a !== undefined && b !== undefined) {
    const x = a.numerator.mul(b.denominator);
    const y = b.numerator.mul(a.denominator);
    if (x.equals(y)) return answer(true);
    const difference = x.sub(y).constant;
    if (difference !== undefined && difference !== 0) return answer(false);
    if (operator === "!=")
      return undecided(`whether ${x} and ${y} differ is not known before inputs are bound`);
    return fine({ kind: "condition", condition: "equal", left: x, right: y });
  }
  const x = asNumber(left);
  const y = asNumber(right);
  if (x !== undefined && y !== undefined) return answer(x === y);
  if (orderOfOpenRatio(left, right, assumed) !== undefined) return answer(false);
  const [type, other] = [typeName(left), typeName(right)];
  if (type !== undefined && other !== undefined) return answer(type === other);
  if (left.kind === right.kind) {
    if (left.kind === "string" && right.kind === "string") return answer(left.value === right.value);
    if (left.kind === "bool" && right.kind === "bool") return answer(left.value === right.value);
    if (left.kind === "function" && right.kind === "function") return answer(left.name === right.name);
    if (left.kind === "template" && right.kind === "template") {
      return answer(left.declaration === right.declaration);
    }
  }
  const problem = `${describeValue(left)} and ${describeValue(right)} can't be compared`;
  return isStaticNumber(left) && isStaticNumber(right) ? undecided(problem) : refuse(problem);
}

/** Element types, and those in which weights are stored. */
function typeName(value: Value): string | undefined {
  return value.kind === "dtype" ? value.dtype : value.kind === "storage" ? value.storage : undefined;
}

function compareOrder(
  operator: "<" | "<=" | ">" | ">=",
  left: Value,
  right: Value,
  assumed: Assumptions,
): StaticResult {
  if (operator === ">" || operator === ">=") {
    return compareOrder(operator === ">" ? "<" : "<=", right, left, assumed);
  }
  const { minimums } = assumed;
  if (left.kind === "int" && right.kind === "int") {
    const low = operator === "<" ? left.dim.add(1) : left.dim;
    if (Dim.provablyAtMost(low, right.dim, minimums)) return fine({ kind: "bool", value: true });
    if (Dim.provablyAtMost(right.dim.add(1), low, minimums)) return fine({ kind: "bool", value: false });
    return fine({ kind: "condition", condition: "at-most", left: low, right: right.dim });
  }
  const order = orderOfOpenRatio(left, right, assumed);
  if (order !== undefined) return fine({ kind: "bool", value: order === "less" });
  const x = asNumber(left);
  const y = asNumber(right);
  const units = left.kind === "quantity" || right.kind === "quantity";
  const sameUnit = left.kind === "quantity" && right.kind === "quantity" && left.unit === right.unit;
  if (x === undefined || y === undefined || (units && !sameUnit)) {
    const problem = `${describeValue(left)} and ${describeValue(right)} can't be ordered`;
    return isStaticNumber(left) && isStaticNumber(right) && !units ? undecided(problem) : refuse(problem);
  }
  return fine({ kind: "bool", value: operator === "<" ? x < y : x <= y });
}

/** How a ratio that is left open compares with a number that it can't reach; undefined for any other pair. */
function orderOfOpenRatio(
  left: Value,
  right: Value,
  { ratios }: Assumptions,
): "less" | "greater" | undefined {
  const isOpen = (value: Value): boolean =>
    value.kind === "scaled" &&
    typeof value.factor === "string" &&
    value.dim.constant === 1 &&
    ratios.has(value.factor);
  const side = (number: number | undefined): "less" | "greater" | undefined =>
    number === undefined ? undefined : number >= 1 ? "less" : number <= 0 ? "greater" : undefined;
  if (isOpen(left)) return side(asNumber(right));
  if (!isOpen(right)) return undefined;
  const mirrored = side(asNumber(left));
  return mirrored === undefined ? undefined : mirrored === "less" ? "greater" : "less";
}

/** ceil, floor, round: to an integer. */
export function toInteger(mode: "ceil" | "floor" | "round", value: Value): StaticResult {
  switch (value.kind) {
    case "int":
      return fine(value);
    case "quotient": {
      const { numerator, denominator } = value;
      if (mode === "round")
        return fine(intValue(numerator.mul(2).add(denominator).floorDivide(denominator.mul(2))));
      return fine(
        intValue(mode === "ceil" ? numerator.ceilDivide(denominator) : numerator.floorDivide(denominator)),
      );
    }
    case "real": {
      const whole = { ceil: Math.ceil, floor: Math.floor, round: Math.round }[mode](value.value);
      if (!Number.isSafeInteger(whole)) return refuse(`${mode}(${value.value}) is not an exact integer`);
      return fine(intValue(Dim.of(whole)));
    }
    case "scaled":
      return fine(intValue(Dim.scaled(mode, value.factor, value.dim)));
    default:
      return refuse(`${mode}( ) takes a number, and this is ${describeValue(value)}`);
  }
}

export function extreme(mode: "min" | "max", values: readonly Value[]): StaticResult {
  let best: Value | undefined;
  for (const value of values) {
    if (best === undefined) {
      best = value;
    } else if (best.kind === "int" && value.kind === "int") {
      best = intValue(mode === "min" ? Dim.min(best.dim, value.dim) : Dim.max(best.dim, value.dim));
    } else {
      const x = asNumber(best);
      const y = asNumber(value);
      if (x === undefined || y === undefined) {
        const problem = `${mode}( ) can't compare ${describeValue(best)} and ${describeValue(value)}`;
        return isStaticNumber(best) && isStaticNumber(value) ? undecided(problem) : refuse(problem);
      }
      best = (mode === "min" ? x <= y : x >= y) ? best : value;
    }
  }
  return best === undefined ? refuse(`${mode}( ) needs at least one value`) : fine(best);
}

/** In brackets where it is more than one number or name. */
function grouped(dim: Dim): string {
  const text = dim.toString();
  return /^\w+$/.test(text) ? text : `(${text})`;
}
