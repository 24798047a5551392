/**
 * Every sample of every op as a graph of one node, with numbers for its dimensions and with symbols.
 *
 * What a target must do with them is its own test's; what they come to is the op's reference.
 */
import { expect } from "vitest";
import type { Graph } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import type { HostTensor } from "../../src/compiler/host-tensor.ts";
import { bindAttributes } from "../../src/compiler/ops/attributes.ts";
import type { OpDefinition, Sample, Tolerance } from "../../src/compiler/ops/op.ts";
import type { Attributes, AttributeValue, Requirement } from "../../src/lang/catalog.ts";
import { Dim } from "../../src/lang/dims.ts";
import { fillOperand, randomNumbers } from "./samples.ts";

export type Bindings = ReadonlyMap<string, number>;

/** A one-node graph of the sample, its operands as inputs `x0`, `x1`, … */
export interface Case {
  readonly graph: Graph;
  readonly bindings: readonly Bindings[];
}

/** How sizes become symbols: `D3` stands for 3. */
type Naming = (size: number, operand: number, axis: number) => Dim;

function build(op: OpDefinition, sample: Sample, naming: Naming, attributes: Attributes): Graph {
  const builder = new GraphBuilder(op.name);
  const origin = { path: "block", span: undefined };
  const inputs = sample.operands.map((operand, index) => {
    const shape = operand.shape.map((size, axis) => naming(size, index, axis));
    return builder.input(`x${index}`, { dtype: operand.dtype, shape }, origin);
  });
  const inference = op.infer(
    inputs.map((input) => input.type),
    attributes,
  );
  if (inference.ok) for (const requirement of inference.requirements) builder.require(requirement, origin);
  const results = builder.apply(op, inputs, attributes, origin);
  const symbols = [
    ...new Set(inputs.flatMap((input) => input.type.shape.flatMap((dim) => [...dim.symbols()]))),
  ];
  return builder.finish(
    results.map((value, index) => ({ name: `y${index}`, value })),
    symbols.map((name) => ({ name, minimum: 0 })),
  );
}

const fixed: Naming = (size) => Dim.of(size);

export function fixedCase(op: OpDefinition, sample: Sample): Case {
  return { graph: build(op, sample, fixed, sample.attributes), bindings: [new Map()] };
}

/**
 * The sample with a symbol for each first dimension, and wherever else that size stands; or, where
 * the op does not allow that, for the first dimension of the first operand alone.
 */
export function symbolicCase(op: OpDefinition, sample: Sample): Case | undefined {
  const first = [...new Set(sample.operands.map((operand) => operand.shape[0] ?? 1))].filter(
    (size) => size > 1,
  );
  if (first.length === 0 || sample.operands.some((operand) => operand.values?.kind === "given"))
    return undefined;
  const named = (size: number) => (first.includes(size) ? Dim.symbol(`D${size}`) : Dim.of(size));
  const alone: Naming = (size, operand, axis) => (operand === 0 && axis === 0 ? named(size) : Dim.of(size));
  const bindings = [0, 2].map((more) => new Map(first.map((size) => [`D${size}`, size + more])));
  const attempts = [
    () =>
      build(
        op,
        sample,
        named,
        mapDims(sample.attributes, (dim) => named(dim.constant ?? 0)),
      ),
    () => build(op, sample, named, sample.attributes),
    () => build(op, sample, alone, sample.attributes),
  ];
  for (const attempt of attempts) {
    try {
      const graph = attempt();
      const open = graph.inputs.some((input) =>
        input.value.type.shape.some((dim) => dim.constant === undefined),
      );
      const allowed = bindings.filter((sizes) =>
        graph.guards.every((guard) => holds(guard.requirement, sizes)),
      );
      if (open && allowed.length === bindings.length) return { graph, bindings };
    } catch {
      // The op refuses these types: the next way of naming asks for less.
    }
  }
  return undefined;
}

function mapDims(attributes: Attributes, change: (dim: Dim) => Dim): Attributes {
  const each = (value: AttributeValue): AttributeValue => {
    if (value instanceof Dim) return change(value);
    if (typeof value !== "object") return value;
    const dims = value.filter((item) => item instanceof Dim);
    return dims.length === value.length ? dims.map(change) : value;
  };
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, each(value)]));
}

function holds({ kind, left, right }: Requirement, sizes: Bindings): boolean {
  const [a, b] = [left.evaluate(sizes), right.evaluate(sizes)];
  if (kind === "equal") return a === b;
  return kind === "at-most" ? a <= b : b % a === 0;
}

export function operandsFor(graph: Graph, sample: Sample, sizes: Bindings): readonly HostTensor[] {
  const random = randomNumbers(7);
  return sample.operands.map((operand, index) => {
    const shape = graph.inputs[index]?.value.type.shape.map((dim) => dim.evaluate(sizes)) ?? [];
    return fillOperand({ ...operand, shape }, random);
  });
}

export function expectedResults(
  op: OpDefinition,
  graph: Graph,
  operands: readonly HostTensor[],
  sizes: Bindings,
) {
  const [node] = graph.nodes;
  if (!node) throw new Error(`${op.name} left no node`);
  return op.reference(operands, {
    attributes: bindAttributes(node.attributes, sizes),
    results: node.results.map(({ type }) => ({
      dtype: type.dtype,
      shape: type.shape.map((dim) => dim.evaluate(sizes)),
    })),
    meter: { mac: (accumulator, a, b) => accumulator + a * b, add: () => {} },
  });
}

export function expectClose(got: HostTensor | undefined, want: HostTensor, tolerance: Tolerance): void {
  expect(got?.dtype).toBe(want.dtype);
  expect(got?.shape).toEqual(want.shape);
  want.data.forEach((value, index) => {
    const found = got?.data[index] ?? Number.NaN;
    if (Object.is(value, found) || value === found) return;
    const off = Math.abs(found - value);
    if (!(off <= tolerance.absolute + tolerance.relative * Math.abs(value))) {
      expect.fail(`element ${index} is ${found} where the reference has ${value}`);
    }
  });
}
