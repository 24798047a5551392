/**
 * Rows that a selection chooses, moved and normalised by the kernel that selects.
 *
 * Owns: finding, in what a group reads, the axis along which a selection says what to take. Seen from the
 * results a gather asks where its row comes from; seen from the candidates, each knows its own place as soon as it
 * has counted those before it, so that no order has to be stored and read again.
 */
import { Dim } from "../../lang/dims.ts";
import type { Node, Value } from "../graph.ts";
import type { Index } from "../ops/lowering.ts";
import { type At, openEnds } from "./coordinates.ts";
import { type Group, type Selection, type Stretch, whole } from "./groups.ts";
import { isLastAxisRow, isLight } from "./nodes.ts";
import { Position } from "./position.ts";
import { contextOf } from "./reader.ts";
import { isPlainView, plainPosition } from "./views.ts";

/** Who reads a value. */
export interface Uses {
  consumers(value: Value): readonly Node[];
  isOutput(value: Value): boolean;
}

/**
 * The groups, where rows that are looked for by index are kept by the group that normalises them, and moved by the
 * one that chooses them. Takes from `inlined` what is stored instead.
 */
export function withSelections(groups: readonly Group[], inlined: Set<Node>, uses: Uses): Group[] {
  const gone = new Set<Node>();
  const changed = groups.map((group): Group => {
    const kept = keeping(group, inlined, uses);
    const selection = choosing(kept, inlined, uses);
    if (selection === undefined) return kept;
    gone.add(selection.select);
    return { ...kept, selection };
  });
  return changed.filter(({ root }) => !gone.has(root));
}

/** What a group moves or normalises row by row. */
function rowsOf({ root, tails, prologue }: Group): Value | undefined {
  if (prologue !== undefined) return undefined;
  if (isLight(root)) return tails[0]?.result;
  return isLastAxisRow(root) ? root.operands[0] : undefined;
}

function keeping(group: Group, inlined: Set<Node>, uses: Uses): Group {
  const value = group.prologue === undefined ? soughtBy(group.root, uses) : undefined;
  if (value?.source.kind !== "result" || !inlined.has(value.source.node)) return group;
  inlined.delete(value.source.node);
  return { ...group, keeps: whole(value) };
}

/** What a row normalises, when it is looked for by index and others would have to look for it again. */
export function soughtBy(row: Node, { consumers }: Uses): Value | undefined {
  const [value] = row.operands;
  if (!isLastAxisRow(row) || value?.source.kind !== "result") return undefined;
  const { node } = value.source;
  const isSought = node.op.lowering.kind === "view" && !isPlainView(node);
  return isSought && consumers(value).length > 1 ? value : undefined;
}

/** The selection that only serves this group's rows. */
function choosing(
  group: Group,
  inlined: ReadonlySet<Node>,
  { consumers, isOutput }: Uses,
): Selection | undefined {
  const value = rowsOf(group);
  if (value === undefined) return undefined;
  const own = new Set<Node>([
    group.root,
    ...(group.keeps !== undefined && value.source.kind === "result" ? [value.source.node] : []),
  ]);
  const selection = selectionOf(value, (node) => inlined.has(node) || own.has(node));
  if (selection === undefined) return undefined;
  const isOwn = (result: Value): boolean =>
    !isOutput(result) &&
    consumers(result).every((node) => own.has(node) || (inlined.has(node) && node.results.every(isOwn)));
  return selection.select.results.every(isOwn) ? selection : undefined;
}

interface Found {
  readonly result: Value;
  readonly at: At;
}

/**
 * How a selection chooses the rows of `value`, whose last axis is moved whole.
 * @param isPassed whether a node is computed where it is read
 */
export function selectionOf(value: Value, isPassed: (node: Node) => boolean): Selection | undefined {
  const { shape } = value.type;
  for (let axis = 0; axis < shape.length - 1; axis++) {
    const selection = selectionAlong(value, axis, isPassed);
    if (selection !== undefined) return selection;
  }
  return undefined;
}

function selectionAlong(
  value: Value,
  axis: number,
  isPassed: (node: Node) => boolean,
): Selection | undefined {
  const { shape } = value.type;
  const ends = stretchesOf(value, axis);
  if (ends === undefined) return undefined;
  const outer = shape.map((size, place) => Position.name(`outer${place}`, size));
  let chosen: Value | undefined;
  const stretches: Stretch[] = [];
  for (const { low, size } of ends) {
    const place = Position.name("place", size);
    const at = outer.with(axis, place.add(low));
    const found = selectedReads(value, at, isPassed);
    const [first] = found;
    stretches.push({ low, size, isChosen: first !== undefined });
    if (first === undefined) continue;
    // One stretch of one selection, all of it, row by row.
    const isOne = chosen === undefined && found.every(({ result }) => result === first.result);
    const wanted = outer.slice(0, -1).with(axis, place);
    const own = found.every(
      (read) => read.at.length === wanted.length && read.at.every(({ key }, i) => key === wanted[i]?.key),
    );
    const taken = first.result.type.shape[axis];
    if (!isOne || !own || taken?.equals(size) !== true || !isAlong(first.result, axis)) return undefined;
    chosen = first.result;
  }
  if (chosen?.source.kind !== "result") return undefined;
  return { select: chosen.source.node, result: chosen, axis, stretches };
}

/** Whether the selection that gave the value orders along this axis. */
function isAlong({ source }: Value, axis: number): boolean {
  if (source.kind !== "result") return false;
  const { lowering } = source.node.op;
  return lowering.kind === "select" && lowering.axis(contextOf(source.node)) === axis;
}

/** The pieces of a join along the axis, or the whole of it. */
function stretchesOf(value: Value, axis: number): readonly { low: Dim; size: Dim }[] | undefined {
  const whole = [{ low: Dim.of(0), size: value.type.shape[axis] ?? Dim.of(1) }];
  if (value.source.kind !== "result" || value.source.node.op.lowering.kind !== "view") return whole;
  const { node } = value.source;
  const { lowering } = node.op;
  if (lowering.kind !== "view") return whole;
  const pieces = lowering.pieces(contextOf(node));
  if (pieces.every(({ when = [] }) => when.length === 0)) return whole;
  const found: { low: Dim; size: Dim }[] = [];
  let next = Dim.of(0);
  for (const { when = [] } of pieces) {
    const [range, another] = when;
    if (range?.axis !== axis || another !== undefined || !range.low.equals(next)) return undefined;
    found.push({ low: range.low, size: range.high.sub(range.low) });
    next = range.high;
  }
  return next.equals(value.type.shape[axis] ?? Dim.of(1)) ? found : undefined;
}

/** The results of selections that reading an element goes by, and where they are read. */
function selectedReads(value: Value, at: At, isPassed: (node: Node) => boolean): readonly Found[] {
  const { source } = value;
  if (source.kind !== "result") return [];
  const { node } = source;
  const { lowering } = node.op;
  if (lowering.kind === "select") return [{ result: value, at }];
  if (lowering.kind !== "view" || !isPassed(node)) return [];
  return lowering.pieces(contextOf(node)).flatMap((piece) => {
    const isNever = (piece.when ?? []).some((range) => openEnds(range, at) === "never");
    const operand = node.operands[piece.operand];
    if (isNever || operand === undefined) return [];
    const inner = piece.at.map((index) => plainPosition(index, at));
    return [
      ...piece.at.flatMap((index) => elementReads(index, node, at, isPassed)),
      ...selectedReads(operand, inner, isPassed),
    ];
  });
}

function elementReads(index: Index, node: Node, at: At, isPassed: (node: Node) => boolean): readonly Found[] {
  switch (index.kind) {
    case "coordinate":
    case "constant":
      return [];
    case "element": {
      const operand = node.operands[index.operand];
      if (operand === undefined) return [];
      const inner = index.at.map((part) => plainPosition(part, at));
      return [
        ...index.at.flatMap((part) => elementReads(part, node, at, isPassed)),
        ...selectedReads(operand, inner, isPassed),
      ];
    }
    default:
      return [...elementReads(index.a, node, at, isPassed), ...elementReads(index.b, node, at, isPassed)];
  }
}
