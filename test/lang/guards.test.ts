import { describe, expect, it } from "vitest";
import type { Requirement } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";
import { openGuards } from "../../src/lang/guards.ts";

const T = Dim.symbol("T");
const guard = (kind: Requirement["kind"], left: Dim, right: Dim) => ({
  requirement: { kind, left, right, reason: "" },
});

describe("openGuards", () => {
  it("drops what always holds", () => {
    expect(openGuards([guard("at-most", Dim.of(1), T), guard("equal", T.add(T), T.mul(2))])).toEqual([]);
  });

  it("keeps a bound and drops what it implies", () => {
    const bound = guard("at-most", Dim.of(400), T);
    const implied = guard("at-most", Dim.of(0), T.sub(240).floorDivide(160));
    expect(openGuards([implied, bound])).toEqual([bound]);
  });

  it("keeps what the bound does not imply", () => {
    const bound = guard("at-most", Dim.of(400), T);
    const stronger = guard("at-most", Dim.of(2), T.sub(240).floorDivide(160));
    expect(openGuards([bound, stronger])).toEqual([bound, stronger]);
  });

  it("keeps the strongest of several bounds of one symbol", () => {
    const weak = guard("at-most", Dim.of(10), T);
    const strong = guard("at-most", Dim.of(20), T);
    expect(openGuards([weak, strong])).toEqual([strong]);
  });

  it("keeps an open division", () => {
    const divides = guard("divides", Dim.of(5), T);
    expect(openGuards([divides, divides])).toEqual([divides]);
  });
});
