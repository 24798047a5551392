/**
 * Reading and checking attributes.
 *
 * Owns: defaults, the kinds' meaning, and typed readers. A node holds complete attributes (see
 * `completeAttributes`), so a reader that finds nothing has found a fault in the compiler.
 */
import type { AttributeKind, AttributeSpec, Attributes, AttributeValue } from "../../lang/catalog.ts";
import { Dim } from "../../lang/dims.ts";
import { type DType, isDType } from "../../lang/types.ts";
import { refuse } from "./match.ts";
import type { BoundAttributes } from "./op.ts";

export type AnyAttributes = Attributes | BoundAttributes;
type Schema = Readonly<Record<string, AttributeSpec>>;

/** The given attributes with the defaults of those left out. */
export function completeAttributes(schema: Schema, given: Attributes): Attributes {
  const complete: Record<string, AttributeValue> = {};
  for (const [name, spec] of Object.entries(schema)) {
    const value = given[name] ?? spec.default;
    if (value !== undefined) complete[name] = value;
  }
  return { ...complete, ...given };
}

/** Refuses an attribute that is unknown, missing or of the wrong kind. */
export function checkAttributes(op: string, schema: Schema, attributes: Attributes): void {
  for (const name of Object.keys(attributes)) {
    if (!Object.hasOwn(schema, name)) {
      const known = Object.keys(schema).join(", ");
      refuse({
        message: `\`${op}\` has no attribute \`${name}\``,
        hint: known === "" ? "It takes none." : `It takes ${known}.`,
      });
    }
  }
  for (const [name, spec] of Object.entries(schema)) {
    const value = attributes[name];
    if (value === undefined) refuse({ message: `\`${op}\` needs \`${name}\`: ${spec.doc}` });
    if (!hasKind(value, spec.kind))
      refuse({ message: `\`${name}\` of \`${op}\` must be ${wording[spec.kind]}` });
    if (spec.options && !spec.options.includes(String(value))) {
      refuse({ message: `\`${name}\` of \`${op}\` must be one of ${spec.options.join(", ")}, not ${value}` });
    }
  }
}

const wording: Readonly<Record<AttributeKind, string>> = {
  integer: "a whole number",
  integers: "a list of whole numbers",
  dim: "a dimension",
  dims: "a list of dimensions",
  real: "a number",
  boolean: "true or false",
  string: "a string",
  dtype: "an element type",
};

function hasKind(value: AttributeValue, kind: AttributeKind): boolean {
  switch (kind) {
    case "integer":
      return Number.isSafeInteger(value);
    case "integers":
      return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
    case "dim":
      return value instanceof Dim;
    case "dims":
      return Array.isArray(value) && value.every((item) => item instanceof Dim);
    case "real":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
    case "dtype":
      return typeof value === "string" && isDType(value);
  }
}

/** Every dimension replaced by its number. */
export function bindAttributes(
  attributes: Attributes,
  bindings: ReadonlyMap<string, number>,
): BoundAttributes {
  const bind = (item: Dim | number) => (typeof item === "number" ? item : item.evaluate(bindings));
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => {
      if (typeof value === "boolean" || typeof value === "string") return [name, value];
      return [name, typeof value === "number" || value instanceof Dim ? bind(value) : value.map(bind)];
    }),
  );
}

function missing(name: string, kind: string): never {
  throw new Error(`the attribute ${name} is not ${kind}; are the attributes complete?`);
}

export function numberOf(attributes: AnyAttributes, name: string): number {
  const value = attributes[name];
  return typeof value === "number" ? value : missing(name, "a number");
}

export function numbersOf(attributes: AnyAttributes, name: string): readonly number[] {
  const value = attributes[name];
  if (!Array.isArray(value)) missing(name, "a list");
  return value.map((item) => (typeof item === "number" ? item : missing(name, "a list of numbers")));
}

export function flagOf(attributes: AnyAttributes, name: string): boolean {
  const value = attributes[name];
  return typeof value === "boolean" ? value : missing(name, "true or false");
}

export function dtypeOf(attributes: AnyAttributes, name: string): DType {
  const value = attributes[name];
  return typeof value === "string" && isDType(value) ? value : missing(name, "an element type");
}

export function dimOf(attributes: AnyAttributes, name: string): Dim {
  const value = attributes[name];
  if (value instanceof Dim) return value;
  return typeof value === "number" ? Dim.of(value) : missing(name, "a dimension");
}

export function dimsOf(attributes: AnyAttributes, name: string): readonly Dim[] {
  const value = attributes[name];
  if (!Array.isArray(value)) missing(name, "a list");
  return value.map((item) => (item instanceof Dim ? item : Dim.of(item)));
}

/** Counts a negative axis from the end and refuses one that is not there. */
export function resolveAxis(axis: number, rank: number, name = "axis"): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank) {
    refuse({
      message: `\`${name}\` is ${axis}, but there ${rank === 1 ? "is 1 dimension" : `are ${rank} dimensions`}`,
    });
  }
  return resolved;
}
