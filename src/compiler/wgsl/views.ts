/**
 * Views that lose and repeat nothing: kernels store through them.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import type { Node } from "../graph.ts";
import type { Index } from "../ops/lowering.ts";
import type { At } from "./coordinates.ts";
import { flatPosition, Position, unflattened } from "./position.ts";
import { contextOf } from "./reader.ts";

/** A view of one operand whose indices are arithmetic. */
export function isPlainView(node: Node): boolean {
  const { lowering } = node.op;
  if (lowering.kind !== "view") return false;
  const pieces = lowering.pieces(contextOf(node));
  const [piece] = pieces;
  return (
    pieces.length === 1 && piece !== undefined && (piece.when ?? []).length === 0 && piece.at.every(isPlain)
  );
}

/** Arithmetic on coordinates alone. */
export function isPlain(index: Index): boolean {
  switch (index.kind) {
    case "element":
      return false;
    case "coordinate":
    case "constant":
      return true;
    default:
      return isPlain(index.a) && isPlain(index.b);
  }
}

/** Whether the view puts every element of its operand at one place. */
export function movesAll(node: Node): boolean {
  const [operand] = node.operands;
  if (operand === undefined || node.operands.length !== 1) return false;
  const probe = operand.type.shape.map((extent, axis) => Position.name(`p${axis}`, extent));
  return movedTo(node, probe) !== undefined;
}

/** The axis along which a view puts its operands one after another, whole and in order. */
export function joinedAlong(node: Node): number | undefined {
  const { lowering } = node.op;
  if (lowering.kind !== "view") return undefined;
  const pieces = lowering.pieces(contextOf(node));
  const axis = pieces[0]?.when?.[0]?.axis;
  if (axis === undefined || pieces.length !== node.operands.length) return undefined;
  let next = Dim.of(0);
  for (const [number, { operand, at, when = [] }] of pieces.entries()) {
    const [range, another] = when;
    const size = node.operands[operand]?.type.shape[axis];
    if (range?.axis !== axis || another !== undefined || operand !== number || size === undefined)
      return undefined;
    const end = next.add(size);
    if (!range.low.equals(next) || !range.high.equals(end)) return undefined;
    const names = at.map((_, place) => Position.name(`p${place}`, Dim.of(2 ** 31)));
    const isInOrder = at.every((index, place) => {
      const wanted = (names[place] ?? Position.of(0)).add(place === axis ? next.negate() : Dim.of(0));
      return isPlain(index) && plainPosition(index, names).key === wanted.key;
    });
    if (!isInOrder) return undefined;
    next = end;
  }
  return axis;
}

/** Where the view puts the operand's element: where it is permuted, or laid out anew in its order. */
export function movedTo(node: Node, at: At): At | undefined {
  const { lowering } = node.op;
  const [result] = node.results;
  const [operand] = node.operands;
  if (lowering.kind !== "view" || result === undefined || operand === undefined) return undefined;
  const pieces = lowering.pieces(contextOf(node));
  const [piece] = pieces;
  if (piece === undefined || pieces.length !== 1 || (piece.when ?? []).length > 0) return undefined;
  const { shape } = result.type;
  const moved: (Position | undefined)[] = shape.map((size) =>
    size.constant === 1 ? Position.of(0) : undefined,
  );
  const isPermuted = piece.at.every((index, axis) => {
    if (operand.type.shape[axis]?.constant === 1) return true;
    if (index.kind !== "coordinate" || moved[index.axis] !== undefined) return false;
    if (shape[index.axis]?.equals(operand.type.shape[axis] ?? Dim.of(0)) !== true) return false;
    moved[index.axis] = at[axis];
    return true;
  });
  const places = moved.flatMap((position) => (position === undefined ? [] : [position]));
  if (isPermuted && places.length === shape.length) return places;
  return isRelaid(node) ? unflattened(flatPosition(at, operand.type.shape), shape) : undefined;
}

/** Whether result and operand hold the same elements in the same order. */
export function isRelaid(node: Node): boolean {
  const { lowering } = node.op;
  const [result] = node.results;
  const [operand] = node.operands;
  if (lowering.kind !== "view" || result === undefined || operand === undefined) return false;
  const [piece, another] = lowering.pieces(contextOf(node));
  if (piece === undefined || another !== undefined || !piece.at.every(isPlain)) return false;
  // What is cut off at the end leaves the rest where it was.
  if (!productDims(result.type.shape).equals(productDims(operand.type.shape))) return false;
  const names = result.type.shape.map((extent, axis) => Position.name(`p${axis}`, extent));
  const from = piece.at.map((index) => plainPosition(index, names));
  const wanted = flatPosition(names, result.type.shape);
  return flatPosition(from, operand.type.shape).key === wanted.key;
}

/** An index where elements stand for any number. */
export function plainPosition(index: Index, at: At): Position {
  switch (index.kind) {
    case "coordinate":
      return at[index.axis] ?? Position.of(0);
    case "constant":
      return Position.of(index.value);
    case "element":
      return Position.name("element", Dim.of(2 ** 31));
    case "add":
      return plainPosition(index.a, at).add(plainPosition(index.b, at));
    case "mul": {
      const [a, b] = [plainPosition(index.a, at), plainPosition(index.b, at)];
      return b.terms.length === 0 ? a.times(b.offset) : b.times(a.offset);
    }
    case "div":
      return plainPosition(index.a, at).div(plainPosition(index.b, at).offset);
    case "mod":
      return plainPosition(index.a, at).mod(plainPosition(index.b, at).offset);
  }
}
