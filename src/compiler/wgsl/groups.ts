/**
 * What one kernel does: a node that needs loops of its own, and the nodes that it takes along.
 *
 * Owns: the data, and what a group reads and stores. Which nodes form a group is fusion.ts's.
 */
import type { Dim } from "../../lang/dims.ts";
import type { Node, Value } from "../graph.ts";
import type { Attention } from "./attention.ts";

/** A result of a group's first node, the nodes applied to each of its elements, and what is stored. */
export interface Tail {
  readonly result: Value;
  readonly steps: readonly Node[];
  readonly value: Value;
  /** Whether anything reads what is stored; what nothing reads has no place. */
  readonly isRead: boolean;
  /** What else is computed from the value, element by element. */
  readonly sides?: readonly Side[] | undefined;
}

/** A value whose element at i is computed from another's at i + shift, and stored by the kernel that makes that. */
export interface Side {
  readonly tail: Tail;
  readonly shift: readonly Dim[];
}

export interface Group {
  readonly root: Node;
  readonly tails: readonly Tail[];
  /** The nodes that the root, its second product, stands for as well. */
  readonly attention?: Attention | undefined;
  /** A row of a product's results, normalised by the kernel that makes it. */
  readonly norm?: Norm | undefined;
  /** A row that a product normalises as it reads it: the left operand. */
  readonly prologue?: Node | undefined;
  /** What a row reads, when others read it too and would have to look for it again. */
  readonly keeps?: Tail | undefined;
  /** What chooses the rows that the root moves or normalises. */
  readonly selection?: Selection | undefined;
}

export interface Selection {
  readonly select: Node;
  /** The result of the selection that says what to take: values or places. */
  readonly result: Value;
  /** The axis of the group's value along which it chooses. */
  readonly axis: number;
  /** From the first place of that axis to the last. */
  readonly stretches: readonly Stretch[];
}

/** Places of the chosen axis that are filled alike. */
export interface Stretch {
  readonly low: Dim;
  readonly size: Dim;
  /** Whether the selection fills it, the first chosen first. */
  readonly isChosen: boolean;
}

export interface Norm {
  readonly row: Node;
  readonly tail: Tail;
  /** Whether the row as it was is stored too. */
  readonly keepsInput: boolean;
}

/** What a group reads from outside itself. */
export function inputsOf(group: Group): Value[] {
  const nodes = nodesOf(group);
  const own = new Set<Value>(nodes.flatMap(({ results }) => results));
  return nodes.flatMap(({ operands }) => operands).filter((operand) => !own.has(operand));
}

export function nodesOf({ root, tails, attention, norm, prologue, keeps, selection }: Group): Node[] {
  const before = attention === undefined ? [] : [attention.scores, ...attention.steps, attention.row];
  const after = norm === undefined ? [] : [norm.row, ...norm.tail.steps];
  return [
    ...before,
    ...(prologue === undefined ? [] : [prologue]),
    ...(selection === undefined ? [] : [selection.select]),
    ...(keeps === undefined ? [] : makerOf(keeps.value)),
    root,
    ...tails.flatMap(({ steps, sides = [] }) => [
      ...steps,
      ...sides.flatMap(({ tail }) => makerOf(tail.value)),
    ]),
    ...after,
  ];
}

const makerOf = ({ source }: Value): readonly Node[] => (source.kind === "result" ? [source.node] : []);

/** The ends of a group whose values have a place. */
export function storedBy({ tails, norm, keeps }: Group): readonly Tail[] {
  if (norm !== undefined) return [...(norm.keepsInput ? tails : []), norm.tail];
  const sides = tails.flatMap((tail) => (tail.sides ?? []).map((side) => side.tail));
  return [...tails.filter(({ isRead }) => isRead), ...sides, ...(keeps === undefined ? [] : [keeps])];
}

/** A value that is stored as it is. */
export const whole = (value: Value): Tail => ({ result: value, steps: [], value, isRead: true });
