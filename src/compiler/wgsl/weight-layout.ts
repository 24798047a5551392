/**
 * How a stored tensor lies in a weight file and on the device.
 *
 * Owns: its stored type, the scales behind its codes, and the parts of one that no device would let a kernel
 * bind whole.
 */
import { isFloat } from "../../lang/types.ts";
import type { Value } from "../graph.ts";
import { elementCount } from "../host-tensor.ts";
import type { StoredDType } from "../plan.ts";
import type { StoredForm } from "../stored-form.ts";

export interface WeightLayout {
  readonly stored: StoredDType;
  /** Of codes: `depth` elements, `inner` apart, share a scale. */
  readonly rows: { readonly depth: number; readonly inner: number } | undefined;
  readonly parts: readonly WeightPart[];
}

export interface WeightPart {
  /** The number of its first element in the tensor. */
  readonly first: number;
  readonly own: readonly number[];
  readonly bytes: number;
  /** `start`: bytes from the codes; `first`: the number of the first scale in the tensor's. */
  readonly scales:
    | { readonly start: number; readonly first: number; readonly shape: readonly number[] }
    | undefined;
}

/** @param largest bytes that may be bound at once */
export function layOut(
  value: Value,
  shape: readonly number[],
  form: StoredForm | undefined,
  largest: number,
): WeightLayout {
  const rows = form?.kind === "int8" ? form.rows : undefined;
  const stored = storedAs(value, elementCount(shape), form);
  const size = elementCount(shape.slice(1));
  const count = shape[0] ?? 1;
  // Kernels read four elements together; a row of codes stays with its scale.
  const together = rows === undefined ? 4 : Math.max(16, Math.ceil((rows.depth * rows.inner) / size));
  const partOf = (start: number, own: number): WeightPart => {
    const of = shape.length === 0 ? [] : [own, ...shape.slice(1)];
    const elements = elementCount(of);
    if (rows === undefined || stored !== "i8")
      return { first: start * size, own: of, bytes: widths[stored] * elements, scales: undefined };
    const scales = elements / rows.depth;
    const behind = Math.ceil(elements / 16) * 16;
    return {
      first: start * size,
      own: of,
      // Four scales are read together too.
      bytes: behind + 16 * Math.ceil(scales / 4),
      scales: { start: behind, first: (start * size) / rows.depth, shape: [scales] },
    };
  };
  const whole = partOf(0, count);
  if (whole.bytes <= largest) return { stored, rows: stored === "i8" ? rows : undefined, parts: [whole] };
  const perRow = whole.bytes / count;
  const most = Math.max(together, Math.floor((largest - 32) / perRow / together) * together);
  const divides = rows === undefined || (together * size) % (rows.depth * rows.inner) === 0;
  // Codes that can't be parted from their scales stay numbers.
  if (!divides) return layOut(value, shape, undefined, largest);
  const parts: WeightPart[] = [];
  for (let start = 0; start < count; start += most) parts.push(partOf(start, Math.min(most, count - start)));
  return { stored, rows: stored === "i8" ? rows : undefined, parts };
}

const widths: Readonly<Record<StoredDType, number>> = { f32: 4, i32: 4, f16: 2, i8: 1 };

function storedAs({ type }: Value, elements: number, form: StoredForm | undefined): StoredDType {
  if (!isFloat(type.dtype)) return "i32";
  if (form?.kind === "int8") return "i8";
  // Two are one word.
  return form?.kind === "f16" && elements % 4 === 0 ? "f16" : "f32";
}
