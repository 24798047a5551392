/**
 * Products that read the same rows with weights of their own become one product (queries, keys and values;
 * a gate and what it lets through).
 *
 * Owns: which products those are, and the rewrite: their weights side by side, the elementwise steps that all
 * of them take (a bias each), and the stretches of columns that each of them was. One kernel then reads the rows
 * once. All entries of a plan must agree, or a weight would be stored twice.
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import { sameShape } from "../../lang/types.ts";
import { printAttributes } from "../attribute-form.ts";
import { internalFault } from "../fault.ts";
import type { Graph, Node, Provenance, Value } from "../graph.ts";
import { GraphBuilder } from "../graph-builder.ts";
import { concat, slice } from "../ops/cut.ts";
import { rebuild } from "../rewrite.ts";
import { storedForm } from "../stored-form.ts";
import { productOf, readsAxis } from "./nodes.ts";

/** A product, and the elementwise steps after it that nothing else reads between. */
interface Branch {
  readonly product: Node;
  readonly steps: readonly Node[];
}

/** Branches that become one; all take as many steps, each the same as the others'. */
interface Siblings {
  readonly branches: readonly Branch[];
  /** The axis of the weights that becomes columns. */
  readonly axis: number;
  /** The learned tensors that it takes together. */
  readonly paths: readonly string[];
}

/** @param largestBinding bytes that a kernel may bind at once: weights side by side stay below it */
export function mergeSiblings(graphs: readonly Graph[], largestBinding: number): readonly Graph[] {
  const found = graphs.map((graph) => siblingsIn(graph, largestBinding));
  const known = found.map((all) => new Set(all.map(keyOf)));
  const paths = graphs.map(
    ({ parameters }) =>
      new Set(
        parameters.flatMap(({ source }) => (source.kind === "parameter" ? [source.parameter.path] : [])),
      ),
  );
  return graphs.map((graph, at) => {
    const agreed = (found[at] ?? []).filter((siblings) =>
      graphs.every((_, other) => {
        const reads = siblings.paths.some((path) => paths[other]?.has(path));
        return !reads || known[other]?.has(keyOf(siblings)) === true;
      }),
    );
    return agreed.length === 0 ? graph : merged(graph, agreed);
  });
}

const keyOf = ({ paths }: Siblings): string => paths.join("\n");

// ---------------------------------------------------------------- which

function siblingsIn(graph: Graph, largestBinding: number): readonly Siblings[] {
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  const consumers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const operand of new Set(node.operands))
      consumers.set(operand, [...(consumers.get(operand) ?? []), node]);
  }
  const isAlone = (value: Value): boolean => consumers.get(value)?.length === 1 && !outputs.has(value);
  const weights = new Map<Value, readonly string[] | undefined>();
  const learned = (value: Value): readonly string[] | undefined => {
    if (!weights.has(value)) weights.set(value, ownWeights(value, isAlone));
    return weights.get(value);
  };
  const families = new Map<Value, Map<string, Node[]>>();
  for (const node of graph.nodes) {
    const key = familyOf(node, learned);
    const [left] = node.operands;
    if (key === undefined || left === undefined) continue;
    const byKey = families.get(left) ?? new Map<string, Node[]>();
    families.set(left, byKey.set(key, [...(byKey.get(key) ?? []), node]));
  }
  const found: Siblings[] = [];
  for (const family of [...families.values()].flatMap((byKey) => [...byKey.values()])) {
    const bytes = family.reduce((sum, { operands: [, right] }) => sum + 4 * sizeOf(right), 0);
    if (family.length < 2 || bytes > largestBinding) continue;
    const branches = withSteps(family, (value) => (isAlone(value) ? consumers.get(value)?.[0] : undefined));
    const [, right] = family[0]?.operands ?? [];
    const axis = family[0] === undefined ? undefined : columnAxis(family[0]);
    if (right === undefined || axis === undefined) continue;
    const paths = branches.flatMap(({ product, steps }) =>
      [product, ...steps].flatMap(({ operands }) => operands.flatMap((operand) => learned(operand) ?? [])),
    );
    found.push({ branches, axis, paths });
  }
  return found;
}

function sizeOf(value: Value | undefined): number {
  return (value?.type.shape ?? []).reduce((product, size) => product * (size.constant ?? 1), 1);
}

/** The learned tensors that a value comes from, when it comes from them alone and they serve nothing else. */
function ownWeights(value: Value, isAlone: (value: Value) => boolean): readonly string[] | undefined {
  const { source } = value;
  switch (source.kind) {
    case "parameter":
      return isAlone(value) ? [source.parameter.path] : undefined;
    case "constant":
      return [];
    case "input":
      return undefined;
    case "result": {
      if (!isAlone(value) || value.type.shape.some(({ constant }) => constant === undefined))
        return undefined;
      const parts = source.node.operands.map((operand) => ownWeights(operand, isAlone));
      return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
    }
  }
}

/** Products of one family can become one: what they have in common, or undefined for what can't be joined. */
function familyOf(node: Node, learned: (value: Value) => readonly string[] | undefined): string | undefined {
  const [left, right, ...others] = node.operands;
  const axis = columnAxis(node);
  if (axis === undefined || left === undefined || right === undefined || others.length > 0) return undefined;
  const paths = learned(right);
  if (paths === undefined || paths.length === 0 || learned(left) !== undefined) return undefined;
  const rest = right.type.shape.filter((_, at) => at !== axis);
  return [
    node.op.name,
    printAttributes(node.attributes),
    right.type.dtype,
    axis,
    formOf(right),
    ...rest,
  ].join("|");
}

/** Weights of one form can be side by side in it: as codes, where their rows are as long. */
function formOf(weight: Value): string {
  const form = storedForm(weight);
  if (form?.kind !== "int8") return form?.kind ?? "whole";
  const { outer, depth, inner } = form.rows;
  return `codes of ${depth}, ${inner === 1 ? "rows" : outer}`;
}

/** The axis of a product's weights that gives the last axis of its result, and nothing else of it. */
function columnAxis(node: Node): number | undefined {
  const axes = productOf(node);
  if (axes === undefined) return undefined;
  const last = axes.rank - 1;
  const places = Array.from({ length: axes.rank }, (_, axis) => axis);
  const isShared = axes.right.every((index) =>
    places.every((axis) => axis === last || !readsAxis(index, axis)),
  );
  if (!isShared || axes.left.some((index) => readsAxis(index, last))) return undefined;
  const columns = axes.right.flatMap((index, at) => (readsAxis(index, last) ? [{ index, at }] : []));
  const [only] = columns;
  return columns.length === 1 && only?.index.kind === "coordinate" ? only.at : undefined;
}

/** With as many steps as all of them take. */
function withSteps(family: readonly Node[], next: (value: Value) => Node | undefined): readonly Branch[] {
  let branches: readonly Branch[] = family.map((product) => ({ product, steps: [] }));
  for (;;) {
    const steps = branches.map((branch) => next(endOf(branch)));
    const [first] = steps;
    const isCommon =
      first !== undefined &&
      steps.every((step, at) => {
        const branch = branches[at];
        return step !== undefined && branch !== undefined && isAlike(step, branch, first, branches[0]);
      });
    if (!isCommon) return branches;
    branches = branches.map((branch, at) => {
      const step = steps[at];
      return step === undefined ? branch : { ...branch, steps: [...branch.steps, step] };
    });
  }
}

function endOf({ product, steps }: Branch): Value {
  const [result] = (steps.at(-1) ?? product).results;
  if (result === undefined) throw internalFault(`${product.op.name} has no result`, product.provenance);
  return result;
}

/** Whether two steps do the same with two branches; what else they read can be put side by side, or is the same. */
function isAlike(step: Node, branch: Branch, first: Node, other: Branch | undefined): boolean {
  const [result] = step.results;
  const end = endOf(branch);
  if (step.op.lowering.kind !== "map" || result === undefined || other === undefined) return false;
  if (!sameShape(result.type.shape, end.type.shape) || step.op !== first.op) return false;
  if (printAttributes(step.attributes) !== printAttributes(first.attributes)) return false;
  return step.operands.every((operand, at) => {
    const partner = first.operands[at];
    if (operand === end || partner === endOf(other)) return operand === end && partner === endOf(other);
    if (partner === undefined) return false;
    return isNarrow(operand) ? operand === partner : isRow(operand, end) && isRow(partner, endOf(other));
  });
}

/** The same for every column. */
const isNarrow = ({ type }: Value): boolean => (type.shape.at(-1)?.constant ?? 1) === 1;

/** Given with the model, and one number for each column. */
function isRow(value: Value, end: Value): boolean {
  const { shape } = value.type;
  const isGiven = value.source.kind === "parameter" || value.source.kind === "constant";
  const columns = end.type.shape.at(-1);
  return (
    isGiven &&
    shape.at(-1)?.equals(columns ?? Dim.of(0)) === true &&
    shape.slice(0, -1).every(({ constant }) => constant === 1)
  );
}

// ---------------------------------------------------------------- the rewrite

function merged(graph: Graph, all: readonly Siblings[]): Graph {
  const builder = new GraphBuilder(graph.name);
  const now = new Map<Value, Value>();
  for (const input of graph.inputs) now.set(input.value, builder.adoptInput(input));
  const owners = new Map<Node, Siblings>();
  for (const siblings of all) {
    for (const { product, steps } of siblings.branches)
      for (const node of [product, ...steps]) owners.set(node, siblings);
  }
  const keep = (node: Node): void => {
    const results = rebuild(node, node.operands.map(current), builder);
    node.results.forEach((result, at) => {
      const value = results[at];
      if (value !== undefined) now.set(result, value);
    });
  };
  // Weights may come later in the graph than the first product that now reads them.
  function current(value: Value): Value {
    if (!now.has(value)) {
      if (value.source.kind === "result") keep(value.source.node);
      else now.set(value, builder.adopt(value));
    }
    const known = now.get(value);
    if (known === undefined) throw internalFault(`${graph.name} lost a value`);
    return known;
  }
  const made = new Set<Siblings>();
  for (const node of graph.nodes) {
    const siblings = owners.get(node);
    if (siblings === undefined) keep(node);
    else if (!made.has(siblings)) {
      made.add(siblings);
      for (const [end, value] of joined(siblings, current, builder)) now.set(end, value);
    }
  }
  for (const guard of graph.guards) builder.require(guard.requirement, guard.provenance);
  const outputs = graph.outputs.map((output) => ({ ...output, value: current(output.value) }));
  return builder.finish(outputs, graph.symbols);
}

/** What each branch ends in, as columns of the one product. */
function joined(
  { branches, axis }: Siblings,
  current: (value: Value) => Value,
  builder: GraphBuilder,
): ReadonlyMap<Value, Value> {
  const [first] = branches;
  const [left] = first?.product.operands ?? [];
  if (first === undefined || left === undefined) throw internalFault("siblings without a first");
  const provenance = commonPlace(branches.map(({ product }) => product.provenance));
  const one = ([value]: readonly Value[]): Value => {
    if (value === undefined) throw internalFault("an op without a result", provenance);
    return value;
  };
  const sideBySide = (values: readonly (Value | undefined)[], along: number): Value =>
    one(
      builder.apply(
        concat,
        values.flatMap((value) => (value === undefined ? [] : [current(value)])),
        { axis: along },
        provenance,
      ),
    );
  const rights = branches.map(({ product }) => product.operands[1]);
  let value = one(
    builder.apply(
      first.product.op,
      [current(left), sideBySide(rights, axis)],
      first.product.attributes,
      provenance,
    ),
  );
  first.steps.forEach((step, at) => {
    const before = endOf({ product: first.product, steps: first.steps.slice(0, at) });
    const operands = step.operands.map((operand, place) => {
      if (operand === before) return value;
      if (isNarrow(operand)) return current(operand);
      return sideBySide(
        branches.map(({ steps }) => steps[at]?.operands[place]),
        operand.type.shape.length - 1,
      );
    });
    value = one(builder.apply(step.op, operands, step.attributes, provenance));
  });
  const { shape } = value.type;
  const ends = new Map<Value, Value>();
  let start = Dim.of(0);
  for (const branch of branches) {
    const end = endOf(branch);
    const stop = sumDims([start, end.type.shape.at(-1) ?? Dim.of(0)]);
    const attributes = {
      starts: shape.map((_, place) => (place === shape.length - 1 ? start : Dim.of(0))),
      stops: shape.map((size, place) => (place === shape.length - 1 ? stop : size)),
      steps: shape.map(() => 1),
    };
    ends.set(end, one(builder.apply(slice, [value], attributes, provenance)));
    start = stop;
  }
  return ends;
}

/** The place in the model that holds them all. */
function commonPlace(places: readonly Provenance[]): Provenance {
  const [first, ...others] = places;
  if (first === undefined) throw internalFault("siblings without a place");
  const parts = first.path.split(".");
  let count = parts.length;
  for (const { path } of others) {
    const own = path.split(".");
    let same = 0;
    while (same < count && own[same] === parts[same]) same++;
    count = same;
  }
  return { ...first, path: parts.slice(0, count).join(".") };
}
