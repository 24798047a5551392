/**
 * What is typical of measured times.
 *
 * Owns: the median, which one interruption does not move.
 */

/** The value in the middle of several, or halfway between the two that are. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [lower, upper] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((lower ?? 0) + (upper ?? 0)) / 2;
}
