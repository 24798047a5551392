/**
 * An ONNX model as plain data: what emit.ts makes and encode.ts turns into bytes.
 *
 * Owns: the shape of that data and the sizes of its tensors. Knows no protobuf and no file. Large
 * tensors are named, not held: a `weight` is produced when the model is written (weights.ts), so a
 * model of any size is a small value.
 */
import type { DType } from "../../lang/types.ts";
import { elementCount } from "../host-tensor.ts";
import type { OnnxAttribute } from "./context.ts";

/** `f64` exists for the arithmetic of scaled dimensions only, `i8` for the codes of weights. */
export type OnnxElementType = DType | "f64" | "i8";

/** The numbers of onnx.proto's TensorProto.DataType. */
export const onnxElementTypes: Readonly<Record<OnnxElementType, number>> = {
  f32: 1,
  f16: 10,
  bf16: 16,
  f64: 11,
  i64: 7,
  i32: 6,
  i8: 3,
  bool: 9,
};

/** A dimension is a number, or the text of a symbolic expression (`dim_param`). */
export interface OnnxValueInfo {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** `""` is the default domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxTensorContent =
  /** Little-endian and row-major, as ONNX's raw_data. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** Produced while writing; `key` is the same for the same tensor in every model of an artefact. */
  | { readonly kind: "weight"; readonly key: string }
  /** Lies in another file beside the model. */
  | { readonly kind: "external"; readonly location: string; readonly offset: number };

export interface OnnxInitializer {
  readonly name: string;
  readonly elementType: OnnxElementType;
  readonly shape: readonly number[];
  readonly content: OnnxTensorContent;
}

export interface OnnxModel {
  readonly name: string;
  readonly irVersion: number;
  /** Versions by domain; the default domain is `""`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly documentation: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Takes bytes in order. Whoever opens a file or a buffer provides one. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** The bytes of a `weight` initializer; asked for once for each one, in the order of the file. */
export type ReadWeight = (key: string) => Promise<Uint8Array>;

const elementBytes: Readonly<Record<OnnxElementType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  f64: 8,
  i64: 8,
  i32: 4,
  i8: 1,
  bool: 1,
};

export function tensorBytes(tensor: Pick<OnnxInitializer, "elementType" | "shape">): number {
  return elementBytes[tensor.elementType] * elementCount(tensor.shape);
}
