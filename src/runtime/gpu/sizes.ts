/**
 * Sizes of a plan as numbers.
 *
 * Owns: evaluating them for given symbols, solving a symbol from the number that a size must be, and
 * printing one for people. Knows no device.
 */
import type { Size } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";

export type Symbols = ReadonlyMap<string, number>;

/** @throws DiagnosticError `symbol-unbound`, or `plan-size` where the result is no exact whole number */
export function evaluateSize(size: Size, symbols: Symbols): number {
  const value = evaluate(size, symbols);
  if (Number.isSafeInteger(value)) return value;
  throw failure("plan-size", `The size ${printSize(size)} is ${value}, which is no exact whole number.`, {
    notes: [...symbols].map(([name, number]) => `${name} is ${number}`),
  });
}

function evaluate(size: Size, symbols: Symbols): number {
  if (typeof size === "number") return size;
  if (typeof size === "string") {
    const value = symbols.get(size);
    if (value === undefined) throw failure("symbol-unbound", `The dimension ${size} has no value.`);
    return value;
  }
  switch (size[0]) {
    case "ceil":
      return Math.ceil(size[1] * evaluate(size[2], symbols));
    case "floor":
      return Math.floor(size[1] * evaluate(size[2], symbols));
    case "round":
      return roundToEven(size[1] * evaluate(size[2], symbols));
    default: {
      const left = evaluate(size[1], symbols);
      const right = evaluate(size[2], symbols);
      return apply(size[0], left, right);
    }
  }
}

function apply(operation: "+" | "*" | "/" | "min" | "max", left: number, right: number): number {
  switch (operation) {
    case "+":
      return left + right;
    case "*":
      return left * right;
    case "/":
      return Math.floor(left / right);
    case "min":
      return Math.min(left, right);
    case "max":
      return Math.max(left, right);
  }
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The symbols of a size, each once. */
export function symbolsOf(size: Size): ReadonlySet<string> {
  if (typeof size === "number") return new Set();
  if (typeof size === "string") return new Set([size]);
  const parts: readonly Size[] = isRounding(size) ? [size[2]] : [size[1], size[2]];
  return new Set(parts.flatMap((part) => [...symbolsOf(part)]));
}

type Compound = Exclude<Size, number | string>;
type Rounding = Extract<Compound, readonly ["ceil" | "floor" | "round", number, Size]>;

function isRounding(size: Compound): size is Rounding {
  return size[0] === "ceil" || size[0] === "floor" || size[0] === "round";
}

/** The one symbol without a value that makes `size` the number `value`, through sums and products alone. */
export function solveSize(
  size: Size,
  value: number,
  symbols: Symbols,
): readonly [symbol: string, value: number] | undefined {
  if (typeof size === "number") return undefined;
  if (typeof size === "string") return symbols.has(size) ? undefined : [size, value];
  if (size[0] !== "+" && size[0] !== "*") return undefined;
  const [operation, left, right] = size;
  const leftKnown = isKnown(left, symbols);
  if (leftKnown === isKnown(right, symbols)) return undefined;
  const known = evaluate(leftKnown ? left : right, symbols);
  const rest = operation === "+" ? value - known : value / known;
  return Number.isSafeInteger(rest) ? solveSize(leftKnown ? right : left, rest, symbols) : undefined;
}

function isKnown(size: Size, symbols: Symbols): boolean {
  return [...symbolsOf(size)].every((symbol) => symbols.has(symbol));
}

/** `1 + ceil(0.5 * N)`. */
export function printSize(size: Size): string {
  return print(size, false);
}

/** A sum inside a product needs parentheses; nothing else does. */
function print(size: Size, inProduct: boolean): string {
  if (typeof size === "number" || typeof size === "string") return String(size);
  if (isRounding(size)) return `${size[0]}(${size[1]} * ${print(size[2], true)})`;
  const [operation, left, right] = size;
  switch (operation) {
    case "min":
    case "max":
      return `${operation}(${printSize(left)}, ${printSize(right)})`;
    case "+": {
      const sum = `${printSize(left)} + ${printSize(right)}`;
      return inProduct ? `(${sum})` : sum;
    }
    case "*":
      return `${print(left, true)} * ${print(right, true)}`;
    case "/":
      return `floor(${print(left, true)} / ${print(right, true)})`;
  }
}

/** `f32[B, 1 + N]`. */
export function printShape(shape: readonly Size[]): string {
  return `[${shape.map(printSize).join(", ")}]`;
}
