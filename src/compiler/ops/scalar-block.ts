/**
 * Running a scalar expression over many elements at a time.
 *
 * Owns: the blocks. Each function of the expression runs over a whole block before the next, and
 * what occurs twice in the expression runs once: several times faster than an element at a time.
 * What the functions mean is scalar-closure.ts, which the suite compares with this.
 */
import { allocate, type HostTensor } from "../host-tensor.ts";
import { broadcastStrides, walk } from "../walk.ts";
import type { Scalar } from "./lowering.ts";
import type { ReferenceContext } from "./op.ts";
import {
  binaryFunctions,
  compileScalar,
  conversion,
  type Registers,
  unaryFunctions,
} from "./scalar-closure.ts";

const blockSize = 1024;

type Step = (count: number) => void;

/** A program over columns: `steps` in order leave the values in `result`. */
interface Program {
  readonly steps: Step[];
  readonly result: Float64Array;
}

/** The reference of an op whose lowering is a map: the expression for every element of the result. */
export function runMap(
  expression: Scalar,
  operands: readonly HostTensor[],
  context: ReferenceContext,
): HostTensor {
  const [result] = context.results;
  if (!result) throw new Error("a map needs a result");
  const out = allocate(result.dtype, result.shape);
  const columns = operands.map(() => new Float64Array(blockSize));
  const { steps, result: values } = compileBlock(expression, columns);
  const total = out.data.length;
  const full = operands.map((operand) => repeated(operand, result.shape));
  for (let start = 0; start < total; start += blockSize) {
    const count = Math.min(blockSize, total - start);
    full.forEach((data, at) => {
      columns[at]?.set(data.subarray(start, start + count));
    });
    for (const step of steps) step(count);
    out.data.set(values.subarray(0, count), start);
  }
  return out;
}

/** The operand's elements in the order of the result's. */
function repeated({ dtype, shape, data }: HostTensor, to: readonly number[]): HostTensor["data"] {
  const first = shape.findIndex((size) => size !== 1);
  const own = first < 0 ? [] : shape.slice(first);
  const lead = to.length - own.length;
  if (lead === 0 && own.every((size, axis) => size === to[axis])) return data;
  const out = allocate(dtype, to);
  // A scalar or a row that serves every row is copied whole; the rest goes element by element.
  if (data.length > 0 && own.every((size, axis) => size === to[axis + lead])) {
    for (let start = 0; start < out.data.length; start += data.length) out.data.set(data, start);
    return out.data;
  }
  walk(to, [broadcastStrides(shape, to)], (position, [offset = 0]) => {
    out.data[position] = data[offset] ?? 0;
  });
  return out.data;
}

function compileBlock(expression: Scalar, columns: readonly Float64Array[]): Program {
  const known = new Map<Scalar, Float64Array>();
  const steps: Step[] = [];
  const visit = (scalar: Scalar): Float64Array => {
    const seen = known.get(scalar);
    if (seen) return seen;
    const values = scalar.kind === "operand" ? columns[scalar.index] : new Float64Array(blockSize);
    if (!values) throw new Error("the expression reads an operand that is not there");
    const step = stepFor(scalar, visit, values);
    if (step) steps.push(step);
    known.set(scalar, values);
    return values;
  };
  return { result: visit(expression), steps };
}

function stepFor(scalar: Scalar, visit: (of: Scalar) => Float64Array, out: Float64Array): Step | undefined {
  switch (scalar.kind) {
    case "operand":
      return undefined;
    case "number":
      out.fill(scalar.value);
      return undefined;
    case "unary":
      return apply(unaryFunctions[scalar.fn], visit(scalar.x), out);
    case "cast":
      return apply(conversion(scalar.to), visit(scalar.x), out);
    case "binary": {
      const fn = binaryFunctions[scalar.fn];
      const [a, b] = [visit(scalar.a), visit(scalar.b)];
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = fn(a[i] ?? 0, b[i] ?? 0);
      };
    }
    case "select": {
      const [condition, yes, no] = [visit(scalar.condition), visit(scalar.whenTrue), visit(scalar.whenFalse)];
      return (count) => {
        for (let i = 0; i < count; i++) out[i] = (condition[i] === 0 ? no[i] : yes[i]) ?? 0;
      };
    }
    case "hash-uniform":
      return apply(elementwise({ ...scalar, x: { kind: "operand", index: 0 } }), visit(scalar.x), out);
    case "coordinate":
    case "dimension":
    case "accumulator":
    case "count":
    case "folded":
      throw new Error(`a map's expression cannot hold ${scalar.kind}`);
  }
}

function apply(fn: (x: number) => number, x: Float64Array, out: Float64Array): Step {
  return (count) => {
    for (let i = 0; i < count; i++) out[i] = fn(x[i] ?? 0);
  };
}

/** An expression of one operand as a function. */
function elementwise(scalar: Scalar): (x: number) => number {
  const run = compileScalar(scalar);
  const operands = new Float64Array(1);
  const registers: Registers = {
    operands,
    coordinates: [],
    folded: new Float64Array(0),
    accumulator: 0,
    count: 0,
  };
  return (x) => {
    operands[0] = x;
    return run(registers);
  };
}
