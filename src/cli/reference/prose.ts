/**
 * Text of comments as paragraphs and tables.
 *
 * Owns: what the lines of a comment mean: empty lines part paragraphs, and lines that are indented keep
 * their layout. Inside a paragraph, backquotes enclose code and `arXiv:…` names a paper.
 */

export type Passage =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "layout"; readonly lines: readonly string[] };

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "paper"; readonly text: string; readonly address: string };

export function readProse(lines: readonly string[]): Passage[] {
  const passages: Passage[] = [];
  let open: string[] = [];
  let isLayout = false;
  const close = () => {
    if (open.length > 0) {
      const margin = Math.min(...open.map((line) => line.search(/\S/)));
      passages.push(
        isLayout
          ? { kind: "layout", lines: open.map((line) => line.slice(margin)) }
          : { kind: "paragraph", text: open.join(" ") },
      );
    }
    open = [];
  };
  for (const line of lines) {
    const isIndented = line.startsWith("  ");
    if (line.trim() === "" || isIndented !== isLayout) close();
    isLayout = isIndented;
    if (line.trim() !== "") open.push(isIndented ? line.trimEnd() : line.trim());
  }
  close();
  return passages;
}

export function readInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of text.matchAll(/`([^`]+)`|arXiv:(\d{4}\.\d{4,5})/g)) {
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    const [whole, code, paper] = match;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else parts.push({ kind: "paper", text: whole, address: `https://arxiv.org/abs/${paper}` });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** What a list shows of a text: its first sentence. */
export function firstSentence(text: string): string {
  const [passage] = readProse(text.split("\n"));
  if (passage?.kind !== "paragraph") return "";
  for (const { index } of passage.text.matchAll(/[.!?](?=\s+[A-Z`[])/g)) {
    const sentence = passage.text.slice(0, index + 1);
    // A full stop inside brackets, or after two letters, ends nothing: `(section 3.2, eq. 4)`.
    const isInside = sentence.split("(").length > sentence.split(")").length;
    if (!isInside && !/\b[a-z]{1,2}\.$/.test(sentence)) return sentence;
  }
  return passage.text;
}
