/**
 * Bytes of learned tensors that are stored in fewer bits.
 *
 * Owns: what codes and their scales take. Which tensors those are is storage.ts's.
 */
import { type Dim, productDims } from "../../lang/dims.ts";
import type { Storage } from "../../lang/storage-type.ts";
import type { Parameter } from "../graph.ts";
import { type ChooseStorage, storedMatrices, usualGroup } from "../storage.ts";
import { elementBytes, type GraphCost, type ParameterCost } from "./count.ts";

/** The cost with the bytes of its weights as they are stored. */
export function withStoredBytes(cost: GraphCost, choose: ChooseStorage): GraphCost {
  // Most programs ask for none: then nobody needs to know which tensors are matrices.
  if (cost.parameters.every(({ parameter }) => choose(parameter.path) === undefined)) return cost;
  const stored = new Map<Parameter, Storage>();
  for (const { parameter, storage } of storedMatrices(cost.graph, choose)) stored.set(parameter, storage);
  if (stored.size === 0) return cost;
  const parameters = cost.parameters.map((own): ParameterCost => {
    const storage = stored.get(own.parameter);
    if (storage === undefined || storage.as === "f32") return own;
    return { ...own, bytes: storedBytes(own, storage), stored: storage.as };
  });
  return { ...cost, parameters };
}

function storedBytes({ parameter, elements }: ParameterCost, { as, group }: Storage): Dim {
  if (as !== "int8") return elements.mul(elementBytes[as]);
  const row = productDims(parameter.type.shape.slice(1));
  const shared = group ?? (row.divideExactly(usualGroup) === undefined ? undefined : usualGroup);
  const rows = productDims(parameter.type.shape.slice(0, 1));
  const scales = shared === undefined ? rows : rows.mul(row.ceilDivide(shared));
  return elements.add(scales.mul(elementBytes.f32));
}
