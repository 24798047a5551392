/**
 * Sums of products: matrix products and convolutions.
 *
 * Owns: which kernel a product gets. How each shares out the work is in the files of the kernels.
 */
import { Dim } from "../../../lang/dims.ts";
import { internalFault } from "../../fault.ts";
import { type Kernel, type KernelMaker, mostWorkgroups } from "./kernel.ts";
import { blockOf } from "./product-block.ts";
import { productAt } from "./product-frame.ts";
import { heldProduct } from "./product-held.ts";
import { otherProducts } from "./product-space.ts";

export const contractKernel: KernelMaker = (group, context): readonly Kernel[] => {
  const product = productAt(group, context);
  const { axes, batch, rows, columns } = product;
  if ([batch, rows, columns].some((size) => size.constant === 0)) return [];
  // What is normalised as it is read is read where it was.
  const left = group.prologue?.operands[0] ?? axes.left;
  const block = blockOf(group.root, { ...axes, left }, rows, columns, context);
  if (!Dim.provablyAtMost(Dim.min(rows.ceilDivide(block.rows), 1), mostWorkgroups))
    throw internalFault("a product has too many rows");
  const { productWorkgroup } = context.tuning;
  const kernel = heldProduct(product, block, productWorkgroup);
  return [{ ...kernel, others: (which) => otherProducts(product, block, productWorkgroup, which) }];
};
