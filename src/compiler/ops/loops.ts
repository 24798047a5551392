/**
 * Ops that are several loops, written once for every target.
 *
 * Owns: the form. An op is a list of stages; the elements of a stage's grid are computed independently
 * of each other, and a stage sees what those before it stored. What is written is scalar: that neighbours
 * along an axis, or terms of a sum, may be computed together is for targets to use.
 */
import type { Dim } from "../../lang/dims.ts";
import type { TensorType } from "../../lang/types.ts";
import type { BinaryFunction, UnaryFunction } from "./lowering.ts";
import type { Overhead } from "./op.ts";

export interface LoopProgram {
  /** Tensors that one stage leaves for another. */
  readonly scratch: readonly TensorType[];
  readonly stages: readonly LoopStage[];
}

export interface LoopStage {
  /** What it is, for people. */
  readonly name: string;
  readonly grid: readonly Dim[];
  /** The axis of the grid along which most reads lie side by side. */
  readonly wide: number | undefined;
  readonly body: readonly LoopStatement[];
  /** Multiply-adds of its sums that differ along the wide axis. */
  readonly macs: Dim;
  /** Those of sums that do not, for each position along it: they are computed once for neighbours taken together. */
  readonly shared?: Overhead;
  /** What of `macs` the record does not declare, by reason; negative: declared, and skipped. */
  readonly overhead?: readonly Overhead[];
}

export interface LoopPlace {
  readonly kind: "operand" | "scratch" | "result";
  readonly index: number;
}

/** `name`s are those of `let`, of sums and of loops. Coordinates, dimensions and loops are integers. */
export type LoopTerm =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "integer"; readonly value: Dim }
  | { readonly kind: "coordinate"; readonly axis: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "read"; readonly from: LoopPlace; readonly at: readonly LoopTerm[] }
  | { readonly kind: "unary"; readonly fn: UnaryFunction; readonly x: LoopTerm }
  | { readonly kind: "binary"; readonly fn: BinaryFunction; readonly a: LoopTerm; readonly b: LoopTerm }
  /** Only the part that is chosen is computed. */
  | {
      readonly kind: "choose";
      readonly condition: LoopTerm;
      readonly whenTrue: LoopTerm;
      readonly whenFalse: LoopTerm;
    };

export type LoopStatement =
  | { readonly kind: "let"; readonly name: string; readonly value: LoopTerm }
  /** A sum that starts here; `add` adds to it, in any order. */
  | { readonly kind: "sum"; readonly name: string }
  | { readonly kind: "add"; readonly name: string; readonly value: LoopTerm }
  | {
      readonly kind: "loop";
      readonly name: string;
      readonly from: LoopTerm;
      readonly to: LoopTerm;
      /** Its turns may be taken together: nothing but sums and stores goes from one to another. */
      readonly isFree: boolean;
      readonly body: readonly LoopStatement[];
    }
  | { readonly kind: "if"; readonly condition: LoopTerm; readonly body: readonly LoopStatement[] }
  | {
      readonly kind: "store";
      readonly to: LoopPlace;
      readonly at: readonly LoopTerm[];
      readonly value: LoopTerm;
    };

type Part = LoopTerm | number;
const part = (value: Part): LoopTerm => (typeof value === "number" ? { kind: "number", value } : value);

export const coordinate = (axis: number): LoopTerm => ({ kind: "coordinate", axis });
export const integer = (value: Dim): LoopTerm => ({ kind: "integer", value });
export const name = (text: string): LoopTerm => ({ kind: "name", name: text });
export const operandAt = (index: number, ...at: readonly LoopTerm[]): LoopTerm => ({
  kind: "read",
  from: { kind: "operand", index },
  at,
});
export const scratchAt = (index: number, ...at: readonly LoopTerm[]): LoopTerm => ({
  kind: "read",
  from: { kind: "scratch", index },
  at,
});
const binary =
  (fn: BinaryFunction) =>
  (a: Part, b: Part): LoopTerm => ({ kind: "binary", fn, a: part(a), b: part(b) });
export const plus = binary("add");
export const minus = binary("sub");
export const times = binary("mul");
export const over = binary("div");
export const below = binary("less");
export const same = binary("equal");
export const exponential = (x: Part): LoopTerm => ({ kind: "unary", fn: "exp", x: part(x) });
export const choose = (condition: LoopTerm, whenTrue: Part, whenFalse: Part): LoopTerm => ({
  kind: "choose",
  condition,
  whenTrue: part(whenTrue),
  whenFalse: part(whenFalse),
});

export const define = (text: string, value: LoopTerm): LoopStatement => ({ kind: "let", name: text, value });
export const sum = (text: string): LoopStatement => ({ kind: "sum", name: text });
export const add = (text: string, value: LoopTerm): LoopStatement => ({ kind: "add", name: text, value });
export const store = (to: LoopPlace, at: readonly LoopTerm[], value: LoopTerm): LoopStatement => ({
  kind: "store",
  to,
  at,
  value,
});
export const when = (condition: LoopTerm, body: readonly LoopStatement[]): LoopStatement => ({
  kind: "if",
  condition,
  body,
});
export const result = (index: number): LoopPlace => ({ kind: "result", index });
export const scratch = (index: number): LoopPlace => ({ kind: "scratch", index });
