/**
 * Random numbers that can be had again.
 *
 * Owns: streams that depend on a seed and a name alone, the same on every machine. Bits: xoshiro128** 1.1
 * (D. Blackman, S. Vigna, 2018), started from a hash of seed and name.
 */

/**
 * A stream of numbers spread evenly over the open interval from 0 to 1, in steps of 2^-32.
 * @param seed an integer of up to 32 bits; only these count
 */
export function randomNumbers(seed: number, name: string): () => number {
  let [a, b, c, d] = initialState(seed, name);
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return (scrambled + 0.5) * 2 ** -32;
  };
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** Four words that are never all zero, the one state that the generator cannot leave. */
function initialState(seed: number, name: string): [number, number, number, number] {
  const bytes = new TextEncoder().encode(name);
  const words = [0, 1, 2, 3].map((lane) => {
    let hash = mix((seed ^ Math.imul(lane + 1, 0x9e37_79b9)) >>> 0);
    for (const byte of bytes) hash = mix(hash ^ byte);
    return mix(hash ^ bytes.length);
  });
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [a, b, c, (a | b | c | d) === 0 ? 1 : d];
}

/** A bijection of 32 bits in which each input bit changes half of the output (MurmurHash3's last step). */
function mix(value: number): number {
  let hash = (value + 0x6d2b_79f5) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
