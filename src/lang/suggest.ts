/**
 * "Did you mean …?": ranks known names by how close they are to what was written.
 *
 * Owns: the distance (Damerau-Levenshtein, optimal string alignment: a swap of neighbours is one
 * edit) and the threshold. The wording is the messages'.
 */

const mostSuggestions = 4;
/** Names longer than this are not typing slips of one another, and would cost quadratic time. */
const longestName = 80;

/** At most four of `candidates`, the closest first, equal ones in alphabetical order. */
export function suggest(written: string, candidates: Iterable<string>): string[] {
  const ranked: { name: string; distance: number }[] = [];
  for (const name of new Set(candidates)) {
    if (name === written || name.length > longestName || written.length > longestName) continue;
    if (isAbbreviation(written, name)) {
      ranked.push({ name, distance: 1 });
      continue;
    }
    const limit = threshold(Math.max(written.length, name.length));
    if (Math.abs(name.length - written.length) > limit) continue;
    const distance = closeness(written, name, limit);
    if (distance <= limit) ranked.push({ name, distance });
  }
  ranked.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return ranked.slice(0, mostSuggestions).map((entry) => entry.name);
}

/** Edits that still look like a slip: one in up to five letters, then one more for every three. */
function threshold(length: number): number {
  return length <= 1 ? 0 : Math.max(1, Math.floor(length / 3));
}

/** "hann" for "hanning": at least half of the name. */
function isAbbreviation(written: string, name: string): boolean {
  return name.startsWith(written) && written.length >= 3 && written.length * 2 >= name.length;
}

/** Names that differ only in case or in `_` and `-` are as close as can be. */
function closeness(written: string, name: string, limit: number): number {
  if (fold(written) === fold(name)) return 0;
  const distance = editDistance(written, name, limit);
  const [a, b] = [written.toLowerCase(), name.toLowerCase()];
  return a === written && b === name ? distance : Math.min(distance, editDistance(a, b, limit) + 0.5);
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

/**
 * Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; something above `limit`
 * when there are more of them than that.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  let leastBefore = 0;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1);
      if (best < least) least = best;
      current.push(best);
    }
    // What follows builds on these two rows, and never gets less.
    if (least > limit && leastBefore > limit) return least;
    leastBefore = least;
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
