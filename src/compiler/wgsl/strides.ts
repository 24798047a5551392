/**
 * Distances between neighbours of a tensor that lies in row-major order.
 */
import { Dim } from "../../lang/dims.ts";

export function rowMajorDims(shape: readonly Dim[]): Dim[] {
  const strides = shape.map(() => Dim.of(1));
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? Dim.of(1)).mul(shape[axis + 1] ?? 1);
  return strides;
}
