/**
 * Reductions inside a kernel.
 *
 * Owns: the loops of one fold, four elements at a time where the row lies in order and the reduction does
 * not mind the order. Where the elements come from is the caller's.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import type { BinaryFunction, Fold } from "../ops/lowering.ts";
import { joinOf } from "./joins.ts";
import { type KernelWriter, type Lanes, type Term, typeText } from "./kernel-writer.ts";
import { Position } from "./position.ts";
import { converted, numberTerm, scalarTerm, widened } from "./scalar-text.ts";

/** Reads operand number `index` at the place that the innermost loop is at. */
type Read = (index: number, at: readonly Position[], along: string | undefined) => Term;

export interface FoldRequest {
  readonly fold: Fold;
  readonly axes: readonly number[];
  /** Coordinates of the whole operand; those of `axes` are replaced. */
  readonly at: readonly Position[];
  readonly shape: readonly Dim[];
  readonly read: Read;
  readonly folded: readonly Term[];
  readonly isFloat: boolean;
  /** A name outside the fold along which four folds are taken together. */
  readonly along?: string | undefined;
}

/** What a fold comes to, as a term of the scope that the writer is in. */
export function foldTerm(writer: KernelWriter, request: FoldRequest): Term {
  const { fold, axes, shape, isFloat } = request;
  const join = joinOf(fold.combine);
  const inner = axes.at(-1) ?? 0;
  const size = shape[inner] ?? Dim.of(1);
  const isWide =
    isFloat &&
    request.along === undefined &&
    join !== undefined &&
    size.constant !== 1 &&
    size.divideExactly(4) !== undefined;
  const lanes: Lanes = isWide || request.along !== undefined ? 4 : 1;
  const type = isFloat ? ("f32" as const) : ("i32" as const);
  const initial = numberTerm(fold.initial, type).text;
  const name = writer.variable(
    "acc",
    type,
    lanes === 4 ? `${typeText(type, 4)}(${initial})` : initial,
    lanes,
  );
  const at = [...request.at];
  const nest = (rest: readonly number[]): void => {
    const [axis, ...others] = rest;
    if (axis === undefined) return;
    const isLast = others.length === 0;
    writer.loop("r", shape[axis] ?? Dim.of(1), isLast && isWide ? 4 : 1, (position, loop) => {
      at[axis] = position;
      if (!isLast) return nest(others);
      const accumulator: Term = { text: name, type, lanes, depth: writer.depth };
      const along = isWide ? loop : request.along;
      const term = scalarTerm(
        fold.combine,
        {
          operand: (index) => request.read(index, at, along),
          accumulator,
          folded: (index) => request.folded[index] ?? numberTerm(0, type),
        },
        writer,
        type,
      );
      writer.line(`${name} = ${widened(converted(term, type), accumulator.lanes).text};`);
    });
  };
  nest(axes);
  const sum = isWide ? joined(name, join?.fn ?? "add") : name;
  const kept: Lanes = request.along === undefined ? 1 : 4;
  const count = productDims(axes.map((axis) => shape[axis] ?? Dim.of(1)));
  const accumulator = writer.variable("total", type, sum, kept);
  return writer.named(
    scalarTerm(
      fold.finish,
      {
        operand: () => numberTerm(0, type),
        accumulator: { text: accumulator, type, lanes: kept, depth: writer.depth },
        count: { text: writer.size(count), type: "i32", lanes: 1, depth: 0 },
        folded: (index) => request.folded[index] ?? numberTerm(0, type),
      },
      writer,
      type,
    ),
    "f",
  );
}

/** The lanes of a vector put together. */
export function joined(name: string, fn: BinaryFunction): string {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((lane) => `${name}.${lane}`);
  if (fn === "min" || fn === "max") return `${fn}(${fn}(${x}, ${y}), ${fn}(${z}, ${w}))`;
  const sign = fn === "mul" ? "*" : "+";
  return `((${x} ${sign} ${y}) ${sign} (${z} ${sign} ${w}))`;
}

/** Coordinates of a fold's result as those of its operand, 0 where it reduces. A kept axis has size 1. */
export function unreduced(
  at: readonly Position[],
  axes: readonly number[],
  rank: number,
): readonly Position[] {
  if (at.length === rank) return at;
  const left = [...at];
  return Array.from({ length: rank }, (_, axis) =>
    axes.includes(axis) ? Position.of(0) : (left.shift() ?? Position.of(0)),
  );
}
