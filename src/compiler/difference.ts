/**
 * What differs between two graphs, by path.
 *
 * Owns: which ops of the one stand for which of the other, and what has changed about them. Ops are
 * compared path by path, in their order; sizes apart from everything else, since one dropped token
 * changes the sizes of all that follows. How it is shown is the command line's.
 */
import type { Dim } from "../lang/dims.ts";
import { printType } from "../lang/types.ts";
import { attributeDims, printAttribute, printNumber } from "./attribute-form.ts";
import { contentHash } from "./content-hash.ts";
import type { Graph, GraphInitializer, Node, Value } from "./graph.ts";
import { printGraph } from "./graph-text.ts";
import { alignLists } from "./list-alignment.ts";
import { type Totals, totalsOf } from "./totals.ts";

/** Something with a name: absent on one side when it was added or removed. */
export interface NamedChange {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface OpChange {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly op: string;
  /** For `changed`: `epsilon: 1e-12 → 0.000001`. */
  readonly details: readonly string[];
}

/** Ops that are the same but for their sizes. */
export interface SizeChange {
  readonly path: string;
  readonly before: Dim;
  readonly after: Dim;
}

export interface GraphDifference {
  readonly inputs: readonly NamedChange[];
  readonly outputs: readonly NamedChange[];
  readonly parameters: readonly NamedChange[];
  readonly ops: readonly OpChange[];
  /** Each pair of sizes once for each path. */
  readonly sizes: readonly SizeChange[];
  readonly guards: readonly NamedChange[];
  /** Nothing of the above differs, but ops take their operands from elsewhere. */
  readonly rewired: boolean;
  readonly totals: { readonly before: Totals; readonly after: Totals };
}

export function compareGraphs(before: Graph, after: Graph): GraphDifference {
  const { ops, sizes } = compareNodes(before.nodes, after.nodes);
  const inputs = compareNamed(inputTexts(before), inputTexts(after));
  const outputs = compareNamed(outputTexts(before), outputTexts(after));
  const parameters = compareNamed(parameterTexts(before), parameterTexts(after));
  const guards = compareNamed(guardTexts(before), guardTexts(after));
  const isAlike = [ops, sizes, inputs, outputs, parameters, guards].every((changes) => changes.length === 0);
  return {
    ...{ inputs, outputs, parameters, ops, sizes, guards },
    rewired: isAlike && bodyText(before) !== bodyText(after),
    totals: { before: totalsOf(before), after: totalsOf(after) },
  };
}

export function isSame(difference: GraphDifference): boolean {
  const { inputs, outputs, parameters, ops, sizes, guards, rewired } = difference;
  return !rewired && [inputs, outputs, parameters, ops, sizes, guards].every((list) => list.length === 0);
}

/** The text of a graph without its name. */
function bodyText(graph: Graph): string {
  return printGraph({ ...graph, name: "" });
}

// ---------------------------------------------------------------- what has names

type Texts = ReadonlyMap<string, string>;

function compareNamed(before: Texts, after: Texts): NamedChange[] {
  const changed: NamedChange[] = [];
  for (const [name, text] of before) {
    if (after.get(name) !== text) changed.push({ name, before: text, after: after.get(name) });
  }
  for (const [name, text] of after) {
    if (!before.has(name)) changed.push({ name, before: undefined, after: text });
  }
  return changed;
}

function inputTexts(graph: Graph): Texts {
  return new Map(
    graph.inputs.map(({ name, value, sampleRate }) => {
      const rate = sampleRate === undefined ? "" : ` @ ${sampleRate}Hz`;
      return [name, `${printType(value.type)}${rate}`];
    }),
  );
}

function outputTexts(graph: Graph): Texts {
  return new Map(graph.outputs.map(({ name, value }) => [name, printType(value.type)]));
}

function parameterTexts(graph: Graph): Texts {
  const texts = new Map<string, string>();
  for (const { type, source } of graph.parameters) {
    if (source.kind !== "parameter") continue;
    const { path, initial } = source.parameter;
    texts.set(path, `${printType(type)} = ${initialText(initial)}`);
  }
  return texts;
}

function initialText(initial: GraphInitializer): string {
  switch (initial.kind) {
    case "zeros":
    case "ones":
      return initial.kind;
    case "normal":
      return `normal(${initial.std}, mean: ${initial.mean})`;
    case "truncated-normal":
      return `truncated_normal(${initial.std})`;
    case "uniform":
      return `uniform(${initial.low}, ${initial.high})`;
    case "value":
      return "computed";
  }
}

function guardTexts(graph: Graph): Texts {
  const relations = { equal: "==", "at-most": "<=", divides: "divides" } as const;
  return new Map(
    graph.guards.map(({ requirement: { kind, left, right, reason } }) => [
      `${left} ${relations[kind]} ${right}`,
      reason,
    ]),
  );
}

// ---------------------------------------------------------------- ops

/** A node as it is compared: everything about it but its sizes. */
interface Described {
  readonly node: Node;
  readonly facts: ReadonlyMap<string, string>;
  readonly key: string;
}

function compareNodes(
  before: readonly Node[],
  after: readonly Node[],
): { ops: OpChange[]; sizes: SizeChange[] } {
  const [old, now] = [byPath(before), byPath(after)];
  const ops: OpChange[] = [];
  const sizes: SizeChange[] = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const left = old.get(path) ?? [];
    const right = now.get(path) ?? [];
    const pairs = alignLists(
      left.map(({ key }) => key),
      right.map(({ key }) => key),
    );
    for (const [i, j] of pairs) sizes.push(...compareSizes(path, left[i]?.node, right[j]?.node));
    const [leftPaired, rightPaired] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))];
    ops.push(
      ...compareRest(
        path,
        left.filter((_, i) => !leftPaired.has(i)),
        right.filter((_, j) => !rightPaired.has(j)),
      ),
    );
  }
  return { ops, sizes: distinct(sizes) };
}

function byPath(nodes: readonly Node[]): Map<string, Described[]> {
  const found = new Map<string, Described[]>();
  for (const node of nodes) {
    const { path } = node.provenance;
    const facts = describe(node);
    const described = { node, facts, key: JSON.stringify([node.op.name, ...facts]) };
    const known = found.get(path);
    if (known === undefined) found.set(path, [described]);
    else known.push(described);
  }
  return found;
}

/** Attributes that are no sizes, constants among the operands, and the form of the results. */
function describe({ op, operands, attributes, results }: Node): Map<string, string> {
  const facts = new Map<string, string>();
  for (const [name, value] of Object.entries(attributes)) {
    const kind = op.attributes[name]?.kind;
    if (kind !== "dim" && kind !== "dims") facts.set(name, printAttribute(value));
  }
  for (const [index, operand] of operands.entries()) {
    const text = constantText(operand);
    if (text !== undefined) facts.set(`operand ${index + 1}`, text);
  }
  const forms = results.map(({ type }) => `${type.dtype} of rank ${type.shape.length}`);
  facts.set("results", forms.join(", "));
  return facts;
}

/** Constants of more numbers are told apart by their hash. */
const mostNumbers = 4;

function constantText({ source }: Value): string | undefined {
  if (source.kind !== "constant") return undefined;
  const { tensor } = source;
  if (tensor.data.length > mostNumbers) return `#${contentHash(tensor)}`;
  const numbers = Array.from(tensor.data, printNumber);
  return numbers.length === 1 && tensor.shape.length === 0 ? numbers.join() : `[${numbers.join(", ")}]`;
}

/** What has no counterpart. One op of the same name on each side is one that changed. */
function compareRest(path: string, left: readonly Described[], right: readonly Described[]): OpChange[] {
  const changes: OpChange[] = [];
  const added = [...right];
  for (const { node, facts } of left) {
    const op = node.op.name;
    const at = added.findIndex((other) => other.node.op === node.op);
    const [found] = at < 0 ? [] : added.splice(at, 1);
    if (found === undefined) changes.push({ path, kind: "removed", op, details: [] });
    else changes.push({ path, kind: "changed", op, details: compareFacts(facts, found.facts) });
  }
  for (const { node } of added) changes.push({ path, kind: "added", op: node.op.name, details: [] });
  return changes;
}

function compareFacts(before: Texts, after: Texts): string[] {
  return compareNamed(before, after).map(
    ({ name, before: old, after: now }) => `${name}: ${old ?? "none"} → ${now ?? "none"}`,
  );
}

// ---------------------------------------------------------------- sizes

function compareSizes(path: string, before: Node | undefined, after: Node | undefined): SizeChange[] {
  if (before === undefined || after === undefined) return [];
  const results = before.results.flatMap(({ type }, i) => {
    const other = after.results[i]?.type;
    return other === undefined ? [] : pairSizes(type.shape, other.shape);
  });
  const own = pairSizes(attributeDims(before.attributes), attributeDims(after.attributes));
  // Sizes in attributes follow from those of results, where these differ.
  const changes = results.length > 0 ? results : own;
  return changes.map(([old, now]) => ({ path, before: old, after: now }));
}

function pairSizes(before: readonly Dim[], after: readonly Dim[]): [Dim, Dim][] {
  return before.flatMap((old, i): [Dim, Dim][] => {
    const now = after[i];
    return now === undefined || old.equals(now) ? [] : [[old, now]];
  });
}

function distinct(changes: readonly SizeChange[]): SizeChange[] {
  const found = new Map<string, SizeChange>();
  for (const change of changes) found.set(`${change.path}|${change.before}|${change.after}`, change);
  return [...found.values()];
}
