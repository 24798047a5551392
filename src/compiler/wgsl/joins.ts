/**
 * Reductions that can be put together from parts.
 */
import type { BinaryFunction, Scalar } from "../ops/lowering.ts";

/** The function that joins partial results, when the fold is a chain of it over elements. */
export function joinOf(
  combine: Scalar,
): { readonly fn: BinaryFunction; readonly element: Scalar } | undefined {
  if (combine.kind !== "binary" || !["add", "mul", "min", "max"].includes(combine.fn)) return undefined;
  const { fn, a, b } = combine;
  if (a.kind === "accumulator" && !accumulates(b)) return { fn, element: b };
  if (b.kind === "accumulator" && !accumulates(a)) return { fn, element: a };
  return undefined;
}

function accumulates(scalar: Scalar): boolean {
  switch (scalar.kind) {
    case "accumulator":
      return true;
    case "unary":
    case "cast":
    case "hash-uniform":
      return accumulates(scalar.x);
    case "binary":
      return accumulates(scalar.a) || accumulates(scalar.b);
    case "select":
      return accumulates(scalar.condition) || accumulates(scalar.whenTrue) || accumulates(scalar.whenFalse);
    default:
      return false;
  }
}
