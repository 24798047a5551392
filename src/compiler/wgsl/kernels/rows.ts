/**
 * Kernels that run over rows: reductions, and rows normalised by their own reductions.
 *
 * One invocation walks a row. Four elements at a time where the row lies in order and the reduction
 * does not mind the order.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import type { Node, Value } from "../../graph.ts";
import { type At, broadcastAt } from "../coordinates.ts";
import { foldTerm, unreduced } from "../folds.ts";
import type { Group } from "../groups.ts";
import { KernelWriter, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { type Buffers, contextOf, Reader } from "../reader.ts";
import { converted, numberTerm, scalarTerm } from "../scalar-text.ts";
import { invocation, type Kernel, type KernelContext, type KernelMaker, none, spread } from "./kernel.ts";
import { finish } from "./tail.ts";

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
  const outer = unreduced(kept, axes, x.type.shape.length);
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

export const rowKernel: KernelMaker = (group, context): readonly Kernel[] => {
  const { root } = group;
  const { tuning } = context;
  const { shape } = firstOperand(root).type;
  const axis = rowAxis(root);
  const outerShape = shape.filter((_, place) => place !== axis);
  const total = productDims(outerShape);
  if (total.constant === 0) return [];
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const row = unflattened(rowsOver(writer, total, groups, tuning.workgroup), outerShape);
  const reader = new Reader(writer, computing(group, context));
  storeRow(reader, group, row.toSpliced(axis, 0, Position.of(0)), context);
  const label = `row of ${shape[axis]}`;
  return [{ writer, label, workgroups: spread(groups), executed: none }];
};

function rowAxis(root: Node): number {
  const { lowering } = root.op;
  if (lowering.kind !== "row") throw internalFault(`${root.op.name} is no row`);
  return lowering.axis(contextOf(root));
}

/** Buffers but for what the group stores, which its kernel computes. */
export function computing({ tails, keeps }: Group, { buffers }: KernelContext): Buffers {
  const own = new Set<Value>([...tails, ...(keeps === undefined ? [] : [keeps])].map(({ value }) => value));
  return { ...buffers, located: (value) => (own.has(value) ? undefined : buffers.located(value)) };
}

/**
 * Stores a row of a group: normalised where its root is a row, and as it was where that is kept; else as it
 * is read. `at` holds the other coordinates.
 */
export function storeRow(reader: Reader, group: Group, at: At, { target }: KernelContext): void {
  const { root, keeps } = group;
  const [tail] = group.tails;
  if (tail === undefined) throw internalFault(`${root.op.name} has no result`);
  const isRow = root.op.lowering.kind === "row";
  const { shape } = tail.result.type;
  const axis = isRow ? rowAxis(root) : shape.length - 1;
  const folded = isRow ? rowFolds(reader, root, at.toSpliced(axis, 1)) : [];
  const size = shape[axis] ?? Dim.of(1);
  const lanes =
    axis === shape.length - 1 && size.constant !== 1 && size.divideExactly(4) !== undefined ? 4 : 1;
  reader.writer.loop("j", size, lanes, (position, name) => {
    const here = at.with(axis, position);
    const along = lanes === 4 ? name : undefined;
    if (keeps !== undefined)
      finish(reader, keeps, here, reader.read(keeps.value, here, along), target, along);
    const element = isRow
      ? rowElement(reader, root, here, folded, along)
      : reader.inline(tail.result, here, along);
    finish(reader, tail, here, element, target, along);
  });
}

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
