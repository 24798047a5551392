/**
 * What is computed from a stretch of a product's results, by the kernel that has them at hand.
 *
 * Owns: which elementwise groups those are: they read one element of the product, shifted by a constant, and else
 * only what is there before anything runs.
 */
import type { Node, Value } from "../graph.ts";
import { type At, broadcastAt } from "./coordinates.ts";
import { type Group, inputsOf, type Side, storedBy } from "./groups.ts";
import { isLight } from "./nodes.ts";
import { Position } from "./position.ts";
import { contextOf } from "./reader.ts";
import { isPlain, plainPosition } from "./views.ts";

export interface SideChoices {
  /** Values that have a buffer before anything runs. */
  readonly given: ReadonlySet<Value>;
  /** Nodes that are computed where they are read. */
  readonly inlined: ReadonlySet<Node>;
  /** How many buffers the values take. */
  buffers(values: Iterable<Value>): number;
  /** Buffers that a kernel may bind. */
  readonly mostBindings: number;
}

interface Read {
  readonly value: Value;
  readonly at: At;
}

/** The groups, where products take along what else is computed from their results. */
export function withSides(groups: readonly Group[], choices: SideChoices): Group[] {
  const owners = new Map<Value, Group>();
  for (const group of groups) {
    const [tail, another] = group.tails;
    const isPlain = group.norm === undefined && group.attention === undefined;
    if (group.root.op.lowering.kind === "contract" && isPlain && tail !== undefined && another === undefined)
      owners.set(tail.value, group);
  }
  const sides = new Map<Group, Side[]>();
  const gone = new Set<Group>();
  for (const group of groups) {
    const found = sideOf(group, choices);
    const owner = found === undefined ? undefined : owners.get(found.of);
    if (found === undefined || owner === undefined) continue;
    const own = [...(sides.get(owner) ?? []), found.side];
    if (bindingsOf(owner, own, choices) > choices.mostBindings) continue;
    sides.set(owner, own);
    gone.add(group);
  }
  return groups
    .filter((group) => !gone.has(group))
    .map((group) => {
      const own = sides.get(group);
      const [tail] = group.tails;
      return own === undefined || tail === undefined ? group : { ...group, tails: [{ ...tail, sides: own }] };
    });
}

function sideOf(group: Group, choices: SideChoices): { readonly of: Value; readonly side: Side } | undefined {
  const [tail, another] = group.tails;
  const isPlain = group.root.op.lowering.kind === "map" && group.selection === undefined;
  if (!isPlain || tail === undefined || another !== undefined) return undefined;
  const { shape } = tail.result.type;
  const at = shape.map((size, axis) => Position.name(`at${axis}`, size));
  const reads = readsOf(tail.result, at, choices, true)?.filter(({ value }) => !choices.given.has(value));
  const [first] = reads ?? [];
  if (reads === undefined || first === undefined || first.value.type.shape.length !== shape.length)
    return undefined;
  const key = keyOf(first);
  if (reads.some((read) => read.value !== first.value || keyOf(read) !== key)) return undefined;
  const shifts = first.at.map((position, axis) => position.add((at[axis] ?? Position.of(0)).times(-1)));
  if (shifts.some(({ terms }) => terms.length > 0)) return undefined;
  return { of: first.value, side: { tail, shift: shifts.map(({ offset }) => offset) } };
}

const keyOf = ({ at }: Read): string => at.map(({ key }) => key).join(",");

/** What an element is computed from, as far as it has a buffer; undefined where that depends on conditions. */
function readsOf(value: Value, at: At, choices: SideChoices, isRoot: boolean): readonly Read[] | undefined {
  const { source } = value;
  if (source.kind !== "result") return [{ value, at }];
  const { node } = source;
  if (choices.given.has(value) || (!isRoot && !choices.inlined.has(node))) return [{ value, at }];
  const { lowering } = node.op;
  const all: Read[] = [];
  if (lowering.kind === "source") return all;
  if (lowering.kind === "map") {
    for (const operand of node.operands) {
      const reads = readsOf(operand, broadcastAt(operand, at), choices, false);
      if (reads === undefined) return undefined;
      all.push(...reads);
    }
    return all;
  }
  if (lowering.kind !== "view") return undefined;
  const [piece, another] = lowering.pieces(contextOf(node));
  const operand = node.operands[piece?.operand ?? 0];
  if (piece === undefined || another !== undefined || (piece.when ?? []).length > 0 || operand === undefined)
    return undefined;
  if (!piece.at.every(isPlain)) return undefined;
  return readsOf(
    operand,
    piece.at.map((index) => plainPosition(index, at)),
    choices,
    false,
  );
}

/** Buffers of a kernel, at most. */
function bindingsOf(group: Group, sides: readonly Side[], { given, inlined, buffers }: SideChoices): number {
  const stored = new Set<Value>([
    ...storedBy(group).map(({ value }) => value),
    ...sides.map(({ tail }) => tail.value),
  ]);
  const leaves = new Set<Value>();
  const pending = [
    ...inputsOf(group),
    ...sides.flatMap(({ tail }) =>
      tail.result.source.kind === "result" ? tail.result.source.node.operands : [],
    ),
  ];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (stored.has(value)) continue;
    const isPassed =
      value.source.kind === "result" &&
      !given.has(value) &&
      inlined.has(value.source.node) &&
      isLight(value.source.node);
    if (value.source.kind === "result" && isPassed) pending.push(...value.source.node.operands);
    else leaves.add(value);
  }
  return buffers(leaves) + stored.size;
}
