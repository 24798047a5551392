/**
 * What ssd executes as ONNX beyond the multiply-adds that it declares.
 *
 * Owns: those products by reason, for onnx.ts. A product counts when it becomes a term of a sum.
 */
import { Dim } from "../../../lang/dims.ts";
import type { CostContext, Overhead } from "../op.ts";
import { chunksOf, isStep, sizesOf } from "./form.ts";

/** A product counts when it becomes a term of a sum. */
export const decayProducts = "products with decays, which are declared as scalar operations";

export function overheadOf({ operands, attributes }: CostContext): readonly Overhead[] {
  const { batch, length, heads, width, state } = sizesOf(operands);
  const cells = width.mul(state);
  const hasState = operands.length > 6;
  const rows = batch.mul(heads);
  if (isStep(length)) return [{ reason: decayProducts, macs: hasState ? rows.mul(cells) : Dim.of(0) }];
  const chunks = chunksOf(length, attributes);
  const padded = chunks.count.mul(chunks.length);
  const decayed = [
    // dt A, which is summed up over a chunk.
    padded,
    // What the state before a chunk gives to each of its positions.
    padded.mul(width),
    // The state before the last chunk, and the one before the first at every chunk.
    cells.mul(hasState ? chunks.count.add(1) : 1),
  ];
  return [
    {
      reason: "the state at every chunk by one product with the decays between all pairs of chunks",
      macs: rows.mul(chunks.count).mul(chunks.count).mul(cells),
    },
    { reason: decayProducts, macs: rows.mul(decayed.reduce((sum, part) => sum.add(part))) },
  ];
}
