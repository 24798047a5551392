/**
 * The multiply-adds of dispatches, and why they are not those that records declare.
 *
 * Owns: dividing what the nodes of a group declare among its dispatches. What loops execute and for what
 * reason beyond is the kernels' word; that both sides are equal is for tests to hold.
 */
import { Dim } from "../../lang/dims.ts";
import type { Node } from "../graph.ts";
import type { Overhead } from "../ops/op.ts";
import type { Kernel } from "./kernels/kernel.ts";

export interface DispatchWork {
  /** The node whose loops the kernel is; none where a state is copied. */
  readonly root: Node | undefined;
  /** All nodes that the group stands for, at its first dispatch; none at the others. */
  readonly nodes: readonly Node[];
  /** Of the kernel: `contract 16x8`. */
  readonly label: string;
  readonly executed: Dim;
  /** What the records declare; of several dispatches together, the first has what the others do not say. */
  readonly declared: Dim;
  /** Without reasons that come to nothing. */
  readonly overhead: readonly Overhead[];
}

const again = "products that another kernel needs too, and that are computed again where they are read";

export function workOf(
  root: Node | undefined,
  nodes: readonly Node[],
  kernels: readonly Kernel[],
): readonly DispatchWork[] {
  const found = kernels.map((kernel) => ({ label: kernel.label, ...executedBy(kernel) }));
  let left = nodes.reduce((sum, node) => sum.add(declaredMacs(node)), Dim.of(0));
  const own = found.slice(1).map(({ executed, overhead }) => {
    const declared = overhead.reduce((sum, { macs }) => sum.sub(macs), executed);
    left = left.sub(declared);
    return declared;
  });
  return found.map((work, at) => ({
    ...work,
    root,
    nodes: at === 0 ? nodes : [],
    declared: at === 0 ? left : (own[at - 1] ?? Dim.of(0)),
  }));
}

/** What a kernel executes, whatever is declared. */
export function executedBy({ writer, executed, overhead = [] }: Kernel): {
  readonly executed: Dim;
  readonly overhead: readonly Overhead[];
} {
  const all = [...overhead, { reason: again, macs: writer.repeated }];
  return {
    executed: executed.add(writer.repeated),
    overhead: all.filter(({ macs }) => macs.constant !== 0),
  };
}

export function declaredMacs(node: Node): Dim {
  return node.op.cost({
    operands: node.operands.map(({ type }) => type),
    results: node.results.map(({ type }) => type),
    attributes: node.attributes,
  }).macs;
}
