/**
 * Graph to OnnxModel, through each op's own lowering.
 *
 * Owns: what surrounds the ops' lowerings: names from provenance, constants, stored weights as
 * initializers, the graph's interface, the version of the standard. Knows no op by name and no
 * byte of the file format (encode.ts).
 */

import { type Diagnostic, DiagnosticError } from "../../lang/diagnostic.ts";
import type { Dim } from "../../lang/dims.ts";
import type { DType, TensorType } from "../../lang/types.ts";
import { internalFault } from "../fault.ts";
import type { Graph, Guard, Node, Value } from "../graph.ts";
import { elementCount, type HostTensor } from "../host-tensor.ts";
import type { StoredForm } from "../stored-form.ts";
import type { OnnxAttribute, OnnxContext, OnnxProfile } from "./context.ts";
import {
  type OnnxElementType,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensorContent,
  type OnnxValueInfo,
  onnxElementTypes,
  tensorBytes,
} from "./model.ts";
import { Names } from "./names.ts";
import { irVersion, lowestOpset } from "./opsets.ts";
import { rawData } from "./raw-data.ts";
import { ShapeEmitter } from "./shape.ts";
import { type StoredWeights, staticShape, storedValues } from "./weights.ts";

export interface EmitOptions {
  readonly profile: OnnxProfile;
  readonly producerVersion: string;
  readonly documentation: string;
  /** Added to what the graph itself says in the model's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Constants up to this size are part of the model, where shape inference sees them; larger ones are weights. */
const inlineConstantBytes = 1024;

/** Where onnxruntime keeps the operators that are not in the standard. */
const ownDomain = "com.microsoft";

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export function emitOnnx(graph: Graph, weights: StoredWeights, options: EmitOptions): OnnxModel {
  const emitter = new GraphEmitter(graph, weights, options.profile);
  const { nodes, initializers } = emitter.emit();
  const opset = lowestOpset(nodes.flatMap((node) => (node.domain === "" ? [node.opType] : [])));
  const others = new Set(nodes.flatMap((node) => (node.domain === "" ? [] : [node.domain])));
  return {
    name: graph.name,
    irVersion: irVersion(opset),
    opsets: { "": opset, ...Object.fromEntries([...others].map((domain) => [domain, 1])) },
    producerName: "ossicle",
    producerVersion: options.producerVersion,
    documentation: options.documentation,
    metadata: { ...graphMetadata(graph), ...options.metadata },
    inputs: graph.inputs.map((input) => valueInfo(input.name, input.value.type)),
    outputs: graph.outputs.map((output) => valueInfo(output.name, output.value.type)),
    nodes,
    initializers,
  };
}

class GraphEmitter {
  readonly #graph: Graph;
  readonly #weights: StoredWeights;
  readonly #profile: OnnxProfile;
  readonly #stored: ReadonlySet<Value>;
  /** What the model calls them, which may differ from what the program does. */
  readonly #inputs: ReadonlyMap<Value, string>;
  readonly #names = new Names();
  readonly #shapes: ShapeEmitter;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxInitializer[] = [];
  readonly #constants = new Map<string, string>();
  readonly #storedNames = new Map<string, string>();
  readonly #tensors = new Map<Value, string>();

  constructor(graph: Graph, weights: StoredWeights, profile: OnnxProfile) {
    this.#graph = graph;
    this.#weights = weights;
    this.#profile = profile;
    this.#stored = storedValues(graph);
    this.#inputs = new Map(graph.inputs.map((input) => [input.value, input.name]));
    const minimums = new Map(graph.symbols.map((symbol) => [symbol.name, symbol.minimum]));
    this.#shapes = new ShapeEmitter(
      {
        node: (expression, opType, inputs, attributes) => {
          const output = this.#names.unique(expression);
          this.#push(output, opType, inputs, [output], attributes);
          return output;
        },
        constant: (elementType, values, shape) => this.#constant(elementType, values, shape),
      },
      graph.inputs.map((input) => ({ name: input.name, type: input.value.type })),
      minimums,
    );
  }

  emit(): { nodes: readonly OnnxNode[]; initializers: readonly OnnxInitializer[] } {
    for (const { name } of [...this.#graph.inputs, ...this.#graph.outputs]) {
      if (!this.#names.reserve(name)) {
        throw internalFault(
          `${this.#graph.name} has two inputs or outputs called ${name}, which ONNX cannot have`,
        );
      }
    }
    // Weights keep their checkpoint names: they are reserved before any node takes one.
    for (const value of this.#graph.parameters) if (this.#stored.has(value)) this.#initializer(value);
    const needed = this.#neededNodes();
    refuseUnsupported(needed);
    for (const node of needed) this.#node(node);
    return { nodes: this.#nameOutputs(), initializers: this.#initializers };
  }

  /** The nodes that still have to run, in the graph's order. */
  #neededNodes(): readonly Node[] {
    const needed = new Set<Node>();
    const pending = this.#graph.outputs.map((output) => output.value);
    for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
      if (this.#stored.has(value) || value.source.kind !== "result" || needed.has(value.source.node))
        continue;
      needed.add(value.source.node);
      pending.push(...value.source.node.operands);
    }
    return this.#graph.nodes.filter((node) => needed.has(node));
  }

  #node(node: Node): void {
    const { onnx, ort } = node.op;
    if (typeof onnx !== "function")
      throw internalFault(`${node.op.name} has no ONNX lowering`, node.provenance);
    const base = this.#names.unique(scoped(node.provenance.path, node.op.name));
    const local: OnnxNode[] = [];
    const addTo = (
      domain: string,
      opType: string,
      inputs: readonly string[],
      outputs: number,
      attributes: OnnxAttributes = {},
    ) => {
      const first = this.#names.unique(`${base}/${opType}`);
      const names = Array.from({ length: outputs }, (_, i) =>
        i === 0 ? first : this.#names.unique(`${first}.${i}`),
      );
      local.push({ name: first, opType, domain, inputs, outputs: names, attributes });
      return names;
    };
    const add = (
      opType: string,
      inputs: readonly string[],
      outputs: number,
      attributes: OnnxAttributes = {},
    ) => addTo("", opType, inputs, outputs, attributes);
    const context: OnnxContext = {
      inputs: node.operands.map((operand) => this.#tensor(operand)),
      operands: node.operands.map((operand) => operand.type),
      results: node.results.map((result) => result.type),
      attributes: node.attributes,
      node: (opType, inputs, attributes) => add(opType, inputs, 1, attributes)[0] ?? base,
      nodes: add,
      ownNodes: (opType, inputs, outputs, attributes) =>
        addTo(ownDomain, opType, inputs, outputs, attributes),
      constant: (dtype, values, shape) => this.#constant(dtype, values, shape ?? [values.length]),
      dims: (dims) => this.#shapes.vector(dims),
      dim: (dim) => this.#shapes.scalar(dim),
      cast: (name, from, to) => (from === to ? name : (add("Cast", [name], 1, castTo(to))[0] ?? base)),
    };
    const lower = this.#profile === "ort" ? (ort ?? onnx) : onnx;
    const results = lower(context);
    if (results.length !== node.results.length) {
      throw internalFault(
        `the ONNX lowering of ${node.op.name} gives ${results.length} results where the op has ${node.results.length}`,
        node.provenance,
      );
    }
    this.#adopt(node, base, local, results);
  }

  /** Takes the nodes of one lowering over; what holds a result of the graph's node is named as that node is. */
  #adopt(node: Node, base: string, local: readonly OnnxNode[], results: readonly string[]): void {
    const made = new Set(local.flatMap((part) => part.outputs));
    const final = new Map<string, string>();
    results.forEach((result, index) => {
      if (made.has(result) && !final.has(result)) {
        final.set(result, index === 0 ? base : this.#names.unique(`${base}.${index}`));
      }
    });
    this.#nodes.push(...local.map((part) => renamed(part, final)));
    node.results.forEach((value, index) => {
      const name = results[index] ?? base;
      this.#tensors.set(value, final.get(name) ?? name);
    });
  }

  #tensor(value: Value): string {
    if (value.source.kind === "input") return this.#inputs.get(value) ?? value.source.name;
    if (this.#stored.has(value)) return this.#initializer(value);
    const name = this.#tensors.get(value);
    if (name === undefined) throw internalFault("a value is used before it is computed");
    return name;
  }

  #initializer(value: Value): string {
    if (value.source.kind === "constant") {
      const { tensor } = value.source;
      if (tensorBytes({ elementType: tensor.dtype, shape: tensor.shape }) <= inlineConstantBytes) {
        return this.#constantOf(tensor.dtype, tensor.data, tensor.shape);
      }
    }
    const key = this.#weights.key(value);
    const known = this.#storedNames.get(key);
    if (known !== undefined) return known;
    const name = this.#names.unique(storedName(value));
    this.#storedNames.set(key, name);
    const shape = staticShape(value);
    const form = this.#weights.form(key);
    if (form !== undefined) this.#unpacked(name, key, form, shape);
    else this.#addWeight(name, key, value.type.dtype, shape);
    return name;
  }

  #addWeight(name: string, key: string, elementType: OnnxElementType, shape: readonly number[]): string {
    this.#initializers.push({ name, elementType, shape, content: { kind: "weight", key } });
    return name;
  }

  /** What is stored in fewer bits, as the f32 that it stands for. */
  #unpacked(name: string, key: string, form: StoredForm, shape: readonly number[]): void {
    if (form.kind === "f16") {
      const stored = this.#addWeight(this.#names.unique(`${name}.f16`), key, "f16", shape);
      this.#push(this.#names.unique(`${name}/Cast`), "Cast", [stored], [name], castTo("f32"));
      return;
    }
    const { outer, depth, inner } = form.rows;
    const codes = this.#names.unique(`${name}.codes`);
    const scales = this.#names.unique(`${name}.scales`);
    this.#addWeight(codes, `${key}.codes`, "i8", [outer, depth, inner]);
    this.#addWeight(scales, `${key}.scales`, "f32", [outer, 1, inner]);
    const apart = this.#names.unique(`${name}/DequantizeLinear`);
    this.#push(apart, "DequantizeLinear", [codes, scales], [apart], {
      axis: { kind: "int", value: 1 },
      block_size: { kind: "int", value: depth },
    });
    const wanted = this.#constant("i64", shape, [shape.length]);
    this.#push(this.#names.unique(`${name}/Reshape`), "Reshape", [apart, wanted], [name]);
  }

  #constant(elementType: OnnxElementType, values: readonly number[], shape: readonly number[]): string {
    return this.#constantOf(elementType, Float64Array.from(values), shape);
  }

  #constantOf(elementType: OnnxElementType, data: HostTensor["data"], shape: readonly number[]): string {
    if (elementCount(shape) !== data.length) {
      throw internalFault(`a constant of shape [${shape.join(", ")}] cannot hold ${data.length} values`);
    }
    const values = Array.from(data, (value) => (Object.is(value, -0) ? "-0" : String(value))).join(", ");
    const text = `${elementType}${shape.length === 1 ? "" : `[${shape.join(", ")}]`} ${values}`;
    const known = this.#constants.get(text);
    if (known !== undefined) return known;
    const short = data.length <= 8 && shape.length <= 1;
    const name = this.#names.unique(
      short
        ? `${elementType}${shape.length === 0 ? `(${values})` : `[${values}]`}`
        : `${elementType}_constant`,
    );
    this.#constants.set(text, name);
    const content: OnnxTensorContent = { kind: "bytes", bytes: rawData(data, elementType) };
    this.#initializers.push({ name, elementType, shape, content });
    return name;
  }

  #push(
    name: string,
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: OnnxAttributes = {},
  ): void {
    this.#nodes.push({ name, opType, domain: "", inputs, outputs, attributes });
  }

  /** Renames the tensors that the graph gives out; one that no node makes, or that is given out twice, is copied. */
  #nameOutputs(): readonly OnnxNode[] {
    const made = new Set(this.#nodes.flatMap((node) => node.outputs));
    const final = new Map<string, string>();
    const copies: [from: string, to: string][] = [];
    for (const { name, value } of this.#graph.outputs) {
      const tensor = this.#tensor(value);
      if (made.has(tensor) && !final.has(tensor)) final.set(tensor, name);
      else copies.push([tensor, name]);
    }
    for (const [from, to] of copies)
      this.#push(this.#names.unique(`${to}/Identity`), "Identity", [from], [to]);
    return this.#nodes.map((node) => renamedTensors(node, final));
  }
}

function renamed(node: OnnxNode, names: ReadonlyMap<string, string>): OnnxNode {
  return { ...renamedTensors(node, names), name: names.get(node.outputs[0] ?? "") ?? node.name };
}

function renamedTensors(node: OnnxNode, names: ReadonlyMap<string, string>): OnnxNode {
  const rename = (name: string) => names.get(name) ?? name;
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
}

function castTo(to: DType): OnnxAttributes {
  return { to: { kind: "int", value: onnxElementTypes[to] } };
}

function scoped(path: string, name: string): string {
  return path === "" ? name : `${path}/${name}`;
}

function storedName({ source, type }: Value): string {
  switch (source.kind) {
    case "parameter":
      return source.parameter.path;
    case "constant":
      return `${type.dtype}_constant`;
    case "result":
      return scoped(source.node.provenance.path, source.node.op.name);
    case "input":
      throw internalFault(`the input ${source.name} cannot be stored with a model`);
  }
}

function valueInfo(name: string, type: TensorType): OnnxValueInfo {
  const shape = type.shape.map((dim: Dim) => dim.constant ?? String(dim));
  return { name, elementType: type.dtype, shape };
}

/** What a host needs beyond the tensor types: which sizes are allowed, and at what rate audio is expected. */
function graphMetadata(graph: Graph): Record<string, string> {
  const metadata: Record<string, string> = {};
  const rates = graph.inputs.filter((input) => input.sampleRate !== undefined);
  if (graph.symbols.length > 0) {
    metadata["ossicle.minimums"] = JSON.stringify(
      Object.fromEntries(graph.symbols.map((symbol) => [symbol.name, symbol.minimum])),
    );
  }
  if (graph.guards.length > 0) metadata["ossicle.guards"] = JSON.stringify(graph.guards.map(guardText));
  const states = statePorts(graph);
  if (states.length > 0) metadata["ossicle.states"] = JSON.stringify(states);
  if (rates.length > 0) {
    metadata["ossicle.sample-rates"] = JSON.stringify(
      Object.fromEntries(rates.map((input) => [input.name, input.sampleRate])),
    );
  }
  return metadata;
}

/** Which input goes on from which output. A sequence starts with zeros. */
function statePorts({ inputs, outputs }: Graph): Record<string, string>[] {
  return outputs.flatMap(({ state, name }) => {
    if (state === undefined) return [];
    const input = inputs.find((port) => port.state === state)?.name;
    return [{ state, ...(input !== undefined && { input }), output: name }];
  });
}

function guardText({ requirement, provenance }: Guard): Record<string, string> {
  const { kind, left, right, reason } = requirement;
  return { kind, left: String(left), right: String(right), reason, at: provenance.path };
}

function refuseUnsupported(nodes: readonly Node[]): void {
  const found = new Map<string, Node[]>();
  for (const node of nodes) {
    if (typeof node.op.onnx === "function") continue;
    found.set(node.op.name, [...(found.get(node.op.name) ?? []), node]);
  }
  const diagnostics = [...found.entries()].flatMap(([name, users]) => unsupported(name, users));
  if (diagnostics.length > 0) throw new DiagnosticError(diagnostics);
}

function unsupported(name: string, users: readonly Node[]): Diagnostic[] {
  const [first] = users;
  if (first === undefined || typeof first.op.onnx === "function") return [];
  const { span, path } = first.provenance;
  return [
    {
      code: "onnx-unsupported",
      severity: "error",
      message: `\`${name}\` cannot be written as ONNX: ${first.op.onnx.unsupported}`,
      ...(span && { primary: { span, text: path } }),
      related: [],
      notes: users.map((node) => `used by ${node.provenance.path}`),
      edits: [],
    },
  ];
}
