/**
 * Source text as HTML with its tokens marked.
 *
 * Owns: which class a token gets. Words that are keywords only in their place are marked only there.
 */
import {
  isOneOf,
  isToken,
  Kind,
  lex,
  Name,
  NumberToken,
  reservedWords,
  StringToken,
  type Token,
} from "../../lang/tokens.ts";

/** Where a name leads, if anywhere. */
export type LinkOf = (name: string) => string | undefined;

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly html: string;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

export function highlight(text: string, linkOf: LinkOf): string {
  const { tokens, comments } = lex(text);
  const marks = [
    ...tokens.flatMap((token, index) => mark(token, tokens[index - 1], tokens[index + 1], linkOf)),
    ...comments.map((comment) => wrap(comment, comment.image.startsWith("///") ? "doc" : "comment")),
  ].sort((a, b) => a.start - b.start);
  let html = "";
  let end = 0;
  for (const part of marks) {
    html += escapeHtml(text.slice(end, part.start)) + part.html;
    end = part.end;
  }
  return html + escapeHtml(text.slice(end));
}

function mark(token: Token, previous: Token | undefined, next: Token | undefined, linkOf: LinkOf): Mark[] {
  if (isToken(token, StringToken)) return [wrap(token, "string")];
  if (isToken(token, NumberToken)) return [wrap(token, "number")];
  if (isKeyword(token, previous, next)) return [wrap(token, "keyword")];
  const isMember = previous?.image === ".";
  const address = isToken(token, Name) && !isMember && next?.image !== ":" ? linkOf(token.image) : undefined;
  if (address === undefined) return [];
  const html = `<a href="${escapeHtml(address)}">${escapeHtml(token.image)}</a>`;
  return [{ start: token.startOffset, end: token.startOffset + token.image.length, html }];
}

function wrap(token: Token, name: string): Mark {
  const html = `<span class="${name}">${escapeHtml(token.image)}</span>`;
  return { start: token.startOffset, end: token.startOffset + token.image.length, html };
}

/** Words that begin a line of their own when they are keywords. */
const openers = new Set([
  "input",
  "entry",
  "on",
  "carry",
  "weights",
  "sweep",
  "budget",
  "generate",
  "language",
]);
/** Words that stand between two parts when they are keywords. */
const joiners = new Set(["from", "as", "extends", "continues", "where"]);

function isKeyword(token: Token, previous: Token | undefined, next: Token | undefined): boolean {
  const { image } = token;
  if (previous?.image === ".") return false;
  if (reservedWords.has(image)) return true;
  const isFirst = previous === undefined || previous.startLine !== token.startLine;
  const opensPart = isOneOf(next, Name, NumberToken) || next?.image === "{";
  if (isToken(token, Kind) || openers.has(image)) return isFirst && opensPart;
  if (image === "site") return isOneOf(next, Name);
  return joiners.has(image) && !isFirst && !/^[:,=.()\]]$/.test(next?.image ?? ")");
}
