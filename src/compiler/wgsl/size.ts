/**
 * Dimensions as a plan writes them: JSON that the runtime evaluates without the algebra behind it. And back,
 * for what is proved and printed of a plan.
 */
import { Dim, type DimAlgebra } from "../../lang/dims.ts";
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

/** What `sizeOf` was given. */
export function dimOf(size: Size): Dim {
  if (typeof size === "number") return Dim.of(size);
  if (typeof size === "string") return Dim.symbol(size);
  switch (size[0]) {
    case "+":
      return dimOf(size[1]).add(dimOf(size[2]));
    case "*":
      return dimOf(size[1]).mul(dimOf(size[2]));
    case "/":
      return dimOf(size[1]).floorDivide(dimOf(size[2]));
    case "min":
    case "max":
      return Dim[size[0]](dimOf(size[1]), dimOf(size[2]));
    case "ceil":
    case "floor":
    case "round":
      return Dim.scaled(size[0], size[1], dimOf(size[2]));
  }
}
