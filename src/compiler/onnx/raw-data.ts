/**
 * Host tensors as the bytes of ONNX's raw_data: little-endian, row-major, without padding.
 *
 * Owns: the conversion and its rounding (to nearest, ties to even). Every platform that Node and
 * browsers run on is little-endian, so typed arrays are viewed, not swapped.
 */
import type { HostTensor, TensorData } from "../host-tensor.ts";
import type { OnnxElementType } from "./model.ts";

/** A view of the tensor's own memory where its values already lie as `elementType` needs them, else a copy. */
export function rawData(data: HostTensor["data"], elementType: OnnxElementType): Uint8Array {
  switch (elementType) {
    case "f32":
      return view(data instanceof Float32Array ? data : Float32Array.from(data));
    case "f64":
      return view(data instanceof Float64Array ? data : Float64Array.from(data));
    case "i32":
      return view(data instanceof Int32Array ? data : Int32Array.from(data));
    case "bool":
      return Uint8Array.from(data, (value) => (value === 0 ? 0 : 1));
    case "i8":
      return Uint8Array.from(data);
    case "i64":
      return view(integers(data));
    case "f16":
      return view(Uint16Array.from(data, (value) => smallFloatBits(value, 10, 15)));
    case "bf16":
      return view(Uint16Array.from(data, (value) => smallFloatBits(value, 7, 127)));
  }
}

function view(array: TensorData | Uint16Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function integers(data: TensorData): BigInt64Array {
  const values = new BigInt64Array(data.length);
  for (let i = 0; i < data.length; i++) values[i] = BigInt(data[i] ?? 0);
  return values;
}

const doubleWords = new DataView(new ArrayBuffer(8));

/** The 16 bits of a sign, an exponent with this bias and this many mantissa bits. */
export function smallFloatBits(value: number, mantissaBits: number, bias: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const infinity = (2 * bias + 1) << mantissaBits;
  if (Number.isNaN(value)) return infinity | (1 << (mantissaBits - 1));
  const magnitude = Math.abs(value);
  doubleWords.setFloat64(0, magnitude);
  const exponent = Math.max((doubleWords.getUint32(0) >>> 20) - 1023, 1 - bias);
  // Below the smallest normal number the leading bit is not implied, and the exponent field stays 0.
  // A mantissa that rounds up to the next power of two carries into the exponent field by itself.
  const mantissa = roundToEven(magnitude * 2 ** (mantissaBits - exponent));
  const bits = ((exponent + bias - 1) << mantissaBits) + mantissa;
  return sign | (magnitude > 2 ** 128 ? infinity : Math.min(bits, infinity));
}

function roundToEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
