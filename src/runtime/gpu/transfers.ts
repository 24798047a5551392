/**
 * Host tensors as the words that kernels see, and back: f32 as it is, i64 and i32 as i32, bool as u32.
 */
import { elementCount, type HostTensor } from "../../compiler/host-tensor.ts";
import type { PlanDType, PlanPort } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";

/** A tensor's words, four bytes each. */
export type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export const wordBytes = 4;

/** @throws DiagnosticError `input-dtype`, `input-length`, `input-range` */
export function toWords({ name, dtype }: PlanPort, tensor: HostTensor): Words {
  const { data, shape } = tensor;
  const count = elementCount(shape);
  if (data.length !== count) {
    throw failure("input-length", `The input ${name} has ${data.length} values; its shape has ${count}.`);
  }
  // Wider floats were widened exactly when they were read, and integers of either width fit a word.
  const kind = (type: string): string =>
    /^(?:f|bf)/.test(type) ? "float" : type === "bool" ? type : "integer";
  if (kind(tensor.dtype) !== kind(dtype)) {
    throw failure("input-dtype", `The input ${name} is ${tensor.dtype}; it must be ${dtype}.`);
  }
  switch (dtype) {
    case "f32":
      return Float32Array.from(data);
    case "bool":
      return Uint32Array.from(data, (value) => (value === 0 ? 0 : 1));
    case "i64":
    case "i32": {
      const words = Int32Array.from(data);
      const at = words.findIndex((word, index) => word !== data[index]);
      if (at < 0) return words;
      throw failure("input-range", `The input ${name} holds ${data[at]}, which is no integer of 32 bits.`);
    }
  }
}

/** @param bytes start their own buffer, which becomes the tensor's */
export function fromWords(dtype: PlanDType, shape: readonly number[], bytes: ArrayBuffer): HostTensor {
  switch (dtype) {
    case "f32":
      return { dtype, shape, data: new Float32Array(bytes) };
    case "i32":
      return { dtype, shape, data: new Int32Array(bytes) };
    case "i64":
      return { dtype, shape, data: Float64Array.from(new Int32Array(bytes)) };
    case "bool":
      return { dtype, shape, data: Uint8Array.from(new Uint32Array(bytes)) };
  }
}
