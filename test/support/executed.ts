/**
 * The multiply-adds that a model executes as ONNX, counted from its operators and the sizes that
 * tensors have while onnxruntime runs it.
 *
 * Owns: a counter that knows operators and nothing of ops. Contractions count wherever they stand. A
 * `Mul` counts when its product becomes a term of a sum or is given out, so that a sum of k products
 * counts k, and when it multiplies a column by a row, which is a matrix product. Whoever asks decides
 * where such products are multiply-adds and where scalar operations.
 */
import type { Graph } from "../../src/compiler/graph.ts";
import type { HostTensor, WeightSource } from "../../src/compiler/host-tensor.ts";
import { compileOnnx } from "../../src/compiler/onnx/compile.ts";
import { encodeModel } from "../../src/compiler/onnx/encode.ts";
import type { OnnxModel, OnnxNode } from "../../src/compiler/onnx/model.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";

export interface Executed {
  readonly node: OnnxNode;
  /** `contraction`: of a matrix product or convolution; `product`: of elements, to be summed. */
  readonly kind: "contraction" | "product";
  readonly macs: number;
}

export async function executedMacs(
  graph: Graph,
  inputs: ReadonlyMap<string, HostTensor>,
  weights: WeightSource,
): Promise<readonly Executed[]> {
  const [file] = compileOnnx([graph], weights, { storage: "inline" }).models;
  if (file === undefined) throw new Error("no model was made");
  const { model } = file;
  const terms = termsOf(model);
  const counted = model.nodes.filter(
    (node) => node.domain === "" && (isContraction(node) || node.opType === "Mul"),
  );
  const tensors = [...new Set(counted.flatMap((node) => [...node.inputs, ...node.outputs]))].filter(
    (name) => name !== "",
  );
  const bytes = new Uint8Array(file.byteLength);
  let offset = 0;
  await file.write({
    write: async (part) => {
      bytes.set(part, offset);
      offset += part.length;
    },
  });
  const probes = await encodeModel(shapeProbes(model, tensors), () =>
    Promise.reject(new Error("no weights")),
  );
  const session = await createOnnxSession(joined(bytes, probes), { threads: 1 });
  try {
    const results = await session.run(inputs);
    const shape = (name: string | undefined): readonly number[] => {
      const found = results.get(probeName(name ?? ""));
      if (found === undefined) throw new Error(`${name} was not measured`);
      return Array.from(found.data);
    };
    return counted
      .filter((node) => isContraction(node) || terms.has(node) || isOuter(node.inputs.map(shape)))
      .map((node) => ({
        node,
        kind: isContraction(node) ? "contraction" : "product",
        macs: macsOf(node, shape),
      }));
  } finally {
    await session.release();
  }
}

const probeName = (tensor: string): string => `shape of ${tensor}`;

/** Nothing but a `Shape` for every tensor, each given out: part of a model, to be joined to the rest. */
function shapeProbes(model: OnnxModel, tensors: readonly string[]): OnnxModel {
  return {
    ...model,
    opsets: {},
    metadata: {},
    inputs: [],
    initializers: [],
    nodes: tensors.map((tensor) => {
      const name = probeName(tensor);
      return { name, opType: "Shape", domain: "", inputs: [tensor], outputs: [name], attributes: {} };
    }),
    outputs: tensors.map((tensor) => ({
      name: probeName(tensor),
      elementType: "i64",
      shape: [`rank of ${tensor}`],
    })),
  };
}

/** Two messages of protobuf, one behind the other, are read as one whose lists are joined. */
function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

type ShapeOf = (name: string | undefined) => readonly number[];

const contractions: Readonly<Record<string, (node: OnnxNode, shape: ShapeOf) => number>> = {
  MatMul: ({ inputs, outputs }, shape) => product(shape(outputs[0])) * (shape(inputs[0]).at(-1) ?? 1),
  Gemm: ({ inputs, outputs, attributes }, shape) => {
    const turned = attributes["transA"];
    const isTurned = turned?.kind === "int" && turned.value === 1;
    return product(shape(outputs[0])) * (shape(inputs[0])[isTurned ? 0 : 1] ?? 1);
  },
  // The weight is [outputs, inputs of a group, …kernel].
  Conv: ({ inputs, outputs }, shape) => product(shape(outputs[0])) * product(shape(inputs[1]).slice(1)),
};

/** Operators that multiply and add and that this counter can't count: better no count than a wrong one. */
const uncounted = new Set([
  "Attention",
  "ConvInteger",
  "ConvTranspose",
  "DFT",
  "Einsum",
  "GRU",
  "LSTM",
  "MatMulInteger",
  "QLinearConv",
  "QLinearMatMul",
  "RNN",
  "STFT",
]);

function isContraction(node: OnnxNode): boolean {
  if (uncounted.has(node.opType)) throw new Error(`${node.name}: ${node.opType} has no rule`);
  return contractions[node.opType] !== undefined;
}

function macsOf(node: OnnxNode, shape: ShapeOf): number {
  return contractions[node.opType]?.(node, shape) ?? product(shape(node.outputs[0]));
}

/** Whether each of two factors is repeated along an axis of the other. */
function isOuter([left = [], right = []]: readonly (readonly number[])[]): boolean {
  const rank = Math.max(left.length, right.length);
  const padded = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [a, b] = [padded(left), padded(right)];
  const repeats = (one: readonly number[], other: readonly number[]) =>
    one.some((size, axis) => size === 1 && (other[axis] ?? 1) > 1);
  return repeats(a, b) && repeats(b, a);
}

/** Operators that hand their input on element by element, or some of it. */
const views = new Set([
  "Cast",
  "Concat",
  "Expand",
  "Gather",
  "Identity",
  "Pad",
  "Reshape",
  "Slice",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);
const sums = new Set(["Add", "CumSum", "ReduceMean", "ReduceSum", "Sub"]);

/** The products that become a term of a sum, or that the model gives out. */
function termsOf(model: OnnxModel): ReadonlySet<OnnxNode> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of model.nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const given = new Set(model.outputs.map((output) => output.name));
  const isSummed = (tensor: string): boolean =>
    given.has(tensor) ||
    (readers.get(tensor) ?? []).some(
      ({ opType, inputs, outputs }) =>
        sums.has(opType) ||
        (views.has(opType) && (opType === "Concat" || inputs[0] === tensor) && outputs.some(isSummed)),
    );
  return new Set(model.nodes.filter(({ opType, outputs }) => opType === "Mul" && outputs.some(isSummed)));
}
