/**
 * Which requirements are left for run time.
 *
 * Owns: proving requirements. A guard such as 400 <= T also bounds T for the proofs of the others,
 * so that one cause is checked, and reported, once.
 */
import type { Requirement } from "./catalog.ts";
import { Dim } from "./dims.ts";

/** Whether a requirement holds for every binding that respects the symbols' minimums (1 by default). */
export function alwaysHolds(requirement: Requirement, minimums: ReadonlyMap<string, number>): boolean {
  const { left, right } = requirement;
  switch (requirement.kind) {
    case "equal":
      return left.equals(right);
    case "at-most":
      return Dim.provablyAtMost(left, right, minimums);
    case "divides":
      return right.divideExactly(left) !== undefined;
  }
}

/** The guards that some binding breaks although all the others hold, each once, in their order. */
export function openGuards<G extends { readonly requirement: Requirement }>(
  guards: readonly G[],
  minimums: ReadonlyMap<string, number> = new Map(),
): G[] {
  const bounds = new Map(minimums);
  const bounding = new Map<string, Requirement>();
  for (const { requirement } of guards) {
    const symbol = lowerBounded(requirement);
    const bound = requirement.left.constant;
    if (symbol === undefined || bound === undefined || bound <= (bounds.get(symbol) ?? 1)) continue;
    bounds.set(symbol, bound);
    bounding.set(symbol, requirement);
  }
  const seen = new Set<string>();
  return guards.filter(({ requirement }) => {
    const key = `${requirement.kind}|${requirement.left}|${requirement.right}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return [...bounding.values()].includes(requirement) || !alwaysHolds(requirement, bounds);
  });
}

/** The symbol that a requirement of the form `number <= symbol` bounds. */
function lowerBounded({ kind, left, right }: Requirement): string | undefined {
  if (kind !== "at-most" || left.constant === undefined) return undefined;
  const [symbol, ...others] = right.symbols();
  return symbol !== undefined && others.length === 0 && right.equals(Dim.symbol(symbol)) ? symbol : undefined;
}
