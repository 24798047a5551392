/**
 * Writing scalar expressions as one reads them.
 *
 * Owns: constructors only. What an expression means is scalar-closure.ts.
 */
import type { Dim } from "../../lang/dims.ts";
import type { DType } from "../../lang/types.ts";
import type { BinaryFunction, Scalar, UnaryFunction } from "./lowering.ts";

export const operand = (index: number): Scalar => ({ kind: "operand", index });
export const number = (value: number): Scalar => ({ kind: "number", value });
export const coordinate = (axis: number): Scalar => ({ kind: "coordinate", axis });
export const dimension = (value: Dim): Scalar => ({ kind: "dimension", value });
export const folded = (index: number): Scalar => ({ kind: "folded", index });
export const accumulator: Scalar = { kind: "accumulator" };
export const count: Scalar = { kind: "count" };
/** The operands most expressions have. */
export const x = operand(0);
export const y = operand(1);

type Term = Scalar | number;
const term = (t: Term): Scalar => (typeof t === "number" ? number(t) : t);

export const unary = (fn: UnaryFunction, of: Term): Scalar => ({ kind: "unary", fn, x: term(of) });
export const binary = (fn: BinaryFunction, a: Term, b: Term): Scalar => ({
  kind: "binary",
  fn,
  a: term(a),
  b: term(b),
});
export const select = (condition: Scalar, whenTrue: Term, whenFalse: Term): Scalar => ({
  kind: "select",
  condition,
  whenTrue: term(whenTrue),
  whenFalse: term(whenFalse),
});
export const cast = (of: Scalar, to: DType): Scalar => ({ kind: "cast", to, x: of });

export const add = (a: Term, b: Term): Scalar => binary("add", a, b);
export const sub = (a: Term, b: Term): Scalar => binary("sub", a, b);
export const mul = (a: Term, b: Term): Scalar => binary("mul", a, b);
export const div = (a: Term, b: Term): Scalar => binary("div", a, b);
export const max = (a: Term, b: Term): Scalar => binary("max", a, b);
export const min = (a: Term, b: Term): Scalar => binary("min", a, b);
export const exp = (a: Term): Scalar => unary("exp", a);
