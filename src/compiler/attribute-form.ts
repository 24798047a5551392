/**
 * Attributes in one form.
 *
 * Owns: bringing attributes to what an op's schema says (defaults filled in, dimensions as `Dim`),
 * so that equal nodes have equal attributes, and the text that equal attributes share. Checking and
 * reading them is the ops' (ops/attributes.ts).
 */
import type { AttributeSpec, Attributes, AttributeValue, OpSignature } from "../lang/catalog.ts";
import { Dim } from "../lang/dims.ts";
import { completeAttributes } from "./ops/attributes.ts";

/** Of attributes in normal form, which are not changed once they are made: for which op, and their text. */
const normalForms = new WeakMap<Attributes, { readonly op: OpSignature; text: string | undefined }>();
/** The normal form of attributes that were brought to it before, and for which op. */
const broughtBefore = new WeakMap<Attributes, { readonly op: OpSignature; readonly normal: Attributes }>();
/** Most ops have none. */
const noAttributes: Attributes = Object.freeze({});

/** Complete and in schema form, sorted by name. A value of a wrong kind stays as it is, for the verifier. */
export function normalizeAttributes(op: OpSignature, given: Attributes): Attributes {
  if (isEmpty(given) && isEmpty(op.attributes)) return noAttributes;
  if (normalForms.get(given)?.op === op) return given;
  const before = broughtBefore.get(given);
  if (before?.op === op) return before.normal;
  const complete = Object.entries(completeAttributes(op.attributes, given));
  const normal: Attributes = Object.fromEntries(
    complete
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => {
        const spec = op.attributes[name];
        return [name, spec === undefined ? value : normalizeValue(spec, value)];
      }),
  );
  normalForms.set(normal, { op, text: undefined });
  broughtBefore.set(given, { op, normal });
  return normal;
}

function normalizeValue(spec: AttributeSpec, value: AttributeValue): AttributeValue {
  switch (spec.kind) {
    case "dim":
      return typeof value === "number" ? Dim.of(value) : value;
    case "dims":
      return isList(value) ? value.map((item) => (typeof item === "number" ? Dim.of(item) : item)) : value;
    case "integer":
      return value instanceof Dim ? (value.constant ?? value) : value;
    case "integers": {
      if (!isList(value)) return value;
      const numbers = value.map((item) => (typeof item === "number" ? item : item.constant));
      return numbers.every((item) => item !== undefined) ? numbers : value;
    }
    case "real":
    case "boolean":
    case "string":
    case "dtype":
      return value;
  }
}

/** `[2, N + 1]`, `0.02`, `"sum"`: the same text exactly when the values are the same. */
export function printAttribute(value: AttributeValue): string {
  if (isList(value)) return `[${value.map(printItem).join(", ")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return String(value);
  return printItem(value);
}

/** `axis: -1, keep: true`, sorted by name. */
export function printAttributes(attributes: Attributes): string {
  if (isEmpty(attributes)) return "";
  const normal = normalForms.get(attributes);
  if (normal?.text !== undefined) return normal.text;
  const text = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${printAttribute(value)}`)
    .join(", ");
  if (normal !== undefined) normal.text = text;
  return text;
}

function isEmpty(attributes: object): boolean {
  for (const _ in attributes) return false;
  return true;
}

/** The dimensions that attributes hold. */
export function attributeDims(attributes: Attributes): readonly Dim[] {
  return Object.values(attributes)
    .flatMap((value): readonly AttributeValue[] => (isList(value) ? value : [value]))
    .filter((value) => value instanceof Dim);
}

/** A number as the shortest text that reads back as the same float64. */
export function printNumber(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return Number.isNaN(value) ? "nan" : String(value);
}

function printItem(value: Dim | number): string {
  return typeof value === "number" ? printNumber(value) : value.toString();
}

function isList(value: AttributeValue): value is readonly Dim[] | readonly number[] {
  return Array.isArray(value);
}
