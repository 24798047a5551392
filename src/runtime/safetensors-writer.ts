/**
 * Writing checkpoints in the safetensors format.
 *
 * Owns: the byte layout. The same tensors give the same bytes, whatever the order of the map: tensors
 * are ordered by element size, widest first so that each is aligned, then by name; metadata by key.
 */
import type { HostTensor } from "../compiler/host-tensor.ts";
import { elementCount } from "../compiler/host-tensor.ts";
import type { DType } from "../lang/types.ts";
import type { ByteSink } from "./byte-source.ts";
import { failure } from "./failure.ts";
import { narrowBf16, narrowF16 } from "./half.ts";

const storage: Readonly<Record<DType, { readonly name: string; readonly bytes: number }>> = {
  f32: { name: "F32", bytes: 4 },
  f16: { name: "F16", bytes: 2 },
  bf16: { name: "BF16", bytes: 2 },
  i64: { name: "I64", bytes: 8 },
  i32: { name: "I32", bytes: 4 },
  bool: { name: "BOOL", bytes: 1 },
};

/** Elements converted at a time, so that a tensor is not in memory twice. */
const piece = 1 << 20;

/** A tensor to be written, read when its turn comes. */
export interface TensorToWrite {
  readonly dtype: DType;
  readonly shape: readonly number[];
  read(): Promise<HostTensor>;
}

/** Values are rounded to their dtype: an `f32` tensor computed in f64 is stored in four bytes. */
export async function writeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  sink: ByteSink,
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  for (const [name, { shape, data }] of tensors) {
    if (elementCount(shape) !== data.length) throw unwritable(name, shape, data.length);
  }
  const entries = [...tensors].map(
    ([name, tensor]) => [name, { ...tensor, read: async () => tensor }] as const,
  );
  await streamSafetensors(new Map(entries), sink, metadata);
}

/** The same for tensors that are not in memory: one at a time is. Each is rounded to the dtype given. */
export async function streamSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite>,
  sink: ByteSink,
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const ordered = [...tensors].sort(
    ([a, left], [b, right]) => storage[right.dtype].bytes - storage[left.dtype].bytes || compareText(a, b),
  );
  await sink.write(encodeHeader(ordered, metadata));
  for (const [name, { dtype, shape, read }] of ordered) {
    const { data } = await read();
    if (data.length !== elementCount(shape)) throw unwritable(name, shape, data.length);
    for (let start = 0; start < data.length; start += piece) {
      await sink.write(encodeValues(dtype, data.subarray(start, start + piece)));
    }
  }
}

/** By code unit: no locale, the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unwritable(name: string, shape: readonly number[], values: number): Error {
  return failure("safetensors-write", `The tensor '${name}' cannot be written.`, {
    notes: [`shape [${shape.join(", ")}], ${values} values`],
  });
}

function encodeHeader(
  ordered: readonly (readonly [string, TensorToWrite])[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array {
  const fields: string[] = [];
  if (metadata.size > 0) {
    const entries = [...metadata].sort(([a], [b]) => compareText(a, b));
    const members = entries.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    fields.push(`"__metadata__":{${members.join(",")}}`);
  }
  let offset = 0;
  for (const [name, { dtype, shape }] of ordered) {
    const count = elementCount(shape);
    if (name === "__metadata__") throw unwritable(name, shape, count);
    const end = offset + count * storage[dtype].bytes;
    const entry = { dtype: storage[dtype].name, shape, data_offsets: [offset, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  // Spaces after the JSON bring the data to a multiple of eight bytes.
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

function encodeValues(dtype: DType, values: HostTensor["data"]): Uint8Array {
  const encoded = encodeArray(dtype, values);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

function encodeArray(dtype: DType, values: HostTensor["data"]): ArrayBufferView {
  switch (dtype) {
    case "f32":
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case "f16":
      return narrowF16(values);
    case "bf16":
      return narrowBf16(values);
    case "i64":
      return BigInt64Array.from(Array.from(values, (value) => BigInt(value)));
    case "i32":
      return values instanceof Int32Array ? values : Int32Array.from(values);
    case "bool":
      return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  }
}
