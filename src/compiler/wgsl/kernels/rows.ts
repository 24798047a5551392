/**
 * Kernels that run over rows: reductions, and rows normalised by their own reductions.
 *
 * One invocation walks a row. Four elements at a time where the row lies in order and the reduction
 * does not mind the order.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import type { BinaryFunction, Fold } from "../../ops/lowering.ts";
import { joinOf } from "../joins.ts";
import { KernelWriter, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { broadcastAt, contextOf, Reader } from "../reader.ts";
import { converted, numberTerm, scalarTerm, widened } from "../scalar-text.ts";
import { invocation, type Kernel, type KernelMaker, none, spread } from "./kernel.ts";
import { finish } from "./tail.ts";

/** Reads operand number `index` at the place that the innermost loop is at. */
type Read = (index: number, at: readonly Position[], along: string | undefined) => Term;

interface FoldRequest {
  readonly fold: Fold;
  readonly axes: readonly number[];
  /** Coordinates of the whole operand; those of `axes` are replaced. */
  readonly at: readonly Position[];
  readonly shape: readonly Dim[];
  readonly read: Read;
  readonly folded: readonly Term[];
  readonly isFloat: boolean;
}

/** What a fold comes to, as a term of the scope that the writer is in. */
export function foldTerm(writer: KernelWriter, request: FoldRequest): Term {
  const { fold, axes, shape, isFloat } = request;
  const join = joinOf(fold.combine);
  const inner = axes.at(-1) ?? 0;
  const size = shape[inner] ?? Dim.of(1);
  const isWide = isFloat && join !== undefined && size.constant !== 1 && size.divideExactly(4) !== undefined;
  const type = isFloat ? ("f32" as const) : ("i32" as const);
  const initial = numberTerm(fold.initial, type).text;
  const wide = isWide ? writer.variable("acc", type, `vec4<f32>(${initial})`, 4) : undefined;
  const name = wide ?? writer.variable("acc", type, initial);
  const at = [...request.at];
  const nest = (rest: readonly number[]): void => {
    const [axis, ...others] = rest;
    if (axis === undefined) return;
    const isLast = others.length === 0;
    writer.loop("r", shape[axis] ?? Dim.of(1), isLast && wide !== undefined ? 4 : 1, (position, loop) => {
      at[axis] = position;
      if (!isLast) return nest(others);
      const accumulator: Term = { text: name, type, lanes: wide === undefined ? 1 : 4, depth: writer.depth };
      const along = wide === undefined ? undefined : loop;
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
  const sum = wide === undefined ? name : joined(wide, join?.fn ?? "add");
  const count = productDims(axes.map((axis) => shape[axis] ?? Dim.of(1)));
  const accumulator = writer.variable("total", type, sum);
  return writer.named(
    scalarTerm(
      fold.finish,
      {
        operand: () => numberTerm(0, type),
        accumulator: { text: accumulator, type, lanes: 1, depth: writer.depth },
        count: { text: writer.size(count), type: "i32", lanes: 1, depth: 0 },
        folded: (index) => request.folded[index] ?? numberTerm(0, type),
      },
      writer,
      type,
    ),
    "f",
  );
}

export function joined(name: string, fn: BinaryFunction): string {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((lane) => `${name}.${lane}`);
  if (fn === "min" || fn === "max") return `${fn}(${fn}(${x}, ${y}), ${fn}(${z}, ${w}))`;
  const sign = fn === "mul" ? "*" : "+";
  return `((${x} ${sign} ${y}) ${sign} (${z} ${sign} ${w}))`;
}

export const foldKernel: KernelMaker = ({ root, tails }, { buffers, tuning, target }): readonly Kernel[] => {
  const { lowering } = root.op;
  const [tail] = tails;
  const x = firstOperand(root);
  if (lowering.kind !== "fold" || tail === undefined) throw internalFault(`${root.op.name} is no fold`);
  const { shape } = tail.result.type;
  const axes = lowering.axes(contextOf(root));
  const total = productDims(shape);
  if (total.constant === 0) return [];
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const at = rowsOver(writer, total, groups, tuning.workgroup);
  const reader = new Reader(writer, buffers);
  const kept = unflattened(at, shape);
  const isFloat = scalarTypeOf(x.type.dtype) === "f32";
  // A kept axis has size 1; where it went, what is left has fewer.
  const outer = shape.length === x.type.shape.length ? kept : spreadOver(kept, axes, x.type.shape.length);
  const term = foldTerm(writer, {
    fold: lowering.fold,
    axes,
    at: outer,
    shape: x.type.shape,
    read: (_, place, along) => {
      const read = reader.read(x, place, along);
      return isFloat ? read : converted(read, "i32");
    },
    folded: [],
    isFloat,
  });
  finish(reader, tail, kept, term, target);
  return [
    {
      writer,
      label: `fold ${axes.length} of ${x.type.shape.length}`,
      workgroups: spread(groups),
      executed: none,
    },
  ];
};

function spreadOver(kept: readonly Position[], axes: readonly number[], rank: number): Position[] {
  const left = [...kept];
  return Array.from({ length: rank }, (_, axis) =>
    axes.includes(axis) ? Position.of(0) : (left.shift() ?? Position.of(0)),
  );
}

export const rowKernel: KernelMaker = ({ root, tails }, { buffers, tuning, target }): readonly Kernel[] => {
  const [tail] = tails;
  const x = firstOperand(root);
  if (tail === undefined) throw internalFault(`${root.op.name} has no result`);
  const { shape } = x.type;
  const context = contextOf(root);
  const { lowering } = root.op;
  if (lowering.kind !== "row") throw internalFault(`${root.op.name} is no row`);
  const axis = lowering.axis(context);
  const outerShape = shape.filter((_, place) => place !== axis);
  const total = productDims(outerShape);
  if (total.constant === 0) return [];
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const row = unflattened(rowsOver(writer, total, groups, tuning.workgroup), outerShape);
  const reader = new Reader(writer, buffers);
  const folded = rowFolds(reader, root, row);
  const size = shape[axis] ?? Dim.of(1);
  const lanes =
    axis === shape.length - 1 && size.constant !== 1 && size.divideExactly(4) !== undefined ? 4 : 1;
  writer.loop("j", size, lanes, (position, name) => {
    const at = row.toSpliced(axis, 0, position);
    const along = lanes === 4 ? name : undefined;
    finish(reader, tail, at, rowElement(reader, root, at, folded, along), target, along);
  });
  return [{ writer, label: `row of ${size}`, workgroups: spread(groups), executed: none }];
};

/** The folds of a row, in order; `row` holds the other coordinates. */
export function rowFolds(reader: Reader, root: Node, row: readonly Position[]): Term[] {
  const { lowering } = root.op;
  if (lowering.kind !== "row") throw internalFault(`${root.op.name} is no row`);
  const { shape } = firstOperand(root).type;
  const axis = lowering.axis(contextOf(root));
  const folded: Term[] = [];
  for (const fold of lowering.folds) {
    folded.push(
      foldTerm(reader.writer, {
        fold,
        axes: [axis],
        at: row.toSpliced(axis, 0, Position.of(0)),
        shape,
        read: (index, at, along) => readOperand(reader, root, index, at, along),
        folded,
        isFloat: true,
      }),
    );
  }
  return folded;
}

/** The row's expression for one element. */
export function rowElement(
  reader: Reader,
  root: Node,
  at: readonly Position[],
  folded: readonly Term[],
  along: string | undefined,
): Term {
  const { lowering } = root.op;
  if (lowering.kind !== "row") throw internalFault(`${root.op.name} is no row`);
  return scalarTerm(
    lowering.expression(contextOf(root)),
    {
      operand: (index) => readOperand(reader, root, index, at, along),
      coordinate: (place) => reader.writer.position(at[place] ?? Position.of(0)),
      folded: (index) => folded[index] ?? numberTerm(0, "f32"),
    },
    reader.writer,
    "f32",
  );
}

function readOperand(
  reader: Reader,
  root: Node,
  index: number,
  at: readonly Position[],
  along: string | undefined,
): Term {
  const operand = root.operands[index];
  if (operand === undefined) throw internalFault(`${root.op.name} has no operand ${index}`);
  return reader.read(operand, broadcastAt(operand, at), along);
}

export const scanKernel: KernelMaker = ({ root, tails }, { buffers, tuning, target }): readonly Kernel[] => {
  const { lowering } = root.op;
  const [tail] = tails;
  const x = firstOperand(root);
  if (lowering.kind !== "scan" || tail === undefined) throw internalFault(`${root.op.name} is no scan`);
  const { shape } = x.type;
  const axis = lowering.axis(contextOf(root));
  const outerShape = shape.filter((_, place) => place !== axis);
  const total = productDims(outerShape);
  if (total.constant === 0) return [];
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const row = unflattened(rowsOver(writer, total, groups, tuning.workgroup), outerShape);
  const reader = new Reader(writer, buffers);
  const type = scalarTypeOf(x.type.dtype);
  const name = writer.variable("acc", type, numberTerm(lowering.initial, type).text);
  writer.loop("j", shape[axis] ?? Dim.of(1), 1, (position) => {
    const at = row.toSpliced(axis, 0, position);
    const accumulator: Term = { text: name, type, lanes: 1, depth: writer.depth };
    const term = scalarTerm(
      lowering.combine,
      { operand: () => reader.read(x, at), accumulator },
      writer,
      type,
    );
    writer.line(`${name} = ${term.text};`);
    finish(reader, tail, at, accumulator, target);
  });
  return [{ writer, label: `scan of ${shape[axis]}`, workgroups: spread(groups), executed: none }];
};

/** One invocation a row; those past the last return at once. */
export function rowsOver(writer: KernelWriter, total: Dim, groups: Dim, workgroup: number): Position {
  const at = writer.coordinate("i", invocation(groups, workgroup), total);
  writer.runs(total);
  const [name] = at.names();
  writer.line(
    name === undefined
      ? "if (local > 0 || group.x > 0) { return; }"
      : `if (${name} >= ${writer.size(total)}) { return; }`,
  );
  return at;
}

export function firstOperand(node: Node): Value {
  const [x] = node.operands;
  if (x === undefined) throw internalFault(`${node.op.name} has no operand`);
  return x;
}
