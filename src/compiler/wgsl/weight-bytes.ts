/**
 * The bytes of a plan's weights, as its kernels read them.
 *
 * Owns: rounding to the stored type. Wider integers and truth values become words of 32 bits; floats are
 * rounded once, to the width that the plan stores.
 */
import { elementCount, type WeightSource } from "../host-tensor.ts";
import { rawData } from "../onnx/raw-data.ts";
import type { PlanWeight } from "../plan.ts";
import type { PlanArtefact } from "./compile.ts";

export async function readWeightBytes(
  { stored }: PlanArtefact,
  weight: PlanWeight,
  source: WeightSource,
): Promise<Uint8Array> {
  const tensor = await stored.tensor(weight.part?.of ?? weight.name, source);
  const first = weight.part?.first ?? 0;
  const data =
    weight.part === undefined ? tensor.data : tensor.data.subarray(first, first + elementCount(weight.shape));
  if (weight.stored === "i8") return new Uint8Array(Int8Array.from(data).buffer);
  return rawData(data, weight.stored);
}
