/**
 * Names for the contents of tensors.
 *
 * Owns: a 64-bit hash of a tensor's type, shape and values, and bitwise equality. The hash names
 * large constants in graph texts and finds equal constants; it is not a defence against forgery.
 */
import type { HostTensor } from "./host-tensor.ts";

const known = new WeakMap<HostTensor, string>();

/** 16 hexadecimal digits, the same whether `f32` values are held in 32 or 64 bits. */
export function contentHash(tensor: HostTensor): string {
  const cached = known.get(tensor);
  if (cached !== undefined) return cached;
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  const mix = (word: number): void => {
    // Two lanes of murmur3's body with different multipliers: enough to tell constants apart.
    high = Math.imul(high ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
    high = ((high << 13) | (high >>> 19)) + 0x561ccd1b;
    low = Math.imul(low ^ word, 0xc2b2ae35) + high;
    low = (low << 15) | (low >>> 17);
  };
  for (const character of tensor.dtype) mix(character.charCodeAt(0));
  mix(tensor.shape.length);
  for (const size of tensor.shape) mix(size);
  const pair = new DataView(new ArrayBuffer(8));
  for (const value of tensor.data) {
    pair.setFloat64(0, value);
    mix(pair.getUint32(0));
    mix(pair.getUint32(4));
  }
  const hash = [finish(high), finish(low)].map((lane) => lane.toString(16).padStart(8, "0")).join("");
  known.set(tensor, hash);
  return hash;
}

/** Same type, shape and values; -0 differs from 0, and NaN equals itself. */
export function sameContent(a: HostTensor, b: HostTensor): boolean {
  if (a === b) return true;
  if (a.dtype !== b.dtype || a.data.length !== b.data.length || a.shape.length !== b.shape.length)
    return false;
  return (
    a.shape.every((size, axis) => size === b.shape[axis]) &&
    a.data.every((value, index) => Object.is(value, b.data[index]))
  );
}

function finish(lane: number): number {
  let mixed = lane ^ (lane >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
