/**
 * OnnxModel to protobuf bytes. The only module that knows onnx-proto.
 *
 * Owns: the wire format. Protobuf fields may come in any order and lengths are known from types
 * and shapes, so the message is written in pieces: first everything small, encoded by onnx-proto,
 * then each initializer with its bytes behind it. No more than one weight is in memory at a time.
 * The same model gives the same bytes.
 */
import onnxProto, { type onnx as Proto } from "onnx-proto";
import { internalFault } from "../fault.ts";
import type { OnnxAttribute } from "./context.ts";
import {
  type ByteSink,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  onnxElementTypes,
  type ReadWeight,
  tensorBytes,
} from "./model.ts";

// A CommonJS module whose names Node cannot see from outside: values come from its default export.
const { onnx } = onnxProto;

/** Field numbers of onnx.proto for the three fields that are written by hand, as `number << 3 | 2`. */
const graphTag = (7 << 3) | 2;
const initializerTag = (5 << 3) | 2;
const rawDataTag = (9 << 3) | 2;

const textEncoder = new TextEncoder();

/** The size of the file that {@link writeModel} makes. */
export function encodedLength(model: OnnxModel): number {
  const { head, graph } = encodeFrame(model);
  return (
    head.length + graph.reduce((total, piece) => total + piece.bytes.length + (piece.weight?.length ?? 0), 0)
  );
}

/** Writes the model; `readWeight` must return as many bytes as the tensor's type and shape say. */
export async function writeModel(model: OnnxModel, readWeight: ReadWeight, sink: ByteSink): Promise<void> {
  const { head, graph } = encodeFrame(model);
  await sink.write(head);
  for (const { bytes, weight } of graph) {
    await sink.write(bytes);
    if (weight === undefined) continue;
    const data = await readWeight(weight.key);
    if (data.length !== weight.length) {
      throw new Error(
        `The weight ${weight.key} has ${data.length} bytes where its type says ${weight.length}.`,
      );
    }
    await sink.write(data);
  }
}

/** The model in one buffer, for what is small enough. */
export async function encodeModel(model: OnnxModel, readWeight: ReadWeight): Promise<Uint8Array> {
  const whole = new Uint8Array(encodedLength(model));
  let offset = 0;
  await writeModel(model, readWeight, {
    write: async (bytes) => {
      whole.set(bytes, offset);
      offset += bytes.length;
    },
  });
  return whole;
}

interface Piece {
  readonly bytes: Uint8Array;
  /** What follows `bytes`. */
  readonly weight: { readonly key: string; readonly length: number } | undefined;
}

function encodeFrame(model: OnnxModel): { head: Uint8Array; graph: readonly Piece[] } {
  const small = onnx.ModelProto.encode({
    irVersion: model.irVersion,
    producerName: model.producerName,
    producerVersion: model.producerVersion,
    docString: model.documentation,
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({ domain, version })),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
  }).finish();
  const graph: Piece[] = [{ bytes: encodeGraphWithoutTensors(model), weight: undefined }];
  for (const initializer of model.initializers) graph.push(encodeInitializer(initializer));
  const graphLength = graph.reduce(
    (total, piece) => total + piece.bytes.length + (piece.weight?.length ?? 0),
    0,
  );
  return { head: concatenate([small, varint(graphTag), varint(graphLength)]), graph };
}

function encodeGraphWithoutTensors(model: OnnxModel): Uint8Array {
  return onnx.GraphProto.encode({
    name: model.name,
    node: model.nodes.map(nodeProto),
    input: model.inputs.map(valueProto),
    output: model.outputs.map(valueProto),
  }).finish();
}

function encodeInitializer(initializer: OnnxInitializer): Piece {
  const { content } = initializer;
  const length = tensorBytes(initializer);
  const proto: Proto.ITensorProto = {
    name: initializer.name,
    dataType: onnxElementTypes[initializer.elementType],
    dims: [...initializer.shape],
  };
  if (content.kind === "external") {
    proto.dataLocation = onnx.TensorProto.DataLocation.EXTERNAL;
    proto.externalData = [
      { key: "location", value: content.location },
      { key: "offset", value: String(content.offset) },
      { key: "length", value: String(length) },
    ];
  } else if (content.kind === "bytes") {
    if (content.bytes.length !== length) {
      throw internalFault(
        `The constant ${initializer.name} has ${content.bytes.length} bytes where its type says ${length}.`,
      );
    }
    proto.rawData = content.bytes;
  }
  const tensor = onnx.TensorProto.encode(proto).finish();
  if (content.kind !== "weight") {
    return { bytes: concatenate([varint(initializerTag), varint(tensor.length), tensor]), weight: undefined };
  }
  const rawHead = concatenate([varint(rawDataTag), varint(length)]);
  return {
    bytes: concatenate([
      varint(initializerTag),
      varint(tensor.length + rawHead.length + length),
      tensor,
      rawHead,
    ]),
    weight: { key: content.key, length },
  };
}

function nodeProto(node: OnnxNode): Proto.INodeProto {
  const proto: Proto.INodeProto = {
    name: node.name,
    opType: node.opType,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attribute]) => attributeProto(name, attribute)),
  };
  if (node.domain !== "") proto.domain = node.domain;
  return proto;
}

function attributeProto(name: string, attribute: OnnxAttribute): Proto.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  switch (attribute.kind) {
    case "int":
      return { name, type: AttributeType.INT, i: attribute.value };
    case "float":
      return { name, type: AttributeType.FLOAT, f: attribute.value };
    case "string":
      return { name, type: AttributeType.STRING, s: textEncoder.encode(attribute.value) };
    case "ints":
      return { name, type: AttributeType.INTS, ints: [...attribute.values] };
    case "floats":
      return { name, type: AttributeType.FLOATS, floats: [...attribute.values] };
  }
}

function valueProto(value: OnnxValueInfo): Proto.IValueInfoProto {
  const dim = value.shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return {
    name: value.name,
    type: { tensorType: { elemType: onnxElementTypes[value.elementType], shape: { dim } } },
  };
}

/** Protobuf's base-128 integer; lengths here go beyond 32 bits, so no bitwise operators. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
