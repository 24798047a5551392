/**
 * Binds a flat chain `a + b * c` by precedence.
 *
 * Owns: the precedence table of the binary operators. Iterative, so that a long chain costs no
 * stack; keeps the height of each subtree for the limit on nesting.
 */
import type { BinaryOperator, Expression } from "./ast.ts";
import type { Span } from "./source.ts";

type ChainOperator = BinaryOperator | "..";

const levels: readonly (readonly ChainOperator[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">="],
  [".."],
  ["+", "-"],
  ["*", "/", "%", "@"],
];
const precedences = new Map<string, { level: number; operator: ChainOperator }>(
  levels.flatMap((operators, level) => operators.map((operator) => [operator, { level, operator }] as const)),
);
/** At these levels `a < b < c` means nothing. */
export const unchainable: ReadonlySet<number> = new Set([2, 3]);
export const rangePrecedence = 3;

/** How tightly an operator binds: 0 is the loosest. Operators of one level bind from left to right. */
export function precedenceOf(operator: BinaryOperator): number {
  return precedences.get(operator)?.level ?? 0;
}

/** An operand with its extent in the text, which includes parentheses that its node leaves out. */
export interface Operand {
  readonly node: Expression;
  readonly height: number;
  readonly span: Span;
}

interface Pending {
  readonly left: Operand;
  readonly operator: ChainOperator;
  readonly level: number;
  readonly span: Span;
}

/** Collects a chain from left to right. */
export class OperatorChain {
  readonly #stack: Pending[] = [];
  readonly #onUnchainable: (operator: Span) => void;
  #last: Operand;

  constructor(first: Operand, onUnchainable: (operator: Span) => void) {
    this.#last = first;
    this.#onUnchainable = onUnchainable;
  }

  push(image: string, span: Span, operand: Operand): void {
    const found = precedences.get(image);
    if (found === undefined) return;
    const { level, operator } = found;
    this.#reduce(level, span);
    this.#stack.push({ left: this.#last, operator, level, span });
    this.#last = operand;
  }

  finish(): Operand {
    this.#reduce(-1);
    return this.#last;
  }

  /** Builds what binds at least as tightly as `level`. */
  #reduce(level: number, operator?: Span): void {
    for (let top = this.#stack.at(-1); top !== undefined && top.level >= level; top = this.#stack.at(-1)) {
      this.#stack.pop();
      if (operator !== undefined && top.level === level && unchainable.has(level))
        this.#onUnchainable(operator);
      this.#last = combine(top, this.#last);
    }
  }
}

function combine({ left, operator, span: operatorSpan }: Pending, right: Operand): Operand {
  const span = { file: left.span.file, start: left.span.start, end: right.span.end };
  const node: Expression =
    operator === ".."
      ? { kind: "range", from: left.node, to: right.node, span }
      : { kind: "binary", operator, operatorSpan, left: left.node, right: right.node, span };
  return { node, height: Math.max(left.height, right.height) + 1, span };
}
