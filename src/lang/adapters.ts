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
    // Most parts end in another name.
    const last = pattern.slice(pattern.lastIndexOf(".") + 1);
    if (last !== "*" && !relative.endsWith(last)) continue;
    if (!endsIn(relative.split("."), pattern.split("."))) continue;
    adapter.matched.add(pattern);
    any = true;
  }
  return any;
}

/**
 * What of a path decides where the adapter goes below it: how far each pattern has come by then. Two blocks at
 * paths of which it is the same have the adapter around the same parts.
 */
export function adapterContext({ owner, patterns }: InstalledAdapter, path: string): string {
  const relative = path.slice(owner.length).replace(/^\./, "");
  const above = relative === "" ? [] : relative.split(".");
  return patterns
    .map((pattern) => {
      const segments = pattern.split(".");
      // The first i segments of the pattern are the end of the path, the others are below it.
      const begun = segments.flatMap((_, i) => (i > 0 && endsIn(above, segments.slice(0, i)) ? [i] : []));
      return `${pattern}/${begun.join(" ")}`;
    })
    .join();
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
