/**
 * Adapters: blocks that are put around the sub-blocks whose paths they match.
 *
 * Owns: the matching of paths. `on: ["in_proj", "layers.*.mixer.out_proj"]` matches a sub-block whose
 * path ends in the pattern, `*` standing for one segment. A pattern that matches nothing is an error.
 */
import type { BlockDeclaration } from "./ast.ts";
import type { Span } from "./source.ts";
import type { Template, Value } from "./value.ts";

/** The parameter that every adapter has: where it goes. */
export const adapterTarget = "on";

/** One pattern may stand without its list. */
export function asPatterns(value: Value): Value {
  return value.kind === "string" ? { kind: "list", items: [value] } : value;
}

export interface InstalledAdapter {
  readonly template: Template;
  /** The path of the block that it was installed on; patterns are matched below it. */
  readonly owner: string;
  readonly ownerDeclaration: BlockDeclaration;
  readonly patterns: readonly string[];
  readonly matched: Set<string>;
  /** Paths below the owner that were offered, for the message when nothing matches. */
  readonly offered: Set<string>;
  readonly span: Span;
}

/** Notes that a sub-block at `path` exists, and says whether the adapter goes around it. */
export function adapterMatches(adapter: InstalledAdapter, path: string): boolean {
  const relative = adapter.owner === "" ? path : path.slice(adapter.owner.length + 1);
  adapter.offered.add(relative);
  let any = false;
  for (const pattern of adapter.patterns) {
    if (!endsIn(relative.split("."), pattern.split("."))) continue;
    adapter.matched.add(pattern);
    any = true;
  }
  return any;
}

function endsIn(path: readonly string[], pattern: readonly string[]): boolean {
  const start = path.length - pattern.length;
  return start >= 0 && pattern.every((segment, i) => segment === "*" || segment === path[start + i]);
}

/** The list positions in a path: 3 in `layers.3.mixer`. An adapter can differ from layer to layer by them. */
export function pathIndices(path: string): number[] {
  return path
    .split(".")
    .filter((segment) => /^[0-9]+$/.test(segment))
    .map(Number);
}

/** What could have matched: the last names of the paths offered, each once, the commonest first. */
export function offeredNames(adapter: InstalledAdapter): string[] {
  const counts = new Map<string, number>();
  for (const path of adapter.offered) {
    const last = path
      .split(".")
      .filter((segment) => !/^[0-9]+$/.test(segment))
      .pop();
    if (last !== undefined) counts.set(last, (counts.get(last) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}
