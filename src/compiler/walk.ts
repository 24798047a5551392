/**
 * Visiting every element of a shape in row-major order.
 *
 * Owns: the odometer and the strides of broadcasting. Nothing here allocates per element.
 */
import { elementCount, rowMajorStrides } from "./host-tensor.ts";

/**
 * Calls `visit` with the element's row-major position, the offset that each of `strides` gives it,
 * and its coordinates. Both lists are reused from call to call.
 */
export function walk(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (position: number, offsets: readonly number[], coordinates: readonly number[]) => void,
): void {
  const count = elementCount(shape);
  const coordinates = shape.map(() => 0);
  const offsets = strides.map(() => 0);
  for (let position = 0; position < count; position++) {
    visit(position, offsets, coordinates);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (coordinates[axis] ?? 0) + 1;
      const wraps = next === shape[axis];
      for (let k = 0; k < strides.length; k++) {
        const stride = strides[k]?.[axis] ?? 0;
        offsets[k] = (offsets[k] ?? 0) + (wraps ? stride * (1 - next) : stride);
      }
      coordinates[axis] = wraps ? 0 : next;
      if (!wraps) break;
    }
  }
}

/** Strides that read `from` as if it had shape `to`: aligned at the last axis, 0 where it repeats. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = rowMajorStrides(from);
  const lead = to.length - from.length;
  return to.map((_, axis) => (axis < lead || from[axis - lead] === 1 ? 0 : (strides[axis - lead] ?? 0)));
}
