/**
 * Which items of one list stand for which of another: their longest common subsequence.
 *
 * Owns: the algorithm: dynamic programming on what is left between a common start and a common end,
 * with a limit on its size. Beyond the limit nothing in between counts as common.
 */

/** Cells of the table: some tens of megabytes. */
const largestTable = 1 << 23;

/** Pairs of positions of equal texts, both rising; as many as possible. */
export function alignLists(left: readonly string[], right: readonly string[]): [number, number][] {
  const shorter = Math.min(left.length, right.length);
  let start = 0;
  while (start < shorter && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < shorter - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1;
  const pairs: [number, number][] = [];
  for (let i = 0; i < start; i++) pairs.push([i, i]);
  const [rows, columns] = [left.length - start - end, right.length - start - end];
  if ((rows + 1) * (columns + 1) <= largestTable) {
    for (const [i, j] of align(left.slice(start, start + rows), right.slice(start, start + columns))) {
      pairs.push([start + i, start + j]);
    }
  }
  for (let k = end; k > 0; k--) pairs.push([left.length - k, right.length - k]);
  return pairs;
}

function align(left: readonly string[], right: readonly string[]): [number, number][] {
  const width = right.length + 1;
  // The length of the longest common subsequence of what starts at row i and column j.
  const lengths = new Int32Array((left.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}
