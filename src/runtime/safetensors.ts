/**
 * Reading checkpoints in the safetensors format (https://huggingface.co/docs/safetensors).
 *
 * Layout: header length (u64, little-endian), header (JSON), tensor bytes. Owns: checking that every
 * byte is accounted for before anything is believed, and reading one tensor at a time by range.
 * The header's own checks are in safetensors-header.ts; writing is in safetensors-writer.ts.
 * Typed arrays are little-endian, as every platform with WebGPU or onnxruntime is.
 */
import type { HostTensor, TensorData, WeightSource } from "../compiler/host-tensor.ts";
import { elementCount } from "../compiler/host-tensor.ts";
import type { DiagnosticError } from "../lang/diagnostic.ts";
import type { DType } from "../lang/types.ts";
import { type ByteSource, bytesSource } from "./byte-source.ts";
import { countOf, failure } from "./failure.ts";
import { widenBf16, widenF16 } from "./half.ts";
import {
  largestHeader,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "./safetensors-header.ts";

export interface Safetensors extends WeightSource {
  /** The `__metadata__` of the header. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks the header; tensors are read when asked for.
 * `f16` and `bf16` tensors keep their dtype and are widened exactly to Float32Array. F64 becomes f32
 * held in Float64Array; U8, I8, I16 and U16 become i32, U32 becomes i64.
 * @throws DiagnosticError with a code `safetensors-…`
 */
export async function openSafetensors(source: ByteSource): Promise<Safetensors> {
  const { label } = source;
  const { header, dataStart } = await readSafetensorsHeader(source);
  const names = [...header.tensors.keys()];
  return {
    label,
    metadata: header.metadata,
    names: () => names,
    info(name) {
      const entry = header.tensors.get(name);
      return entry && { dtype: hostDType(entry.storage), shape: entry.shape };
    },
    async read(name) {
      const entry = header.tensors.get(name);
      if (entry === undefined) {
        throw failure("safetensors-no-tensor", `${label} holds no tensor named '${name}'.`);
      }
      const bytes = await source.read(dataStart + entry.begin, entry.end - entry.begin);
      return decodeTensor(label, name, entry, bytes);
    },
  };
}

/**
 * The header alone, and where the data begins.
 * @throws DiagnosticError with a code `safetensors-…`
 */
export async function readSafetensorsHeader(
  source: ByteSource,
): Promise<{ readonly header: SafetensorsHeader; readonly dataStart: number }> {
  const { label } = source;
  if (source.size < 8)
    throw await notSafetensors(source, `${label} has only ${countOf(source.size, "byte")}`);
  const start = await source.read(0, 8);
  const headerLength = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (headerLength > largestHeader || headerLength < 2) {
    throw await notSafetensors(source, `its first 8 bytes give a header of ${headerLength} bytes`);
  }
  if (headerLength > source.size - 8) {
    throw failure("safetensors-truncated", `${label} ends within its header.`, {
      notes: [
        `the header takes ${countOf(headerLength, "byte")}, the file has ${source.size - 8} after the length`,
      ],
      hint: "The file is incomplete, or not a safetensors file; download or copy it again.",
    });
  }
  const header = parseSafetensorsHeader(
    label,
    await source.read(8, headerLength),
    source.size - 8 - headerLength,
  );
  return { header, dataStart: 8 + headerLength };
}

/** The same, for bytes already in memory. */
export function openSafetensorsBytes(label: string, bytes: Uint8Array): Promise<Safetensors> {
  return openSafetensors(bytesSource(label, bytes));
}

export function hostDType(storage: TensorEntry["storage"]): DType {
  switch (storage) {
    case "F32":
    case "F64":
      return "f32";
    case "F16":
      return "f16";
    case "BF16":
      return "bf16";
    case "I64":
    case "U32":
      return "i64";
    case "I32":
    case "U8":
    case "I8":
    case "I16":
    case "U16":
      return "i32";
    case "BOOL":
      return "bool";
  }
}

export function decodeTensor(label: string, name: string, entry: TensorEntry, bytes: Uint8Array): HostTensor {
  return {
    dtype: hostDType(entry.storage),
    shape: entry.shape,
    data: decodeValues(label, name, entry, bytes),
  };
}

function decodeValues(label: string, name: string, entry: TensorEntry, bytes: Uint8Array): TensorData {
  // ByteSource.read hands out arrays that start their own buffer, so any width may view them.
  const { buffer, byteOffset } = bytes;
  const count = elementCount(entry.shape);
  switch (entry.storage) {
    case "F32":
      return new Float32Array(buffer, byteOffset, count);
    case "F64":
      return new Float64Array(buffer, byteOffset, count);
    case "F16":
      return widenF16(new Uint16Array(buffer, byteOffset, count));
    case "BF16":
      return widenBf16(new Uint16Array(buffer, byteOffset, count));
    case "I32":
      return new Int32Array(buffer, byteOffset, count);
    case "I64":
      return exactIntegers(label, name, new BigInt64Array(buffer, byteOffset, count));
    case "U32":
      return Float64Array.from(new Uint32Array(buffer, byteOffset, count));
    case "U8":
      return Int32Array.from(bytes);
    case "I8":
      return Int32Array.from(new Int8Array(buffer, byteOffset, count));
    case "I16":
      return Int32Array.from(new Int16Array(buffer, byteOffset, count));
    case "U16":
      return Int32Array.from(new Uint16Array(buffer, byteOffset, count));
    case "BOOL":
      return booleans(label, name, bytes);
  }
}

function exactIntegers(label: string, name: string, values: BigInt64Array): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const exact = values[i] ?? 0n;
    const value = Number(exact);
    if (!Number.isSafeInteger(value)) {
      throw failure("safetensors-integer", `'${name}' of ${label} holds ${exact}, which is beyond 2^53.`, {
        hint: "Indices and token ids must be exact in double precision.",
      });
    }
    out[i] = value;
  }
  return out;
}

function booleans(label: string, name: string, bytes: Uint8Array): Uint8Array {
  const wrong = bytes.find((byte) => byte > 1);
  if (wrong !== undefined) {
    throw failure("safetensors-boolean", `'${name}' of ${label} is boolean but holds the byte ${wrong}.`, {
      notes: ["a boolean is stored as 0 or 1"],
    });
  }
  return bytes;
}

/** Says what the file is instead, where its first bytes tell. */
async function notSafetensors(source: ByteSource, why: string): Promise<DiagnosticError> {
  const start = await source.read(0, Math.min(source.size, 64));
  const text = String.fromCharCode(...start);
  const message = `${source.label} is not a safetensors file: ${why}.`;
  if (text.startsWith("version https://git-lfs")) {
    return failure(
      "safetensors-header",
      `${source.label} is a Git LFS pointer, not the weights themselves.`,
      {
        hint: "Fetch the file that it stands for with `git lfs pull`.",
      },
    );
  }
  const known = otherFormats.find((format) => text.startsWith(format.magic));
  return failure("safetensors-header", message, {
    notes: known === undefined ? [] : [`it looks like ${known.name}`],
    hint: "Weights are read from safetensors files; convert others with the library that wrote them.",
  });
}

const otherFormats: readonly { readonly magic: string; readonly name: string }[] = [
  { magic: "PK\u0003\u0004", name: "a PyTorch checkpoint or another ZIP archive" },
  { magic: "\u0080\u0002", name: "a pickled PyTorch checkpoint" },
  { magic: "GGUF", name: "a GGUF file" },
  { magic: "\u0089HDF", name: "an HDF5 file" },
  { magic: "\u0093NUMPY", name: "a NumPy array" },
  { magic: "<", name: "a web page" },
  { magic: "{", name: "JSON text, perhaps the index of a checkpoint in several files" },
];
