/**
 * Ops of two operands, element by element, that broadcast as numpy's do.
 *
 * Owns: the family, and the two simplifications it shares: adding 0 and multiplying by 1.
 */
import { isFloat, sameType } from "../../lang/types.ts";
import type { Node, Value } from "../graph.ts";
import type { OnnxContext } from "../onnx/context.ts";
import { productAccounting } from "./accounting.ts";
import { defineOp } from "./define.ts";
import {
  comparison,
  type ElementTypeRule,
  floats,
  integers,
  isInteger,
  numbers,
  truths,
} from "./element-types.ts";
import type { LoweringContext, Scalar } from "./lowering.ts";
import type { Accounting, OpDefinition, SampleOperand, Tolerance } from "./op.ts";
import { between, normal, sample, truthValues, wholes } from "./samples.ts";
import { add, binary, div, mul, sub, x, y } from "./scalar.ts";
import { exact, rounded, transcendental } from "./tolerances.ts";

type Draw = (...shape: number[]) => SampleOperand;

interface BinaryRow {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly expression: Scalar | ((context: LoweringContext) => Scalar);
  readonly onnx: string | ((context: OnnxContext, x: string, y: string) => string);
  readonly types: ElementTypeRule;
  readonly tolerance: Tolerance;
  readonly draw?: readonly [Draw, Draw];
  /** Integers to try too, for an op that takes them. */
  readonly drawIntegers?: readonly [Draw, Draw];
  /** The operand that changes nothing on the right, and whether it changes nothing on the left. */
  readonly accounting?: Accounting;
  readonly neutral?: { readonly value: number; readonly bothSides: boolean };
}

function binaryOp(row: BinaryRow): OpDefinition {
  const { expression, onnx, neutral } = row;
  const [left, right] = row.draw ?? [normal, normal];
  const whole = row.drawIntegers;
  return defineOp({
    name: row.name,
    summary: row.summary,
    source: row.source,
    signature: "x: #s, y: #s -> #s",
    types: row.types,
    ...(row.accounting && { accounting: row.accounting }),
    lowering: { kind: "map", expression: typeof expression === "function" ? expression : () => expression },
    onnx: (context) => {
      const [a = "", b = ""] = context.inputs;
      return [typeof onnx === "string" ? context.node(onnx, [a, b]) : onnx(context, a, b)];
    },
    tolerance: row.tolerance,
    samples: [
      sample([left(3, 5), right(3, 5)]),
      sample([left(2, 1, 7), right(5, 1)]),
      sample([left(), right(3)]),
      sample([left(0, 3), right(1, 3)]),
      ...(whole ? [sample([whole[0](4, 3), whole[1](3)])] : []),
    ],
    ...(neutral && {
      simplify: (node: Node) => {
        const [a, b] = node.operands;
        if (a && b && holdsOnly(b, neutral.value) && keepsType(node, a)) return [a];
        if (a && b && neutral.bothSides && holdsOnly(a, neutral.value) && keepsType(node, b)) return [b];
        return undefined;
      },
    }),
  });
}

function holdsOnly(value: Value, number: number): boolean {
  return value.source.kind === "constant" && value.source.tensor.data.every((item) => item === number);
}

/** False where the constant's shape is what the result's comes from. */
function keepsType(node: Node, operand: Value): boolean {
  const [result] = node.results;
  return result !== undefined && sameType(result.type, operand.type);
}

const modulo = binary("mod", x, y);
const nonzero: Draw = (...shape) => between(0.5, 3, ...shape);
const small: Draw = (...shape) => wholes(-20, 20, ...shape);
const divisors: Draw = (...shape) => wholes(1, 7, ...shape);
const bits: Draw = (...shape) => wholes(-(2 ** 40), 2 ** 40, ...shape);
/** Few values, so that equal ones occur. */
const few: Draw = (...shape) => ({ dtype: "f32", shape, values: { kind: "integers", low: -1, high: 1 } });

/** a - b floor(a / b), as floats. ONNX's Mod on floats has the dividend's sign. */
function floorModulo(context: OnnxContext, a: string, b: string): string {
  if (!isFloat(context.operands[0]?.dtype ?? "f32")) return context.node("Mod", [a, b]);
  const whole = context.node("Floor", [context.node("Div", [a, b])]);
  return context.node("Sub", [a, context.node("Mul", [whole, b])]);
}

/** ONNX's integer Div truncates; taking the floor modulo off first leaves nothing to truncate. */
function floorDivide(context: OnnxContext, a: string, b: string): string {
  if (isFloat(context.operands[0]?.dtype ?? "f32")) return context.node("Div", [a, b]);
  return context.node("Div", [context.node("Sub", [a, context.node("Mod", [a, b])]), b]);
}

const arithmetic: readonly BinaryRow[] = [
  {
    name: "add",
    summary: "x + y.",
    source: "ONNX Add-14",
    expression: add(x, y),
    onnx: "Add",
    types: numbers,
    tolerance: rounded,
    drawIntegers: [small, small],
    neutral: { value: 0, bothSides: true },
  },
  {
    name: "sub",
    summary: "x - y.",
    source: "ONNX Sub-14",
    expression: sub(x, y),
    onnx: "Sub",
    types: numbers,
    tolerance: rounded,
    drawIntegers: [small, small],
    neutral: { value: 0, bothSides: false },
  },
  {
    name: "mul",
    accounting: productAccounting,
    summary: "x times y.",
    source: "ONNX Mul-14",
    expression: mul(x, y),
    onnx: "Mul",
    types: numbers,
    tolerance: rounded,
    drawIntegers: [small, small],
    neutral: { value: 1, bothSides: true },
  },
  {
    name: "div",
    summary: "x divided by y; of integers, the floor of the quotient.",
    source: "ONNX Div-14; the floor as in Python",
    expression: ({ operands }) =>
      isInteger(operands[0]?.dtype ?? "f32") ? div(sub(x, modulo), y) : div(x, y),
    onnx: floorDivide,
    types: numbers,
    tolerance: rounded,
    draw: [normal, nonzero],
    drawIntegers: [small, divisors],
    neutral: { value: 1, bothSides: false },
  },
  {
    name: "modulo",
    summary: "x - y floor(x / y): what is left, with the divisor's sign.",
    source: "ONNX Mod-13 with fmod = 0; for floats as in Python",
    expression: modulo,
    onnx: floorModulo,
    types: numbers,
    // A float quotient next to a whole number may fall on either side of it.
    tolerance: { absolute: 1e-5, relative: 1e-5 },
    draw: [normal, nonzero],
    drawIntegers: [small, divisors],
  },
  {
    name: "pow",
    summary: "x to the power y.",
    source: "ONNX Pow-15",
    expression: binary("pow", x, y),
    onnx: "Pow",
    types: floats,
    tolerance: transcendental,
    draw: [(...shape) => between(0.1, 3, ...shape), normal],
    neutral: { value: 1, bothSides: false },
  },
  {
    name: "minimum",
    summary: "The smaller of x and y.",
    source: "ONNX Min-13",
    expression: binary("min", x, y),
    onnx: "Min",
    types: numbers,
    tolerance: exact,
    drawIntegers: [small, small],
  },
  {
    name: "maximum",
    summary: "The larger of x and y.",
    source: "ONNX Max-13",
    expression: binary("max", x, y),
    onnx: "Max",
    types: numbers,
    tolerance: exact,
    drawIntegers: [small, small],
  },
];

const compare = (
  name: string,
  summary: string,
  source: string,
  expression: Scalar,
  onnx: string,
  types: ElementTypeRule = comparison,
  draw: Draw = few,
): BinaryRow => ({
  name,
  summary,
  source,
  expression,
  onnx,
  types,
  tolerance: exact,
  draw: [draw, draw],
  ...(types === comparison ? { drawIntegers: [small, small] as const } : {}),
});

const comparisons: readonly BinaryRow[] = [
  compare("equal", "True where x = y.", "ONNX Equal-13", binary("equal", x, y), "Equal"),
  compare("less", "True where x < y.", "ONNX Less-13", binary("less", x, y), "Less"),
  compare(
    "less_equal",
    "True where x <= y.",
    "ONNX LessOrEqual-16",
    binary("less-equal", x, y),
    "LessOrEqual",
  ),
  compare("greater", "True where x > y.", "ONNX Greater-13", binary("less", y, x), "Greater"),
  compare(
    "greater_equal",
    "True where x >= y.",
    "ONNX GreaterOrEqual-16",
    binary("less-equal", y, x),
    "GreaterOrEqual",
  ),
  compare("and", "True where both are.", "ONNX And-7", binary("and", x, y), "And", truths, truthValues),
  compare("or", "True where either is.", "ONNX Or-7", binary("or", x, y), "Or", truths, truthValues),
];

const bitwise: readonly BinaryRow[] = [
  {
    name: "bit_xor",
    summary: "The exclusive or of the bits of two integers, in two's complement.",
    source: "ONNX BitwiseXor-18",
    expression: binary("xor", x, y),
    onnx: "BitwiseXor",
    types: integers,
    tolerance: exact,
    draw: [bits, bits],
  },
  {
    name: "shift_right",
    summary: "x shifted right by y bits, the sign kept: the floor of x / 2^y.",
    source: "Two's complement arithmetic shift; ONNX BitShift has no signed form",
    expression: binary("shift-right", x, y),
    onnx: (context, a, b) => {
      const two = context.constant(context.operands[0]?.dtype ?? "i64", [2], []);
      const power = context.node("Pow", [two, b]);
      return context.node("Div", [context.node("Sub", [a, context.node("Mod", [a, power])]), power]);
    },
    types: integers,
    tolerance: exact,
    draw: [bits, (...shape) => wholes(0, 30, ...shape)],
  },
];

export const binaryOps: readonly OpDefinition[] = [...arithmetic, ...comparisons, ...bitwise].map(binaryOp);
