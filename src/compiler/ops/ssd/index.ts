/**
 * ssd: the state-space dual of Mamba-2, for whole sequences and for single steps.
 *
 * Owns: the record. One meaning, h_t = exp(dt A) h_{t-1} + dt x ⊗ B and y = C h_t + D x, in two forms
 * (form.ts); what it means in numbers is reference.ts, how it is written for onnxruntime is onnx.ts.
 */
import { opaqueKernel } from "../accounting.ts";
import { numberOf } from "../attributes.ts";
import { defineOp } from "../define.ts";
import { floats } from "../element-types.ts";
import { computed, refuse } from "../match.ts";
import type { OpDefinition, Sample } from "../op.ts";
import { between, normal, sample } from "../samples.ts";
import { costOf, maskedOf } from "./form.ts";
import { loopsOf } from "./loops.ts";
import { emit, emitOrt } from "./onnx.ts";
import { overheadOf } from "./overhead.ts";
import { reference } from "./reference.ts";

interface SampleSizes {
  readonly batch?: number;
  readonly length: number;
  readonly heads?: number;
  readonly width?: number;
  readonly groups?: number;
  readonly state?: number;
}

/** Operands in the ranges of a trained model: positive time steps, negative rates. */
function operands(sizes: SampleSizes, withState: boolean): Sample["operands"] {
  const { batch = 2, length, heads = 4, width = 3, groups = 1, state = 5 } = sizes;
  return [
    normal(batch, length, heads, width),
    between(0.001, 0.9, batch, length, heads),
    between(-4, -0.1, heads),
    normal(batch, length, groups, state),
    normal(batch, length, groups, state),
    normal(heads),
    ...(withState ? [normal(batch, heads, width, state)] : []),
  ];
}

export const ssd: OpDefinition = defineOp({
  name: "ssd",
  summary:
    "The state-space dual: `h = exp(dt A) h + dt x ⊗ B` and `y = C h + D x` at every step, for each head.",
  source: "arXiv:2405.21060, section 6 and listing 1",
  signature:
    "x: b l h p, dt: b l h, A: h, B: b l g n, C: b l g n, D: h, state?: b h p n -> y: b l h p, b h p n",
  attributes: {
    chunk: {
      kind: "integer",
      doc: "the most steps that are computed pair by pair; fewer in the shortest chunks that do",
      default: 64,
    },
  },
  roles: ["activation", "activation", "weight", "activation", "activation", "weight", "state"],
  states: [{ name: "ssm_state", operand: "state", result: 1 }],
  types: (given, attributes) => floats(given, attributes).flatMap((dtype) => [dtype, dtype]),
  solve: (match, attributes) => {
    const chunk = numberOf(attributes, "chunk");
    if (chunk < 1) refuse({ message: `\`chunk\` is ${chunk}; it must be 1 or more` });
    match.atMost(computed(1), match.sourcedDim("l"), "there is at least one step");
    match.divide(match.sourcedDim("h"), match.sourcedDim("g"), "the groups divide the heads");
    return {};
  },
  accounting: {
    family: "scan",
    torchprofile: opaqueKernel,
    fvcore: opaqueKernel,
    overhead: overheadOf,
    masked: maskedOf,
  },
  macs: ({ operands: types, attributes }) => costOf(types, attributes).macs,
  scalar: ({ operands: types, attributes }) => costOf(types, attributes).scalar,
  reference,
  lowering: {
    kind: "kernel",
    reason: "it is several products with a recurrence between them",
    loops: loopsOf,
  },
  onnx: emit,
  ort: emitOrt,
  /** Sums over chunks of products with exponentials of differences. */
  tolerance: { absolute: 1e-4, relative: 1e-4 },
  samples: [
    sample(operands({ length: 7 }, false)),
    sample(operands({ length: 1 }, true)),
    sample(operands({ length: 1, groups: 2 }, false)),
    sample(operands({ length: 1, groups: 2, batch: 3 }, true), { chunk: 8 }),
    sample(operands({ length: 2 }, true), { chunk: 8 }),
    sample(operands({ length: 7, groups: 2 }, true), { chunk: 8 }),
    sample(operands({ length: 8 }, false), { chunk: 8 }),
    sample(operands({ length: 9, groups: 2, batch: 1 }, false), { chunk: 8 }),
    sample(operands({ length: 29, heads: 6, groups: 3, width: 4 }, true), { chunk: 8 }),
    sample(operands({ length: 16, heads: 1, width: 1, state: 1 }, true), { chunk: 4 }),
    sample(operands({ length: 5, batch: 0 }, true), { chunk: 4 }),
    sample(operands({ length: 3 }, true), { chunk: 1 }),
  ],
});
