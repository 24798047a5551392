import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromBf16Bits,
  fromF16Bits,
  narrowBf16,
  narrowF16,
  toBf16Bits,
  toF16Bits,
  widenBf16,
  widenF16,
} from "../../src/runtime/half.ts";

const allBits = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

const formats = [
  { name: "f16", widen: widenF16, narrow: narrowF16, from: fromF16Bits, to: toF16Bits, infinity: 0x7c00 },
  {
    name: "bf16",
    widen: widenBf16,
    narrow: narrowBf16,
    from: fromBf16Bits,
    to: toBf16Bits,
    infinity: 0x7f80,
  },
];

describe.each(formats)("$name", ({ widen, narrow, from, to, infinity }) => {
  test("every number survives widening and narrowing, the sign of zero included", () => {
    const wide = widen(allBits);
    const back = narrow(wide);
    for (const bits of allBits) {
      const value = wide[bits] ?? 0;
      if (!Object.is(value, from(bits)))
        expect.fail(`bits ${bits} are ${value} in one way, ${from(bits)} in the other`);
      const isSame = Number.isNaN(value) ? ((back[bits] ?? 0) & 0x7fff) > infinity : back[bits] === bits;
      if (!isSame) expect.fail(`bits ${bits} came back as ${back[bits]}`);
    }
  });

  test("a number between two others goes to the nearer, half-way to the even one", () => {
    for (let bits = 0; bits < infinity - 1; bits += 97) {
      const low = from(bits);
      const high = from(bits + 1);
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      expect(to(middle)).toBe(even);
      // A double just off the middle: rounding to f32 first would lose the difference.
      expect(to(middle + (high - low) * 2 ** -40)).toBe(bits + 1);
      expect(to(-(middle - (high - low) * 2 ** -40))).toBe(0x8000 | bits);
    }
  });

  test("what is too large becomes infinite, what is too small zero", () => {
    const largest = from(infinity - 1);
    const step = largest - from(infinity - 2);
    expect(to(largest + step / 2)).toBe(infinity);
    expect(to(largest + step * 0.49)).toBe(infinity - 1);
    expect(to(-Number.MAX_VALUE)).toBe(0x8000 | infinity);
    expect(to(Number.NEGATIVE_INFINITY)).toBe(0x8000 | infinity);
    expect(to(from(1) / 2)).toBe(0);
    expect(to(-from(1) * 0.51)).toBe(0x8001);
    expect(to(-Number.MIN_VALUE)).toBe(0x8000);
  });

  test("narrowing never goes past a neighbour", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -70000, max: 70000 }), (value) => {
        const found = from(to(value));
        if (!Number.isFinite(found)) return;
        const error = Math.abs(found - value);
        for (const other of [to(value) + 1, to(value) - 1]) {
          const neighbour = from(other & 0xffff);
          if (Number.isFinite(neighbour)) expect(error).toBeLessThanOrEqual(Math.abs(neighbour - value));
        }
      }),
    );
  });
});
