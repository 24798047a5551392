/**
 * Writing index expressions, and the ones several ops share.
 *
 * Owns: constructors, folding of the trivial cases, and row-major positions. What an index means is
 * evaluate-index.ts.
 */
import { Dim } from "../../lang/dims.ts";
import type { Index } from "./lowering.ts";

export const at = (axis: number): Index => ({ kind: "coordinate", axis });
export const constant = (value: Dim | number): Index => ({
  kind: "constant",
  value: typeof value === "number" ? Dim.of(value) : value,
});

const constantOf = (index: Index): number | undefined =>
  index.kind === "constant" ? index.value.constant : undefined;

export function addIndex(a: Index, b: Index): Index {
  if (constantOf(a) === 0) return b;
  if (constantOf(b) === 0) return a;
  return { kind: "add", a, b };
}

export function mulIndex(a: Index, b: Index): Index {
  if (constantOf(a) === 1) return b;
  if (constantOf(b) === 1) return a;
  if (constantOf(a) === 0 || constantOf(b) === 0) return constant(0);
  return { kind: "mul", a, b };
}

export function divIndex(a: Index, b: Index): Index {
  return constantOf(b) === 1 ? a : { kind: "div", a, b };
}

export function modIndex(a: Index, b: Index): Index {
  return constantOf(b) === 1 ? constant(0) : { kind: "mod", a, b };
}

/** The row-major position of the coordinates in a shape. */
export function flatten(indices: readonly Index[], shape: readonly Dim[]): Index {
  return indices.reduce<Index>(
    (position, index, axis) => addIndex(mulIndex(position, constant(shape[axis] ?? Dim.of(1))), index),
    constant(0),
  );
}

/** The coordinates in a shape of a row-major position. */
export function unflatten(position: Index, shape: readonly Dim[]): Index[] {
  const indices: Index[] = [];
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = constant(shape[axis] ?? Dim.of(1));
    // The first coordinate is what is left; a modulo would change nothing.
    indices.unshift(axis === 0 ? rest : modIndex(rest, size));
    rest = divIndex(rest, size);
  }
  return indices;
}

/** How an operand that broadcasts to a result of `rank` dimensions is read. */
export function broadcastIndices(shape: readonly Dim[], rank: number): Index[] {
  const lead = rank - shape.length;
  return shape.map((dim, axis) => (dim.constant === 1 ? constant(0) : at(axis + lead)));
}
