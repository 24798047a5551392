/**
 * What writing a kernel needs, and what comes of it.
 */
import { Dim } from "../../../lang/dims.ts";
import type { TensorType } from "../../../lang/types.ts";
import type { Node, Value } from "../../graph.ts";
import type { Overhead } from "../../ops/op.ts";
import type { Group } from "../groups.ts";
import type { KernelWriter, Located } from "../kernel-writer.ts";
import type { Buffers } from "../reader.ts";
import type { Tuning } from "../tuning.ts";
import type { Arithmetic } from "./half-products.ts";

export interface KernelContext {
  readonly buffers: Buffers;
  readonly tuning: Tuning;
  /** How wide the factors of products are. */
  readonly arithmetic: Arithmetic;
  /** Where a stored value goes. */
  target(value: Value): Located;
  /** Where a row's folds are kept, when something else computes its elements from them. */
  folds(row: Node): readonly Located[] | undefined;
  /** Room that one dispatch of a group leaves for the next. */
  scratch(label: string, type: TensorType): Located;
  /** About how large a dimension is in use. */
  typical(dim: Dim): number;
}

/** A kernel of a group, and how often it runs. */
export interface Kernel {
  readonly writer: KernelWriter;
  readonly label: string;
  readonly workgroups: readonly [Dim, Dim, Dim];
  /** Multiply-adds of its own loops; what it computes again on its way, the writer counts. */
  readonly executed: Dim;
  /** Which of them no record declares, by reason; negative: declared, and skipped. */
  readonly overhead?: readonly Overhead[];
  /** Other kernels for the same work. */
  readonly others?: (which: WhichOthers) => readonly Kernel[];
}

/** Those that are known to suit some driver, or all of which a device may choose by measuring. */
export type WhichOthers = "known" | "all";

export type KernelMaker = (group: Group, context: KernelContext) => readonly Kernel[];

/** WebGPU's limit on workgroups in one direction. */
export const mostWorkgroups = 65535;

/** Workgroups for a row of work that may be longer than one direction holds. */
export function spread(count: Dim): readonly [Dim, Dim, Dim] {
  const most = Dim.of(mostWorkgroups);
  if (Dim.provablyAtMost(count, most)) return [count, Dim.of(1), Dim.of(1)];
  return [Dim.min(count, most), count.ceilDivide(most), Dim.of(1)];
}

/** The number of an invocation over `spread` workgroups. */
export function invocation(count: Dim, workgroup: number): string {
  if (Dim.provablyAtMost(count, mostWorkgroups)) return `group.x * ${workgroup} + local`;
  return `(group.x + group.y * ${mostWorkgroups}) * ${workgroup} + local`;
}

export const none = Dim.of(0);
