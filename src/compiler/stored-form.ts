/**
 * The form in which a target may store a value: in fewer bits, where an op's record says that its result
 * loses nothing by it.
 *
 * Owns: recognising it, through a view that leaves all elements where they are.
 */
import type { Value } from "./graph.ts";
import { resolveAxis } from "./ops/attributes.ts";
import { type Rows, rowsAlong } from "./ops/stored.ts";
import { isRelaid } from "./wgsl/views.ts";

export type StoredForm =
  | { readonly kind: "f16"; readonly from: Value }
  /** Codes in the value's own order, and a scale for each row. */
  | { readonly kind: "int8"; readonly from: Value; readonly rows: Rows };

/** `from` is what was rounded: it has the value's elements, in its order. */
export function storedForm(value: Value): StoredForm | undefined {
  const { source } = value;
  if (source.kind !== "result") return undefined;
  const { node } = source;
  const [operand] = node.operands;
  if (operand === undefined) return undefined;
  if (node.op.stores === undefined) return isRelaid(node) ? storedForm(operand) : undefined;
  if (node.op.stores === "f16") return { kind: "f16", from: operand };
  const { axis } = node.attributes;
  const shape = value.type.shape.map((dim) => dim.constant ?? 0);
  const place = resolveAxis(typeof axis === "number" ? axis : -1, shape.length);
  return { kind: "int8", from: operand, rows: rowsAlong(shape, place) };
}
