/**
 * Kernels that compute each element of their result by itself.
 */
import { Dim, productDims } from "../../../lang/dims.ts";
import type { At } from "../coordinates.ts";
import type { Tail } from "../groups.ts";
import { KernelWriter, type Term } from "../kernel-writer.ts";
import { unflattened } from "../position.ts";
import { Reader } from "../reader.ts";
import { invocation, type Kernel, type KernelContext, type KernelMaker, none, spread } from "./kernel.ts";
import { finish } from "./tail.ts";

export const elementKernel: KernelMaker = ({ tails }, context): readonly Kernel[] =>
  tails.flatMap((tail) =>
    elementsOf(tail, context, (reader, at, along) => reader.inline(tail.result, at, along)),
  );

/** Copies a value that has a buffer to where `context` puts the tail's. */
export function copyKernel(tail: Tail, context: KernelContext): readonly Kernel[] {
  return elementsOf(tail, context, (reader, at, along) => reader.read(tail.result, at, along));
}

function elementsOf(
  tail: Tail,
  { buffers, tuning, target }: KernelContext,
  element: (reader: Reader, at: At, along: string | undefined) => Term,
): readonly Kernel[] {
  const { shape } = tail.result.type;
  const total = productDims(shape);
  if (total.constant === 0) return [];
  const lanes = total.divideExactly(4) === undefined ? 1 : 4;
  const writer = new KernelWriter([tuning.workgroup, 1, 1]);
  const groups = total.floorDivide(lanes).ceilDivide(tuning.workgroup);
  const count = Dim.max(groups, 0);
  writer.runs(total.floorDivide(lanes));
  const text = invocation(count, tuning.workgroup);
  const at = writer.coordinate("i", lanes === 1 ? text : `(${text}) * 4`, total, lanes);
  const name = at.names()[0];
  if (name !== undefined) writer.line(`if (${name} >= ${writer.size(total)}) { return; }`);
  else writer.line("if (local > 0 || group.x > 0) { return; }");
  const reader = new Reader(writer, buffers);
  const along = lanes === 4 ? name : undefined;
  const place = unflattened(at, shape);
  finish(reader, tail, place, element(reader, place, along), target, along);
  return [{ writer, label: `elements ${shape.length}`, workgroups: spread(count), executed: none }];
}
