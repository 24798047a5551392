/**
 * Which nodes share a kernel.
 *
 * Owns: groups (a node that needs loops of its own, and the elementwise nodes that follow it before its
 * result is stored), and which of the remaining nodes are computed where they are read. Decided by the
 * kind of lowering, how often a consumer reads, and how much arithmetic that would repeat.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import { sameShape } from "../../lang/types.ts";
import type { Graph, Node, Value } from "../graph.ts";
import type { Index, Scalar } from "../ops/lowering.ts";
import { type Attention, attentionAt } from "./attention.ts";
import { joinOf } from "./joins.ts";
import { flatPosition, Position, unflattened } from "./position.ts";
import { type At, contextOf } from "./reader.ts";

/** A result of a group's first node, the nodes applied to each of its elements, and what is stored. */
export interface Tail {
  readonly result: Value;
  readonly steps: readonly Node[];
  readonly value: Value;
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
}

export interface Norm {
  readonly row: Node;
  readonly tail: Tail;
  /** Whether the row as it was is stored too. */
  readonly keepsInput: boolean;
}

/** What decides where rows are normalised. */
export interface FusionChoices {
  /** About how large a dimension is in use. */
  typical(dim: Dim): number;
  /** Columns of a product that one invocation holds. */
  readonly columns: number;
}

/** A product with at most so many rows normalises them as it reads, in every workgroup again. */
const fewRows = 4;
/** Storage buffers that every device lets a kernel have. */
const mostBindings = 8;
/** Invocations that share a row's results, and the memory that they share is limited. */
const mostInvocations = 192;

export interface Fusion {
  /** Rows whose folds are kept, because not only their own kernel computes their elements. */
  readonly kept: ReadonlySet<Node>;
  /** In an order that can be executed. */
  readonly groups: readonly Group[];
  /** Nodes that are computed wherever they are read. */
  readonly inlined: ReadonlySet<Node>;
}

/** Reads of one element of a value by one consumer, as far as fusion cares. */
type Intensity = "once" | "few" | "many";

export function fuse(graph: Graph, given: ReadonlySet<Value>, choices: FusionChoices): Fusion {
  return new Fuser(graph, given, choices).run();
}

class Fuser {
  readonly #graph: Graph;
  /** Values that have a buffer before anything runs. */
  readonly #given: ReadonlySet<Value>;
  readonly #choices: FusionChoices;
  readonly #consumers = new Map<Value, Node[]>();
  readonly #outputs: ReadonlySet<Value>;
  readonly #order = new Map<Node, number>();
  readonly #chained = new Map<Node, Node>();
  /** What another node's kernel computes on its way. */
  readonly #absorbed = new Set<Node>();

  constructor(graph: Graph, given: ReadonlySet<Value>, choices: FusionChoices) {
    this.#graph = graph;
    this.#choices = choices;
    this.#given = given;
    this.#outputs = new Set(graph.outputs.map(({ value }) => value));
    graph.nodes.forEach((node, at) => {
      this.#order.set(node, at);
      for (const operand of new Set(node.operands))
        this.#consumers.set(operand, [...(this.#consumers.get(operand) ?? []), node]);
    });
  }

  run(): Fusion {
    const needed = this.#needed();
    const nodes = this.#graph.nodes.filter((node) => needed.has(node));
    const groups: Group[] = [];
    const attentions = this.#attentions(nodes);
    const prologues = this.#prologues(nodes);
    for (const node of nodes) {
      if (isLight(node) || this.#absorbed.has(node)) continue;
      const tails = node.results.map((result) => this.#tail(node, result));
      const attention = attentions.get(node);
      const norm = attention === undefined ? this.#norm(node, tails) : undefined;
      groups.push({ root: node, tails, attention, norm, prologue: prologues.get(node) });
    }
    const inlined = new Set<Node>();
    const intensities = new Map<Node, Intensity>();
    for (const node of nodes.toReversed()) {
      if (!isLight(node) || this.#chained.has(node) || this.#absorbed.has(node)) continue;
      if (this.#isInlined(node, inlined, intensities)) inlined.add(node);
      else {
        const [result] = node.results;
        if (result !== undefined) groups.push({ root: node, tails: [{ result, steps: [], value: result }] });
      }
    }
    const kept = new Set<Node>();
    for (const { row } of attentions.values()) {
      const [weights] = row.results;
      if (weights !== undefined && (this.#consumers.get(weights) ?? []).length > 1) kept.add(row);
    }
    return { groups: this.#sorted(groups), inlined, kept };
  }

  /** By their last node. */
  #attentions(nodes: readonly Node[]): ReadonlyMap<Node, Attention> {
    const found = new Map<Node, Attention>();
    for (const node of nodes) {
      const attention = attentionAt(
        node,
        (value) => this.#consumers.get(value) ?? [],
        (value) => this.#outputs.has(value),
      );
      if (attention === undefined) continue;
      const own = [attention.scores, ...attention.steps, attention.row];
      // One softmax weighs one set of values.
      if (own.some((part) => this.#absorbed.has(part))) continue;
      for (const part of own) this.#absorbed.add(part);
      found.set(node, attention);
    }
    return found;
  }

  /** Rows that products with few rows normalise as they read, by the product. */
  #prologues(nodes: readonly Node[]): ReadonlyMap<Node, Node> {
    const found = new Map<Node, Node>();
    for (const node of nodes) {
      const axes = productOf(node);
      const [left] = node.operands;
      if (axes === undefined || left?.source.kind !== "result" || this.#absorbed.has(node)) continue;
      const row = left.source.node;
      const isAlone = (this.#consumers.get(left) ?? []).length === 1 && !this.#outputs.has(left);
      if (!isAlone || !isLastAxisRow(row) || this.#absorbed.has(row)) continue;
      const rank = left.type.shape.length;
      const rows = productDims(left.type.shape.slice(0, -1));
      const reads = axes.left.every(
        (index, axis) => index.kind === "coordinate" && index.axis === (axis === rank - 1 ? axes.rank : axis),
      );
      if (!reads || this.#choices.typical(rows) > fewRows) continue;
      this.#absorbed.add(row);
      found.set(node, row);
    }
    return found;
  }

  /** The row that the kernel of a product can normalise, because one workgroup holds whole rows. */
  #norm(root: Node, tails: readonly Tail[]): Norm | undefined {
    const [tail] = tails;
    const axes = productOf(root);
    if (tail === undefined || axes === undefined || axes.reduce !== 1) return undefined;
    const { value } = tail;
    const consumers = this.#consumers.get(value) ?? [];
    const row = consumers.find(
      (node) => isLastAxisRow(node) && node.operands[0] === value && !this.#absorbed.has(node),
    );
    const [result] = row?.results ?? [];
    const rank = value.type.shape.length;
    const width = value.type.shape.at(-1)?.constant;
    if (row === undefined || result === undefined || width === undefined || rank !== axes.rank)
      return undefined;
    const invocations = width / this.#choices.columns;
    const isWhole = Number.isInteger(invocations) && invocations <= mostInvocations;
    const isPlain =
      tail.steps.every((step) => step.op.lowering.kind === "map") &&
      row.operands.slice(1).every((operand) => this.#given.has(operand)) &&
      // Columns are the last axis alone.
      axes.left.every((index) => !readsAxis(index, rank - 1)) &&
      axes.right.every((index) =>
        Array.from({ length: rank - 1 }, (_, axis) => axis).every((axis) => !readsAxis(index, axis)),
      );
    const rows = productDims(value.type.shape.slice(0, -1));
    const nodes = [root, ...tail.steps, row];
    const keeps = consumers.length > 1 || this.#outputs.has(value);
    const bindings = this.#leaves(nodes).size + (keeps ? 2 : 1);
    if (!isWhole || !isPlain || bindings > mostBindings || this.#choices.typical(rows) <= fewRows)
      return undefined;
    this.#absorbed.add(row);
    return { row, tail: this.#tail(root, result), keepsInput: keeps };
  }

  /** The values with a buffer that nodes read, at most: through everything that may be computed on the way. */
  #leaves(nodes: readonly Node[]): ReadonlySet<Value> {
    const own = new Set(nodes.flatMap(({ results }) => results));
    const leaves = new Set<Value>();
    const pending = nodes.flatMap(({ operands }) => operands);
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (own.has(value)) continue;
      if (this.#given.has(value) || value.source.kind !== "result" || !isLight(value.source.node))
        leaves.add(value);
      else pending.push(...value.source.node.operands);
    }
    return leaves;
  }

  /** Nodes that lead to an output and whose results have no buffer yet. */
  #needed(): ReadonlySet<Node> {
    const needed = new Set<Node>();
    const pending = [...this.#outputs];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (this.#given.has(value) || value.source.kind !== "result" || needed.has(value.source.node)) continue;
      needed.add(value.source.node);
      pending.push(...value.source.node.operands);
    }
    return needed;
  }

  #tail(root: Node, result: Value): Tail {
    const steps: Node[] = [];
    let value = result;
    for (;;) {
      const step = this.#next(root, value);
      const [next] = step?.results ?? [];
      if (step === undefined || next === undefined) return { result, steps, value };
      steps.push(step);
      this.#chained.set(step, root);
      value = next;
    }
  }

  /** The node that can be applied to every element before it is stored. */
  #next(root: Node, value: Value): Node | undefined {
    if (this.#outputs.has(value)) return undefined;
    const consumers = this.#consumers.get(value) ?? [];
    const [step] = consumers;
    if (step === undefined || consumers.length !== 1 || this.#chained.has(step)) return undefined;
    const [result] = step.results;
    if (result === undefined) return undefined;
    if (step.op.lowering.kind === "view") return movesAll(step) ? step : undefined;
    if (step.op.lowering.kind !== "map" || !sameShape(result.type.shape, value.type.shape)) return undefined;
    const others = step.operands.filter((operand) => operand !== value);
    return others.some((operand) => this.#dependsOn(operand, root)) ? undefined : step;
  }

  #dependsOn(value: Value, root: Node): boolean {
    const earliest = this.#order.get(root) ?? 0;
    const seen = new Set<Node>();
    const pending = [value];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next.source.kind !== "result" || this.#given.has(next)) continue;
      const { node } = next.source;
      if (node === root) return true;
      if (seen.has(node) || (this.#order.get(node) ?? 0) < earliest) continue;
      seen.add(node);
      pending.push(...node.operands);
      // What a chain ends in is stored with its root.
      const owner = this.#chained.get(node);
      if (owner !== undefined) pending.push(...owner.operands);
    }
    return false;
  }

  #isInlined(node: Node, inlined: ReadonlySet<Node>, intensities: Map<Node, Intensity>): boolean {
    const [result] = node.results;
    if (result === undefined) return false;
    const { lowering } = node.op;
    if (lowering.kind === "source") return !this.#outputs.has(result);
    const consumers = this.#consumers.get(result) ?? [];
    let intensity: Intensity = "once";
    for (const consumer of consumers) {
      const own = this.#reads(consumer, result, inlined, intensities);
      if (own === "many" || intensity === "once") intensity = own;
    }
    intensities.set(node, intensity);
    if (this.#outputs.has(result)) return false;
    if (lowering.kind === "view") return intensity !== "many" || isPlainView(node);
    if (lowering.kind !== "map") return false;
    const cost = arithmetic(lowering.expression(contextOf(node)));
    if (cost === 0) return true;
    if (consumers.length > 1) return false;
    return intensity === "many" ? cost <= 2 && node.operands.length <= 2 : true;
  }

  #reads(
    consumer: Node,
    value: Value,
    inlined: ReadonlySet<Node>,
    intensities: ReadonlyMap<Node, Intensity>,
  ): Intensity {
    const { kind } = consumer.op.lowering;
    if (this.#chained.has(consumer)) return repeats(consumer, value) ? "many" : "once";
    if (kind === "fold" || kind === "row" || kind === "scan")
      return repeats(consumer, value) ? "many" : "few";
    if (kind === "contract" || kind === "kernel" || kind === "select") return "many";
    if (repeats(consumer, value)) return "many";
    return inlined.has(consumer) ? (intensities.get(consumer) ?? "once") : "once";
  }

  #sorted(groups: readonly Group[]): Group[] {
    const makers = new Map<Value, Group>();
    for (const group of groups) {
      for (const { value } of storedBy(group)) makers.set(value, group);
      // Whoever computes the weights of an attention again needs what it kept.
      const [weights] = group.attention?.row.results ?? [];
      if (weights !== undefined) makers.set(weights, group);
    }
    const done = new Set<Group>();
    const sorted: Group[] = [];
    const lastOf = ({ root, tails }: Group): number =>
      Math.max(...[root, ...tails.flatMap(({ steps }) => steps)].map((node) => this.#order.get(node) ?? 0));
    const visit = (group: Group): void => {
      if (done.has(group)) return;
      done.add(group);
      for (const value of inputsOf(group)) this.#visitMakers(value, makers, visit);
      sorted.push(group);
    };
    for (const group of [...groups].sort((a, b) => lastOf(a) - lastOf(b))) visit(group);
    return sorted;
  }

  #visitMakers(value: Value, makers: ReadonlyMap<Value, Group>, visit: (group: Group) => void): void {
    if (this.#given.has(value)) return;
    const maker = makers.get(value);
    if (maker !== undefined) visit(maker);
    else if (value.source.kind === "result")
      for (const operand of value.source.node.operands) this.#visitMakers(operand, makers, visit);
  }
}

/** What a group reads from outside itself. */
export function inputsOf(group: Group): Value[] {
  const nodes = nodesOf(group);
  const own = new Set<Value>(nodes.flatMap(({ results }) => results));
  return nodes.flatMap(({ operands }) => operands).filter((operand) => !own.has(operand));
}

export function nodesOf({ root, tails, attention, norm, prologue }: Group): Node[] {
  const before = attention === undefined ? [] : [attention.scores, ...attention.steps, attention.row];
  const after = norm === undefined ? [] : [norm.row, ...norm.tail.steps];
  return [
    ...before,
    ...(prologue === undefined ? [] : [prologue]),
    root,
    ...tails.flatMap(({ steps }) => steps),
    ...after,
  ];
}

/** The ends of a group whose values have a place. */
export function storedBy({ tails, norm }: Group): readonly Tail[] {
  if (norm === undefined) return tails;
  return [...(norm.keepsInput ? tails : []), norm.tail];
}

interface Product {
  readonly left: readonly Index[];
  readonly right: readonly Index[];
  /** Axes that are summed over, and those of the result. */
  readonly reduce: number;
  readonly rank: number;
}

function productOf(node: Node): Product | undefined {
  const { lowering } = node.op;
  const [result] = node.results;
  if (lowering.kind !== "contract" || result === undefined) return undefined;
  const { left, right, reduce, padded } = lowering.axes(contextOf(node));
  return padded ? undefined : { left, right, reduce: reduce.length, rank: result.type.shape.length };
}

/** A row along the last axis whose reductions can be put together from parts. */
function isLastAxisRow(node: Node): boolean {
  const { lowering } = node.op;
  const rank = node.operands[0]?.type.shape.length ?? 0;
  return (
    lowering.kind === "row" &&
    lowering.axis(contextOf(node)) === rank - 1 &&
    lowering.folds.every(({ combine }) => joinOf(combine) !== undefined)
  );
}

function readsAxis(index: Index, axis: number): boolean {
  if (index.kind === "coordinate") return index.axis === axis;
  if (index.kind === "constant") return false;
  if (index.kind === "element") return index.at.some((part) => readsAxis(part, axis));
  return readsAxis(index.a, axis) || readsAxis(index.b, axis);
}

const isLight = (node: Node): boolean => ["map", "view", "source"].includes(node.op.lowering.kind);

/** Whether one element of the value serves several of the consumer's. */
function repeats(consumer: Node, value: Value): boolean {
  const [result] = consumer.results;
  const { kind } = consumer.op.lowering;
  if (result === undefined || kind === "view" || kind === "fold") return false;
  return !sameShape(result.type.shape, value.type.shape);
}

/** A view of one operand whose indices are arithmetic. */
function isPlainView(node: Node): boolean {
  const { lowering } = node.op;
  if (lowering.kind !== "view") return false;
  const pieces = lowering.pieces(contextOf(node));
  const [piece] = pieces;
  return (
    pieces.length === 1 && piece !== undefined && (piece.when ?? []).length === 0 && piece.at.every(isPlain)
  );
}

type AnyIndex = Parameters<typeof isPlain>[0];

function isPlain(index: { readonly kind: string }): boolean {
  if (index.kind === "element") return false;
  const { a, b } = index as { a?: AnyIndex; b?: AnyIndex };
  return (a === undefined || isPlain(a)) && (b === undefined || isPlain(b));
}

/** Operations of an expression; what takes a device many is counted so. */
export function arithmetic(scalar: Scalar): number {
  switch (scalar.kind) {
    case "unary":
      return (
        arithmetic(scalar.x) + (["neg", "abs", "not", "floor", "ceil", "round"].includes(scalar.fn) ? 1 : 8)
      );
    case "binary":
      return arithmetic(scalar.a) + arithmetic(scalar.b) + (scalar.fn === "pow" ? 8 : 1);
    case "select":
      return 1 + arithmetic(scalar.condition) + arithmetic(scalar.whenTrue) + arithmetic(scalar.whenFalse);
    case "cast":
      return arithmetic(scalar.x);
    case "hash-uniform":
      return 8 + arithmetic(scalar.x);
    default:
      return 0;
  }
}

// ---------------------------------------------------------------- views that lose and repeat nothing

/** Whether the view puts every element of its operand at one place. */
function movesAll(node: Node): boolean {
  const [operand] = node.operands;
  if (operand === undefined || node.operands.length !== 1) return false;
  const probe = operand.type.shape.map((extent, axis) => Position.name(`p${axis}`, extent));
  return movedTo(node, probe) !== undefined;
}

/** Where the view puts the operand's element: where it is permuted, or laid out anew in its order. */
export function movedTo(node: Node, at: At): At | undefined {
  const { lowering } = node.op;
  const [result] = node.results;
  const [operand] = node.operands;
  if (lowering.kind !== "view" || result === undefined || operand === undefined) return undefined;
  const pieces = lowering.pieces(contextOf(node));
  const [piece] = pieces;
  if (piece === undefined || pieces.length !== 1 || (piece.when ?? []).length > 0) return undefined;
  const { shape } = result.type;
  const moved: (Position | undefined)[] = shape.map((size) =>
    size.constant === 1 ? Position.of(0) : undefined,
  );
  const isPermuted = piece.at.every((index, axis) => {
    if (operand.type.shape[axis]?.constant === 1) return true;
    if (index.kind !== "coordinate" || moved[index.axis] !== undefined) return false;
    if (shape[index.axis]?.equals(operand.type.shape[axis] ?? Dim.of(0)) !== true) return false;
    moved[index.axis] = at[axis];
    return true;
  });
  const places = moved.flatMap((position) => (position === undefined ? [] : [position]));
  if (isPermuted && places.length === shape.length) return places;
  return isRelaid(node) ? unflattened(flatPosition(at, operand.type.shape), shape) : undefined;
}

/** Whether result and operand hold the same elements in the same order. */
export function isRelaid(node: Node): boolean {
  const { lowering } = node.op;
  const [result] = node.results;
  const [operand] = node.operands;
  if (lowering.kind !== "view" || result === undefined || operand === undefined) return false;
  const [piece, another] = lowering.pieces(contextOf(node));
  if (piece === undefined || another !== undefined || !piece.at.every(isPlain)) return false;
  const names = result.type.shape.map((extent, axis) => Position.name(`p${axis}`, extent));
  const from = piece.at.map((index) => plainPosition(index, names));
  const wanted = flatPosition(names, result.type.shape);
  return flatPosition(from, operand.type.shape).key === wanted.key;
}

function plainPosition(index: Index, at: At): Position {
  switch (index.kind) {
    case "coordinate":
      return at[index.axis] ?? Position.of(0);
    case "constant":
      return Position.of(index.value);
    case "element":
      return Position.name("element", Dim.of(2 ** 31));
    case "add":
      return plainPosition(index.a, at).add(plainPosition(index.b, at));
    case "mul": {
      const [a, b] = [plainPosition(index.a, at), plainPosition(index.b, at)];
      return b.terms.length === 0 ? a.times(b.offset) : b.times(a.offset);
    }
    case "div":
      return plainPosition(index.a, at).div(plainPosition(index.b, at).offset);
    case "mod":
      return plainPosition(index.a, at).mod(plainPosition(index.b, at).offset);
  }
}
