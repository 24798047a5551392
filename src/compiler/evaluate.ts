/**
 * Runs a lowering in JavaScript.
 *
 * Owns: the meaning of every kind of lowering, in f64 and without any care for speed beyond the plain
 * loop. The suite holds each op's lowering to its reference with it, and fused lowerings run on it
 * where there is no GPU.
 */
import { Dim } from "../lang/dims.ts";
import type { TensorType } from "../lang/types.ts";
import { contract, view } from "./evaluate-index.ts";
import { evaluateLoops } from "./evaluate-loops.ts";
import { allocate, elementCount, type HostTensor, rowMajorStrides } from "./host-tensor.ts";
import type { AnyAttributes } from "./ops/attributes.ts";
import type { Fold, Lowering, LoweringContext, Scalar } from "./ops/lowering.ts";
import { compileScalar, type Registers } from "./ops/scalar-closure.ts";
import { broadcastStrides, walk } from "./walk.ts";

export interface EvaluationContext {
  readonly results: readonly { readonly dtype: TensorType["dtype"]; readonly shape: readonly number[] }[];
  /** With every dimension bound. */
  readonly attributes: AnyAttributes;
}

/** The results of `lowering` for these operands; every dimension must be a number. */
export function evaluateLowering(
  lowering: Lowering,
  operands: readonly HostTensor[],
  bound: EvaluationContext,
): readonly HostTensor[] {
  const results = bound.results.map((result) => allocate(result.dtype, result.shape));
  const context: LoweringContext = {
    operands: operands.map(typeOf),
    results: bound.results.map(typeOf),
    attributes: bound.attributes,
  };
  const [result] = results;
  if (!result) throw new Error("a lowering needs a result");
  switch (lowering.kind) {
    case "map":
    case "source":
      map(lowering.expression(context), operands, result);
      break;
    case "view":
      view(lowering.pieces(context), lowering.otherwise?.(context), operands, result);
      break;
    case "fold":
      fold(lowering.axes(context), lowering.fold, operands, result);
      break;
    case "row":
      row(lowering.axis(context), lowering.folds, lowering.expression(context), operands, result);
      break;
    case "contract":
      contract(lowering.axes(context), operands, result);
      break;
    case "scan":
      scan(lowering.axis(context), lowering.initial, lowering.combine, operands, result);
      break;
    case "select":
      order(lowering.axis(context), lowering.descending(context), lowering.results, operands, results);
      break;
    case "kernel":
      evaluateLoops(lowering.loops(context), operands, results);
  }
  return results;
}

function typeOf(tensor: { dtype: TensorType["dtype"]; shape: readonly number[] }): TensorType {
  return { dtype: tensor.dtype, shape: tensor.shape.map((size) => Dim.of(size)) };
}

function registersFor(operands: readonly HostTensor[], folds = 0): Registers & { operands: Float64Array } {
  return {
    operands: new Float64Array(operands.length),
    coordinates: [],
    folded: new Float64Array(folds),
    accumulator: 0,
    count: 0,
  };
}

function map(expression: Scalar, operands: readonly HostTensor[], result: HostTensor): void {
  const run = compileScalar(expression);
  const registers = registersFor(operands);
  const { data, shape } = result;
  const same = operands.every(
    (o) => o.shape.length === shape.length && o.shape.every((n, at) => n === shape[at]),
  );
  if (same && operands.length > 0) {
    for (let i = 0; i < data.length; i++) {
      for (let k = 0; k < operands.length; k++) registers.operands[k] = operands[k]?.data[i] ?? 0;
      data[i] = run(registers);
    }
    return;
  }
  const strides = operands.map((o) => broadcastStrides(o.shape, shape));
  walk(shape, strides, (i, offsets, coordinates) => {
    registers.coordinates = coordinates;
    for (let k = 0; k < operands.length; k++) registers.operands[k] = operands[k]?.data[offsets[k] ?? 0] ?? 0;
    data[i] = run(registers);
  });
}

/** The first operand, seen as rows: where each row starts and how far its elements are from there. */
function rows(x: HostTensor, axes: readonly number[]) {
  const strides = rowMajorStrides(x.shape);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (values: readonly number[], from: readonly number[]) => from.map((axis) => values[axis] ?? 0);
  const inner: number[] = [];
  walk(pick(x.shape, axes), [pick(strides, axes)], (_, offsets) => {
    inner.push(offsets[0] ?? 0);
  });
  return { outerShape: pick(x.shape, kept), outerStrides: pick(strides, kept), inner };
}

function first(operands: readonly HostTensor[]): HostTensor {
  const [x] = operands;
  if (!x) throw new Error("this lowering needs an operand");
  return x;
}

function fold(
  axes: readonly number[],
  { initial, combine, finish }: Fold,
  operands: readonly HostTensor[],
  result: HostTensor,
): void {
  const x = first(operands);
  const step = compileScalar(combine);
  const end = compileScalar(finish);
  const registers = registersFor(operands);
  const { outerShape, outerStrides, inner } = rows(x, axes);
  registers.count = inner.length;
  walk(outerShape, [outerStrides], (at, [base = 0]) => {
    registers.accumulator = initial;
    for (const offset of inner) {
      registers.operands[0] = x.data[base + offset] ?? 0;
      registers.accumulator = step(registers);
    }
    result.data[at] = end(registers);
  });
}

function row(
  axis: number,
  folds: readonly Fold[],
  expression: Scalar,
  operands: readonly HostTensor[],
  result: HostTensor,
): void {
  const { shape } = first(operands);
  const compiled = folds.map((f) => ({
    initial: f.initial,
    step: compileScalar(f.combine),
    end: compileScalar(f.finish),
  }));
  const run = compileScalar(expression);
  const registers = registersFor(operands, folds.length);
  const strides = operands.map((o) => broadcastStrides(o.shape, shape));
  const size = shape[axis] ?? 1;
  registers.count = size;
  const outer = shape.map((n, at) => (at === axis ? 1 : n));
  const own = rowMajorStrides(shape);
  const load = (offsets: readonly number[], i: number) => {
    for (let k = 0; k < operands.length; k++) {
      registers.operands[k] = operands[k]?.data[(offsets[k] ?? 0) + i * (strides[k]?.[axis] ?? 0)] ?? 0;
    }
  };
  walk(outer, [...strides, own], (_, offsets) => {
    compiled.forEach(({ initial, step, end }, at) => {
      registers.accumulator = initial;
      for (let i = 0; i < size; i++) {
        load(offsets, i);
        registers.accumulator = step(registers);
      }
      registers.folded[at] = end(registers);
    });
    const base = offsets[operands.length] ?? 0;
    for (let i = 0; i < size; i++) {
      load(offsets, i);
      result.data[base + i * (own[axis] ?? 1)] = run(registers);
    }
  });
}

function scan(
  axis: number,
  initial: number,
  combine: Scalar,
  operands: readonly HostTensor[],
  result: HostTensor,
): void {
  const x = first(operands);
  const step = compileScalar(combine);
  const registers = registersFor(operands);
  const { outerShape, outerStrides, inner } = rows(x, [axis]);
  walk(outerShape, [outerStrides], (_, [base = 0]) => {
    registers.accumulator = initial;
    for (const offset of inner) {
      registers.operands[0] = x.data[base + offset] ?? 0;
      registers.accumulator = step(registers);
      result.data[base + offset] = registers.accumulator;
    }
  });
}

function order(
  axis: number,
  descending: boolean,
  kinds: readonly ("values" | "indices")[],
  operands: readonly HostTensor[],
  results: readonly HostTensor[],
): void {
  const x = first(operands);
  const { outerShape, outerStrides, inner } = rows(x, [axis]);
  const count = elementCount(outerShape);
  const sign = descending ? -1 : 1;
  const after = elementCount(x.shape.slice(axis + 1));
  walk(outerShape, [outerStrides], (at, [base = 0]) => {
    const value = (i: number) => x.data[base + (inner[i] ?? 0)] ?? 0;
    const order = inner.map((_, i) => i).sort((a, b) => sign * (value(a) - value(b)) || a - b);
    results.forEach((result, which) => {
      const taken = result.data.length / count;
      const start = Math.floor(at / after) * taken * after + (at % after);
      for (let i = 0; i < taken; i++) {
        const index = order[i] ?? 0;
        result.data[start + i * after] = kinds[which] === "indices" ? index : value(index);
      }
    });
  });
}
