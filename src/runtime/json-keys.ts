/**
 * Keys given twice in JSON text.
 *
 * Owns: one question that JSON.parse cannot answer, since it silently keeps the last of two equal
 * keys. The text must already have been parsed: only then may the scan skip all checks of syntax.
 */

/** The first key that an object of the text holds twice. */
export function findRepeatedKey(text: string): string | undefined {
  // One set of keys for each open object, undefined for each open array.
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(undefined);
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
      const keys = open.at(-1);
      if (keys === undefined || !isFollowedByColon(text, i + 1)) continue;
      const key: unknown = JSON.parse(text.slice(start, i + 1));
      if (typeof key !== "string") continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function isFollowedByColon(text: string, from: number): boolean {
  let i = from;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}
