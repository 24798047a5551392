/**
 * Small random graphs of registry ops, and tensors to run them on.
 *
 * A graph is a function of its seed. Its symbolic dimension N is kept first, so that every op has a
 * case with an open dimension; values stay near 1, so that results can be compared.
 */
import { normalizeAttributes } from "../../src/compiler/attribute-form.ts";
import type { Graph, GraphOutput, Value } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { interpret } from "../../src/compiler/interpret.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import type { Attributes } from "../../src/lang/catalog.ts";
import { Dim, productDims } from "../../src/lang/dims.ts";
import { printType, sameShape, type TensorType } from "../../src/lang/types.ts";
import { fillOperand, randomNumbers } from "./samples.ts";

export const symbolN = Dim.symbol("N");

/** What a test builds with: `emit` infers types and requires what the op requires. */
export class GraphWriter {
  readonly builder: GraphBuilder;
  #count = 0;

  constructor(name: string) {
    this.builder = new GraphBuilder(name);
  }

  emit(name: string, operands: readonly Value[], attributes: Attributes = {}): readonly Value[] {
    const op = findOp(name);
    if (op === undefined) throw new Error(`there is no op ${name}`);
    const types = operands.map((operand) => operand.type);
    const inference = op.infer(types, normalizeAttributes(op, attributes));
    if (!inference.ok)
      throw new Error(`${name}(${types.map(printType).join(", ")}): ${inference.problem.message}`);
    const origin = { path: `step${this.#count++}`, span: undefined };
    for (const requirement of inference.requirements) this.builder.require(requirement, origin);
    const results = inference.results.map((result) => result.type);
    return this.builder.op(op, operands, attributes, results, origin);
  }

  one(name: string, operands: readonly Value[], attributes: Attributes = {}): Value {
    const [value] = this.emit(name, operands, attributes);
    if (value === undefined) throw new Error(`${name} has no result`);
    return value;
  }

  parameter(path: string, ...shape: (Dim | number)[]): Value {
    const origin = { path, span: undefined };
    return this.builder.parameter(path, floats(...shape), { kind: "normal", mean: 0, std: 0.5 }, origin);
  }

  finish(...outputs: readonly GraphOutput[]): Graph {
    return this.builder.finish(outputs, [{ name: "N", minimum: 2 }]);
  }
}

export function floats(...shape: (Dim | number)[]): TensorType {
  return { dtype: "f32", shape: shape.map((dim) => (typeof dim === "number" ? Dim.of(dim) : dim)) };
}

type Random = () => number;
interface State {
  readonly writer: GraphWriter;
  readonly random: Random;
  /** f32 values of rank 2 or 3. */
  readonly pool: Value[];
}
/** One step: a new value for the pool, or `undefined` where the step does not fit. */
type Step = (state: State, x: Value) => Value | undefined;

export function randomGraph(seed: number, steps = 12, kinds: readonly Step[] = stepKinds): Graph {
  const random = randomNumbers(seed);
  const writer = new GraphWriter(`random${seed}`);
  const pool = [
    writer.builder.input("x", floats(symbolN, 4)),
    writer.builder.input("y", floats(symbolN, 2, 3)),
    writer.one(
      "cast",
      [writer.one("reshape", [writer.one("iota", [], { n: 12 })], { shape: [Dim.of(3), Dim.of(4)] })],
      { to: "f32" },
    ),
  ];
  const state: State = { writer, random, pool };
  for (let step = 0; step < steps; step++) {
    const made = pick(random, kinds)(state, pick(random, pool));
    if (made !== undefined) pool.push(made);
  }
  const outputs = [...new Set([pool.at(-1), pool.at(-3), pick(random, pool)])].filter(
    (value) => value !== undefined,
  );
  return writer.finish(...outputs.map((value, index) => ({ name: `out${index}`, value })));
}

const unary: Step = ({ writer, random }, x) =>
  writer.one(pick(random, ["neg", "tanh", "abs", "sigmoid", "cos", "relu", "gelu"]), [x]);

const binary: Step = ({ writer, random, pool }, x) => {
  const alike = pool.filter((other) => sameShape(other.type.shape, x.type.shape));
  return writer.one(pick(random, ["add", "sub", "minimum", "maximum"]), [x, pick(random, alike)]);
};

/** With a neutral number half of the time, so that there is something to simplify. */
const scalar: Step = ({ writer, random }, x) => {
  const number = writer.builder.constant([pick(random, [0, 1, 0.5, 2])], floats());
  const operands = random() < 0.5 ? [x, number] : [number, x];
  return writer.one(pick(random, ["add", "mul", "minimum"]), operands);
};

const scaleByCount: Step = ({ writer }, x) =>
  writer.one("div", [x, writer.builder.dimension(symbolN.add(1), "f32", { path: "count", span: undefined })]);

const product: Step = ({ writer, random }, x) => {
  const width = x.type.shape.at(-1);
  if (width === undefined || width.constant === undefined) return undefined;
  const to = pick(random, [2, 4]);
  return writer.one("tanh", [writer.one("matmul", [x, writer.parameter(`w.${width}.${to}`, width, to)])]);
};

const rowwise: Step = ({ writer, random }, x) => {
  const width = x.type.shape.at(-1);
  if (random() < 0.5 || width === undefined) return writer.one("softmax", [x], { axis: -1 });
  const weights = [
    writer.parameter(`norm.weight.${width}`, width),
    writer.parameter(`norm.bias.${width}`, width),
  ];
  return writer.one("layer_norm", [x, ...weights], { epsilon: 1e-2 });
};

const regroup: Step = ({ writer }, x) => {
  const [first, second, third] = x.type.shape;
  if (first === undefined || second === undefined) return undefined;
  if (third !== undefined)
    return writer.one("reshape", [x], { shape: [first, productDims([second, third])] });
  const half = second.divideExactly(Dim.of(2));
  return half && writer.one("reshape", [x], { shape: [first, Dim.of(2), half] });
};

const turn: Step = ({ writer, random }, x) => {
  if (x.type.shape.length < 3) return undefined;
  const turned = writer.one("transpose", [x], { permutation: [0, 2, 1] });
  return random() < 0.5 ? turned : writer.one("transpose", [turned], { permutation: [0, 2, 1] });
};

const join: Step = ({ writer, random, pool }, x) => {
  if (x.type.shape.some((dim) => (dim.constant ?? 0) > 8)) return undefined;
  const alike = pool.filter((other) => sameShape(other.type.shape, x.type.shape));
  return writer.one("concat", [x, pick(random, alike)], { axis: -1 });
};

const cut: Step = ({ writer, random }, x) => {
  const starts = x.type.shape.map(() => Dim.of(0));
  const stops = x.type.shape.map((dim, axis) => (axis === 0 && random() < 0.5 ? dim.sub(1) : dim));
  return writer.one("slice", [x], { starts, stops });
};

const reduce: Step = ({ writer, random }, x) => {
  const axis = x.type.shape.length - 1;
  const name = pick(random, ["sum", "mean", "max"]);
  return writer.one("add", [x, writer.one(name, [x], { axes: [axis], keep: true })]);
};

const select: Step = ({ writer }, x) => {
  const width = x.type.shape.at(-1)?.constant;
  if (width === undefined || width < 2) return undefined;
  const [values, indices] = writer.emit("top_k", [x], { k: Dim.of(2) });
  if (values === undefined || indices === undefined) return undefined;
  return writer.one("add", [values, writer.one("cast", [indices], { to: "f32" })]);
};

const lookUp: Step = ({ writer, random }, x) => {
  const rows = writer.builder.constant([1, 0, 1], { dtype: "i64", shape: [Dim.of(3)] });
  const axis = random() < 0.5 ? 0 : -1;
  if ((x.type.shape.at(axis)?.constant ?? 2) < 2) return undefined;
  return writer.one("gather", [x, rows], { axis });
};

const enlarge: Step = ({ writer, random }, x) => {
  const shape = x.type.shape;
  const level = writer.builder.constant([random()], floats());
  const full =
    random() < 0.5
      ? writer.one("expand", [level], { shape })
      : writer.one("fill", [], { shape, value: 0.25 });
  return writer.one("add", [x, writer.one("cos", [full])]);
};

const stepKinds: readonly Step[] = [
  unary,
  binary,
  scalar,
  scaleByCount,
  product,
  rowwise,
  regroup,
  turn,
  join,
  cut,
  reduce,
  select,
  lookUp,
  enlarge,
];

/** x as [sequences, length, width]: the symbol is now how many there are, now how long they are. */
const sequences = ({ writer, random }: State, x: Value): Value | undefined => {
  const [first, ...others] = x.type.shape;
  const width = productDims(others);
  if (first === undefined || width.constant === undefined) return undefined;
  const shape = random() < 0.5 ? [Dim.of(1), first, width] : [first, Dim.of(1), width];
  return writer.one("reshape", [x], { shape });
};

const asBefore = ({ writer }: State, x: Value, made: Value | undefined): Value | undefined =>
  made && writer.one("tanh", [writer.one("reshape", [made], { shape: x.type.shape })]);

const filterPast: Step = (state, x) => {
  const { writer } = state;
  const line = sequences(state, x);
  const width = line?.type.shape[2];
  if (line === undefined || width === undefined) return undefined;
  const weights = [
    writer.parameter(`filter.weight.${width}`, width, 3),
    writer.parameter(`filter.bias.${width}`, width),
  ];
  return asBefore(state, x, writer.emit("causal_conv", [line, ...weights])[0]);
};

const scanPast: Step = (state, x) => {
  const { writer, random } = state;
  const line = sequences(state, x);
  const [batch, length, width] = line?.type.shape ?? [];
  if (line === undefined || batch === undefined || length === undefined || width === undefined)
    return undefined;
  const one = Dim.of(1);
  const heads = writer.one("reshape", [line], { shape: [batch, length, one, width] });
  const steps = writer.one("sigmoid", [writer.one("mean", [line], { axes: [2], keep: true })]);
  const rate = writer.one("neg", [writer.one("abs", [writer.parameter("scan.rate", 1)])]);
  const operands = [heads, steps, rate, heads, heads, writer.parameter("scan.skip", 1)];
  const chunk = pick(random, [1, 2, 4]);
  return asBefore(state, x, writer.emit("ssd", operands, { chunk })[0]);
};

const convolve: Step = ({ writer }, x) => {
  const [, channels, width] = x.type.shape;
  if (channels?.constant === undefined || width?.constant === undefined) return undefined;
  const weight = writer.parameter(`conv.weight.${channels}`, 2, channels, 2);
  return writer.one("tanh", [writer.one("conv1d", [x, weight], { padding: [1, 0], strides: [1] })]);
};

/** All that counts multiply-adds; graphs of the other steps alone hold few of them. */
export const multiplyingSteps: readonly Step[] = [
  ...stepKinds,
  product,
  product,
  filterPast,
  scanPast,
  convolve,
];

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}

/** The outputs of a graph on inputs and parameters that depend only on their names and the seed. */
export function runOnRandom(graph: Graph, seed: number, size = 5): Map<string, HostTensor> {
  const bindings = new Map(graph.symbols.map((symbol) => [symbol.name, Math.max(size, symbol.minimum)]));
  const tensor = (name: string, type: TensorType): HostTensor => {
    const shape = type.shape.map((dim) => dim.evaluate(bindings));
    const nameSeed = [...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed);
    return fillOperand({ dtype: type.dtype, shape }, randomNumbers(nameSeed));
  };
  const types = new Map<string, TensorType>();
  for (const value of graph.parameters) {
    if (value.source.kind === "parameter") types.set(value.source.parameter.path, value.type);
  }
  const inputs = new Map(graph.inputs.map(({ name, value }) => [name, tensor(name, value.type)]));
  return interpret(graph, { inputs, parameters: (path) => tensor(path, types.get(path) ?? floats()) });
}

/** What rounding leaves of a value: targets agree on it, and on what is equal. */
const rounded = ({ writer }: State, x: Value): Value => {
  const sixteen = writer.builder.constant([16], floats());
  return writer.one("round", [writer.one("mul", [x, sixteen])]);
};

const selectRounded: Step = (state, x) => select(state, rounded(state, x));

/** As a pruning site does: the rows with the largest sums, behind the first. */
const chooseRows: Step = (state, given) => {
  const { writer, random } = state;
  if (given.type.shape.length !== 3 || (given.type.shape[1]?.constant ?? 0) > 4) return undefined;
  const x = writer.one("concat", [given, writer.one("cos", [given])], { axis: 1 });
  const [first, rows, width] = x.type.shape;
  if (first === undefined || rows?.constant === undefined || rows.constant < 3 || width === undefined)
    return undefined;
  const zeros = [Dim.of(0), Dim.of(0), Dim.of(0)];
  const one = [Dim.of(0), Dim.of(1), Dim.of(0)];
  const head = writer.one("slice", [x], { starts: zeros, stops: [first, Dim.of(1), width] });
  const rest = writer.one("slice", [x], { starts: one, stops: [first, rows, width] });
  const scores = rounded(state, writer.one("sum", [rest], { axes: [2], keep: false }));
  const [, kept] = writer.emit("top_k", [scores], { k: rows.sub(2) });
  if (kept === undefined) return undefined;
  const moved = writer.one("concat", [head, writer.one("take_along", [rest, kept])], { axis: 1 });
  return random() < 0.5 ? moved : rowwise(state, moved);
};

/**
 * Where two values differ by their rounding alone, which is larger is another thing on each target: selections are
 * of rounded values.
 */
export const settledSteps: readonly Step[] = [
  ...multiplyingSteps.filter((step) => step !== select),
  selectRounded,
  chooseRows,
  chooseRows,
];
