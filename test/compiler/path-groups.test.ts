import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupPaths } from "../../src/compiler/path-groups.ts";

const patterns = (...paths: string[]) =>
  groupPaths(paths.map((path) => ({ path, text: "" }))).map(({ pattern }) => pattern);

describe("paths that differ in positions", () => {
  test.each([
    [["a.b"], ["a.b"]],
    [["layers.3"], ["layers.3"]],
    [["layers.3.x", "layers.6.x", "layers.9.x"], ["layers.{3,6,9}.x"]],
    [["layers.2", "layers.0", "layers.1", "layers.7", "layers.8"], ["layers.{0-2,7,8}"]],
    [
      ["a.0.x", "b.0.x", "a.1.x"],
      ["a.{0,1}.x", "b.0.x"],
    ],
    [["a.0.0", "a.0.1", "a.1.0", "a.1.1"], ["a.{0,1}.{0,1}"]],
    [
      ["a.0.0", "a.0.1", "a.1.0"],
      ["a.0.{0,1}", "a.1.0"],
    ],
    [["a.0", "a.0"], ["a.0"]],
    [["", ""], [""]],
  ])("%j", (paths, expected) => {
    expect(patterns(...paths)).toEqual(expected);
  });

  test("are kept apart by their text", () => {
    const items = [0, 1, 2, 3].map((i) => ({ path: `a.${i}`, text: i === 2 ? "other" : "same" }));
    expect(groupPaths(items).map(({ pattern, text }) => `${pattern} ${text}`)).toEqual([
      "a.{0,1,3} same",
      "a.2 other",
    ]);
  });

  test("each path is in exactly one group", () => {
    const path = fc
      .array(fc.oneof(fc.nat(3).map(String), fc.constantFrom("a", "b")), { minLength: 1, maxLength: 4 })
      .map((segments) => segments.join("."));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
        const groups = groupPaths(paths.map((one) => ({ path: one, text: "" })));
        expect(groups.flatMap((group) => group.paths).sort()).toEqual([...paths].sort());
      }),
    );
  });
});
