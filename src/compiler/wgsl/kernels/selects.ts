/**
 * Kernels that order rows: one invocation finds the place of one element by counting those before it.
 *
 * Rows are as long as a sequence of tokens, so that counting (n² comparisons of what the cache holds)
 * needs no exchange between invocations and one dispatch.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import { KernelWriter, scalarTypeOf, type Term } from "../kernel-writer.ts";
import { Position, unflattened } from "../position.ts";
import { contextOf, Reader } from "../reader.ts";
import { type Kernel, type KernelMaker, none, spread } from "./kernel.ts";
import { firstOperand, rowsOver } from "./rows.ts";
import { finish } from "./tail.ts";

export const selectKernel: KernelMaker = (
  { root, tails },
  { buffers, tuning, target },
): readonly Kernel[] => {
  const { lowering } = root.op;
  if (lowering.kind !== "select") throw internalFault(`${root.op.name} is no selection`);
  const x = firstOperand(root);
  const { shape } = x.type;
  const axis = lowering.axis(contextOf(root));
  const descending = lowering.descending(contextOf(root));
  const total = productDims(shape);
  if (total.constant === 0) return [];
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.ceilDivide(tuning.workgroup);
  const at = unflattened(rowsOver(writer, total, groups, tuning.workgroup), shape);
  const reader = new Reader(writer, buffers);
  const own = writer.named(reader.read(x, at), "own");
  const index = writer.position(at[axis] ?? Position.of(0));
  const rank = writer.variable("rank", "i32", "0");
  const [tail] = tails;
  const size = shape[axis];
  if (tail === undefined || size === undefined) throw internalFault(`${root.op.name} has no result`);
  writer.loop("j", size, 1, (position, name) => {
    const other = writer.named(reader.read(x, at.with(axis, position)), "other");
    const before = `${other.text} ${descending ? ">" : "<"} ${own.text}`;
    const tie = `(${other.text} == ${own.text}) & (${name} < ${index.text})`;
    writer.line(`${rank} += select(0, 1, (${before}) | (${tie}));`);
  });
  for (const [which, result] of tails.entries()) {
    const keepsAxis = result.result.type.shape.length === shape.length;
    const taken = (keepsAxis ? result.result.type.shape[axis] : undefined) ?? Dim.of(1);
    writer.block(`if (${rank} < ${writer.size(taken)})`, true, () => {
      const place = writer.coordinate("place", rank, taken);
      const isIndex = lowering.results[which] === "indices";
      const value: Term = isIndex ? index : own;
      const typed: Term = {
        ...value,
        type: isIndex ? "i32" : scalarTypeOf(x.type.dtype),
        depth: writer.depth,
      };
      finish(reader, result, keepsAxis ? at.with(axis, place) : at.toSpliced(axis, 1), typed, target);
    });
  }
  return [{ writer, label: `select of ${size}`, workgroups: spread(groups), executed: none }];
};
