/**
 * A graph that holds another's matrix products and nothing else: what the time of a model is measured by.
 *
 * Every product has the sizes it has in the model, with weights of its own, and reads the result of
 * the one before it, so that none can be left out. Keys and values are inputs: were they results too,
 * numbers would grow without bound from layer to layer.
 */
import { type Bindings, evaluateDim } from "../src/compiler/bind.ts";
import type { Graph, Node, Value } from "../src/compiler/graph.ts";
import { GraphBuilder } from "../src/compiler/graph-builder.ts";
import { elementCount, type HostTensor, type WeightSource } from "../src/compiler/host-tensor.ts";
import { findOp } from "../src/compiler/ops/index.ts";
import { chunksOf, sizesOf } from "../src/compiler/ops/ssd/form.ts";
import type { Attributes } from "../src/lang/catalog.ts";
import { Dim } from "../src/lang/dims.ts";
import type { TensorType } from "../src/lang/types.ts";

export interface Products {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, HostTensor>;
  readonly weights: WeightSource;
  /** The same as the model's. */
  readonly macs: number;
}

export function productsOf(graph: Graph, bindings: Bindings): Products {
  const writer = new ProductWriter();
  let macs = 0;
  for (const node of graph.nodes) {
    const operands = node.operands.map((value) => value.type);
    const results = node.results.map((value) => value.type);
    const cost = evaluateDim(node.op.cost({ operands, results, attributes: node.attributes }).macs, bindings);
    // Short filters are no matrix products.
    if (cost === 0 || node.op.accounting.family === "convolution") continue;
    macs += cost;
    const found =
      node.op.accounting.family === "scan" ? scanProducts(node, bindings) : [productOf(node, bindings)];
    for (const product of found) writer.add(product);
  }
  return { ...writer.finish(), macs };
}

interface Product {
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** Whether the right operand is a weight. */
  readonly learned: boolean;
}

/** A convolution over patches is the product of its windows and its weights. */
function productOf(node: Node, bindings: Bindings): Product {
  const sizeOf = (value: Value | undefined): number[] =>
    (value?.type.shape ?? []).map((dim) => evaluateDim(dim, bindings));
  const [left = [], right = []] = node.operands.map(sizeOf);
  if (
    left.length !== 4 ||
    node.op.lowering.kind !== "contract" ||
    right.length !== 4 ||
    left[3] === right[2]
  ) {
    return { left, right, learned: right.length === 2 };
  }
  const [channels = 1, ...window] = right;
  const depth = elementCount(window);
  return {
    left: [elementCount(sizeOf(node.results[0])) / channels, depth],
    right: [depth, channels],
    learned: true,
  };
}

/** Those of the chunked form (arXiv:2405.21060, section 6), for all chunks at once. */
function scanProducts(node: Node, bindings: Bindings): Product[] {
  const types = node.operands.map((value) => value.type);
  const sizes = sizesOf(types);
  const chunks = chunksOf(sizes.length, node.attributes);
  const bound = (dim: Dim): number => evaluateDim(dim, bindings);
  const [batch = 1, heads = 1, groups = 1] = [sizes.batch, sizes.heads, sizes.groups].map(bound);
  const [width = 1, state = 1] = [sizes.width, sizes.state].map(bound);
  const [count = 1, size = 1] = [chunks.count, chunks.length].map(bound);
  const of = (parts: number, left: readonly number[], right: readonly number[]): Product => {
    const all = batch * parts * count;
    return { left: [all, ...left], right: [all, ...right], learned: false };
  };
  return [
    of(groups, [size, state], [state, size]),
    of(heads, [size, size], [size, width]),
    of(heads, [width, size], [size, state]),
    of(heads, [size, state], [state, width]),
  ];
}

class ProductWriter {
  readonly #builder = new GraphBuilder("products");
  readonly #inputs = new Map<string, HostTensor>();
  readonly #values = new Map<string, Value>();
  readonly #weights = new Map<string, HostTensor>();
  #last: Value | undefined;

  add({ left, right, learned }: Product): void {
    const from = this.#last === undefined ? this.#input(left, 1) : this.#shaped(this.#last, left);
    const deviation = Math.sqrt(1 / (right.at(-2) ?? 1));
    const by = learned ? this.#weight(right, deviation) : this.#input(right, deviation);
    this.#last = this.#apply("matmul", [from, by], {});
  }

  finish(): Omit<Products, "macs"> {
    if (this.#last === undefined)
      throw new Error("a model without matrix products can't be measured by them");
    const tensors = this.#weights;
    return {
      graph: this.#builder.finish([{ name: "result", value: this.#last }], []),
      inputs: this.#inputs,
      weights: {
        label: "noise",
        names: () => [...tensors.keys()],
        info: (name) => tensors.get(name),
        read: async (name) => tensors.get(name) ?? noise([0], 1),
      },
    };
  }

  #input(size: readonly number[], deviation: number): Value {
    const name = `input_${size.join("_")}`;
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    this.#inputs.set(name, noise(size, deviation));
    const value = this.#builder.input(name, typed(size));
    this.#values.set(name, value);
    return value;
  }

  #weight(size: readonly number[], deviation: number): Value {
    const name = `weight_${this.#weights.size}`;
    this.#weights.set(name, noise(size, deviation));
    return this.#builder.parameter(name, typed(size), { kind: "zeros" }, { path: "", span: undefined });
  }

  #apply(name: string, operands: readonly Value[], attributes: Attributes): Value {
    const op = findOp(name);
    const [result] =
      op === undefined ? [] : this.#builder.apply(op, operands, attributes, { path: "", span: undefined });
    if (result === undefined) throw new Error(`there is no op ${name}`);
    return result;
  }

  /** The value's numbers in another shape; where there are too many or too few, some are cut off or added. */
  #shaped(value: Value, size: readonly number[]): Value {
    const count = elementCount(value.type.shape.map((dim) => dim.constant ?? 0));
    const wanted = elementCount(size);
    if (count === wanted) return this.#apply("reshape", [value], { shape: typed(size).shape });
    const flat = this.#apply("reshape", [value], { shape: typed([count]).shape });
    const fitted =
      count < wanted
        ? this.#apply("concat", [flat, this.#input([wanted - count], 1)], { axis: 0 })
        : this.#apply("slice", [flat], {
            starts: typed([0]).shape,
            stops: typed([wanted]).shape,
            steps: [1],
          });
    return this.#apply("reshape", [fitted], { shape: typed(size).shape });
  }
}

function typed(size: readonly number[]): TensorType {
  return { dtype: "f32", shape: size.map((length) => Dim.of(length)) };
}

/** Numbers of the given deviation around 0; a fast generator, since they only have to differ. */
export function noise(shape: readonly number[], deviation: number): HostTensor {
  const data = new Float32Array(elementCount(shape));
  let state = data.length;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = (state / 2 ** 31) * deviation * Math.sqrt(3);
  }
  return { dtype: "f32", shape, data };
}
