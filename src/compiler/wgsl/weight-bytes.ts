/**
 * The bytes of a plan's weights, as its kernels read them.
 *
 * Owns: the tensors of the weight file, and rounding to the stored type. Wider integers and truth values become
 * words of 32 bits; floats are rounded once, to the width that the plan stores.
 */
import { internalFault } from "../fault.ts";
import { elementCount, type WeightSource } from "../host-tensor.ts";
import { rawData } from "../onnx/raw-data.ts";
import type { PlanWeight, StoredDType } from "../plan.ts";
import type { PlanArtefact } from "./compile.ts";

/** A tensor of the weight file: a weight, or the scales of one. */
export interface FileTensor {
  readonly name: string;
  readonly stored: StoredDType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

const widths: Readonly<Record<StoredDType, number>> = { f32: 4, i32: 4, f16: 2, i8: 1 };

export function fileTensors(weights: readonly PlanWeight[]): FileTensor[] {
  return weights.flatMap(({ name, stored, shape, scales }) => {
    const tensor = (of: string, as: StoredDType, sizes: readonly number[]): FileTensor => ({
      name: of,
      stored: as,
      shape: sizes,
      bytes: widths[as] * elementCount(sizes),
    });
    const own = tensor(name, stored, shape);
    return scales === undefined ? [own] : [own, tensor(scales.name, "f32", scales.shape)];
  });
}

export async function readWeightBytes(
  { plan, stored }: PlanArtefact,
  { name }: Pick<FileTensor, "name">,
  source: WeightSource,
): Promise<Uint8Array> {
  const weight = plan.weights.find((one) => one.name === name || one.scales?.name === name);
  if (weight === undefined) throw internalFault(`the plan has no weight ${name}`);
  const { of: key, first } = weight.part ?? { of: weight.name, first: 0 };
  const count = elementCount(weight.shape);
  if (weight.scales !== undefined) {
    const { codes, scales } = await stored.coded(key, source);
    if (name === weight.name) return new Uint8Array(codes.buffer, first, count);
    const start = Math.round((first / codes.length) * scales.length);
    return rawData(scales.subarray(start, start + elementCount(weight.scales.shape)), "f32");
  }
  const { data } = await stored.tensor(key, source);
  return rawData(weight.part === undefined ? data : data.subarray(first, first + count), weight.stored);
}
