/**
 * Dimensions as a plan writes them: JSON that the runtime evaluates without the algebra behind it.
 */
import type { Dim, DimAlgebra } from "../../lang/dims.ts";
import { internalFault } from "../fault.ts";
import type { Size } from "../plan.ts";

const algebra: DimAlgebra<Size> = {
  constant: (value) => Number(value),
  symbol: (name) => name,
  add: (a, b) => ["+", a, b],
  multiply: (a, b) => ["*", a, b],
  floorDivide: (a, b) => ["/", a, b],
  minimum: (a, b) => ["min", a, b],
  maximum: (a, b) => ["max", a, b],
  scaled: (mode, factor, a) => {
    if (typeof factor === "string") throw internalFault(`the ratio ${factor} is still open in a plan`);
    return [mode, factor, a];
  },
};

export function sizeOf(dim: Dim | number): Size {
  if (typeof dim === "number") return dim;
  return dim.constant ?? dim.fold(algebra);
}
