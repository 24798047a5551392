/**
 * Paths of block instances: checkpoint names without the last part.
 */
export function joinPath(path: string, segment: string): string {
  return path === "" ? segment : `${path}.${segment}`;
}
