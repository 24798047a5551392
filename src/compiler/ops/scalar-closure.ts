/**
 * What a scalar expression means: it becomes a JavaScript function.
 *
 * Owns: the meaning of every scalar function. The references of the element-by-element ops and the
 * evaluator both run these closures, so there is one meaning and not two. Arithmetic is f64.
 */
import type { DType } from "../../lang/types.ts";
import { isFloat } from "../../lang/types.ts";
import { hashUniform, seedWord } from "./hash.ts";
import type { BinaryFunction, Scalar, UnaryFunction } from "./lowering.ts";
import { erf, roundToEven, toHalf, xor } from "./special.ts";

/** What an expression reads while it runs. One object, changed in place from element to element. */
export interface Registers {
  readonly operands: Float64Array;
  coordinates: readonly number[];
  readonly folded: Float64Array;
  accumulator: number;
  count: number;
}

export type ScalarClosure = (registers: Registers) => number;

const truth = (condition: boolean): number => (condition ? 1 : 0);

export const unaryFunctions: Readonly<Record<UnaryFunction, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  erf,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundToEven,
  half: toHalf,
  not: (x) => truth(x === 0),
};

export const binaryFunctions: Readonly<Record<BinaryFunction, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a - Math.floor(a / b) * b,
  pow: (a, b) => a ** b,
  min: Math.min,
  max: Math.max,
  equal: (a, b) => truth(a === b),
  less: (a, b) => truth(a < b),
  "less-equal": (a, b) => truth(a <= b),
  and: (a, b) => truth(a !== 0 && b !== 0),
  or: (a, b) => truth(a !== 0 || b !== 0),
  xor,
  "shift-right": (a, b) => Math.floor(a / 2 ** b),
};

/** Every dimension in the expression must be a number. */
export function compileScalar(scalar: Scalar): ScalarClosure {
  switch (scalar.kind) {
    case "operand": {
      const { index } = scalar;
      return (r) => r.operands[index] ?? 0;
    }
    case "number": {
      const { value } = scalar;
      return () => value;
    }
    case "coordinate": {
      const { axis } = scalar;
      return (r) => r.coordinates[axis] ?? 0;
    }
    case "dimension": {
      const value = scalar.value.evaluate(new Map());
      return () => value;
    }
    case "accumulator":
      return (r) => r.accumulator;
    case "count":
      return (r) => r.count;
    case "folded": {
      const { index } = scalar;
      return (r) => r.folded[index] ?? 0;
    }
    case "unary": {
      const fn = unaryFunctions[scalar.fn];
      const x = compileScalar(scalar.x);
      return (r) => fn(x(r));
    }
    case "binary": {
      const fn = binaryFunctions[scalar.fn];
      const a = compileScalar(scalar.a);
      const b = compileScalar(scalar.b);
      return (r) => fn(a(r), b(r));
    }
    case "select": {
      const condition = compileScalar(scalar.condition);
      const whenTrue = compileScalar(scalar.whenTrue);
      const whenFalse = compileScalar(scalar.whenFalse);
      return (r) => (condition(r) !== 0 ? whenTrue(r) : whenFalse(r));
    }
    case "cast": {
      const x = compileScalar(scalar.x);
      const convert = conversion(scalar.to);
      return (r) => convert(x(r));
    }
    case "hash-uniform": {
      const x = compileScalar(scalar.x);
      const word = seedWord(scalar.seed);
      return (r) => hashUniform(x(r), word);
    }
  }
}

/** A cast to a shorter float changes nothing: the reference does not round. */
export function conversion(to: DType): (x: number) => number {
  if (to === "bool") return (x) => truth(x !== 0);
  return isFloat(to) ? (x) => x : Math.trunc;
}
