/**
 * Which nodes share a kernel.
 *
 * Owns: groups (a node that needs loops of its own, and the elementwise nodes that follow it before its
 * result is stored), and which of the remaining nodes are computed where they are read. Decided by the
 * kind of lowering, how often a consumer reads, and how much arithmetic that would repeat.
 */
import { type Dim, productDims } from "../../lang/dims.ts";
import { sameShape } from "../../lang/types.ts";
import type { Graph, Node, Value } from "../graph.ts";
import { type Attention, attentionAt } from "./attention.ts";
import { type Group, inputsOf, type Norm, storedBy, type Tail, whole } from "./groups.ts";
import { arithmetic, isLastAxisRow, isLight, productOf, readsAxis } from "./nodes.ts";
import { contextOf } from "./reader.ts";
import { soughtBy, type Uses, withSelections } from "./selection.ts";
import { withSides } from "./sides.ts";
import { isPlainView, movesAll } from "./views.ts";

/** What decides where rows are normalised. */
export interface FusionChoices {
  /** About how large a dimension is in use. */
  typical(dim: Dim): number;
  /** Columns of a product that one invocation holds. */
  readonly columns: number;
  /** How many buffers a value takes that has them before anything runs: large tables are in parts. */
  buffers(value: Value): number;
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
  /** What groups end in, those that there are so far, and what rows will keep. */
  readonly #ends = new Set<Value>();
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

  get #uses(): Uses {
    return {
      consumers: (value) => this.#consumers.get(value) ?? [],
      isOutput: (value) => this.#outputs.has(value),
    };
  }

  run(): Fusion {
    const needed = this.#needed();
    const nodes = this.#graph.nodes.filter((node) => needed.has(node));
    const groups: Group[] = [];
    const attentions = this.#attentions(nodes);
    const prologues = this.#prologues(nodes);
    const inlined = new Set<Node>(nodes.filter((node) => this.#isInnerFold(node)));
    for (const node of inlined) this.#absorbed.add(node);
    for (const node of nodes) {
      const sought = this.#absorbed.has(node) ? undefined : soughtBy(node, this.#uses);
      if (sought !== undefined) this.#ends.add(sought);
    }
    for (const node of nodes) {
      if (isLight(node) || this.#absorbed.has(node)) continue;
      const tails = node.results.map((result) => this.#tail(node, result));
      const attention = attentions.get(node);
      const norm = attention === undefined ? this.#norm(node, tails) : undefined;
      const group = { root: node, tails, attention, norm, prologue: prologues.get(node) };
      for (const { value } of storedBy(group)) this.#ends.add(value);
      groups.push(group);
    }
    const intensities = new Map<Node, Intensity>();
    for (const node of nodes.toReversed()) {
      if (!isLight(node) || this.#chained.has(node) || this.#absorbed.has(node)) continue;
      if (this.#isInlined(node, inlined, intensities)) inlined.add(node);
      else {
        const [result] = node.results;
        if (result !== undefined) groups.push({ root: node, tails: [whole(result)] });
      }
    }
    const selected = withSelections(groups, inlined, this.#uses);
    const chosen = withSides(selected, {
      given: this.#given,
      inlined,
      buffers: (values) => this.#buffersOf(values),
      mostBindings,
    });
    this.#limitBindings(chosen, inlined);
    const kept = new Set<Node>();
    for (const { row } of attentions.values()) {
      const [weights] = row.results;
      if (weights !== undefined && (this.#consumers.get(weights) ?? []).length > 1) kept.add(row);
    }
    return { groups: this.#sorted(chosen), inlined, kept };
  }

  /** Gives values that were to be computed on the way a buffer, until every kernel can bind what it reads. */
  #limitBindings(groups: Group[], inlined: Set<Node>): void {
    const located = new Set<Value>([
      ...this.#given,
      ...groups.flatMap((group) => storedBy(group).map(({ value }) => value)),
    ]);
    // Groups that are made on the way come after those that there are, and are looked at too.
    for (let at = 0; at < groups.length; at++) {
      const group = groups[at];
      if (group === undefined) return;
      const own = new Set(storedBy(group).map(({ value }) => value));
      const stored = own.size + (group.attention === undefined ? 0 : 2);
      for (;;) {
        // What it stores itself it need not read.
        const { leaves, passed } = this.#reached(inputsOf(group), located, own);
        if (this.#buffersOf(leaves) + stored <= mostBindings) break;
        const counted = [...passed]
          .filter((node) => inlined.has(node))
          .map((node) => ({ node, count: this.#buffersOf(this.#reached(node.operands, located).leaves) }))
          .filter(({ count }) => count > 1 && count < mostBindings)
          .sort((a, b) => b.count - a.count);
        const [next] = counted;
        const [result] = next?.node.results ?? [];
        if (next === undefined || result === undefined) break;
        inlined.delete(next.node);
        located.add(result);
        groups.push({ root: next.node, tails: [whole(result)] });
      }
    }
  }

  #buffersOf(values: Iterable<Value>): number {
    return [...values].reduce(
      (sum, value) => sum + (this.#given.has(value) ? this.#choices.buffers(value) : 1),
      0,
    );
  }

  /** What reading the values comes down to: values with a buffer, and the nodes passed on the way. */
  #reached(
    values: readonly Value[],
    located: ReadonlySet<Value>,
    own: ReadonlySet<Value> = new Set(),
  ): { readonly leaves: ReadonlySet<Value>; readonly passed: ReadonlySet<Node> } {
    const leaves = new Set<Value>();
    const passed = new Set<Node>();
    const pending = [...values];
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (own.has(value)) continue;
      if (located.has(value)) leaves.add(value);
      else if (value.source.kind === "result" && !passed.has(value.source.node)) {
        passed.add(value.source.node);
        pending.push(...value.source.node.operands);
      }
    }
    return { leaves, passed };
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

  /** A reduction of which another one reads each element once: sums of sums need no room between them. */
  #isInnerFold(node: Node): boolean {
    if (node.op.lowering.kind !== "fold") return false;
    let [value] = node.results;
    while (value !== undefined && !this.#outputs.has(value)) {
      const [next, another] = this.#consumers.get(value) ?? [];
      if (next === undefined || another !== undefined) return false;
      if (next.op.lowering.kind === "fold") return true;
      if (!isPlainView(next)) return false;
      [value] = next.results;
    }
    return false;
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
    // Whole blocks of columns that lie side by side in a weight, four of them in a read.
    const [, right] = root.operands;
    const last = axes.right.at(-1);
    const isWhole =
      Number.isInteger(invocations) &&
      invocations <= mostInvocations &&
      this.#choices.columns % 4 === 0 &&
      right !== undefined &&
      this.#given.has(right) &&
      last?.kind === "coordinate" &&
      last.axis === rank - 1;
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
    const bindings = this.#buffersOf(this.#leaves(nodes)) + (keeps ? 2 : 1);
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
      const hasBuffer = this.#given.has(value) || this.#ends.has(value);
      if (hasBuffer || value.source.kind !== "result" || !isLight(value.source.node)) leaves.add(value);
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
      if (step === undefined || next === undefined) {
        const isRead = this.#outputs.has(value) || (this.#consumers.get(value) ?? []).length > 0;
        return { result, steps, value, isRead };
      }
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

/** Whether one element of the value serves several of the consumer's. */
function repeats(consumer: Node, value: Value): boolean {
  const [result] = consumer.results;
  const { kind } = consumer.op.lowering;
  if (result === undefined || kind === "view" || kind === "fold") return false;
  return !sameShape(result.type.shape, value.type.shape);
}
