/**
 * How an op becomes loops: a closed union holding scalar expressions, not text of any target.
 *
 * Owns: the union and the scalar expressions. Fusion combines expressions; a target prints them;
 * the JavaScript evaluator (evaluate.ts) runs them, and the suite holds them to the reference.
 */
import type { Attributes } from "../../lang/catalog.ts";
import type { Dim } from "../../lang/dims.ts";
import type { DType, TensorType } from "../../lang/types.ts";
import type { LoopProgram } from "./loops.ts";

export type UnaryFunction =
  | "neg"
  | "abs"
  | "exp"
  | "log"
  | "log1p"
  | "sqrt"
  | "rsqrt"
  | "erf"
  | "tanh"
  | "sin"
  | "cos"
  | "floor"
  | "ceil"
  | "round"
  /** To the nearest binary16. */
  | "half"
  | "not";
export type BinaryFunction =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "pow"
  | "min"
  | "max"
  | "equal"
  | "less"
  | "less-equal"
  | "and"
  | "or"
  | "xor"
  | "shift-right";

/**
 * A scalar computed for one element. `operand` i is the i-th operand's element.
 *
 * Every scalar has a dtype: an operand its own, a number that of its partner, comparisons and logic
 * bool. `mod` is the floor modulo (the divisor's sign) for integers and for floats; integer `div` is
 * only written where it leaves no remainder; `round` goes to even; `cast` to an integer truncates.
 */
export type Scalar =
  | { readonly kind: "operand"; readonly index: number }
  | { readonly kind: "number"; readonly value: number }
  /** The result's coordinate along an axis, an i64. */
  | { readonly kind: "coordinate"; readonly axis: number }
  /** The value of a dimension, an i64. */
  | { readonly kind: "dimension"; readonly value: Dim }
  /** The accumulator of a fold, in `combine` and `finish`. */
  | { readonly kind: "accumulator" }
  /** How many elements a fold ran over, in `finish`. */
  | { readonly kind: "count" }
  /** What the row's fold number `index` came to: in the folds after it and in a row's expression. */
  | { readonly kind: "folded"; readonly index: number }
  /** An f32 in [0, 1) from the low 32 bits of the integer `x`: hash.ts says which, bit for bit. */
  | { readonly kind: "hash-uniform"; readonly x: Scalar; readonly seed: number }
  | { readonly kind: "unary"; readonly fn: UnaryFunction; readonly x: Scalar }
  | { readonly kind: "binary"; readonly fn: BinaryFunction; readonly a: Scalar; readonly b: Scalar }
  | {
      readonly kind: "select";
      readonly condition: Scalar;
      readonly whenTrue: Scalar;
      readonly whenFalse: Scalar;
    }
  | { readonly kind: "cast"; readonly to: DType; readonly x: Scalar };

/** An index into an operand as a function of the result's index. */
export type Index =
  /** The result's coordinate along an axis. */
  | { readonly kind: "coordinate"; readonly axis: number }
  | { readonly kind: "constant"; readonly value: Dim }
  /** An element of an integer operand: how gathers read. */
  | { readonly kind: "element"; readonly operand: number; readonly at: readonly Index[] }
  | { readonly kind: "add" | "mul" | "div" | "mod"; readonly a: Index; readonly b: Index };

/** One way to read an operand; `when` guards it, outside it the element is `otherwise`. */
export interface ViewPiece {
  readonly operand: number;
  readonly at: readonly Index[];
  /** All must hold for this piece to be the one read: low <= coordinate(axis) < high. */
  readonly when?: readonly CoordinateRange[];
}

export interface CoordinateRange {
  readonly axis: number;
  readonly low: Dim;
  readonly high: Dim;
}

/** One reduction. `combine` sees an element and the accumulator, `finish` the accumulator and the count. */
export interface Fold {
  /** May be an infinity (the largest so far of nothing). */
  readonly initial: number;
  readonly combine: Scalar;
  readonly finish: Scalar;
}

export interface LoweringContext {
  readonly operands: readonly TensorType[];
  readonly results: readonly TensorType[];
  readonly attributes: Attributes;
}

export type Lowering =
  /** Element by element, operands broadcast to the result: where their size is the constant 1, they repeat. */
  | { readonly kind: "map"; readonly expression: (context: LoweringContext) => Scalar }
  /** No arithmetic: every element of the result is an element of an operand, or `otherwise`. */
  | {
      readonly kind: "view";
      readonly pieces: (context: LoweringContext) => readonly ViewPiece[];
      readonly otherwise?: (context: LoweringContext) => number;
    }
  /** Reduces the given axes (ascending) of the one operand; a kept axis has size 1. */
  | {
      readonly kind: "fold";
      readonly axes: (context: LoweringContext) => readonly number[];
      readonly fold: Fold;
    }
  /**
   * Along one axis of the first operand: the folds in order, then the expression for every element.
   * The other operands broadcast to the first, whose shape the result has.
   */
  | {
      readonly kind: "row";
      readonly axis: (context: LoweringContext) => number;
      readonly folds: readonly Fold[];
      readonly expression: (context: LoweringContext) => Scalar;
    }
  /** A sum of products over shared axes: matrix products and convolutions. */
  | { readonly kind: "contract"; readonly axes: (context: LoweringContext) => Contraction }
  /** Along one axis every result is the accumulator after its element: combine(accumulator, element). */
  | {
      readonly kind: "scan";
      readonly axis: (context: LoweringContext) => number;
      readonly initial: number;
      readonly combine: Scalar;
    }
  /**
   * Orders each row along `axis` by value, equal values by index, and takes as many from the front as
   * the results hold (1 where they have no such axis). `results` says what each result is.
   */
  | {
      readonly kind: "select";
      readonly axis: (context: LoweringContext) => number;
      readonly descending: (context: LoweringContext) => boolean;
      readonly results: readonly ("values" | "indices")[];
    }
  /** Several loops of its own, where no other kind holds the op. */
  | {
      readonly kind: "kernel";
      readonly reason: string;
      readonly loops: (context: LoweringContext) => LoopProgram;
    }
  /** A value that no operand gives: a fill, a ramp. */
  | { readonly kind: "source"; readonly expression: (context: LoweringContext) => Scalar };

/** result[i] = sum over r of a[A(i, r)] * b[B(i, r)]; coordinates past the result's rank number the reduced ones. */
export interface Contraction {
  readonly reduce: readonly Dim[];
  readonly left: readonly Index[];
  readonly right: readonly Index[];
  /** When an index falls outside its operand (padding), the product is 0. */
  readonly padded: boolean;
  /** Where the third operand, when there is one, is read to be added to the sum. */
  readonly bias: readonly Index[] | undefined;
}
