/**
 * The two forms of the state-space dual, and their sizes.
 *
 * Owns: which form is lowered, into how many chunks of what length, and what each executes. The
 * reference, the cost and every target read it here, so that they agree.
 */
import { Dim } from "../../../lang/dims.ts";
import type { TensorType } from "../../../lang/types.ts";
import { type AnyAttributes, numberOf } from "../attributes.ts";
import type { Cost, CostContext } from "../op.ts";

export interface Sizes {
  readonly batch: Dim;
  readonly length: Dim;
  readonly heads: Dim;
  /** Of a head. */
  readonly width: Dim;
  /** Groups of heads that share B and C. */
  readonly groups: Dim;
  /** Numbers of state for each number of a head. */
  readonly state: Dim;
}

/** Read from x and B: [batch, length, heads, width] and [batch, length, groups, state]. */
export function sizesOf(operands: readonly TensorType[]): Sizes {
  const one = Dim.of(1);
  const [batch = one, length = one, heads = one, width = one] = operands[0]?.shape ?? [];
  const [, , groups = one, state = one] = operands[3]?.shape ?? [];
  return { batch, length, heads, width, groups, state };
}

/** One step of the recurrence where the length is the number 1; chunks wherever it may be more. */
export const isStep = (length: Dim): boolean => length.constant === 1;

export interface Chunks {
  readonly count: Dim;
  readonly length: Dim;
}

/**
 * As few chunks as `chunk` allows, all of one length: the shortest that covers the sequence, so that
 * at most a zero for each chunk is added. Padding to a multiple of `chunk` would double some sequences.
 */
export function chunksOf(length: Dim, attributes: AnyAttributes): Chunks {
  const longest = numberOf(attributes, "chunk");
  const count = length.ceilDivide(longest);
  return { count, length: length.ceilDivide(count) };
}

/** Pairs of positions of one chunk, the second not ahead of the first: what all chunks need. */
export function neededPairs(length: Dim, chunks: Chunks): Dim {
  const triangle = (side: Dim): Dim => side.mul(side.add(1)).floorDivide(2);
  const whole = chunks.count.sub(1);
  const last = Dim.min(chunks.length, length.sub(whole.mul(chunks.length)));
  return whole.mul(triangle(chunks.length)).add(triangle(last));
}

/** Of the products between all pairs of a chunk, those whose second position lies ahead of the first. */
export function maskedOf({ operands, attributes }: CostContext): Dim {
  const { batch, length, heads, width, groups, state } = sizesOf(operands);
  if (isStep(length)) return Dim.of(0);
  const chunks = chunksOf(length, attributes);
  const all = chunks.count.mul(chunks.length).mul(chunks.length);
  const ahead = all.sub(neededPairs(length, chunks));
  return batch.mul(ahead).mul(groups.mul(state).add(heads.mul(width)));
}

export function costOf(operands: readonly TensorType[], attributes: AnyAttributes): Cost {
  const sizes = sizesOf(operands);
  const { batch, length, heads, width, groups, state } = sizes;
  const cells = width.mul(state);
  const skip = length.mul(heads).mul(width);
  if (isStep(length)) {
    const macs = heads.mul(cells).mul(2).add(skip);
    // dt A, its exponential and dt x; the decay of every number of the state.
    const scalar = heads.mul(width.add(2).add(cells));
    return { macs: batch.mul(macs), scalar: batch.mul(scalar) };
  }
  const chunks = chunksOf(length, attributes);
  const padded = chunks.count.mul(chunks.length);
  const pairs = padded.mul(chunks.length);
  const macs = [
    // C Bᵀ, once for a group.
    groups.mul(pairs).mul(state),
    // The masked product with X.
    heads.mul(pairs).mul(width),
    // What each chunk leaves in the state, and what the state before it gives.
    heads.mul(padded).mul(cells).mul(2),
    skip,
  ];
  const scalar = [
    // The decay between every pair of a chunk: a difference, an exponential, a product.
    heads.mul(pairs).mul(3),
    // dt A and its running sum; the decays to a chunk's end and from its start, two operations each.
    heads.mul(padded).mul(6),
    // dt x, its decay to the chunk's end, and the state's part, decayed and added.
    heads.mul(padded).mul(width).mul(4),
    // From chunk to chunk: the state decayed, the chunk's added.
    heads.mul(chunks.count).mul(cells.mul(2).add(1)),
  ];
  const total = (parts: readonly Dim[]) => batch.mul(parts.reduce((sum, part) => sum.add(part)));
  return { macs: total(macs), scalar: total(scalar) };
}
