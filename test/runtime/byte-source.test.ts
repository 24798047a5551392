import { expect, test } from "vitest";
import { bytesSource } from "../../src/runtime/byte-source.ts";
import { codeOf } from "./support.ts";

const source = bytesSource("a", Uint8Array.of(1, 2, 3, 4));

test("a range is a copy that starts its own buffer", async () => {
  const bytes = await source.read(1, 2);
  expect([...bytes]).toEqual([2, 3]);
  expect(bytes.byteOffset).toBe(0);
  bytes[0] = 9;
  expect([...(await source.read(0, 4))]).toEqual([1, 2, 3, 4]);
  expect(await source.read(4, 0)).toHaveLength(0);
});

test.each([
  [0, 5],
  [4, 1],
  [-1, 2],
  [0, -1],
  [0.5, 1],
  [Number.NaN, 1],
  [2 ** 53, 1],
])("from %d, %d bytes: outside", async (offset, length) => {
  expect(await codeOf(() => source.read(offset, length))).toBe("file-truncated");
});
