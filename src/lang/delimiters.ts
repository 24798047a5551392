/**
 * Balances parentheses, brackets and braces before the grammar sees them.
 *
 * Owns: which opener belongs to which closer, and the repair where they do not match: the grammar
 * is handed a stream in which every opener has its closer, so one missing bracket costs one
 * diagnostic and no cascade. Indentation tells where a bracket went missing, and is looked at only
 * in a file that does not balance. Linear in the number of tokens.
 */
import type { Diagnostic } from "./diagnostic.ts";
import type { SourceFile } from "./source.ts";
import {
  mismatchedDelimiter,
  nestingTooDeep,
  strayDelimiter,
  swappedDelimiters,
  unclosedDelimiter,
} from "./syntax-messages.ts";
import {
  Closer,
  Equals,
  Import,
  isFirstOnLine,
  isToken,
  Kind,
  LeftBrace,
  LeftBracket,
  LeftParen,
  Let,
  Name,
  Opener,
  RightBrace,
  RightBracket,
  RightParen,
  type Token,
  type TokenType,
  tokenEnd,
  virtualToken,
} from "./tokens.ts";

/** More levels than anyone writes, few enough for a recursive descent over them. */
export const deepestNesting = 200;
/** With more repairs, or more brackets open at once, a text is not worth reading to its end. */
const mostRepairs = 200;
const mostOpen = 5000;
/** How many open brackets above a closing brace are searched for the one it is aligned with. */
const alignmentSearch = 250;

interface Open {
  readonly token: Token;
  readonly closer: TokenType;
  /** The column of the first token on the opener's line. */
  readonly indent: number;
}

type Repair =
  | { readonly kind: "close"; readonly index: number; readonly opener: Token; readonly closer: TokenType }
  | { readonly kind: "replace"; readonly index: number; readonly opener: Token; readonly closer: TokenType }
  | { readonly kind: "drop"; readonly index: number };

interface Matching {
  readonly repairs: readonly Repair[];
  /** How many tokens were looked at: not all where almost nothing fits. */
  readonly end: number;
  /** The first opener that lies too deep. */
  readonly tooDeep: Token | undefined;
}

/** `true` for a token whose line went wrong already, so that what it swallowed is not missed. */
export type AlreadyReported = (token: Token) => boolean;

export function balance(
  tokens: readonly Token[],
  file: SourceFile,
  alreadyReported: AlreadyReported,
  report: (diagnostic: Diagnostic) => void,
): { tokens: readonly Token[]; tooDeep: boolean } {
  let matching = match(tokens, false);
  if (matching.repairs.length > 0) {
    const aligned = match(tokens, true);
    if (aligned.repairs.length <= matching.repairs.length) matching = aligned;
  }
  if (matching.tooDeep !== undefined) {
    const { startOffset } = matching.tooDeep;
    report(nestingTooDeep(file.span(startOffset, startOffset + 1), deepestNesting));
    return { tokens, tooDeep: true };
  }
  if (matching.repairs.length === 0) return { tokens, tooDeep: false };
  return {
    tokens: repair(tokens.slice(0, matching.end), matching.repairs, file, alreadyReported, report),
    tooDeep: false,
  };
}

function closerOf(opener: Token): TokenType {
  if (isToken(opener, LeftParen)) return RightParen;
  return isToken(opener, LeftBracket) ? RightBracket : RightBrace;
}

function match(tokens: readonly Token[], byIndentation: boolean): Matching {
  const repairs: Repair[] = [];
  const stack: Open[] = [];
  const openCount = new Map<TokenType, number>();
  let tooDeep: Token | undefined;
  let indent = 1;

  const pop = () => {
    const top = stack.pop();
    if (top !== undefined) openCount.set(top.closer, (openCount.get(top.closer) ?? 1) - 1);
    return top;
  };
  const closeBefore = (index: number) => {
    const top = pop();
    if (top !== undefined) repairs.push({ kind: "close", index, opener: top.token, closer: top.closer });
  };

  let end = 0;
  for (const [index, token] of tokens.entries()) {
    if (repairs.length > mostRepairs || stack.length > mostOpen) break;
    end = index + 1;
    if (isFirstOnLine(token, tokens[index - 1])) {
      indent = token.startColumn ?? 1;
      if (byIndentation) for (let n = countLeftOpen(stack, tokens, index); n > 0; n--) closeBefore(index);
    }
    if (isToken(token, Opener)) {
      const closer = closerOf(token);
      stack.push({ token, closer, indent });
      openCount.set(closer, (openCount.get(closer) ?? 0) + 1);
      if (stack.length > deepestNesting) tooDeep ??= token;
    } else if (isToken(token, Closer)) {
      const top = stack.at(-1);
      const following = tokens[index + 1];
      if (top !== undefined && isToken(token, top.closer)) {
        pop();
      } else if ((openCount.get(token.tokenType) ?? 0) > 0) {
        while (stack.length > 0 && !isToken(token, stack.at(-1)?.closer ?? token.tokenType))
          closeBefore(index);
        pop();
      } else if (
        top !== undefined &&
        top.closer !== RightBrace &&
        !(following !== undefined && isToken(following, top.closer))
      ) {
        repairs.push({ kind: "replace", index, opener: top.token, closer: top.closer });
        pop();
      } else {
        repairs.push({ kind: "drop", index });
      }
    }
  }
  while (stack.length > 0) closeBefore(end);
  return { repairs, end, tooDeep };
}

/** How many brackets the layout says should have been closed before this line. */
function countLeftOpen(stack: readonly Open[], tokens: readonly Token[], index: number): number {
  const token = tokens[index];
  const bottom = stack[0];
  if (token === undefined || bottom === undefined) return 0;
  const column = token.startColumn ?? 1;
  if (startsDeclaration(tokens, index) && column <= bottom.indent) return stack.length;

  if (isToken(token, RightBrace)) {
    const top = stack.at(-1);
    if (top !== undefined && top.closer === RightBrace && top.indent <= column) return 0;
    for (let above = 0; above < Math.min(stack.length, alignmentSearch); above++) {
      const open = stack[stack.length - 1 - above];
      if (open?.closer === RightBrace && open.indent === column) return above;
    }
    return 0;
  }
  if (isToken(token, Closer)) return 0;
  let count = 0;
  while (count < stack.length) {
    const open = stack[stack.length - 1 - count];
    if (open === undefined || column > open.indent) break;
    count += 1;
  }
  return count;
}

/** Whether a declaration can only begin here: `block A (`, `import {`, or `let` in the first column. */
function startsDeclaration(tokens: readonly Token[], index: number): boolean {
  const [first, second, third] = [tokens[index], tokens[index + 1], tokens[index + 2]];
  if (first === undefined || second === undefined) return false;
  if (isToken(first, Import)) return isToken(second, LeftBrace);
  if (isToken(first, Let)) return first.startColumn === 1 && isToken(second, Name);
  if (!isToken(first, Kind) || !isToken(second, Name) || third === undefined) return false;
  return isToken(third, LeftParen) || isToken(third, LeftBrace) || isToken(third, Equals);
}

/** `[ ( ] )`: a closer is missing, and stands after the one that it should stand before. */
function isSwapped(step: Repair, next: Repair | undefined, tokens: readonly Token[]): boolean {
  if (step.kind !== "close" || next?.kind !== "drop" || next.index !== step.index + 1) return false;
  const [first, second] = [tokens[step.index], tokens[next.index]];
  return (
    first !== undefined && second !== undefined && isToken(first, Closer) && isToken(second, step.closer)
  );
}

function repair(
  tokens: readonly Token[],
  repairs: readonly Repair[],
  file: SourceFile,
  alreadyReported: AlreadyReported,
  report: (diagnostic: Diagnostic) => void,
): readonly Token[] {
  const result: Token[] = [];
  let copied = 0;
  let swapped: Repair | undefined;
  for (const [i, step] of repairs.entries()) {
    while (copied < step.index) {
      const token = tokens[copied++];
      if (token !== undefined) result.push(token);
    }
    const found = tokens[step.index];
    if (step.kind === "drop") {
      copied += 1;
      const isReported = step === swapped;
      if (found !== undefined && !isReported) {
        report(strayDelimiter(file.span(found.startOffset, tokenEnd(found))));
      }
      continue;
    }
    const { opener, closer } = step;
    const openSpan = file.span(opener.startOffset, tokenEnd(opener));
    const close = closer === RightParen ? ")" : closer === RightBracket ? "]" : "}";
    const previous = result.at(-1) ?? opener;
    result.push(virtualToken(closer, previous));
    if (step.kind === "replace" && found !== undefined) {
      copied += 1;
      report(
        mismatchedDelimiter(openSpan, opener.image, close, file.span(found.startOffset, tokenEnd(found))),
      );
    } else if (found !== undefined && isSwapped(step, repairs[i + 1], tokens)) {
      swapped = repairs[i + 1];
      const end = tokenEnd(tokens[step.index + 1] ?? found);
      report(swappedDelimiters(openSpan, opener.image, close, file.span(found.startOffset, end)));
    } else if (!alreadyReported(previous)) {
      const end = tokenEnd(previous);
      report(unclosedDelimiter(openSpan, opener.image, close, file.span(Math.max(end - 1, 0), end)));
    }
  }
  while (copied < tokens.length) {
    const token = tokens[copied++];
    if (token !== undefined) result.push(token);
  }
  return result;
}
