/**
 * Folding a dimension into another algebra: with numbers as the algebra, it is evaluation.
 */
import { describe, expect, it } from "vitest";
import { Dim, type DimAlgebra } from "../../src/lang/dims.ts";

const N = Dim.symbol("N");
const M = Dim.symbol("M");

const numbers = (bindings: ReadonlyMap<string, number>): DimAlgebra<number> => ({
  constant: Number,
  symbol: (name) => bindings.get(name) ?? Number.NaN,
  add: (a, b) => a + b,
  multiply: (a, b) => a * b,
  floorDivide: (a, b) => Math.floor(a / b),
  minimum: Math.min,
  maximum: Math.max,
  scaled: (mode, factor, a) =>
    mode === "ceil" ? Math.ceil(Number(factor) * a) : Math.floor(Number(factor) * a),
});

/** The steps in the order they are asked for. */
const words: DimAlgebra<string> = {
  constant: String,
  symbol: (name) => name,
  add: (a, b) => `(${a} + ${b})`,
  multiply: (a, b) => `(${a} * ${b})`,
  floorDivide: (a, b) => `(${a} // ${b})`,
  minimum: (a, b) => `min(${a}, ${b})`,
  maximum: (a, b) => `max(${a}, ${b})`,
  scaled: (mode, factor, a) => `${mode}(${factor} ${a})`,
};

describe("fold", () => {
  it.each([
    [Dim.of(0)],
    [Dim.of(-7)],
    [N.mul(N).mul(M).mul(3).sub(N).add(5)],
    [N.sub(400).floorDivide(160).add(1)],
    [N.floorDivide(M.add(1)).mul(M)],
    [Dim.min(N, M, N.mul(M).sub(9))],
    [Dim.max(N.sub(M), M.sub(N))],
    [Dim.scaled("ceil", 0.7, N.add(M))],
    [Dim.scaled("floor", 0.55, Dim.scaled("ceil", 0.7, N))],
  ])("gives the value of %s when it folds into numbers", (dim) => {
    for (const [n, m] of [
      [1, 1],
      [10, 3],
      [100, 41],
      [3, 1000],
    ] as const) {
      const bindings = new Map([
        ["N", n],
        ["M", m],
      ]);
      expect(dim.fold(numbers(bindings))).toBe(dim.evaluate(bindings));
    }
  });

  it("asks for what is there and no more", () => {
    expect(N.fold(words)).toBe("N");
    expect(Dim.of(0).fold(words)).toBe("0");
    expect(N.mul(N).negate().fold(words)).toBe("((-1 * N) * N)");
    expect(Dim.scaled("round", "keep", N).fold(words)).toBe("round(keep N)");
  });
});
