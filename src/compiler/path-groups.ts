/**
 * Paths that differ only in positions of lists, written as one: `encoder.layer.{3,6,9}.tokens`.
 *
 * Owns: which paths are put together, and the notation. Knows nothing of what stands at the paths.
 */

export interface PathGroup {
  /** `layers.{0-11}.norm.weight`: ranges include both ends. */
  readonly pattern: string;
  readonly text: string;
  readonly paths: readonly string[];
}

/** Groups what has the same text at paths of the same form, in the order in which each form first comes. */
export function groupPaths(
  items: readonly { readonly path: string; readonly text: string }[],
): readonly PathGroup[] {
  const forms = new Map<string, { text: string; segments: readonly string[]; paths: string[] }>();
  for (const { path, text } of items) {
    const segments = path.split(".");
    const form = JSON.stringify([segments.map((segment) => (isPosition(segment) ? 0 : segment)), text]);
    const known = forms.get(form);
    if (known === undefined) forms.set(form, { text, segments, paths: [path] });
    else if (!known.paths.includes(path)) known.paths.push(path);
  }
  return [...forms.values()].flatMap(({ text, segments, paths }) =>
    boxes(paths.map(positionsOf)).map((box): PathGroup => {
      const within = (path: string) => positionsOf(path).every((position, i) => box[i]?.includes(position));
      return { pattern: writePattern(segments, box), text, paths: paths.filter(within) };
    }),
  );
}

const isPosition = (segment: string) => /^\d+$/.test(segment);

function positionsOf(path: string): number[] {
  return path.split(".").filter(isPosition).map(Number);
}

/** Covers tuples exactly by products of sets, taken apart from the first place on. */
function boxes(tuples: readonly (readonly number[])[]): number[][][] {
  if (tuples[0] === undefined || tuples[0].length === 0) return [[]];
  const byFirst = new Map<number, number[][]>();
  for (const [first = 0, ...rest] of tuples) byFirst.set(first, [...(byFirst.get(first) ?? []), rest]);
  const alike = new Map<string, { firsts: number[]; rests: number[][] }>();
  for (const [first, rests] of byFirst) {
    const key = JSON.stringify(rests);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { firsts: [first], rests });
    else known.firsts.push(first);
  }
  return [...alike.values()].flatMap(({ firsts, rests }) => boxes(rests).map((box) => [firsts, ...box]));
}

function writePattern(segments: readonly string[], box: readonly (readonly number[])[]): string {
  let place = 0;
  return segments
    .map((segment) => (isPosition(segment) ? writePositions(box[place++] ?? []) : segment))
    .join(".");
}

/** `3`, `{3,6}`, `{0-11}` */
function writePositions(positions: readonly number[]): string {
  const sorted = [...positions].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const position of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1 === position) last[1] = position;
    else runs.push([position, position]);
  }
  const written = runs.map(([from, to]) => {
    if (from === to) return String(from);
    return from + 1 === to ? `${from},${to}` : `${from}-${to}`;
  });
  return sorted.length === 1 ? String(sorted[0]) : `{${written.join(",")}}`;
}
