/**
 * From graphs to ONNX models: names, dimensions, stored weights, files.
 */
import { describe, expect, it } from "vitest";
import type { Graph, GraphSymbol, Value } from "../../src/compiler/graph.ts";
import { GraphBuilder } from "../../src/compiler/graph-builder.ts";
import type { HostTensor, WeightSource } from "../../src/compiler/host-tensor.ts";
import { compileOnnx, type OnnxArtefact, type OnnxFile } from "../../src/compiler/onnx/compile.ts";
import { findOp } from "../../src/compiler/ops/index.ts";
import type { OpDefinition } from "../../src/compiler/ops/op.ts";
import type { Attributes } from "../../src/lang/catalog.ts";
import { DiagnosticError } from "../../src/lang/diagnostic.ts";
import { Dim } from "../../src/lang/dims.ts";
import type { TensorType } from "../../src/lang/types.ts";
import { createOnnxSession } from "../../src/runtime/onnx-session.ts";
import { noWeights } from "../support/no-weights.ts";

const type = (dtype: TensorType["dtype"], ...shape: (number | Dim)[]): TensorType => ({
  dtype,
  shape: shape.map((size) => (typeof size === "number" ? Dim.of(size) : size)),
});
const at = (path: string) => ({ path, span: undefined });
const N = Dim.symbol("N");
const M = Dim.symbol("M");
const symbols: GraphSymbol[] = [
  { name: "N", minimum: 1 },
  { name: "M", minimum: 1 },
];

function op(name: string): OpDefinition {
  const found = findOp(name);
  if (!found) throw new Error(`there is no op ${name}`);
  return found;
}

/** A builder with a short way to add a node of one result. */
function builderOf(name: string) {
  const builder = new GraphBuilder(name);
  const add = (
    path: string,
    opName: string,
    operands: readonly Value[],
    attributes: Attributes = {},
  ): Value => {
    const [result] = builder.apply(op(opName), operands, attributes, at(path));
    if (!result) throw new Error(`${opName} has no result`);
    return result;
  };
  const parameter = (path: string, ...shape: number[]) =>
    builder.parameter(path, type("f32", ...shape), { kind: "zeros" }, at(path));
  return { builder, add, parameter };
}

/** Parameters counting up from 0, in Float32Array, with a record of when each was read. */
function countingWeights(): WeightSource & { readonly reads: string[] } {
  const reads: string[] = [];
  const shapes: Record<string, readonly number[]> = {
    "layer.weight": [3, 2],
    "layer.bias": [3],
    "embed.weight": [600, 128],
    "head.weight": [600, 128],
  };
  return {
    reads,
    label: "counting weights",
    names: () => Object.keys(shapes),
    info: (name) => {
      const shape = shapes[name];
      return shape && { dtype: "f32", shape };
    },
    read: async (name): Promise<HostTensor> => {
      reads.push(name);
      const shape = shapes[name] ?? [];
      const count = shape.reduce((a, b) => a * b, 1);
      return { dtype: "f32", shape, data: Float32Array.from({ length: count }, (_, i) => i) };
    },
  };
}

async function bytesOf(file: OnnxFile | undefined): Promise<Uint8Array> {
  if (!file) throw new Error("the file was not made");
  const whole = new Uint8Array(file.byteLength);
  let offset = 0;
  await file.write({
    write: async (bytes) => {
      whole.set(bytes, offset);
      offset += bytes.length;
    },
  });
  expect(offset).toBe(file.byteLength);
  return whole;
}

function onlyModel(artefact: OnnxArtefact) {
  const [file] = artefact.models;
  if (!file) throw new Error("no model was made");
  return file;
}

async function runModel(artefact: OnnxArtefact, inputs: Record<string, HostTensor>) {
  const session = await createOnnxSession(await bytesOf(onlyModel(artefact)), { threads: 1 });
  const results = await session.run(new Map(Object.entries(inputs)));
  await session.release();
  return results;
}

const zeros = (...shape: number[]): HostTensor => ({
  dtype: "f32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** x @ transpose(W) + b */
function linear(): Graph {
  const { builder, add, parameter } = builderOf("linear");
  const x = builder.input("x", type("f32", N, 2), at(""));
  const weight = add("layer", "transpose", [parameter("layer.weight", 3, 2)]);
  const product = add("layer", "matmul", [x, weight]);
  const sum = add("layer", "add", [product, parameter("layer.bias", 3)]);
  return builder.finish([{ name: "y", value: sum }], symbols);
}

describe("names", () => {
  it("come from where values come from", () => {
    const { builder, add, parameter } = builderOf("names");
    const x = builder.input("x", type("f32", 2, 2), at(""));
    const weight = parameter("layer.weight", 3, 2);
    const square = add("encoder.layer.3", "matmul", [x, x]);
    const cube = add("encoder.layer.3", "matmul", [square, x]);
    const wide = add("encoder.layer.3", "matmul", [weight, cube]);
    const norm = add("encoder", "softmax", [wide], { axis: -1 });
    const { model } = onlyModel(
      compileOnnx([builder.finish([{ name: "out", value: norm }], [])], countingWeights()),
    );
    expect(model.nodes.map(({ name }) => name)).toEqual([
      "encoder.layer.3/matmul",
      "encoder.layer.3/matmul_2",
      "encoder.layer.3/matmul_3",
      "encoder/softmax",
    ]);
    expect(model.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs])).toEqual([
      ["x", "x", "encoder.layer.3/matmul"],
      ["encoder.layer.3/matmul", "x", "encoder.layer.3/matmul_2"],
      ["layer.weight", "encoder.layer.3/matmul_2", "encoder.layer.3/matmul_3"],
      ["encoder.layer.3/matmul_3", "out"],
    ]);
    expect(model.initializers.map(({ name }) => name)).toEqual(["layer.weight"]);
  });

  it("never make two tensors one", () => {
    const { builder, add, parameter } = builderOf("names");
    const x = builder.input("layer/matmul", type("f32", 3, 3), at(""));
    const weight = builder.parameter("layer.weight", type("f32", 3, 2), { kind: "zeros" }, at("layer"));
    const other = parameter("layer/add", 3, 2);
    const sum = add("layer", "add", [add("layer", "matmul", [x, weight]), other]);
    const graph = builder.finish([{ name: "layer.weight", value: sum }], []);
    const source: WeightSource = { ...countingWeights(), info: () => ({ dtype: "f32", shape: [3, 2] }) };
    const { model } = onlyModel(compileOnnx([graph], source));
    const made = [
      ...model.inputs.map((input) => input.name),
      ...model.initializers.map((tensor) => tensor.name),
      ...model.nodes.flatMap((node) => node.outputs),
    ];
    expect(new Set(made).size).toBe(made.length);
    expect(made).toContain("layer.weight");
  });
});

describe("dimensions", () => {
  const T = Dim.symbol("T");
  const expressions: readonly Dim[] = [
    N.add(3),
    N.mul(12).sub(40),
    N.mul(M).add(N),
    N.mul(N).sub(N),
    T.sub(400).floorDivide(160).add(1),
    N.sub(7).floorDivide(3),
    N.negate().floorDivide(M),
    N.ceilDivide(4),
    N.sub(20).modulo(6),
    N.floorDivide(M.add(1)),
    Dim.scaled("ceil", 0.7, N),
    Dim.scaled("floor", 0.55, N.mul(100)),
    Dim.scaled("ceil", 0.55, N.mul(100)),
    Dim.scaled("round", 0.5, N),
    Dim.scaled("ceil", 0.7, Dim.scaled("ceil", 0.7, N).add(1)),
    Dim.min(N, M.add(4)),
    Dim.max(Dim.min(N, M), N.sub(M)),
    Dim.of(5),
  ];

  function dimensionGraph(): Graph {
    const { builder } = builderOf("dimensions");
    builder.input("a", type("f32", N, M), at(""));
    builder.input("b", type("f32", T.mul(2).add(6), N), at(""));
    const outputs = expressions.map((dim, index) => ({
      name: `d${index}`,
      value: builder.dimension(dim, "i64", at("sizes")),
    }));
    return builder.finish(outputs, [...symbols, { name: "T", minimum: 1 }]);
  }

  it.each([
    { N: 1, M: 1, T: 1 },
    { N: 10, M: 3, T: 399 },
    { N: 7, M: 12, T: 16000 },
    { N: 23, M: 2, T: 560 },
  ])("are computed from the inputs' shapes: %o", async (sizes) => {
    const results = await runModel(compileOnnx([dimensionGraph()], noWeights), {
      a: zeros(sizes.N, sizes.M),
      b: zeros(2 * sizes.T + 6, sizes.N),
    });
    const got = expressions.map((dim, index) => `${dim}: ${results.get(`d${index}`)?.data[0]}`);
    const bindings = new Map(Object.entries(sizes));
    expect(got).toEqual(expressions.map((dim) => `${dim}: ${dim.evaluate(bindings)}`));
  });

  it("are computed once each", () => {
    const { model } = onlyModel(compileOnnx([dimensionGraph()], noWeights));
    const work = model.nodes.map((node) =>
      [node.opType, node.inputs, JSON.stringify(node.attributes)].join(),
    );
    expect(new Set(work).size).toBe(work.length);
  });

  it("are named on inputs and outputs", () => {
    const { model } = onlyModel(compileOnnx([linear()], countingWeights()));
    expect(model.inputs).toEqual([{ name: "x", elementType: "f32", shape: ["N", 2] }]);
    expect(model.outputs).toEqual([{ name: "y", elementType: "f32", shape: ["N", 3] }]);
  });
});

describe("stored weights", () => {
  it("hold what weights alone determine, so that nothing is left to compute", async () => {
    const weights = countingWeights();
    const artefact = compileOnnx([linear()], weights);
    expect(weights.reads).toEqual([]);
    const { model } = onlyModel(artefact);
    expect(model.nodes.map((node) => node.opType)).toEqual(["MatMul", "Add"]);
    expect(model.initializers.map(({ name, shape }) => [name, shape])).toEqual([
      ["layer.bias", [3]],
      ["layer/transpose", [2, 3]],
    ]);
    const x: HostTensor = { dtype: "f32", shape: [1, 2], data: Float32Array.of(1, 10) };
    const results = await runModel(artefact, { x });
    expect([...(results.get("y")?.data ?? [])]).toEqual([10, 33, 56]);
    expect(weights.reads).toEqual(["layer.bias", "layer.weight"]);
  });

  it("are not stored twice when they are also used as they are", () => {
    const { builder, add, parameter } = builderOf("tied");
    const ids = builder.input("ids", type("i64", N), at(""));
    const embed = parameter("embed.weight", 600, 128);
    const hidden = add("embed", "gather", [embed, ids], { axis: 0 });
    const tied = add("head", "matmul", [hidden, add("head", "transpose", [embed])]);
    const head = parameter("head.weight", 600, 128);
    const untied = add("head", "matmul", [hidden, add("head", "transpose", [head])]);
    const graph = builder.finish(
      [
        { name: "tied", value: tied },
        { name: "untied", value: untied },
      ],
      symbols,
    );
    const { model } = onlyModel(compileOnnx([graph], countingWeights()));
    const stored = model.initializers.filter((tensor) => tensor.content.kind === "weight");
    expect(stored.map(({ shape }) => shape)).toEqual([
      [600, 128],
      [128, 600],
    ]);
    expect(model.nodes.filter((node) => node.opType === "Transpose")).toHaveLength(1);
  });

  it("must be there and have the model's shape", () => {
    const misfit: WeightSource = {
      ...countingWeights(),
      info: (name) => (name === "layer.bias" ? { dtype: "f32", shape: [4] } : undefined),
    };
    const compile = () => compileOnnx([linear()], misfit);
    expect(compile).toThrow(DiagnosticError);
    expect(compile).toThrow(/layer\.weight.*layer\.bias is \[4\].*\[3\]/);
  });
});

describe("outputs", () => {
  it("may be inputs, weights, or one value twice", async () => {
    const { builder, add, parameter } = builderOf("outputs");
    const x = builder.input("x", type("f32", N, 2), at(""));
    const twice = add("block", "add", [x, x]);
    const graph = builder.finish(
      [
        { name: "same", value: x },
        { name: "first", value: twice },
        { name: "second", value: twice },
        { name: "weight", value: parameter("layer.weight", 3, 2) },
      ],
      symbols,
    );
    const data = Float32Array.of(1, 2);
    const results = await runModel(compileOnnx([graph], countingWeights()), {
      x: { dtype: "f32", shape: [1, 2], data },
    });
    expect([...results].map(([name, tensor]) => [name, ...tensor.data])).toEqual([
      ["same", 1, 2],
      ["first", 2, 4],
      ["second", 2, 4],
      ["weight", 0, 1, 2, 3, 4, 5],
    ]);
  });
});

describe("metadata", () => {
  it("lists what a host must know: guards, minimums, sample rates", () => {
    const builder = new GraphBuilder("meta", { sampleRates: new Map([["audio", 16000]]) });
    const audio = builder.input("audio", type("f32", N), at(""));
    builder.require(
      { kind: "at-most", left: N, right: Dim.of(480000), reason: "at most 30 s" },
      at("encoder"),
    );
    const { model } = onlyModel(
      compileOnnx(
        [builder.finish([{ name: "out", value: audio }], [{ name: "N", minimum: 400 }])],
        noWeights,
        {
          producerVersion: "1.2.3",
          metadata: { variant: "small" },
        },
      ),
    );
    expect(model.producerName).toBe("ossicle");
    expect(model.producerVersion).toBe("1.2.3");
    expect(model.metadata).toEqual({
      "ossicle.minimums": '{"N":400}',
      "ossicle.guards":
        '[{"kind":"at-most","left":"N","right":"480000","reason":"at most 30 s","at":"encoder"}]',
      "ossicle.sample-rates": '{"audio":16000}',
      variant: "small",
    });
  });
});

describe("files", () => {
  it("are the same bytes for the same graph and weights", async () => {
    const [first, second] = [linear(), linear()].map((graph) => compileOnnx([graph], countingWeights()));
    if (!first || !second) throw new Error("two were compiled");
    expect(await bytesOf(onlyModel(first))).toEqual(await bytesOf(onlyModel(second)));
  });

  function tiedEntry(name: string): Graph {
    const { builder, add, parameter } = builderOf(name);
    const ids = builder.input("ids", type("i64", N), at(""));
    const hidden = add("embed", "gather", [parameter("embed.weight", 600, 128), ids], { axis: 0 });
    const logits = add("head", "matmul", [
      hidden,
      add("head", "transpose", [parameter("head.weight", 600, 128)]),
    ]);
    return builder.finish([{ name: `logits`, value: logits }], symbols);
  }

  it("share one weight file between entries", async () => {
    const weights = countingWeights();
    const artefact = compileOnnx([tiedEntry("prefill"), tiedEntry("step")], weights, {
      dataFile: "weights.data",
    });
    expect(artefact.models.map((file) => file.fileName)).toEqual(["prefill.onnx", "step.onnx"]);
    const places = artefact.models.map(({ model }) =>
      model.initializers.flatMap(({ content }) => (content.kind === "external" ? [content] : [])),
    );
    expect(places[0]).toEqual(places[1]);
    expect(places[0]?.map(({ location, offset }) => [location, offset % 64])).toEqual([
      ["weights.data", 0],
      ["weights.data", 0],
    ]);
    const tensorBytes = 600 * 128 * 4;
    expect(artefact.data?.fileName).toBe("weights.data");
    expect(artefact.data?.byteLength).toBe(2 * tensorBytes);
    const data = await bytesOf(artefact.data);
    expect(weights.reads).toEqual(["embed.weight", "head.weight"]);
    const floats = new Float32Array(data.buffer);
    expect([...floats.subarray(0, 3)]).toEqual([0, 1, 2]);
    const transposed = floats.subarray(tensorBytes / 4);
    expect([transposed[0], transposed[1], transposed[600]]).toEqual([0, 128, 1]);
  });

  it("start large tensors where every platform can map them, and put weights over 1 GiB beside the model", () => {
    const { builder, add, parameter } = builderOf("large");
    const x = builder.input("x", type("f32", N, 20000), at(""));
    const small = add("block", "add", [x, parameter("small", 20000)]);
    const wide = add("block", "matmul", [small, parameter("wide", 20000, 20000)]);
    const graph = builder.finish([{ name: "y", value: wide }], symbols);
    const shapes: Record<string, readonly number[]> = { small: [20000], wide: [20000, 20000] };
    const source: WeightSource = {
      ...noWeights,
      info: (name) => ({ dtype: "f32", shape: shapes[name] ?? [] }),
    };
    const artefact = compileOnnx([graph], source);
    const offsets = onlyModel(artefact).model.initializers.flatMap(({ content }) =>
      content.kind === "external" ? [content.offset] : [],
    );
    expect(offsets).toEqual([0, 2 * 65536]);
    expect(artefact.data?.fileName).toBe("large.onnx.data");
    const { models, data } = compileOnnx([graph], source, { storage: "inline" });
    expect(data).toBeUndefined();
    expect(models[0]?.byteLength).toBeGreaterThan(1.6e9);
  });
});

describe("ops without an ONNX form", () => {
  it("are all named, with the reason", () => {
    const matmul = op("matmul");
    const odd: OpDefinition = {
      ...matmul,
      name: "odd",
      onnx: { unsupported: "no standard operator does it" },
    };
    const { builder } = builderOf("odd");
    const x = builder.input("x", type("f32", 2, 2), at(""));
    const [first] = builder.apply(odd, [x, x], {}, at("a"));
    if (!first) throw new Error("odd has no result");
    const [second] = builder.apply(odd, [first, x], {}, at("b"));
    if (!second) throw new Error("odd has no result");
    const graph = builder.finish([{ name: "y", value: second }], []);
    try {
      compileOnnx([graph], noWeights);
      expect.unreachable();
    } catch (error) {
      const diagnostics = error instanceof DiagnosticError ? error.diagnostics : [];
      expect(diagnostics.map(({ code, message, notes }) => ({ code, message, notes }))).toEqual([
        {
          code: "onnx-unsupported",
          message: "`odd` cannot be written as ONNX: no standard operator does it",
          notes: ["used by a", "used by b"],
        },
      ]);
    }
  });
});
