/**
 * matmul: the product of matrices, with leading dimensions that broadcast.
 */

import { Dim } from "../../lang/dims.ts";
import { allocate } from "../host-tensor.ts";
import { broadcastStrides, walk } from "../walk.ts";
import { doubles, multiplyAdd } from "./arithmetic.ts";
import { elementsOf } from "./cost.ts";
import { defineOp } from "./define.ts";
import { floats } from "./element-types.ts";
import { at, broadcastIndices } from "./indices.ts";
import type { OpDefinition } from "./op.ts";
import { normal, sample } from "./samples.ts";
import { accumulated } from "./tolerances.ts";

export const matmul: OpDefinition = defineOp({
  name: "matmul",
  summary: "The product of matrices; leading dimensions broadcast.",
  source: "ONNX MatMul-13, without vectors",
  signature: "a: #b m k, b: #b k n -> #b m n",
  types: floats,
  macs: ({ operands, results }) => elementsOf(results[0]).mul(operands[0]?.shape.at(-1) ?? Dim.of(1)),
  reference: ([a, b], { results, meter }) => {
    const [result] = results;
    if (!a || !b || !result) return [];
    const out = allocate(result.dtype, result.shape);
    const [m = 1, k = 1] = a.shape.slice(-2);
    const n = b.shape.at(-1) ?? 1;
    const batch = result.shape.slice(0, -2);
    // Strides in whole matrices: 0 where an operand's matrix serves several.
    const strides = [a, b].map((operand) => broadcastStrides(operand.shape.slice(0, -2), batch));
    const [left, right, target] = [doubles(a.data), doubles(b.data), doubles(out.data)];
    walk(batch, strides, (position, [i = 0, j = 0]) => {
      multiplyAdd(
        m,
        n,
        k,
        { data: left, offset: i * m * k },
        { data: right, offset: j * k * n },
        { data: target, offset: position * m * n },
        meter,
      );
    });
    return [out];
  },
  lowering: {
    kind: "contract",
    axes: ({ operands, results }) => {
      const rank = results[0]?.shape.length ?? 2;
      const [a = [], b = []] = operands.map((type) => type.shape);
      const batch = (shape: readonly Dim[]) => broadcastIndices(shape.slice(0, -2), rank - 2);
      return {
        reduce: [a.at(-1) ?? Dim.of(1)],
        left: [...batch(a), at(rank - 2), at(rank)],
        right: [...batch(b), at(rank), at(rank - 1)],
        padded: false,
        bias: undefined,
      };
    },
  },
  onnx: (context) => [context.node("MatMul", context.inputs)],
  tolerance: accumulated,
  samples: [
    sample([normal(3, 5), normal(5, 7)]),
    sample([normal(2, 3, 1, 11), normal(3, 11, 4)]),
    sample([normal(5, 1, 2, 3), normal(1, 7, 3, 1)]),
    sample([normal(1, 131), normal(131, 2)]),
    sample([normal(2, 0, 3), normal(3, 4)]),
    sample([normal(2, 0), normal(0, 3)]),
  ],
});
