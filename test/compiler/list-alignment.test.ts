import fc from "fast-check";
import { expect, test } from "vitest";
import { alignLists } from "../../src/compiler/list-alignment.ts";

/** By the definition: the first letters are paired, or one of them is left out. */
function longest(left: string, right: string): number {
  if (left === "" || right === "") return 0;
  if (left[0] === right[0]) return 1 + longest(left.slice(1), right.slice(1));
  return Math.max(longest(left.slice(1), right), longest(left, right.slice(1)));
}

test("is common, rises on both sides, and is as long as any", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, (left, right) => {
      const pairs = alignLists([...left], [...right]);
      for (const [k, [i, j]] of pairs.entries()) {
        expect(left[i]).toBe(right[j]);
        const [before = -1, beforeRight = -1] = pairs[k - 1] ?? [];
        expect(i).toBeGreaterThan(before);
        expect(j).toBeGreaterThan(beforeRight);
      }
      expect(pairs.length).toBe(longest(left, right));
    }),
  );
});

test("lists too long to compare keep their common start and end", () => {
  const middle = (letter: string) => Array.from({ length: 4000 }, (_, i) => `${letter}${i}`);
  const pairs = alignLists(["s", ...middle("a"), "e"], ["s", ...middle("b"), "x", "e"]);
  expect(pairs).toEqual([
    [0, 0],
    [4001, 4002],
  ]);
});
