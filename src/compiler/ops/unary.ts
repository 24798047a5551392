/**
 * Ops of one operand, element by element.
 *
 * Owns: the family. A row says what is computed, how ONNX names it and where samples are drawn from.
 */
import type { OnnxContext } from "../onnx/context.ts";
import { defineOp } from "./define.ts";
import { floats, numbers, truths } from "./element-types.ts";
import type { Scalar, UnaryFunction } from "./lowering.ts";
import type { OpDefinition, SampleOperand, Tolerance } from "./op.ts";
import { between, normal, sample, truthValues } from "./samples.ts";
import { add, binary, div, exp, max, mul, number, select, unary, x } from "./scalar.ts";
import { exact, rounded, transcendental } from "./tolerances.ts";

interface UnaryRow {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly expression: Scalar;
  /** The ONNX op that does it, or how to write it with several. */
  readonly onnx: string | ((context: OnnxContext, x: string) => string);
  readonly tolerance: Tolerance;
  readonly takes?: typeof floats;
  /** Draws operands from the op's domain. */
  readonly draw?: (...shape: number[]) => SampleOperand;
}

function unaryOp(row: UnaryRow): OpDefinition {
  const draw = row.draw ?? normal;
  const { onnx } = row;
  return defineOp({
    name: row.name,
    summary: row.summary,
    source: row.source,
    signature: "x: *s -> *s",
    types: row.takes ?? floats,
    lowering: { kind: "map", expression: () => row.expression },
    onnx: (context) => {
      const [input = ""] = context.inputs;
      return [typeof onnx === "string" ? context.node(onnx, [input]) : onnx(context, input)];
    },
    tolerance: row.tolerance,
    samples: [sample([draw(3, 5)]), sample([draw(1, 7, 2)]), sample([draw()]), sample([draw(0, 4)])],
  });
}

/** A constant of the operand's dtype, for formulas. */
function constantLike(context: OnnxContext, value: number): string {
  return context.constant(context.operands[0]?.dtype ?? "f32", [value], []);
}

const fn = (name: UnaryFunction): Scalar => unary(name, x);

/** Neither branch takes exp of a large number. */
const decay = exp(unary("neg", unary("abs", x)));
const logistic = select(binary("less", x, 0), div(decay, add(1, decay)), div(number(1), add(1, decay)));
const positive = (...shape: number[]) => between(0.05, 4, ...shape);
const wide = (...shape: number[]) => between(-12, 12, ...shape);

const rows: readonly UnaryRow[] = [
  {
    name: "neg",
    summary: "-x.",
    source: "ONNX Neg-13",
    expression: fn("neg"),
    onnx: "Neg",
    tolerance: exact,
    takes: numbers,
  },
  {
    name: "abs",
    summary: "|x|.",
    source: "ONNX Abs-13",
    expression: fn("abs"),
    onnx: "Abs",
    tolerance: exact,
    takes: numbers,
  },
  {
    name: "exp",
    summary: "e to the power x.",
    source: "ONNX Exp-13",
    expression: fn("exp"),
    onnx: "Exp",
    tolerance: transcendental,
  },
  {
    name: "log",
    summary: "The natural logarithm of x.",
    source: "ONNX Log-13",
    expression: fn("log"),
    onnx: "Log",
    tolerance: transcendental,
    draw: positive,
  },
  {
    name: "sqrt",
    summary: "The square root of x.",
    source: "ONNX Sqrt-13",
    expression: fn("sqrt"),
    onnx: "Sqrt",
    tolerance: rounded,
    draw: positive,
  },
  {
    name: "rsqrt",
    summary: "One over the square root of x.",
    source: "ONNX Sqrt-13 and Reciprocal-13",
    expression: fn("rsqrt"),
    onnx: (context, input) => context.node("Reciprocal", [context.node("Sqrt", [input])]),
    tolerance: rounded,
    draw: positive,
  },
  {
    name: "erf",
    summary: "The error function of x.",
    source: "ONNX Erf-13; W. J. Cody, Math. Comp. 23 (1969)",
    expression: fn("erf"),
    onnx: "Erf",
    tolerance: transcendental,
  },
  {
    name: "tanh",
    summary: "The hyperbolic tangent of x.",
    source: "ONNX Tanh-13",
    expression: fn("tanh"),
    onnx: "Tanh",
    tolerance: transcendental,
    draw: wide,
  },
  {
    name: "sin",
    summary: "The sine of x.",
    source: "ONNX Sin-7",
    expression: fn("sin"),
    onnx: "Sin",
    tolerance: transcendental,
  },
  {
    name: "cos",
    summary: "The cosine of x.",
    source: "ONNX Cos-7",
    expression: fn("cos"),
    onnx: "Cos",
    tolerance: transcendental,
  },
  {
    name: "sigmoid",
    summary: "1 / (1 + e^-x).",
    source: "ONNX Sigmoid-13",
    expression: logistic,
    onnx: "Sigmoid",
    tolerance: transcendental,
    draw: wide,
  },
  {
    name: "silu",
    summary: "x times sigmoid(x).",
    source: "arXiv:1702.03118, equation 2; ONNX Sigmoid-13 and Mul-14",
    expression: mul(x, logistic),
    onnx: (context, input) => context.node("Mul", [input, context.node("Sigmoid", [input])]),
    tolerance: transcendental,
    draw: wide,
  },
  {
    name: "relu",
    summary: "x where it is positive, else 0.",
    source: "ONNX Relu-14",
    expression: max(x, 0),
    onnx: "Relu",
    tolerance: exact,
  },
  {
    name: "gelu",
    summary: "x times the standard normal distribution function of x, exact (no tanh).",
    source: "arXiv:1606.08415, section 2; ONNX Gelu-20 with approximate = none",
    expression: mul(mul(0.5, x), add(1, unary("erf", mul(x, Math.SQRT1_2)))),
    // Written out, in the order that onnxruntime recognises and fuses: Gelu itself needs opset 20.
    onnx: (context, input) => {
      const scaled = context.node("Div", [input, constantLike(context, Math.SQRT2)]);
      const distribution = context.node("Add", [context.node("Erf", [scaled]), constantLike(context, 1)]);
      return context.node("Mul", [context.node("Mul", [input, distribution]), constantLike(context, 0.5)]);
    },
    tolerance: transcendental,
    draw: (...shape: number[]) => between(-6, 6, ...shape),
  },
  {
    name: "softplus",
    summary: "log(1 + e^x), accurate on both sides.",
    source: "ONNX Softplus-1",
    expression: add(max(x, 0), unary("log1p", decay)),
    onnx: "Softplus",
    tolerance: transcendental,
    draw: wide,
  },
  {
    name: "floor",
    summary: "The largest whole number not above x.",
    source: "ONNX Floor-13",
    expression: fn("floor"),
    onnx: "Floor",
    tolerance: exact,
  },
  {
    name: "ceil",
    summary: "The smallest whole number not below x.",
    source: "ONNX Ceil-13",
    expression: fn("ceil"),
    onnx: "Ceil",
    tolerance: exact,
  },
  {
    name: "round",
    summary: "The nearest whole number, halves to the even one.",
    source: "ONNX Round-11",
    expression: fn("round"),
    onnx: "Round",
    tolerance: exact,
  },
  {
    name: "not",
    summary: "True where x is false.",
    source: "ONNX Not-1",
    expression: fn("not"),
    onnx: "Not",
    tolerance: exact,
    takes: truths,
    draw: truthValues,
  },
];

export const unaryOps: readonly OpDefinition[] = rows.map(unaryOp);
