/**
 * Arrays in NumPy's `.npy` format, versions 1 to 3.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * Owns: both directions for numbers and booleans. Reads either byte order and both memory orders and
 * hands out row-major tensors; writes little-endian, row-major, version 1.
 */
import { allocate, elementCount, type HostTensor, type TensorData } from "../compiler/host-tensor.ts";
import type { DType } from "../lang/types.ts";
import { countOf, failure } from "./failure.ts";
import { fromF16Bits, narrowF16 } from "./half.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

interface ElementType {
  readonly dtype: DType;
  readonly bytes: number;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

/** By the descriptor without its byte order. */
const elementTypes: ReadonlyMap<string, ElementType> = new Map([
  ["f2", { dtype: "f16", bytes: 2, read: (view, at, little) => fromF16Bits(view.getUint16(at, little)) }],
  ["f4", { dtype: "f32", bytes: 4, read: (view, at, little) => view.getFloat32(at, little) }],
  ["f8", { dtype: "f32", bytes: 8, read: (view, at, little) => view.getFloat64(at, little) }],
  ["i1", { dtype: "i32", bytes: 1, read: (view, at) => view.getInt8(at) }],
  ["u1", { dtype: "i32", bytes: 1, read: (view, at) => view.getUint8(at) }],
  ["i2", { dtype: "i32", bytes: 2, read: (view, at, little) => view.getInt16(at, little) }],
  ["i4", { dtype: "i32", bytes: 4, read: (view, at, little) => view.getInt32(at, little) }],
  ["i8", { dtype: "i64", bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) }],
  ["b1", { dtype: "bool", bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) }],
] satisfies [string, ElementType][]);

interface Header {
  readonly type: ElementType;
  readonly littleEndian: boolean;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  readonly dataStart: number;
}

/**
 * `f8` is held as f32 in Float64Array, `f4` and `f2` in Float32Array, `i8` as i64 in Float64Array.
 * @throws DiagnosticError with a code `npy-…`
 */
export function readNpy(bytes: Uint8Array, label: string): HostTensor {
  const header = parseHeader(bytes, label);
  const { type, shape } = header;
  const count = elementCount(shape);
  const found = bytes.length - header.dataStart;
  const expected = count * type.bytes;
  if (found !== expected) {
    const wrong = found < expected ? "ends before its data does" : "goes on after its data";
    throw failure("npy-length", `${label} ${wrong}.`, {
      notes: [`shape [${shape.join(", ")}] takes ${countOf(expected, "byte")}, the file has ${found}`],
      hint: "The file is damaged; write or copy it again.",
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + header.dataStart, expected);
  const data = storageFor(type, count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, i * type.bytes, header.littleEndian);
  if (type.dtype === "i64") requireExact(data, label);
  return { dtype: type.dtype, shape, data: header.columnMajor ? toRowMajor(data, type, shape) : data };
}

function storageFor(type: ElementType, count: number): TensorData {
  if (type.dtype === "f16" || (type.dtype === "f32" && type.bytes === 4)) return new Float32Array(count);
  return allocate(type.dtype, [count]).data;
}

function requireExact(data: TensorData, label: string): void {
  const wrong = data.find((value) => !Number.isSafeInteger(value));
  if (wrong === undefined) return;
  throw failure("npy-integer", `${label} holds an integer near ${wrong}, which is beyond 2^53.`, {
    hint: "Indices and token ids must be exact in double precision.",
  });
}

/** Element [i, j, …] of a column-major array lies at i + j·n0 + …. */
function toRowMajor(data: TensorData, type: ElementType, shape: readonly number[]): TensorData {
  const out = storageFor(type, data.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      from += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
      from -= next * (strides[axis] ?? 0);
    }
  }
  return out;
}

function parseHeader(bytes: Uint8Array, label: string): Header {
  if (bytes.length < 10 || magic.some((byte, index) => bytes[index] !== byte)) {
    throw failure("npy-header", `${label} is not a NumPy array file.`, {
      hint: "Write it with numpy.save(path, array).",
    });
  }
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) {
    throw failure("npy-version", `${label} is of version ${version} of the format; 1 to 3 can be read.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textStart = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? 0 : view.getUint32(8, true);
  if (length === 0 || textStart + length > bytes.length) {
    throw failure("npy-header", `${label} ends within its header.`, {
      hint: "The file is damaged; write it again.",
    });
  }
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(
    bytes.subarray(textStart, textStart + length),
  );
  return { ...parseDescription(text, label), dataStart: textStart + length };
}

/** The header is a Python dictionary of exactly three keys. */
function parseDescription(text: string, label: string): Omit<Header, "dataStart"> {
  const description = /'descr'\s*:\s*'([<>|=])(\w+)'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (description === null && /'descr'/.test(text)) {
    throw failure("npy-dtype", `${label} holds records or another element type that cannot be read.`, {
      notes: [text.trim().slice(0, 200)],
    });
  }
  if (description === null || order === null || shape === null) {
    throw failure("npy-header", `The header of ${label} cannot be understood.`, {
      notes: [text.trim().slice(0, 200)],
    });
  }
  const type = elementTypes.get(description[2] ?? "");
  if (type === undefined) {
    throw failure(
      "npy-dtype",
      `${label} has the element type '${description[1]}${description[2]}', which cannot be read.`,
      {
        notes: [`readable are ${[...elementTypes.keys()].join(", ")}, in either byte order`],
        hint: "Convert it first, with array.astype(numpy.float32) for instance.",
      },
    );
  }
  const sizes = (shape[1] ?? "").split(",").map((part) => part.trim().replace(/L$/, ""));
  const numbers = sizes.filter((part) => part !== "").map(Number);
  const bytes = numbers.includes(0) ? 0 : numbers.reduce((total, size) => total * size, type.bytes);
  if (!numbers.every(Number.isSafeInteger) || !Number.isSafeInteger(bytes)) {
    throw failure("npy-header", `The shape of ${label} is (${shape[1]}).`, {
      notes: ["no file can hold so much"],
    });
  }
  return {
    type,
    littleEndian: description[1] !== ">",
    columnMajor: order[1] === "True",
    shape: numbers,
  };
}

/** `bf16`, which NumPy does not have, is written as `<f4`; every other dtype as itself. */
export function writeNpy(tensor: HostTensor): Uint8Array {
  const { descriptor, values } = encodeValues(tensor);
  const axes = tensor.shape.map((size) => `${size},`).join(" ");
  const text = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${axes}), }`;
  // The data starts at a multiple of 64 bytes; the header ends with a line feed.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + length + values.byteLength).fill(0x20, 0, 10 + length);
  out.set([...magic, 1, 0]);
  new DataView(out.buffer).setUint16(8, length, true);
  out.set(new TextEncoder().encode(text), 10);
  out[10 + length - 1] = 0x0a;
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + length);
  return out;
}

function encodeValues({ dtype, data }: HostTensor): { descriptor: string; values: ArrayBufferView } {
  switch (dtype) {
    case "f32":
    case "bf16":
      return { descriptor: "<f4", values: data instanceof Float32Array ? data : Float32Array.from(data) };
    case "f16":
      return { descriptor: "<f2", values: narrowF16(data) };
    case "i64":
      return { descriptor: "<i8", values: BigInt64Array.from(Array.from(data, (value) => BigInt(value))) };
    case "i32":
      return { descriptor: "<i4", values: Int32Array.from(data) };
    case "bool":
      return { descriptor: "|b1", values: Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)) };
  }
}
