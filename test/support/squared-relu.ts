/**
 * squared_relu: the activation of Primer.
 */
import { defineOp } from "../../src/compiler/ops/define.ts";
import { floats } from "../../src/compiler/ops/element-types.ts";
import type { OpDefinition } from "../../src/compiler/ops/op.ts";
import { normal, sample } from "../../src/compiler/ops/samples.ts";
import { max, mul, x } from "../../src/compiler/ops/scalar.ts";
import { rounded } from "../../src/compiler/ops/tolerances.ts";

const positive = max(x, 0);

export const squaredRelu: OpDefinition = defineOp({
  name: "squared_relu",
  summary: "The square of x where it is positive, else 0.",
  source: "arXiv:2109.08668; ONNX Relu-14 and Mul-14",
  signature: "x: *s -> *s",
  types: floats,
  lowering: { kind: "map", expression: () => mul(positive, positive) },
  onnx: (context) => {
    const [input = ""] = context.inputs;
    const kept = context.node("Relu", [input]);
    return [context.node("Mul", [kept, kept])];
  },
  tolerance: rounded,
  samples: [sample([normal(3, 5)]), sample([normal()]), sample([normal(0, 4)])],
});
