/**
 * Products whose factors are multiplied in 16 bits and added up in 32.
 *
 * Owns: which products those are, where a plan is compiled for devices that have such numbers, and how a term
 * of the sum is written. Only products with learned matrices: their factors stay far from the end of 16 bits,
 * where the energies of a front end do not.
 */
import type { Value } from "../../graph.ts";
import { learnedIn } from "../../storage.ts";
import { type KernelWriter, type Lanes, type Term, typeText } from "../kernel-writer.ts";
import type { Buffers } from "../reader.ts";
import { widened } from "../scalar-text.ts";

/** How wide factors are; sums are always of 32 bits. */
export type Arithmetic = "f32" | "f16";

/** Adds a times b to a sum. */
export type MultiplyAdd = (sum: string | undefined, a: Term, b: Term) => void;

/** @param right the second factor of the product */
export function multiplyAdd(
  writer: KernelWriter,
  lanes: Lanes,
  right: Value,
  { arithmetic, buffers }: { readonly arithmetic: Arithmetic; readonly buffers: Buffers },
): MultiplyAdd {
  if (arithmetic === "f32" || !isLearnedMatrix(right, buffers)) {
    return (sum, a, b) =>
      writer.line(`${sum} = fma(${widened(a, lanes).text}, ${widened(b, lanes).text}, ${sum});`);
  }
  writer.require("shader-f16");
  const halved = (term: Term): string =>
    writer.remember(
      `half ${term.text}`,
      () => ({ ...term, text: `${term.lanes === 4 ? "vec4<f16>" : "f16"}(${term.text})` }),
      "h",
    ).text;
  // A lane of four that are known as halves is a half.
  const factor = (term: Term): string => {
    const [whole = "", lane] = term.text.split(".");
    return lane === undefined || !/^\w+$/.test(whole)
      ? halved(term)
      : `${halved({ ...term, text: whole, lanes: 4 })}.${lane}`;
  };
  return (sum, a, b) => writer.line(`${sum} += ${typeText("f32", lanes)}(${factor(a)} * ${factor(b)});`);
}

function isLearnedMatrix(value: Value, buffers: Buffers): boolean {
  const located = buffers.located(value);
  if (located !== undefined) return located.place.kind === "weight" && learnedIn(value).length > 0;
  const { source } = value;
  if (source.kind !== "result" || source.node.op.lowering.kind !== "view") return false;
  const [operand, another] = source.node.operands;
  return operand !== undefined && another === undefined && isLearnedMatrix(operand, buffers);
}
