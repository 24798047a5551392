/**
 * Paths of block instances: checkpoint names without the last part.
 */
export function joinPath(path: string, segment: string): string {
  return path === "" ? segment : `${path}.${segment}`;
}

/** The rest of a path that begins with `place`; empty for the place itself. */
export function pathBelow(path: string, place: string): string | undefined {
  if (path === place) return "";
  if (place === "") return path;
  return path.startsWith(`${place}.`) ? path.slice(place.length + 1) : undefined;
}

/** The path of which `below` is the rest. */
export function pathUnder(place: string, below: string): string {
  return below === "" ? place : joinPath(place, below);
}
