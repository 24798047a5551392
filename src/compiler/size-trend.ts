/**
 * How a size changes as one of its symbols grows, and what guards say of a symbol.
 *
 * Owns: telling from the formula alone that a size never falls, so that the largest symbol that fits a limit
 * is found by halving. Where it can't be told, nothing is claimed.
 */
import { Dim } from "../lang/dims.ts";
import type { PlanEntry, Size } from "./plan.ts";
import { dimOf } from "./wgsl/size.ts";

export type Trend = "same" | "rises" | "falls" | "unknown";

export interface SymbolRange {
  readonly least: number;
  /** Absent where nothing limits it. */
  readonly most: number | undefined;
}

/** What each symbol may be, by its minimum and by guards that compare it with a number. */
export function symbolRanges({ symbols, guards }: PlanEntry): ReadonlyMap<string, SymbolRange> {
  return new Map(
    symbols.map(({ name, minimum }): [string, SymbolRange] => {
      let least = minimum;
      let most: number | undefined;
      for (const { relation, left, right } of guards) {
        if (relation !== "at-most") continue;
        if (right === name && typeof left === "number") least = Math.max(least, left);
        if (left === name && typeof right === "number") most = Math.min(most ?? right, right);
      }
      return [name, { least, most }];
    }),
  );
}

/** @param minimums of all symbols */
export function trendOf(size: Size, symbol: string, minimums: ReadonlyMap<string, number>): Trend {
  if (typeof size === "number") return "same";
  if (typeof size === "string") return size === symbol ? "rises" : "same";
  switch (size[0]) {
    case "ceil":
    case "floor":
    case "round": {
      const inner = trendOf(size[2], symbol, minimums);
      return size[1] < 0 ? turned(inner) : inner;
    }
    case "+":
    case "min":
    case "max":
      return together(trendOf(size[1], symbol, minimums), trendOf(size[2], symbol, minimums));
    case "*": {
      const [left, right] = [trendOf(size[1], symbol, minimums), trendOf(size[2], symbol, minimums)];
      return together(scaled(left, size[2], minimums), scaled(right, size[1], minimums));
    }
    case "/": {
      if (trendOf(size[2], symbol, minimums) !== "same") return "unknown";
      const over = trendOf(size[1], symbol, minimums);
      return over === "same" || Dim.provablyAtMost(1, dimOf(size[2]), minimums) ? over : "unknown";
    }
  }
}

/** A factor's trend in a product with `other`, whose sign decides. */
function scaled(trend: Trend, other: Size, minimums: ReadonlyMap<string, number>): Trend {
  if (trend === "same" || trend === "unknown") return trend;
  const dim = dimOf(other);
  if (Dim.provablyAtMost(0, dim, minimums)) return trend;
  return Dim.provablyAtMost(dim, 0, minimums) ? turned(trend) : "unknown";
}

function together(a: Trend, b: Trend): Trend {
  if (a === "same") return b;
  return b === "same" || a === b ? a : "unknown";
}

function turned(trend: Trend): Trend {
  return trend === "rises" ? "falls" : trend === "falls" ? "rises" : trend;
}
