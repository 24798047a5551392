import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, suggest } from "../../src/lang/suggest.ts";

describe("edit distance", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["encoder", "encodre", 1],
    ["ca", "abc", 3],
    ["linear", "Linear", 1],
  ])("%s to %s", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  test("is zero only for equal words and never above the longer length", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe("suggestions", () => {
  test("the closest first, then by the alphabet", () => {
    expect(suggest("layer_nrom", ["rms_norm", "layer_norm", "layer_form", "gelu"])).toEqual([
      "layer_norm",
      "layer_form",
    ]);
    expect(suggest("cat", ["car", "bat", "dog"])).toEqual(["bat", "car"]);
  });

  test("names that differ in case or in `_` come before others", () => {
    expect(suggest("layernorm", ["LayerForm", "layer_norm", "LayerNorm"])).toEqual([
      "LayerNorm",
      "layer_norm",
      "LayerForm",
    ]);
    expect(suggest("khz", ["Hz", "kHz"])[0]).toBe("kHz");
  });

  test("at most four, each once, never the word itself", () => {
    const names = ["aaaa", "aaab", "aaac", "aaad", "aaae", "aaaf", "aaab"];
    expect(suggest("aaaa", names)).toEqual(["aaab", "aaac", "aaad", "aaae"]);
  });

  test("nothing that is too far, and nothing for a single letter", () => {
    expect(suggest("encoder", ["policy", "model"])).toEqual([]);
    expect(suggest("x", ["y", "z"])).toEqual([]);
    expect(suggest("xy", ["zz"])).toEqual([]);
  });

  test("very long names are passed over at once", () => {
    const long = "a".repeat(1_000_000);
    expect(suggest(long, [`${long}b`, "a"])).toEqual([]);
  });
});
