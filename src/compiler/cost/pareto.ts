/**
 * The variants of a sweep that are not beaten by another in two measures.
 */

/** Which points no other beats, where less is better of both: those along the lower left. */
export function paretoFront(points: readonly (readonly [x: number, y: number])[]): ReadonlySet<number> {
  const at = (i: number): readonly [number, number] => points[i] ?? [0, 0];
  const order = points.map((_, i) => i);
  order.sort((i, j) => at(i)[0] - at(j)[0] || at(i)[1] - at(j)[1]);
  const front = new Set<number>();
  let best = Number.POSITIVE_INFINITY;
  let bestX = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    const [x, y] = at(i);
    // Equal points are on the front together.
    if (y < best || (y === best && x === bestX)) {
      front.add(i);
      [bestX, best] = [x, y];
    }
  }
  return front;
}
