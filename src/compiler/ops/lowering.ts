/**
 * How an op becomes loops: a closed union holding scalar expressions, not text of any target.
 *
 * Owns: the union and the scalar expressions. Fusion combines expressions; a target prints them;
 * the JavaScript evaluator (evaluate.ts) runs them, and the suite holds them to the reference.
 */
import type { Attributes } from "../../lang/catalog.ts";
import type { Dim } from "../../lang/dims.ts";
import type { DType, TensorType } from "../../lang/types.ts";

export type UnaryFunction =
  | "neg" | "abs" | "exp" | "log" | "sqrt" | "rsqrt" | "erf" | "tanh" | "sin" | "cos" | "floor" | "ceil" | "round" | "not";
export type BinaryFunction =
  | "add" | "sub" | "mul" | "div" | "mod" | "pow" | "min" | "max"
  | "equal" | "less" | "less-equal" | "and" | "or" | "xor" | "shift-right";

/** A scalar computed for one element. `operand` i is the i-th operand's element. */
export type Scalar =
  | { readonly kind: "operand"; readonly index: number }
  | { readonly kind: "number"; readonly value: number }
  /** The accumulator of a fold, in `combine` and `finish`. */
  | { readonly kind: "accumulator" }
  /** How many elements a fold ran over, in `finish`. */
  | { readonly kind: "count" }
  | { readonly kind: "unary"; readonly fn: UnaryFunction; readonly x: Scalar }
  | { readonly kind: "binary"; readonly fn: BinaryFunction; readonly a: Scalar; readonly b: Scalar }
  | { readonly kind: "select"; readonly condition: Scalar; readonly then: Scalar; readonly otherwise: Scalar }
  | { readonly kind: "cast"; readonly to: DType; readonly x: Scalar };

/** An index into an operand as a function of the result's index. */
export type Index =
  /** The result's coordinate along an axis. */
  | { readonly kind: "coordinate"; readonly axis: number }
  | { readonly kind: "constant"; readonly value: Dim }
  | { readonly kind: "add" | "mul" | "div" | "mod"; readonly a: Index; readonly b: Index };

/** One way to read an operand; `when` guards it, outside it the element is `otherwise`. */
export interface ViewPiece {
  readonly operand: number;
  readonly at: readonly Index[];
  /** Both bounds must hold for this piece to be the one read: low <= coordinate(axis) < high. */
  readonly when?: { readonly axis: number; readonly low: Dim; readonly high: Dim };
}

export interface LoweringContext {
  readonly operands: readonly TensorType[];
  readonly results: readonly TensorType[];
  readonly attributes: Attributes;
}

export type Lowering =
  /** Element by element, operands broadcast to the result. */
  | { readonly kind: "map"; readonly expression: (context: LoweringContext) => Scalar }
  /** No arithmetic: every element of the result is an element of an operand, or `otherwise`. */
  | {
      readonly kind: "view";
      readonly pieces: (context: LoweringContext) => readonly ViewPiece[];
      readonly otherwise?: (context: LoweringContext) => number;
    }
  /** Reduces the given axes of the one operand. */
  | {
      readonly kind: "fold";
      readonly axes: (context: LoweringContext) => readonly number[];
      readonly initial: number;
      readonly combine: Scalar;
      readonly finish: Scalar;
    }
  /** A sum of products over shared axes: matrix products and convolutions. */
  | { readonly kind: "contract"; readonly axes: (context: LoweringContext) => Contraction }
  /** Along one axis, each result depends on the ones before it. */
  | { readonly kind: "scan"; readonly axis: (context: LoweringContext) => number }
  /** Chooses elements by value or by index: top-k, sort, gather. */
  | { readonly kind: "select" }
  /** Written by hand for a target that has one; elsewhere its expansion runs. */
  | { readonly kind: "kernel"; readonly reason: string }
  /** A value that no operand gives: a fill, a ramp. */
  | { readonly kind: "source"; readonly expression: (context: LoweringContext) => Scalar; readonly coordinateAxis?: number };

/** result[i] = sum over r of a[A(i, r)] * b[B(i, r)]; coordinates past the result's rank number the reduced ones. */
export interface Contraction {
  readonly reduce: readonly Dim[];
  readonly left: readonly Index[];
  readonly right: readonly Index[];
  /** When an index falls outside its operand (padding), the product is 0. */
  readonly padded: boolean;
}
