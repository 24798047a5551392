/**
 * Types of compile-time parameters.
 *
 * Owns: which values a static type takes, and the conversions that lose nothing (an integer where
 * a real is wanted, a quotient that divides where an integer is wanted).
 */
import { blockKinds, type TypeExpression } from "./ast.ts";
import { Dim } from "./dims.ts";
import { asNumber } from "./static-arithmetic.ts";
import { type StorageType, storageTypes } from "./storage-type.ts";
import { suggest } from "./suggest.ts";
import { describeValue, intValue, isSilent, type Unit, type Value } from "./value.ts";

export type Coerced =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      /** Goes on from the parameter: "must be an integer, not true". */
      readonly problem: string;
      readonly hint?: string;
      /** What to write instead. */
      readonly replacement?: string;
      /** Which item of a list it is about. */
      readonly item?: number;
    };

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
  "storage",
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
        : { ok: false, problem: `must be a tensor, not ${describeValue(value)}` };
    case "named-type":
      return coerceToNamed(value, type.name.name);
  }
}

function coerceToUnion(value: Value, options: readonly string[]): Coerced {
  if (value.kind === "string" && options.includes(value.value)) return { ok: true, value };
  const known = options.map((option) => JSON.stringify(option));
  const wanted = known.length === 1 ? known[0] : `${known.slice(0, -1).join(", ")} or ${known.at(-1)}`;
  if (value.kind !== "string")
    return { ok: false, problem: `must be ${wanted}, not ${describeValue(value)}` };
  const problem = `must be ${wanted}, not ${JSON.stringify(value.value)}`;
  const [close] = suggest(value.value, options);
  if (close === undefined) return { ok: false, problem };
  const replacement = JSON.stringify(close);
  return { ok: false, problem, hint: `did you mean ${replacement}?`, replacement };
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
      problem: `must be a list, not ${describeValue(value)}`,
      hint: "write `[…]` around it",
    };
  }
  const coerced: Value[] = [];
  for (const [i, item] of items.entries()) {
    const result = coerce(item, element);
    if (!result.ok) return { ...result, item: i };
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
  const wanted = (what: string, hint?: string | undefined): Coerced => {
    const problem = `must be ${what}, not ${describeValue(value)}`;
    return hint === undefined ? { ok: false, problem } : { ok: false, problem, hint };
  };
  const unit = units[name];
  if (unit !== undefined) {
    const example = { Hz: "16kHz", s: "25ms", B: "128MiB" }[unit];
    return value.kind === "quantity" && value.unit === unit
      ? { ok: true, value }
      : wanted(unit === "B" ? "a size in bytes" : `a ${name}`, `write its unit, as in \`${example}\``);
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
        const hint =
          value.kind === "int" && number > 1 && number <= 100
            ? `a ratio is written \`${number}%\` or \`${number / 100}\``
            : undefined;
        const found = value.kind === "int" ? number : `${Number((number * 100).toPrecision(12))} %`;
        const problem = `must be a ratio from 0 % to 100 %, not ${found}`;
        return hint === undefined ? { ok: false, problem } : { ok: false, problem, hint };
      }
      return { ok: true, value: { kind: "real", value: number } };
    }
    case "bool":
      return value.kind === "bool" ? { ok: true, value } : wanted("true or false");
    case "string":
      return value.kind === "string" ? { ok: true, value } : wanted("a string");
    case "dtype":
      return value.kind === "dtype" ? { ok: true, value } : wanted("an element type such as f32");
    case "storage":
      return storageOf(value) === undefined ? wanted("f32, f16 or int8") : { ok: true, value };
    case "function":
      return value.kind === "function" || value.kind === "template"
        ? { ok: true, value }
        : wanted("a function");
    default:
      return coerceToBlock(value, name, wanted);
  }
}

/** The storage type that a value stands for. */
export function storageOf(value: Value): StorageType | undefined {
  const name = value.kind === "storage" ? value.storage : value.kind === "dtype" ? value.dtype : undefined;
  return storageTypes.find((type) => type === name);
}

function coerceToInt(value: Value): Coerced {
  if (value.kind === "int") return { ok: true, value };
  if (value.kind === "quotient") {
    return {
      ok: false,
      problem: `must be an integer, not ${describeValue(value)}`,
      hint: "choose sizes that divide, or say how to round with `floor(…)` or `ceil(…)`",
    };
  }
  if (value.kind === "real" && Number.isSafeInteger(value.value)) {
    return { ok: true, value: intValue(Dim.of(value.value)) };
  }
  return { ok: false, problem: `must be an integer, not ${describeValue(value)}` };
}

function coerceToBlock(value: Value, name: string, wanted: (what: string) => Coerced): Coerced {
  const article = /^[aeiou]/.test(name) ? "an" : "a";
  // A block that has its place already may be passed on too: a tied head reads its table.
  if (value.kind === "template" || value.kind === "instance") {
    const { blockKind: kind } = value.kind === "template" ? value.declaration : value.instance.declaration;
    return name === "block" || kind === name ? { ok: true, value } : wanted(`${article} ${name}`);
  }
  if (name === "block" && (value.kind === "composition" || value.kind === "function"))
    return { ok: true, value };
  return wanted(`${article} ${name}`);
}
