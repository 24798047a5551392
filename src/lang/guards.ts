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
  const multiples = knownMultiples(guards);
  const seen = new Set<string>();
  return guards.filter(({ requirement }) => {
    const key = `${requirement.kind}|${requirement.left}|${requirement.right}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if ([...bounding.values()].includes(requirement)) return true;
    if (alwaysHolds(requirement, bounds)) return false;
    // A division says itself nothing new; what follows from it is proved by writing T as 5 times a size.
    if (requirement.kind === "divides") return true;
    return !alwaysHolds(
      {
        ...requirement,
        left: requirement.left.substitute(multiples),
        right: requirement.right.substitute(multiples),
      },
      new Map(),
    );
  });
}

/** Symbols that guards of the form `number divides symbol` make multiples, as that number times a size. */
function knownMultiples(guards: readonly { readonly requirement: Requirement }[]): Map<string, Dim> {
  const factors = new Map<string, number>();
  for (const { requirement } of guards) {
    const factor = requirement.left.constant;
    const [symbol, ...others] = requirement.right.symbols();
    if (requirement.kind !== "divides" || factor === undefined || symbol === undefined || others.length > 0)
      continue;
    if (!requirement.right.equals(Dim.symbol(symbol))) continue;
    const known = factors.get(symbol) ?? 1;
    factors.set(symbol, (known * factor) / greatestCommonDivisor(known, factor));
  }
  return new Map([...factors].map(([symbol, factor]) => [symbol, Dim.symbol(symbol).mul(factor)]));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The symbol that a requirement of the form `number <= symbol` bounds. */
function lowerBounded({ kind, left, right }: Requirement): string | undefined {
  if (kind !== "at-most" || left.constant === undefined) return undefined;
  const [symbol, ...others] = right.symbols();
  return symbol !== undefined && others.length === 0 && right.equals(Dim.symbol(symbol)) ? symbol : undefined;
}
