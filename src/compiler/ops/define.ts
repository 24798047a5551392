/**
 * Turns what an author writes into a record (op.ts).
 *
 * Owns: parsing the signature once, inference (attributes, dtypes, shapes, in that order), the
 * derived reference of the element-by-element ops, the derived scalar cost, and freezing.
 */
import type { AttributeSpec, Attributes, Inference, InferredResult } from "../../lang/catalog.ts";
import { Dim } from "../../lang/dims.ts";
import { type TensorType, typeKey } from "../../lang/types.ts";
import { printAttributes } from "../attribute-form.ts";
import { checkAttributes, completeAttributes } from "./attributes.ts";
import { scalarCost } from "./cost.ts";
import type { ElementTypeRule } from "./element-types.ts";
import type { LoweringContext, Scalar } from "./lowering.ts";
import { Match, Refusal, refuse, type SourcedDim } from "./match.ts";
import type { Accounting, Cost, CostContext, OpDefinition, Role } from "./op.ts";
import { runMap } from "./scalar-block.ts";
import { parseSignature, type Signature, variables } from "./signature.ts";

export interface OpRecord
  extends Pick<
    OpDefinition,
    "name" | "summary" | "source" | "signature" | "lowering" | "onnx" | "tolerance" | "samples"
  > {
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  /** One for each operand; an activation where none is given. */
  readonly roles?: readonly Role[];
  /** Recurrent state, for the few ops that have any. */
  readonly states?: OpDefinition["states"];
  readonly types: ElementTypeRule;
  /** Binds the result's variables that no operand binds; refuses what the signature cannot say. */
  readonly solve?: (
    match: Match,
    attributes: Attributes,
  ) => Readonly<Record<string, SourcedDim | readonly SourcedDim[]>>;
  /** Multiply-adds; none where it is left out. */
  readonly macs?: (context: CostContext) => Dim;
  /** Other scalar operations; what the lowering does where it is left out. */
  readonly scalar?: (context: CostContext) => Dim;
  /** Derived from the expression of a map, and required of every other. */
  readonly accounting?: Accounting;
  readonly reference?: OpDefinition["reference"];
  readonly ort?: NonNullable<OpDefinition["ort"]>;
  readonly simplify?: NonNullable<OpDefinition["simplify"]>;
  readonly stores?: NonNullable<OpDefinition["stores"]>;
}

/** Throws on a record that contradicts itself: the catalogue does not load with one. */
export function defineOp(record: OpRecord): OpDefinition {
  const signature = parseSignature(record.signature);
  const attributes = record.attributes ?? {};
  checkRecord(record, signature);
  const { name, summary, source, lowering, onnx, ort, tolerance, samples, simplify, stores } = record;
  return Object.freeze({
    name,
    summary,
    source,
    signature: record.signature,
    operands: signature.operands.map((o) => ({ name: o.name, repeated: o.repeated, optional: o.optional })),
    attributes,
    states: record.states ?? [],
    roles: signature.operands.map((_, index) => record.roles?.[index] ?? "activation"),
    infer: remembering((operands, given) => infer(record, signature, operands, given)),
    cost: (context: CostContext): Cost => {
      const complete = { ...context, attributes: completeAttributes(attributes, context.attributes) };
      return {
        macs: record.macs?.(complete) ?? Dim.of(0),
        scalar: record.scalar?.(complete) ?? scalarCost(lowering, complete),
      };
    },
    accounting: record.accounting ?? {},
    reference: referenceOf(record),
    lowering,
    onnx,
    tolerance,
    samples,
    ...(ort && { ort }),
    ...(simplify && { simplify }),
    ...(stores && { stores }),
  });
}

type Infer = OpDefinition["infer"];

/** Different uses of one op that are remembered; a model has far fewer. */
const mostUses = 1000;

/** The same inference that answers from memory what it was asked before: layers repeat. */
function remembering(infer: Infer): Infer {
  const known = new Map<string, Inference>();
  return (operands, given) => {
    const key = `${operands.map(typeKey).join(";")}{${printAttributes(given)}}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const inference = infer(operands, given);
    // Mistakes are rare, and tell of the sizes as they were written.
    if (!inference.ok) return inference;
    if (known.size >= mostUses) known.clear();
    known.set(key, inference);
    return inference;
  };
}

/** What a node of `op` with these operands gives. Never throws on bad operands: it says why. */
function infer(
  record: OpRecord,
  signature: Signature,
  operands: readonly TensorType[],
  given: Attributes,
): Inference {
  try {
    checkCount(record.name, signature, operands.length);
    const attributes = completeAttributes(record.attributes ?? {}, given);
    checkAttributes(record.name, record.attributes ?? {}, attributes);
    const named = operands.map((type, index) => ({ name: operandName(signature, index), type }));
    const dtypes = record.types(named, attributes);
    const match = new Match(signature, operands);
    match.bind(record.solve?.(match, attributes) ?? {});
    const results = signature.results.map((pattern, index): InferredResult => {
      const dtype = dtypes[index];
      if (dtype === undefined) throw new Error(`${record.name} has no dtype for result ${index}`);
      const dims = match.resolve(pattern.dims);
      return { type: { dtype, shape: dims.map((d) => d.dim) }, sources: dims.map((d) => d.source) };
    });
    return { ok: true, results, requirements: match.requirements };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, problem: error.problem };
    throw error;
  }
}

function operandName(signature: Signature, index: number): string {
  return signature.operands[Math.min(index, signature.operands.length - 1)]?.name ?? `operand ${index}`;
}

function checkCount(op: string, signature: Signature, count: number): void {
  const least = signature.operands.filter((o) => !o.optional).length;
  const most = signature.operands.some((o) => o.repeated)
    ? Number.POSITIVE_INFINITY
    : signature.operands.length;
  if (count >= least && count <= most) return;
  const wanted =
    most === least ? `${least}` : Number.isFinite(most) ? `${least} to ${most}` : `at least ${least}`;
  const names = signature.operands.map((o) => o.name).join(", ");
  refuse({
    message: `\`${op}\` takes ${wanted} operand${wanted === "1" ? "" : "s"}${names === "" ? "" : ` (${names})`}, not ${count}`,
  });
}

function checkRecord(record: OpRecord, signature: Signature): void {
  const bound = variables(signature.operands.flatMap((o) => o.dims));
  for (const [name, kind] of variables(signature.results.flatMap((r) => r.dims))) {
    const from = bound.get(name);
    if (from === undefined && !record.solve)
      throw new Error(`${record.name}: nothing binds the result's ${name}`);
    if (from !== undefined && from !== kind) throw new Error(`${record.name}: ${name} is used in two ways`);
  }
  if (record.samples.length === 0) throw new Error(`${record.name} has no samples`);
  if (record.lowering.kind === "contract" && !record.macs) throw new Error(`${record.name} has no MAC count`);
}

function referenceOf({ name, lowering, reference }: OpRecord): OpDefinition["reference"] {
  if (reference) return reference;
  if (lowering.kind === "map") return mapReference(lowering.expression);
  throw new Error(`${name} has no reference`);
}

/** A map's expression is its meaning: the reference runs it. */
function mapReference(expression: (context: LoweringContext) => Scalar): OpDefinition["reference"] {
  return (operands, context) => {
    const { results, attributes } = context;
    const bound = { operands: operands.map(boundType), results: results.map(boundType), attributes };
    return [runMap(expression(bound), operands, context)];
  };
}

function boundType(tensor: { dtype: TensorType["dtype"]; shape: readonly number[] }): TensorType {
  return { dtype: tensor.dtype, shape: tensor.shape.map((size) => Dim.of(size)) };
}
