/**
 * Versions of the standard: the lowest that holds every operator of a model, so that the widest
 * range of runtimes loads it.
 */

/** Lowerings are written for this version at least: reductions take their axes as an input since then. */
const oldestOpset = 18;

/** Operators that came into the default domain after it. */
const introduced: Readonly<Record<string, number>> = {
  DeformConv: 19,
  AffineGrid: 20,
  Gelu: 20,
  // In blocks.
  DequantizeLinear: 21,
  Attention: 23,
  RMSNormalization: 23,
  RotaryEmbedding: 23,
  Swish: 24,
};

export function lowestOpset(opTypes: Iterable<string>): number {
  let lowest = oldestOpset;
  for (const opType of opTypes) lowest = Math.max(lowest, introduced[opType] ?? oldestOpset);
  return lowest;
}

/** The file format that was current when the opset came out. */
export function irVersion(opset: number): number {
  if (opset <= 18) return 8;
  if (opset <= 20) return 9;
  if (opset <= 22) return 10;
  return opset === 23 ? 11 : 12;
}
