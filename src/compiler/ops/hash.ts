/**
 * The hash behind `hash_uniform`: the same bits on every target.
 *
 * Owns: the 32-bit PCG hash (M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", JCGT 9(3),
 * 2020) and how an index and a seed become a number in [0, 1). A target without 32-bit wrap-around
 * does the same in 64-bit integers: no product here exceeds 2^63.
 */
export const multiplier = 747796405;
export const increment = 2891336453;
export const wordMultiplier = 277803737;

export function pcgHash(value: number): number {
  const state = (Math.imul(value, multiplier) + increment) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, wordMultiplier) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}

/** The seed as a word that every index is mixed with. */
export function seedWord(seed: number): number {
  return pcgHash(lowWord(seed));
}

/** hash(index xor hash(seed)), its upper 24 bits as a fraction: exact in f32. */
export function hashUniform(index: number, word: number): number {
  return (pcgHash((lowWord(index) ^ word) >>> 0) >>> 8) / 2 ** 24;
}

/** The low 32 bits in two's complement. */
function lowWord(value: number): number {
  return value - Math.floor(value / 2 ** 32) * 2 ** 32;
}
