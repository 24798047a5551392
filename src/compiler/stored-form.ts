/**
 * The form in which a target may store a value: in fewer bits, where an op's record says that its result
 * loses nothing by it.
 *
 * Owns: recognising it, through a view that leaves all elements where they are and through a join of such tensors.
 */
import { Dim } from "../lang/dims.ts";
import { internalFault } from "./fault.ts";
import type { Node, Value } from "./graph.ts";
import { makeNode } from "./graph-builder.ts";
import { resolveAxis } from "./ops/attributes.ts";
import { concat } from "./ops/cut.ts";
import { type Rows, rowsAlong } from "./ops/stored.ts";
import { isRelaid, joinedAlong } from "./wgsl/views.ts";

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
  if (node.op.stores === undefined) return isRelaid(node) ? storedForm(operand) : joinedForm(node);
  if (node.op.stores === "f16") return { kind: "f16", from: operand };
  const { axis } = node.attributes;
  const shape = value.type.shape.map((dim) => dim.constant ?? 0);
  const place = resolveAxis(typeof axis === "number" ? axis : -1, shape.length);
  return { kind: "int8", from: operand, rows: rowsAlong(shape, place) };
}

const joinedForms = new WeakMap<Node, { readonly form: StoredForm | undefined }>();

function joinedForm(node: Node): StoredForm | undefined {
  const known = joinedForms.get(node) ?? { form: formOfJoin(node) };
  joinedForms.set(node, known);
  return known.form;
}

/** Codes stay codes where a join leaves rows whole: beside each other, or one after another. */
function formOfJoin(node: Node): StoredForm | undefined {
  const axis = joinedAlong(node);
  const forms = node.operands.flatMap((operand) => storedForm(operand) ?? []);
  if (axis === undefined || forms.length < node.operands.length) return undefined;
  const sizes = ({ type }: Value): readonly number[] => type.shape.map((dim) => dim.constant ?? 0);
  const product = (list: readonly number[]): number => list.reduce((all, size) => all * size, 1);
  const froms = forms.map(({ from }) => from);
  const joined = (along: number): Value => {
    const [first] = froms;
    if (first === undefined) throw internalFault("a join of nothing", node.provenance);
    const length = froms.reduce((sum, { type }) => sum.add(type.shape[along] ?? 0), Dim.of(0));
    const type = { dtype: first.type.dtype, shape: first.type.shape.with(along, length) };
    const [result] = makeNode(concat, froms, { axis: along }, [type], node.provenance).results;
    if (result === undefined) throw internalFault("a join without a result", node.provenance);
    return result;
  };
  if (forms.every(({ kind }) => kind === "f16")) {
    const isLike = froms.every((from, at) => {
      const operand = node.operands[at];
      return operand !== undefined && `${sizes(from)}` === `${sizes(operand)}`;
    });
    return isLike ? { kind: "f16", from: joined(axis) } : undefined;
  }
  const rows = forms.flatMap((form) => (form.kind === "int8" ? [form.rows] : []));
  const [first] = rows;
  if (first === undefined || rows.length < forms.length) return undefined;
  const { outer, depth, inner } = first;
  const isLaidOut = froms.every((from, at) => {
    const own = rows[at];
    return own !== undefined && `${sizes(from)}` === `${[own.outer, own.depth, own.inner]}`;
  });
  if (!isLaidOut || rows.some((own) => own.depth !== depth)) return undefined;
  const isBeside = node.operands.every((operand, at) => {
    const shape = sizes(operand);
    const own = rows[at];
    return (
      own?.outer === outer &&
      own.inner === product(shape.slice(axis)) &&
      outer * depth === product(shape.slice(0, axis))
    );
  });
  if (isBeside) {
    const width = rows.reduce((sum, own) => sum + own.inner, 0);
    return { kind: "int8", from: joined(2), rows: { outer, depth, inner: width } };
  }
  const isBehind = axis === 0 && rows.every((own) => own.inner === inner);
  const height = rows.reduce((sum, own) => sum + own.outer, 0);
  return isBehind ? { kind: "int8", from: joined(0), rows: { outer: height, depth, inner } } : undefined;
}
