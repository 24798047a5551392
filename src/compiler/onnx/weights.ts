/**
 * The tensors that are stored with a model instead of being computed by it.
 *
 * Owns: which values those are (parameters, large constants, and what can be computed from them
 * alone, such as a transposed weight or a merged adapter), one key for the same tensor in every graph
 * of an artefact, and producing its values. Nothing is computed before its turn to be written, so
 * that no more than a few tensors are in memory at a time.
 */
import { attributeDims, printAttributes } from "../attribute-form.ts";
import { contentHash } from "../content-hash.ts";
import { internalFault } from "../fault.ts";
import type { Graph, Node, Parameter, Value } from "../graph.ts";
import { elementCount, type HostTensor, type WeightSource } from "../host-tensor.ts";
import { runNode } from "../interpret.ts";
import { move } from "../movement.ts";
import type { Meter } from "../ops/op.ts";
import { type Coded, encodeRows } from "../ops/stored.ts";
import { type StoredForm, storedForm } from "../stored-form.ts";
import { tensorBytes } from "./model.ts";
import { rawData } from "./raw-data.ts";

/** Whatever is at most this large may be stored though it makes the file larger than its sources do. */
const freeBytes = 1 << 16;

/** The values of `graph` that a model stores; every other value is an input or is computed by a node. */
export function storedValues(graph: Graph): ReadonlySet<Value> {
  const computable = new Set<Value>();
  for (const node of graph.nodes) {
    if (isBound(node) && node.operands.every((operand) => isGiven(operand) || computable.has(operand))) {
      for (const result of node.results) computable.add(result);
    }
  }
  const neededByOthers = new Set<Value>(graph.outputs.map((output) => output.value));
  for (const node of graph.nodes) {
    if (node.results.some((result) => computable.has(result))) continue;
    for (const operand of node.operands) neededByOthers.add(operand);
  }
  const stored = new Set<Value>();
  const pending = [...neededByOthers];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (stored.has(value)) continue;
    if (isGiven(value) || (computable.has(value) && isWorthStoring(value, neededByOthers))) stored.add(value);
    else if (computable.has(value) && value.source.kind === "result")
      pending.push(...value.source.node.operands);
  }
  return stored;
}

/**
 * Storing must not make a model larger: a tied weight that is also read as it is, is not stored twice.
 * What constants alone give was folded before, unless it only repeats elements.
 */
function isWorthStoring(value: Value, neededByOthers: ReadonlySet<Value>): boolean {
  let replaced = 0;
  let learned = false;
  const seen = new Set<Value>();
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    learned ||= next.source.kind === "parameter";
    // What others need is stored in any case.
    if (next !== value && neededByOthers.has(next)) learned ||= isLearned(next);
    else if (next.source.kind === "result") pending.push(...next.source.node.operands);
    else replaced += valueBytes(next);
  }
  return learned && valueBytes(value) <= Math.max(freeBytes, replaced);
}

function isLearned(value: Value): boolean {
  const { source } = value;
  return source.kind === "parameter" || (source.kind === "result" && source.node.operands.some(isLearned));
}

function isGiven(value: Value): boolean {
  return value.source.kind === "parameter" || value.source.kind === "constant";
}

function isBound(node: Node): boolean {
  return (
    node.results.every((result) => result.type.shape.every((dim) => dim.constant !== undefined)) &&
    attributeDims(node.attributes).every((dim) => dim.constant !== undefined)
  );
}

function valueBytes(value: Value): number {
  return tensorBytes({ elementType: value.type.dtype, shape: staticShape(value) });
}

export function staticShape(value: Value): readonly number[] {
  return value.type.shape.map((dim) => {
    if (dim.constant === undefined) throw internalFault(`a stored tensor has the open dimension ${dim}`);
    return dim.constant;
  });
}

/** A tensor that is stored as int8 is two: `KEY.codes` and `KEY.scales`. */
export const storedParts = ["codes", "scales"] as const;

const bytesOf = (codes: Int8Array): Uint8Array =>
  new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);

/** Keys of stored values, and what lies behind them, over all graphs of an artefact. */
export class StoredWeights {
  readonly #keys = new Map<Value, string>();
  /** Short names for descriptions, so that long derivations stay short. */
  readonly #numbers = new Map<string, number>();
  readonly #values = new Map<string, Value>();
  /** Codes and scales are asked for one after the other, and computed together. */
  #lastCoded: { readonly key: string; readonly coded: Coded } | undefined;

  /** The same for equal tensors: equal paths, equal constants, equal computations over them. */
  key(value: Value): string {
    const known = this.#keys.get(value);
    if (known !== undefined) return known;
    const description = this.#describe(value);
    const number = this.#numbers.get(description) ?? this.#numbers.size;
    this.#numbers.set(description, number);
    const key = `${number}`;
    this.#keys.set(value, key);
    if (!this.#values.has(key)) this.#values.set(key, value);
    return key;
  }

  /** The bytes that a model stores for a key, computed now. */
  async read(key: string, source: WeightSource): Promise<Uint8Array> {
    const part = storedParts.find((name) => key.endsWith(`.${name}`));
    if (part !== undefined) {
      const { codes, scales } = await this.coded(key.slice(0, -part.length - 1), source);
      return part === "scales" ? rawData(scales, "f32") : bytesOf(codes);
    }
    const { data, dtype } = await this.tensor(key, source);
    return rawData(data, this.form(key)?.kind === "f16" ? "f16" : dtype);
  }

  /** How a key may be stored in fewer bits. */
  form(key: string): StoredForm | undefined {
    return storedForm(this.#value(key));
  }

  /** What was there before it was rounded. */
  async exact(key: string, source: WeightSource): Promise<HostTensor> {
    return await compute(this.form(key)?.from ?? this.#value(key), source);
  }

  /** The codes and the scales of a key that is stored as int8. */
  async coded(key: string, source: WeightSource): Promise<Coded> {
    if (this.#lastCoded?.key === key) return this.#lastCoded.coded;
    const form = this.form(key);
    if (form?.kind !== "int8") throw internalFault(`the stored tensor ${key} has no codes`);
    const { data } = await compute(form.from, source);
    const coded = encodeRows(data, form.rows);
    this.#lastCoded = { key, coded };
    return coded;
  }

  /** The same as a tensor, in f64 where it is computed. */
  async tensor(key: string, source: WeightSource): Promise<HostTensor> {
    const value = this.#value(key);
    return { ...(await compute(value, source)), dtype: value.type.dtype };
  }

  #value(key: string): Value {
    const value = this.#values.get(key);
    if (value === undefined) throw internalFault(`no stored tensor has the key ${key}`);
    return value;
  }

  #describe(value: Value): string {
    const { source } = value;
    switch (source.kind) {
      case "parameter":
        return `parameter ${source.parameter.path}`;
      case "constant":
        return `constant ${contentHash(source.tensor)}`;
      case "result": {
        const operands = source.node.operands.map((operand) => this.key(operand));
        return `${source.node.op.name}(${operands.join(",")}){${printAttributes(source.node.attributes)}}.${source.index}`;
      }
      case "input":
        throw internalFault(`the input ${source.name} cannot be stored with a model`);
    }
  }
}

/** A value over parameters and constants. Shared parts are computed once and dropped with the result. */
async function compute(value: Value, weights: WeightSource): Promise<HostTensor> {
  const done = new Map<Value, HostTensor>();
  const visit = async (wanted: Value): Promise<HostTensor> => {
    const known = done.get(wanted);
    if (known !== undefined) return known;
    const { source } = wanted;
    if (source.kind === "constant") return source.tensor;
    if (source.kind === "parameter") return readParameter(source.parameter, weights);
    if (source.kind === "input") throw internalFault(`the input ${source.name} has no value yet`);
    const operands: HostTensor[] = [];
    for (const operand of source.node.operands) operands.push(await visit(operand));
    run(source.node, operands).forEach((tensor, index) => {
      const result = source.node.results[index];
      if (result !== undefined) done.set(result, tensor);
    });
    const result = done.get(wanted);
    if (result === undefined)
      throw internalFault(`${source.node.op.name} gave too few results`, source.node.provenance);
    return result;
  };
  return visit(value);
}

const uncounted: Meter = { mac: (accumulator, a, b) => accumulator + a * b, add: () => {} };

/** Movement stays in the type that the weight was read in; everything else is the op's reference, in f64. */
function run(node: Node, operands: readonly HostTensor[]): readonly HostTensor[] {
  const moved = move(node.op.lowering, operands, {
    operands: node.operands.map((operand) => operand.type),
    results: node.results.map((result) => result.type),
    attributes: node.attributes,
  });
  return moved === undefined ? runNode(node, operands, new Map(), uncounted) : [moved];
}

async function readParameter(parameter: Parameter, weights: WeightSource): Promise<HostTensor> {
  const tensor = await weights.read(parameter.path);
  const wanted = parameter.type.shape.map((dim) => dim.constant);
  const fits =
    tensor.shape.length === wanted.length && tensor.shape.every((size, axis) => size === wanted[axis]);
  if (!fits || tensor.data.length !== elementCount(tensor.shape)) {
    throw internalFault(
      `${weights.label} gives ${parameter.path} the shape [${tensor.shape.join(", ")}] where the model has [${wanted.join(", ")}]`,
      parameter.provenance,
    );
  }
  return { ...tensor, dtype: parameter.type.dtype };
}
