/**
 * Scalar expressions as WGSL.
 *
 * Owns: what each scalar function is called there, for one element and for four at once, and the types
 * of numbers, which take that of their partner.
 */
import { internalFault } from "../fault.ts";
import { seedWord } from "../ops/hash.ts";
import type { BinaryFunction, Scalar, UnaryFunction } from "../ops/lowering.ts";
import {
  type KernelWriter,
  type Lanes,
  type ScalarType,
  scalarTypeOf,
  type Term,
  typeText,
} from "./kernel-writer.ts";

/** What the leaves of an expression are in this kernel. */
export interface Leaves {
  operand(index: number): Term;
  coordinate?(axis: number): Term;
  accumulator?: Term;
  count?: Term;
  folded?(index: number): Term;
}

const largest = "0x1.fffffep+127f";

export function floatText(value: number): string {
  if (Number.isNaN(value)) throw internalFault("a kernel holds a number that is none");
  if (value > 3.4028234663852886e38) return largest;
  if (value < -3.4028234663852886e38) return `(-${largest})`;
  const text = Math.fround(value) === 0 ? "0" : `${Math.fround(value)}`;
  const literal = /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
  return value < 0 ? `(${literal})` : literal;
}

export function numberTerm(given: number, type: ScalarType): Term {
  const value = type === "i32" ? Math.min(Math.max(given, -2147483647), 2147483647) : given;
  const text =
    type === "f32" ? floatText(value) : type === "i32" ? `${value}` : value === 0 ? "false" : "true";
  return { text: type === "i32" && value < 0 ? `(${value})` : text, type, lanes: 1, depth: 0 };
}

export function widened(term: Term, lanes: Lanes): Term {
  if (term.lanes === lanes || lanes === 1) return term;
  return { ...term, text: `${typeText(term.type, 4)}(${term.text})`, lanes };
}

export function converted(term: Term, to: ScalarType): Term {
  if (term.type === to) return term;
  const { text, lanes } = term;
  if (to === "bool") {
    const zero = term.type === "f32" ? "0.0f" : "0";
    return { ...term, type: to, text: `(${text} != ${typeText(term.type, lanes)}(${zero}))` };
  }
  return { ...term, type: to, text: `${typeText(to, lanes)}(${text})` };
}

export function scalarTerm(scalar: Scalar, leaves: Leaves, writer: KernelWriter, wanted?: ScalarType): Term {
  const visit = (part: Scalar, as?: ScalarType): Term => scalarTerm(part, leaves, writer, as);
  switch (scalar.kind) {
    case "operand":
      return leaves.operand(scalar.index);
    case "number":
      return numberTerm(scalar.value, wanted ?? "f32");
    case "coordinate": {
      const at = leaves.coordinate?.(scalar.axis);
      if (at === undefined) throw internalFault("a coordinate is read where there is none");
      return at;
    }
    case "dimension":
      return { text: writer.size(scalar.value), type: "i32", lanes: 1, depth: 0 };
    case "accumulator":
      if (leaves.accumulator === undefined) throw internalFault("an accumulator is read outside a fold");
      return leaves.accumulator;
    case "count":
      if (leaves.count === undefined) throw internalFault("a count is read outside a fold");
      return converted(leaves.count, wanted ?? "f32");
    case "folded": {
      const value = leaves.folded?.(scalar.index);
      if (value === undefined) throw internalFault("a folded value is read outside a row");
      return value;
    }
    case "hash-uniform": {
      const x = visit(scalar.x, "i32");
      const text = `(f32(pcg(bitcast<u32>(${x.text}) ^ ${seedWord(scalar.seed)}u) >> 8u) * 0x1p-24f)`;
      return { text, type: "f32", lanes: 1, depth: x.depth };
    }
    case "cast": {
      const x = visit(scalar.x);
      return converted(x, scalarTypeOf(scalar.to));
    }
    case "unary":
      return unaryTerm(scalar.fn, visit(scalar.x, scalar.fn === "not" ? "bool" : (wanted ?? "f32")), writer);
    case "select": {
      const condition = converted(visit(scalar.condition, "bool"), "bool");
      const [a, b] = pair(scalar.whenTrue, scalar.whenFalse, visit, wanted);
      const lanes = lanesOf(condition, a, b);
      const text = `select(${widened(b, lanes).text}, ${widened(a, lanes).text}, ${widened(condition, lanes).text})`;
      return { text, type: a.type, lanes, depth: Math.max(condition.depth, a.depth, b.depth) };
    }
    case "binary": {
      const logical = scalar.fn === "and" || scalar.fn === "or";
      const [a, b] = logical
        ? [converted(visit(scalar.a, "bool"), "bool"), converted(visit(scalar.b, "bool"), "bool")]
        : pair(scalar.a, scalar.b, visit, comparisons.has(scalar.fn) ? undefined : wanted);
      return binaryTerm(scalar.fn, a, b, writer);
    }
  }
}

export function unaryTerm(fn: UnaryFunction, x: Term, writer: KernelWriter): Term {
  const named = writer.named(x);
  return { ...named, text: unaryText(fn, named) };
}

/** Of two terms of one type; four lanes when either has them. */
export function binaryTerm(fn: BinaryFunction, a: Term, b: Term, writer: KernelWriter): Term {
  const lanes = lanesOf(a, b);
  const left = writer.named(widened(a, lanes));
  const right = writer.named(widened(b, lanes));
  const type = comparisons.has(fn) || fn === "and" || fn === "or" ? "bool" : left.type;
  return { text: binaryText(fn, left, right), type, lanes, depth: Math.max(left.depth, right.depth) };
}

const comparisons: ReadonlySet<BinaryFunction> = new Set(["equal", "less", "less-equal"]);

function lanesOf(...terms: readonly Term[]): Lanes {
  return terms.some(({ lanes }) => lanes === 4) ? 4 : 1;
}

/** Two of one type: a number, and what has no type of its own, takes that of the other. */
function pair(
  a: Scalar,
  b: Scalar,
  visit: (part: Scalar, as?: ScalarType) => Term,
  wanted: ScalarType | undefined,
): [Term, Term] {
  const open = (part: Scalar): boolean =>
    part.kind === "number" ||
    part.kind === "count" ||
    (part.kind === "unary" && open(part.x)) ||
    (part.kind === "binary" && !comparisons.has(part.fn) && open(part.a) && open(part.b));
  if (open(a) && !open(b)) {
    const right = visit(b, wanted);
    return [visit(a, right.type), right];
  }
  const left = visit(a, wanted);
  return [left, visit(b, left.type)];
}

function unaryText(fn: UnaryFunction, { text, type, lanes }: Term): string {
  const suffix = lanes === 1 ? "one" : "four";
  switch (fn) {
    case "neg":
      return `(-${text})`;
    case "abs":
    case "exp":
    case "log":
    case "sqrt":
      return `${fn}(${text})`;
    case "sin":
      return `sine_${suffix}(${text})`;
    case "cos":
      return `cosine_${suffix}(${text})`;
    case "floor":
    case "ceil":
    case "round":
      return type === "i32" ? text : `${fn}(${text})`;
    case "half":
      return `quantizeToF16(${text})`;
    case "rsqrt":
      return `inverseSqrt(${text})`;
    case "log1p":
      return `log1p_${suffix}(${text})`;
    case "erf":
      return `erf_${suffix}(${text})`;
    case "tanh": {
      // Beyond this it is 1 in f32, and some devices overflow.
      const end = lanes === 1 ? "15.0f" : "vec4<f32>(15.0f)";
      return `tanh(clamp(${text}, -${end}, ${end}))`;
    }
    case "not":
      return `(!${text})`;
  }
}

function binaryText(fn: BinaryFunction, a: Term, b: Term): string {
  const infix = (sign: string): string => `(${a.text} ${sign} ${b.text})`;
  switch (fn) {
    case "add":
      return infix("+");
    case "sub":
      return infix("-");
    case "mul":
      return infix("*");
    case "div":
      return infix("/");
    case "mod":
      return a.type === "i32"
        ? `(((${a.text} % ${b.text}) + ${b.text}) % ${b.text})`
        : `(${a.text} - floor(${a.text} / ${b.text}) * ${b.text})`;
    case "pow":
      return `power_${a.lanes === 1 ? "one" : "four"}(${a.text}, ${b.text})`;
    case "min":
      return `min(${a.text}, ${b.text})`;
    case "max":
      return `max(${a.text}, ${b.text})`;
    case "equal":
      return infix("==");
    case "less":
      return infix("<");
    case "less-equal":
      return infix("<=");
    case "and":
      return infix("&");
    case "or":
      return infix("|");
    case "xor":
      return a.type === "bool" ? infix("!=") : infix("^");
    case "shift-right":
      return `(${a.text} >> ${typeText("i32", a.lanes).replace("i32", "u32")}(${b.text}))`;
  }
}
