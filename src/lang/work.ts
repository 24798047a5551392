/**
 * What counts for how much work, where that is more than one expression.
 *
 * Owns: the weights. They make equal work take about equal time, so that the limits of evaluator.ts are met in
 * time whatever a program does.
 */
import type { Dim } from "./dims.ts";

/** Laying out a block. */
export const workOfBlock = 20;
/** Inferring what an op gives. */
export const workOfOp = 3;

/** Computing a size: one that is no number takes longer, the more so the longer it is. */
export function workOfSize(size: Dim): number {
  return size.constant === undefined ? 4 + lengthOf(size) : 0;
}

/** The same of a result's sizes, most of which are passed on. */
export function workOfSizes(sizes: readonly Dim[]): number {
  return sizes.reduce((sum, size) => sum + (size.constant === undefined ? lengthOf(size) : 0), 0);
}

function lengthOf(size: Dim): number {
  return size.key.length >> 4;
}
