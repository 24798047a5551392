/**
 * Types of compile-time parameters.
 *
 * Owns: which values a static type takes, and the conversions that lose nothing (an integer where
 * a real is wanted, a quotient that divides where an integer is wanted).
 */
import { blockKinds, type TypeExpression } from "./ast.ts";
import { Dim } from "./dims.ts";
import { asNumber } from "./static-arithmetic.ts";
import { describeValue, intValue, isSilent, type Unit, type Value } from "./value.ts";

export type Coerced =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string; readonly hint?: string };

const units: Readonly<Record<string, Unit>> = { frequency: "Hz", duration: "s", bytes: "B" };

export const staticTypeNames: readonly string[] = [
  "int",
  "real",
  "ratio",
  "bool",
  "string",
  "frequency",
  "duration",
  "bytes",
  "dtype",
  "function",
  ...blockKinds,
];

/** As a reader would call the type: `int`, `"score" | "original"`, `[int]`. */
export function printStaticType(type: TypeExpression): string {
  switch (type.kind) {
    case "named-type":
      return type.name.name;
    case "union-type":
      return type.options.map((option) => JSON.stringify(option.value)).join(" | ");
    case "list-type":
      return `[${printStaticType(type.element)}]`;
    case "tensor-type":
      return `${type.name.name}[…]`;
  }
}

/** The first name in the type that is no static type, with its place; tensor types count as unknown. */
export function unknownStaticType(type: TypeExpression): TypeExpression | undefined {
  if (type.kind === "list-type") return unknownStaticType(type.element);
  if (type.kind === "union-type") return undefined;
  if (type.kind === "named-type" && staticTypeNames.includes(type.name.name)) return undefined;
  return type;
}

export function coerce(value: Value, type: TypeExpression): Coerced {
  if (isSilent(value)) return { ok: true, value };
  switch (type.kind) {
    case "union-type":
      return coerceToUnion(
        value,
        type.options.map((option) => option.value),
      );
    case "list-type":
      return coerceToList(value, type.element);
    case "tensor-type":
      return value.kind === "tensor"
        ? { ok: true, value }
        : { ok: false, problem: `a tensor is wanted and this is ${describeValue(value)}` };
    case "named-type":
      return coerceToNamed(value, type.name.name);
  }
}

function coerceToUnion(value: Value, options: readonly string[]): Coerced {
  if (value.kind === "string" && options.includes(value.value)) return { ok: true, value };
  const known = options.map((option) => JSON.stringify(option)).join(", ");
  return { ok: false, problem: `one of ${known} is wanted and this is ${describeValue(value)}` };
}

function coerceToList(value: Value, element: TypeExpression): Coerced {
  const items =
    value.kind === "list"
      ? value.items
      : value.kind === "range"
        ? rangeItems(value.from, value.to)
        : undefined;
  if (items === undefined) {
    return {
      ok: false,
      problem: `a list is wanted and this is ${describeValue(value)}`,
      hint: "write [ ] around it",
    };
  }
  const coerced: Value[] = [];
  for (const item of items) {
    const result = coerce(item, element);
    if (!result.ok) return result;
    coerced.push(result.value);
  }
  return { ok: true, value: { kind: "list", items: coerced } };
}

/** The integers of a range whose ends are known, or `undefined`. */
export function rangeItems(from: Dim, to: Dim): Value[] | undefined {
  const first = from.constant;
  const last = to.constant;
  if (first === undefined || last === undefined || last - first > 1_000_000) return undefined;
  return Array.from({ length: Math.max(0, last - first) }, (_, i) => intValue(Dim.of(first + i)));
}

function coerceToNamed(value: Value, name: string): Coerced {
  const wanted = (what: string, hint?: string): Coerced => {
    const problem = `${what} is wanted and this is ${describeValue(value)}`;
    return hint === undefined ? { ok: false, problem } : { ok: false, problem, hint };
  };
  const unit = units[name];
  if (unit !== undefined) {
    const example = { Hz: "16kHz", s: "25ms", B: "128MiB" }[unit];
    return value.kind === "quantity" && value.unit === unit
      ? { ok: true, value }
      : wanted(`a ${name}`, `write the unit, as in ${example}`);
  }
  switch (name) {
    case "int":
      return coerceToInt(value);
    case "real":
    case "ratio": {
      const number = asNumber(value);
      if (
        value.kind === "quantity" ||
        (number === undefined && value.kind !== "scaled" && value.kind !== "int")
      ) {
        return wanted(name === "ratio" ? "a ratio" : "a number");
      }
      if (number === undefined) return { ok: true, value };
      if (name === "ratio" && !(number >= 0 && number <= 1)) {
        return { ok: false, problem: `a ratio lies between 0 % and 100 % and this is ${number}` };
      }
      return { ok: true, value: { kind: "real", value: number } };
    }
    case "bool":
      return value.kind === "bool" ? { ok: true, value } : wanted("true or false");
    case "string":
      return value.kind === "string" ? { ok: true, value } : wanted("a string");
    case "dtype":
      return value.kind === "dtype" ? { ok: true, value } : wanted("an element type such as f32");
    case "function":
      return value.kind === "function" || value.kind === "template"
        ? { ok: true, value }
        : wanted("a function");
    default:
      return coerceToBlock(value, name, wanted);
  }
}

function coerceToInt(value: Value): Coerced {
  if (value.kind === "int") return { ok: true, value };
  if (value.kind === "quotient") {
    const { numerator, denominator } = value;
    return {
      ok: false,
      problem: `${numerator} is not divisible by ${denominator}`,
      hint: "use floor( ) or ceil( ) to say which way to round",
    };
  }
  if (value.kind === "real" && Number.isSafeInteger(value.value)) {
    return { ok: true, value: intValue(Dim.of(value.value)) };
  }
  return { ok: false, problem: `an integer is wanted and this is ${describeValue(value)}` };
}

function coerceToBlock(value: Value, name: string, wanted: (what: string) => Coerced): Coerced {
  const article = /^[aeiou]/.test(name) ? "an" : "a";
  if (value.kind === "template") {
    const kind = value.declaration.blockKind;
    return name === "block" || kind === name ? { ok: true, value } : wanted(`${article} ${name}`);
  }
  if (name === "block" && (value.kind === "composition" || value.kind === "function"))
    return { ok: true, value };
  return wanted(`${article} ${name}`);
}
