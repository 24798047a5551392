import { describe, expect, test } from "vitest";
import { Dim, DimError, parseDim, productDims, sumDims } from "../../src/lang/dims.ts";
import { dimProperties } from "./dims-properties.ts";

const N = Dim.symbol("N");
const M = Dim.symbol("M");
const T = Dim.symbol("T");
const E = Dim.symbol("E");

function failure(work: () => unknown): { kind: string; symbol: string | undefined } {
  try {
    work();
  } catch (error) {
    if (error instanceof DimError) return { kind: error.kind, symbol: error.symbol };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("every dimension", () => {
  test.each(dimProperties)("$name", ({ check }) => check(400));
});

describe("equality", () => {
  test("expands products", () => {
    const a = N.add(M);
    expect(a.mul(a).equals(N.mul(N).add(N.mul(M).mul(2)).add(M.mul(M)))).toBe(true);
    expect(a.mul(a).equals(N.mul(N).add(M.mul(M)))).toBe(false);
  });

  test("meets in one form for the ways to count frames", () => {
    const frames = T.sub(400).floorDivide(160).add(1);
    expect(frames.equals(T.sub(240).floorDivide(160))).toBe(true);
    expect(frames.equals(T.sub(399).ceilDivide(160))).toBe(true);
    expect(frames.equals(T.sub(241).floorDivide(160))).toBe(false);
  });

  test("merges floors of floors, with a stride between them", () => {
    const halved = T.sub(1).floorDivide(2).add(1);
    expect(halved.sub(1).floorDivide(2).add(1).equals(T.add(3).floorDivide(4))).toBe(true);
  });

  test("divides by symbols", () => {
    expect(N.mul(M).floorDivide(M).equals(N)).toBe(true);
    expect(
      N.mul(M)
        .add(E)
        .floorDivide(M)
        .equals(N.add(E.floorDivide(M))),
    ).toBe(true);
    expect(N.mul(N).sub(M.mul(M)).floorDivide(N.add(M)).equals(N.sub(M))).toBe(true);
    expect(
      N.mul(E)
        .mul(4)
        .floorDivide(M.mul(E).mul(6))
        .equals(N.mul(2).floorDivide(M.mul(3))),
    ).toBe(true);
  });

  test("assumes nothing about the sign of a symbol", () => {
    expect(Dim.max(N, 0).equals(N)).toBe(false);
    expect(Dim.min(N, N.mul(2)).equals(N)).toBe(false);
    expect(Dim.min(N, N.add(1)).equals(N)).toBe(true);
    expect(Dim.max(N, N.add(1), M).equals(Dim.max(M, Dim.max(N.add(1), N)))).toBe(true);
  });
});

describe("text", () => {
  test.each([
    [N.mul(12).add(3), "12*N + 3"],
    [N.mul(N).mul(2).sub(N.mul(3)).add(1), "2*N^2 - 3*N + 1"],
    [T.sub(400).floorDivide(160).add(1), "floor((T - 240)/160)"],
    [N.ceilDivide(4), "ceil(N/4)"],
    [N.ceilDivide(4).add(1), "ceil(N/4) + 1"],
    [N.floorDivide(2).negate(), "-floor(N/2)"],
    [N.sub(E).floorDivide(4), "floor((N - E)/4)"],
    [N.mul(3).floorDivide(2), "floor(3*N/2)"],
    [N.ceilDivide(M), "ceil(N/M)"],
    [Dim.of(1).floorDivide(N.negate().floorDivide(M)), "floor(1/(-ceil(N/M)))"],
    [N.floorDivide(M.mul(2)), "floor(N/(2*M))"],
    [N.modulo(4), "N % 4"],
    [N.modulo(4).floorDivide(M), "floor((N % 4)/M)"],
    [T.sub(240).floorDivide(160).mul(3).floorDivide(M), "floor(3*floor((T - 240)/160)/M)"],
    [Dim.of(256).sub(T.modulo(256)).modulo(256), "256*ceil(T/256) - T"],
    [N.add(M).sub(N.floorDivide(2)), "M + N - floor(N/2)"],
    [N.add(5).modulo(4).mul(3).add(E), "E + 3*((N + 1) % 4)"],
    [N.modulo(M).negate(), "-(N % M)"],
    [Dim.scaled("ceil", 0.7, N), "ceil(0.7*N)"],
    [Dim.scaled("ceil", "keep", N.sub(E)).add(1), "ceil(keep*(N - E)) + 1"],
    [Dim.scaled("round", -0.5, N), "round(-0.5*N)"],
    [Dim.min(64, N).add(1), "min(N, 64) + 1"],
    [
      T.sub(400).floorDivide(160).add(1).mul(T.sub(240).floorDivide(160)).mul(768),
      "768*floor((T - 240)/160)^2",
    ],
    [N.sub(N.floorDivide(2)).mul(N.sub(N.floorDivide(2))), "N^2 - 2*N*floor(N/2) + floor(N/2)^2"],
    [Dim.of(-7), "-7"],
    [N.sub(N), "0"],
  ])("prints %s", (dim, text) => {
    expect(String(dim)).toBe(text);
    expect(parseDim(text)?.equals(dim)).toBe(true);
  });

  test.each([
    ["2*(N + 1)^2", "2*N^2 + 4*N + 2"],
    ["  - - N ", "N"],
    ["-N^2", "-N^2"],
    ["N*M/2", undefined],
    ["floor(N)", undefined],
    ["floor(N/0)", undefined],
    ["floor(N/2*M)", undefined],
    ["floor(N + 1/2)", undefined],
    ["round(N/2)", undefined],
    ["0.7*N", undefined],
    ["sin(N)", undefined],
    ["min()", undefined],
    ["N +", undefined],
    ["N N", undefined],
    ["(N", undefined],
    ["N)", undefined],
    ["N^M", undefined],
    ["N^-1", undefined],
    ["2N", undefined],
    ["N & M", undefined],
    ["", undefined],
    ["ceil(keep*N + 1)", undefined],
    ["N^99999999999999999999", undefined],
    ["(N + M + T + E)^1000", undefined],
  ])("reads %j", (text, expected) => {
    const dim = parseDim(text);
    expect(dim === undefined ? undefined : String(dim)).toBe(expected);
  });

  test("refuses deep nesting and survives long text", () => {
    expect(String(parseDim(`${"(".repeat(150)}N${")".repeat(150)}`))).toBe("N");
    expect(parseDim(`${"(".repeat(100_000)}N${")".repeat(100_000)}`)).toBeUndefined();
    expect(parseDim(`${"floor(".repeat(250)}N${"/M)".repeat(250)}`)).toBeUndefined();
    expect(parseDim(`${"ceil(keep*".repeat(5000)}N${")".repeat(5000)}`)).toBeUndefined();
    expect(parseDim("9".repeat(2000))).toBeUndefined();
    expect(String(parseDim(`${"-".repeat(100_001)}N`))).toBe("-N");
    expect(String(parseDim(Array(50_000).fill("N").join(" + ")))).toBe("50000*N");
  });

  test("reads back the deepest expression that can be built", () => {
    let dim = N;
    let previous = dim;
    expect(
      failure(() => {
        for (let i = 0; i < 1000; i += 1) {
          previous = dim;
          dim = Dim.min(dim.add(1).floorDivide(M.add(2)).mul(3).add(E), M);
        }
      }).kind,
    ).toBe("too-large");
    expect(parseDim(String(previous))?.equals(previous)).toBe(true);
  });
});

describe("evaluation", () => {
  test("multiplies by a real factor as doubles do", () => {
    // In exact arithmetic 0.07 * 100 is 7; the double product is 7.000000000000001.
    expect(Dim.scaled("ceil", 0.07, N).evaluate(new Map([["N", 100]]))).toBe(8);
    expect(Dim.scaled("ceil", 0.07, Dim.of(100)).constant).toBe(8);
    expect([0.5, 1.5, 2.5, -0.5].map((x) => Dim.scaled("round", x, 1).constant)).toEqual([0, 2, 2, 0]);
    expect(Dim.scaled("round", 0.5, N).evaluate(new Map([["N", -3]]))).toBe(-2);
    expect(Dim.scaled("floor", 1, N).equals(N)).toBe(true);
  });

  test("says what is missing", () => {
    const at = (values: Record<string, number>) => new Map(Object.entries(values));
    expect(failure(() => N.add(M).evaluate(at({ N: 1 })))).toEqual({ kind: "unbound", symbol: "M" });
    expect(failure(() => N.evaluate(at({ N: 1.5 })))).toEqual({ kind: "unbound", symbol: "N" });
    const kept = Dim.scaled("ceil", "keep", N);
    expect(failure(() => kept.evaluate(at({ N: 1 })))).toEqual({ kind: "unbound", symbol: "keep" });
    expect(kept.evaluate(at({ N: 10, keep: 0.25 }))).toBe(3);
    expect([...kept.symbols()].sort()).toEqual(["N", "keep"]);
    expect(failure(() => N.floorDivide(M).evaluate(at({ N: 1, M: 0 }))).kind).toBe("division-by-zero");
    expect(failure(() => N.floorDivide(0)).kind).toBe("division-by-zero");
    expect(failure(() => Dim.of(3).modulo(0)).kind).toBe("division-by-zero");
    expect(failure(() => N.mul(N).evaluate(at({ N: 2 ** 40 }))).kind).toBe("too-large");
    expect(failure(() => Dim.scaled("ceil", Number.NaN, N)).kind).toBe("too-large");
    expect(failure(() => kept.evaluate(at({ N: 1, keep: Number.POSITIVE_INFINITY }))).kind).toBe("too-large");
  });

  test("stays exact beyond the safe integers", () => {
    const large = Dim.of(2 ** 52).mul(2 ** 52);
    expect(large.constant).toBeUndefined();
    expect(String(large)).toBe(String(2n ** 104n));
    expect(large.floorDivide(2 ** 52).constant).toBe(2 ** 52);
    expect(Dim.of(-Number.MAX_SAFE_INTEGER).floorDivide(2).constant).toBe(-(2 ** 52));
    expect(Object.is(Dim.of(0).negate().constant, 0)).toBe(true);
    expect(Object.is(Dim.of(-3).mul(0).constant, 0)).toBe(true);
  });
});

describe("ranges", () => {
  const kept = Dim.scaled("ceil", 0.7, N.sub(1));
  test.each([
    ["N", N, 1n, undefined],
    ["N - 1", N.sub(1), 0n, undefined],
    ["N % 8", N.modulo(8), 0n, 7n],
    ["N^2 - N", N.mul(N).sub(N), 0n, undefined],
    ["kept tokens", kept, 0n, undefined],
    ["dropped tokens", N.sub(1).sub(kept), 0n, undefined],
    ["N - ceil(1.5*N)", N.sub(Dim.scaled("ceil", 1.5, N)), undefined, 0n],
    ["min(N, 64)", Dim.min(N, 64), 1n, 64n],
    ["N - min(N, M)", N.sub(Dim.min(N, M)), 0n, undefined],
    ["padding", N.ceilDivide(64).mul(64).sub(N), 0n, 63n],
    ["ceil(keep*N)", Dim.scaled("ceil", "keep", N), 0n, undefined],
    ["N - M", N.sub(M), undefined, undefined],
    ["floor(5/N)", Dim.of(5).floorDivide(N), 0n, 5n],
  ])("of %s", (_, dim, min, max) => {
    expect(dim.range()).toEqual({ min, max });
  });

  test("use the minimums given", () => {
    const frames = T.sub(400).floorDivide(160).add(1);
    expect(frames.range(new Map([["T", 400]])).min).toBe(1n);
    expect(Dim.provablyAtMost(1, frames)).toBe(false);
    expect(Dim.provablyAtMost(1, frames, new Map([["T", 400]]))).toBe(true);
    expect(Dim.provablyAtMost(kept, N)).toBe(true);
    expect(Dim.provablyAtMost(N, kept)).toBe(false);
  });
});

describe("limits", () => {
  test("growth ends in an error, soon", () => {
    const wide = sumDims(Array.from({ length: 300 }, (_, i) => Dim.symbol(`x${i}`)));
    const grow = (step: (dim: Dim) => Dim, from: Dim) =>
      failure(() => {
        let dim = from;
        for (let i = 0; i < 5000; i += 1) dim = step(dim);
      }).kind;
    expect(grow((dim) => dim.mul(wide), wide)).toBe("too-large");
    expect(grow((dim) => dim.mul(dim), N.add(1))).toBe("too-large");
    expect(grow((dim) => dim.mul(dim), Dim.of(10))).toBe("too-large");
    expect(grow((dim) => Dim.min(dim.mul(dim).add(1), M), N)).toBe("too-large");
    expect(grow((dim) => dim.floorDivide(M.add(dim)), N)).toBe("too-large");
  });

  test("large expressions print and are bounded, soon", () => {
    const large = sumDims(
      Array.from({ length: 3000 }, (_, i) =>
        Dim.symbol(`x${i}`)
          .add(i + 1)
          .floorDivide(i + 2)
          .mul(N),
      ),
    );
    expect(large.range().min).toBe(3000n);
    expect(String(large).length).toBeGreaterThan(30_000);
    expect(N.sub(1).range(new Map([["N", Number.NEGATIVE_INFINITY]])).min).toBeUndefined();
  });

  test("sums and products of many", () => {
    expect(sumDims([]).constant).toBe(0);
    expect(productDims([]).constant).toBe(1);
    expect(sumDims([Dim.of(2), N, Dim.of(3), N]).equals(N.mul(2).add(5))).toBe(true);
    expect(productDims([Dim.of(2), N, N]).equals(N.mul(N).mul(2))).toBe(true);
  });

  test("misuse by the program is refused", () => {
    expect(() => Dim.of(1.5)).toThrow(RangeError);
    expect(() => Dim.symbol("2 N")).toThrow(RangeError);
    expect(N.divideExactly(0)).toBeUndefined();
    expect(Dim.of(6).divideExactly(4)).toBeUndefined();
    expect(Dim.of(6).divideExactly(3)?.constant).toBe(2);
  });
});
