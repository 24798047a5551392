/**
 * Element by element, apart from the families: where, cast, hash_uniform.
 */
import type { OnnxContext } from "../onnx/context.ts";
import { dtypeOf, numberOf } from "./attributes.ts";
import { defineOp } from "./define.ts";
import { choice } from "./element-types.ts";
import { increment, multiplier, seedWord, wordMultiplier } from "./hash.ts";
import { refuse } from "./match.ts";
import type { OpDefinition } from "./op.ts";
import { between, given, normal, sample, truthValues, wholes } from "./samples.ts";
import { cast as castScalar, operand, select, x } from "./scalar.ts";
import { exact } from "./tolerances.ts";

export const where: OpDefinition = defineOp({
  name: "where",
  summary: "a where the condition is true, else b.",
  source: "ONNX Where-16",
  signature: "condition: #s, a: #s, b: #s -> #s",
  types: choice,
  lowering: { kind: "map", expression: () => select(operand(0), operand(1), operand(2)) },
  onnx: (context) => [context.node("Where", context.inputs)],
  tolerance: exact,
  samples: [
    sample([truthValues(3, 5), normal(3, 5), normal(3, 5)]),
    sample([truthValues(3, 1), normal(5), normal()]),
    sample([truthValues(2, 3), wholes(0, 9, 1, 3), wholes(0, 9, 2, 1)]),
    sample([truthValues(0, 2), normal(0, 2), normal(2)]),
  ],
});

export const cast: OpDefinition = defineOp({
  name: "cast",
  summary: "The same values in another element type; to an integer towards 0, to bool by being not 0.",
  source: "ONNX Cast-13",
  signature: "x: *s -> *s",
  attributes: { to: { kind: "dtype", doc: "the element type to convert to" } },
  types: (_, attributes) => [dtypeOf(attributes, "to")],
  lowering: { kind: "map", expression: ({ attributes }) => castScalar(x, dtypeOf(attributes, "to")) },
  onnx: (context) => {
    const [input = ""] = context.inputs;
    const from = context.operands[0]?.dtype ?? "f32";
    return [context.cast(input, from, dtypeOf(context.attributes, "to"))];
  },
  tolerance: exact,
  samples: [
    sample([wholes(-9, 9, 3, 5)], { to: "f32" }),
    sample([between(-9, 9, 7)], { to: "i64" }),
    sample([truthValues(2, 3)], { to: "f32" }),
    sample([wholes(-1, 1, 5)], { to: "bool" }),
    sample([wholes(0, 5, 0, 2)], { to: "i32" }),
  ],
  simplify: (node) => {
    const [operand] = node.operands;
    return operand && operand.type.dtype === dtypeOf(node.attributes, "to") ? [operand] : undefined;
  },
});

const word = 2 ** 32;

/** The steps of hash.ts in 64-bit integers: no product exceeds 2^62, and Mod wraps to 32 bits. */
function emitHash(context: OnnxContext, index: string, seed: number): string {
  const literal = (value: number) => context.constant("i64", [value], []);
  const wrap = (value: string) => context.node("Mod", [value, literal(word)]);
  const xor = (a: string, b: string) => context.node("BitwiseXor", [a, b]);
  const shifted = (a: string, bits: number) => context.node("Div", [a, literal(2 ** bits)]);
  const input = xor(wrap(index), literal(seedWord(seed)));
  const state = wrap(
    context.node("Add", [context.node("Mul", [input, literal(multiplier)]), literal(increment)]),
  );
  // state >> ((state >> 28) + 4): the distance is one of sixteen, so its power of two is looked up.
  const powers = context.constant(
    "i64",
    Array.from({ length: 16 }, (_, bits) => 2 ** (bits + 4)),
  );
  const distance = context.node("Gather", [powers, shifted(state, 28)]);
  const mixed = xor(context.node("Div", [state, distance]), state);
  const scrambled = wrap(context.node("Mul", [mixed, literal(wordMultiplier)]));
  const hash = xor(shifted(scrambled, 22), scrambled);
  const fraction = context.cast(shifted(hash, 8), "i64", "f32");
  return context.node("Mul", [fraction, context.constant("f32", [2 ** -24], [])]);
}

export const hashUniform: OpDefinition = defineOp({
  name: "hash_uniform",
  summary: "A number in [0, 1) for each index and seed, the same bits on every target.",
  source: "The pcg hash of Jarzynski and Olano, JCGT 9(3), 2020; its upper 24 bits",
  signature: "index: *s -> *s",
  attributes: { seed: { kind: "integer", doc: "another seed gives other numbers", default: 0 } },
  roles: ["index"],
  types: (operands) => {
    const [index] = operands;
    if (index?.type.dtype === "i64") return ["f32"];
    return refuse({
      message: `\`index\` must be i64, not ${index?.type.dtype}`,
      operands: [{ operand: 0, axis: 0 }],
    });
  },
  lowering: {
    kind: "map",
    expression: ({ attributes }) => ({ kind: "hash-uniform", x, seed: numberOf(attributes, "seed") }),
  },
  onnx: (context) => [emitHash(context, context.inputs[0] ?? "", numberOf(context.attributes, "seed"))],
  tolerance: exact,
  samples: [
    sample([given("i64", [7], [0, 1, 2, 3, -1, 4294967295, 4294967296])], { seed: 0 }),
    sample([wholes(0, 2 ** 40, 3, 5)], { seed: 7 }),
    sample([wholes(0, 9)], { seed: -3 }),
    sample([wholes(0, 9, 0)], { seed: 1 }),
  ],
});

export const chooseOps: readonly OpDefinition[] = [where, cast, hashUniform];
