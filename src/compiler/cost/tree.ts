/**
 * Costs put together: by path as a tree, or under headings.
 *
 * Owns: the sums, and two ways to make a tree shorter without losing anything: parts of a list that
 * cost the same become one row, and a chain of single parts becomes one name.
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import { workKinds } from "./classify.ts";
import { type Convention, countOf } from "./conventions.ts";
import type { GraphCost, NodeCost, ParameterCost } from "./count.ts";
import { type DispatchCost, type Headings, overheadMacs } from "./device-work.ts";

export const groupings = ["path", "component", "block", "op", "kind"] as const;
export type Grouping = (typeof groupings)[number];

/** Everything is a sum over what lies below. */
export interface Amounts {
  /** Under the convention of the report. */
  readonly count: Dim;
  readonly macs: Dim;
  readonly scalar: Dim;
  /** Elements of learned tensors, and their bytes. */
  readonly parameters: Dim;
  readonly weights: Dim;
  /** Bytes of activations. */
  readonly read: Dim;
  readonly written: Dim;
  /** On the target, when there is one: dispatches, and the MACs that it executes beyond `macs`. */
  readonly dispatches: Dim;
  readonly overhead: Dim;
}

/** What the target executes. */
export const executedOf = ({ macs, overhead }: Pick<Amounts, "macs" | "overhead">): Dim => macs.add(overhead);

export interface CostTree {
  /** One segment, or several joined by dots; `{0-11}` for parts of a list that cost the same. */
  readonly name: string;
  /** Dotted, from the root. */
  readonly path: string;
  /** How many places the row stands for. */
  readonly times: number;
  readonly amounts: Amounts;
  readonly children: readonly CostTree[];
}

export interface RollUpOptions {
  readonly by: Grouping;
  readonly convention: Convention;
  /** Levels below the root; all of them when left out. */
  readonly depth?: number | undefined;
  /** Of a target. */
  readonly dispatches?: readonly DispatchCost[] | undefined;
}

export function rollUp(cost: GraphCost, { by, convention, depth, dispatches }: RollUpOptions): CostTree {
  const root = new Place("", "");
  for (const node of cost.nodes) root.at(keyOf(node, by), depth).nodes.push(node);
  for (const parameter of cost.parameters) {
    const key = parameterKey(parameter, by);
    if (key !== undefined) root.at(key, depth).parameters.push(parameter);
  }
  for (const one of dispatches ?? []) root.at(keyOf(one.headings, by), depth).dispatches.push(one);
  const tree = root.tree(convention);
  return by === "path" ? tree : { ...tree, children: [...tree.children].sort(byHeading(by)) };
}

function keyOf(node: Headings, by: Grouping): readonly string[] {
  return by === "path" ? node.path : [node[by]];
}

/** A learned tensor belongs to no op and no kind of work. */
function parameterKey(parameter: ParameterCost, by: Grouping): readonly string[] | undefined {
  if (by === "path") return parameter.path.slice(0, -1);
  return by === "component" || by === "block" ? [parameter[by]] : undefined;
}

const headings: readonly string[] = workKinds;

function byHeading(by: Grouping): (a: CostTree, b: CostTree) => number {
  if (by === "kind") return (a, b) => headings.indexOf(a.name) - headings.indexOf(b.name);
  if (by === "component") return () => 0;
  return (a, b) => sizeOf(b) - sizeOf(a);
}

/** For an order only: open sizes count as something large. */
function sizeOf({ amounts: { count } }: CostTree): number {
  const sample = new Map([...count.symbols()].map((name) => [name, 1] as const));
  try {
    return count.evaluate(sample);
  } catch {
    return 0;
  }
}

class Place {
  readonly name: string;
  readonly path: string;
  readonly nodes: NodeCost[] = [];
  readonly parameters: ParameterCost[] = [];
  readonly dispatches: DispatchCost[] = [];
  readonly #children = new Map<string, Place>();

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  at(segments: readonly string[], depth: number | undefined): Place {
    let place: Place = this;
    for (const segment of segments.slice(0, depth)) {
      let next = place.#children.get(segment);
      if (next === undefined) {
        next = new Place(segment, place.path === "" ? segment : `${place.path}.${segment}`);
        place.#children.set(segment, next);
      }
      place = next;
    }
    return place;
  }

  tree(convention: Convention): CostTree {
    const children = [...this.#children.values()].map((child) => child.tree(convention));
    const parts: Amounts[] = [amountsOf(this, convention)];
    for (const child of children) parts.push(child.amounts);
    return { name: this.name, path: this.path, times: 1, amounts: addAmounts(parts), children };
  }
}

function amountsOf({ nodes, parameters, dispatches }: Place, convention: Convention): Amounts {
  const sum = (of: (node: NodeCost) => Dim): Dim => sumDims(nodes.map(of));
  return {
    count: sum((node) => countOf(node, convention)),
    macs: sum((node) => node.macs),
    scalar: sum((node) => node.scalar),
    parameters: sumDims(parameters.map((parameter) => parameter.elements)),
    weights: sumDims(parameters.map((parameter) => parameter.bytes)),
    read: sum((node) => node.read),
    written: sum((node) => node.written),
    dispatches: Dim.of(dispatches.length),
    overhead: sumDims(dispatches.map(overheadMacs)),
  };
}

const measures = [
  "count",
  "macs",
  "scalar",
  "parameters",
  "weights",
  "read",
  "written",
  "dispatches",
  "overhead",
] as const;

export function addAmounts(parts: readonly Amounts[]): Amounts {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const sum = (measure: (typeof measures)[number]): Dim => sumDims(parts.map((part) => part[measure]));
  return {
    count: sum("count"),
    macs: sum("macs"),
    scalar: sum("scalar"),
    parameters: sum("parameters"),
    weights: sum("weights"),
    read: sum("read"),
    written: sum("written"),
    dispatches: sum("dispatches"),
    overhead: sum("overhead"),
  };
}

/** The same amounts with every expression changed: bound, mostly. */
export function mapAmounts(amounts: Amounts, change: (dim: Dim) => Dim): Amounts {
  return {
    count: change(amounts.count),
    macs: change(amounts.macs),
    scalar: change(amounts.scalar),
    parameters: change(amounts.parameters),
    weights: change(amounts.weights),
    read: change(amounts.read),
    written: change(amounts.written),
    dispatches: amounts.dispatches,
    overhead: change(amounts.overhead),
  };
}

export function mapTree(tree: CostTree, change: (dim: Dim) => Dim): CostTree {
  const children = tree.children.map((child) => mapTree(child, change));
  return { ...tree, amounts: mapAmounts(tree.amounts, change), children };
}

// ---------------------------------------------------------------- shorter trees

/** Rows of a list that cost the same as one, and chains of single parts as one name. */
export function condense(tree: CostTree): CostTree {
  const children = mergeAlike(tree.children).map(condense);
  const [only] = children;
  const owns = only !== undefined && !sameAmounts(only.amounts, tree.amounts);
  if (tree.name === "" || children.length !== 1 || only === undefined || owns || only.times > 1) {
    return { ...tree, children };
  }
  return { ...only, name: `${tree.name}.${only.name}`, times: tree.times };
}

function mergeAlike(children: readonly CostTree[]): readonly CostTree[] {
  const groups: CostTree[][] = [];
  for (const child of children) {
    const group = /^\d+$/.test(child.name)
      ? groups.find(([first]) => first && alike(first, child))
      : undefined;
    if (group === undefined) groups.push([child]);
    else group.push(child);
  }
  return groups.map((group) => mergeTrees(group));
}

function alike(a: CostTree, b: CostTree): boolean {
  return (
    /^\d+$/.test(a.name) &&
    sameAmounts(a.amounts, b.amounts) &&
    a.children.length === b.children.length &&
    a.children.every((child, i) => child.name === b.children[i]?.name)
  );
}

function mergeTrees(group: readonly CostTree[]): CostTree {
  const [first] = group;
  if (first === undefined) throw new RangeError("A group of trees is never empty.");
  if (group.length === 1) return first;
  const name = /^\d+$/.test(first.name) ? writePositions(group.map((tree) => Number(tree.name))) : first.name;
  return {
    name,
    path: first.path.slice(0, first.path.length - first.name.length) + name,
    times: group.reduce((sum, tree) => sum + tree.times, 0),
    amounts: addAmounts(group.map((tree) => tree.amounts)),
    children: first.children.map((_, i) => mergeTrees(group.flatMap((tree) => tree.children[i] ?? []))),
  };
}

/** `{0-2,4}` */
function writePositions(positions: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last !== undefined && last.to + 1 === position) last.to = position;
    else runs.push({ from: position, to: position });
  }
  return `{${runs.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",")}}`;
}

function sameAmounts(a: Amounts, b: Amounts): boolean {
  return measures.every((measure) => a[measure].equals(b[measure]));
}

/** How often the commonest part of a list is repeated: a welcome factor of a formula. */
export function repeatOf(tree: CostTree): number {
  const here = mergeAlike(tree.children).reduce((most, child) => Math.max(most, child.times), 1);
  return tree.children.reduce((most, child) => Math.max(most, repeatOf(child)), here);
}
