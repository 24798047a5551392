/**
 * Dimension expressions as ONNX nodes.
 *
 * Owns: computing the value of a `Dim` when a model runs, from the shapes of its inputs. Every
 * expression becomes i64 vectors of one element, so that a shape is their concatenation and all
 * steps broadcast; equal expressions are computed once.
 */
import { Dim, type DimAlgebra, type RealFactor, type Rounding } from "../../lang/dims.ts";
import type { TensorType } from "../../lang/types.ts";
import { internalFault } from "../fault.ts";
import type { OnnxAttribute } from "./context.ts";
import { type OnnxElementType, onnxElementTypes } from "./model.ts";

/** Where nodes and constants go; emit.ts provides it. */
export interface ShapeSink {
  /** Adds a node and returns its output, named after the expression that it computes. */
  node(
    expression: string,
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  constant(elementType: OnnxElementType, values: readonly number[], shape: readonly number[]): string;
}

export interface ShapeInput {
  readonly name: string;
  readonly type: TensorType;
}

/** A computed dimension: the tensor that holds it, and what it stands for. */
interface Computed {
  readonly tensor: string;
  readonly dim: Dim;
}

export class ShapeEmitter {
  readonly #sink: ShapeSink;
  readonly #inputs: readonly ShapeInput[];
  readonly #minimums: ReadonlyMap<string, number>;
  /** Tensors by what they compute, whole dimensions by their text. */
  readonly #nodes = new Map<string, string>();
  readonly #elements = new Map<string, string>();

  constructor(sink: ShapeSink, inputs: readonly ShapeInput[], minimums: ReadonlyMap<string, number>) {
    this.#sink = sink;
    this.#inputs = inputs;
    this.#minimums = minimums;
  }

  /** An i64 vector. Runs of numbers become one constant. */
  vector(dims: readonly Dim[]): string {
    const parts: (number[] | string)[] = [];
    for (const dim of dims) {
      const last = parts.at(-1);
      if (dim.constant === undefined) parts.push(this.#element(dim));
      else if (Array.isArray(last)) last.push(dim.constant);
      else parts.push([dim.constant]);
    }
    const tensors = parts.map((part) =>
      typeof part === "string" ? part : this.#sink.constant("i64", part, [part.length]),
    );
    const [only] = tensors;
    if (only === undefined) return this.#sink.constant("i64", [], [0]);
    if (tensors.length === 1) return only;
    return this.#node(`[${dims.join(", ")}]`, "Concat", tensors, { axis: { kind: "int", value: 0 } });
  }

  /** An i64 scalar. */
  scalar(dim: Dim): string {
    if (dim.constant !== undefined) return this.#sink.constant("i64", [dim.constant], []);
    const vector = this.#element(dim);
    return this.#node(`(${dim})`, "Squeeze", [vector, this.#sink.constant("i64", [0], [1])]);
  }

  #element(dim: Dim): string {
    const text = String(dim);
    const known = this.#elements.get(text);
    if (known !== undefined) return known;
    const { tensor } = dim.fold(this.#algebra);
    this.#elements.set(text, tensor);
    return tensor;
  }

  #node(
    expression: string,
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const work = JSON.stringify([opType, inputs, attributes]);
    const known = this.#nodes.get(work);
    if (known !== undefined) return known;
    const made = this.#sink.node(expression, opType, inputs, attributes);
    this.#nodes.set(work, made);
    return made;
  }

  readonly #algebra: DimAlgebra<Computed> = {
    constant: (value) => ({
      tensor: this.#sink.constant("i64", [Number(value)], [1]),
      dim: Dim.of(value),
    }),
    symbol: (name) => ({ tensor: this.#symbol(name), dim: Dim.symbol(name) }),
    add: (a, b) => this.#binary("Add", a, b, a.dim.add(b.dim)),
    multiply: (a, b) => this.#binary("Mul", a, b, a.dim.mul(b.dim)),
    minimum: (a, b) => this.#binary("Min", a, b, Dim.min(a.dim, b.dim)),
    maximum: (a, b) => this.#binary("Max", a, b, Dim.max(a.dim, b.dim)),
    floorDivide: (a, b) => this.#floorDivide(a, b),
    scaled: (mode, factor, a) => this.#scaled(mode, factor, a),
  };

  #binary(opType: string, a: Computed, b: Computed, dim: Dim): Computed {
    return { tensor: this.#node(String(dim), opType, [a.tensor, b.tensor]), dim };
  }

  /** ONNX divides integers towards zero; its Mod has the sign of the divisor, so a - Mod(a, b) divides exactly. */
  #floorDivide(a: Computed, b: Computed): Computed {
    const dim = a.dim.floorDivide(b.dim);
    const least = a.dim.range(this.#minimums).min;
    if (least !== undefined && least >= 0n) return this.#binary("Div", a, b, dim);
    const rest = this.#node(`(${a.dim}) % (${b.dim})`, "Mod", [a.tensor, b.tensor]);
    const multiple = this.#node(`${a.dim} - (${a.dim}) % (${b.dim})`, "Sub", [a.tensor, rest]);
    return { tensor: this.#node(String(dim), "Div", [multiple, b.tensor]), dim };
  }

  /** In doubles, as the definition of a scaled dimension has it. */
  #scaled(mode: Rounding, factor: RealFactor, a: Computed): Computed {
    const dim = Dim.scaled(mode, factor, a.dim);
    if (typeof factor !== "number") throw internalFault(`the ratio ${factor} has no value in ${dim}`);
    const ratio = this.#sink.constant("f64", [factor], [1]);
    const real = this.#node(`${a.dim} as f64`, "Cast", [a.tensor], castTo("f64"));
    const product = this.#node(`${factor}*(${a.dim})`, "Mul", [real, ratio]);
    const rounded = this.#node(`${dim} as f64`, roundings[mode], [product]);
    return { tensor: this.#node(String(dim), "Cast", [rounded], castTo("i64")), dim };
  }

  /** An axis of an input that is the symbol itself, or else one that is `scale * symbol + offset`. */
  #symbol(name: string): string {
    const symbol = Dim.symbol(name);
    const axes = this.#inputs.flatMap((input) =>
      input.type.shape
        .map((dim, axis) => ({ input, axis, dim }))
        .filter(({ dim }) => dim.symbols().has(name)),
    );
    const direct = axes.find(({ dim }) => dim.equals(symbol));
    if (direct !== undefined) return this.#axis(direct.input.name, direct.axis, name);
    for (const { input, axis, dim } of axes) {
      const line = asLine(dim, name);
      if (line === undefined) continue;
      const size = this.#axis(input.name, axis, String(dim));
      const less = this.#node(`${line.scale}*${name}`, "Sub", [
        size,
        this.#sink.constant("i64", [line.offset], [1]),
      ]);
      return this.#node(name, "Div", [less, this.#sink.constant("i64", [line.scale], [1])]);
    }
    throw internalFault(`no input has the dimension ${name}, so it cannot be computed when the model runs`);
  }

  #axis(input: string, axis: number, expression: string): string {
    return this.#node(expression, "Shape", [input], {
      start: { kind: "int", value: axis },
      end: { kind: "int", value: axis + 1 },
    });
  }
}

const roundings: Readonly<Record<Rounding, string>> = { ceil: "Ceil", floor: "Floor", round: "Round" };

function castTo(type: OnnxElementType): Readonly<Record<string, OnnxAttribute>> {
  return { to: { kind: "int", value: onnxElementTypes[type] } };
}

/** `dim` as scale * name + offset, when it is that and nothing else. */
function asLine(dim: Dim, name: string): { scale: number; offset: number } | undefined {
  const at = (value: number) => dim.substitute(new Map([[name, Dim.of(value)]])).constant;
  const offset = at(0);
  const one = at(1);
  if (offset === undefined || one === undefined || one === offset) return undefined;
  const scale = one - offset;
  return dim.equals(Dim.symbol(name).mul(scale).add(offset)) ? { scale, offset } : undefined;
}
