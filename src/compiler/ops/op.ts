/**
 * The contract of a primitive op: one record, one file, one registration line.
 *
 * Owns: the shape of the record. A record says everything about its op: what it accepts, what it
 * means, what it costs, how it lowers. Passes read the record's fields and never its name.
 */
import type { AttributeSpec, Attributes, Inference, OpSignature } from "../../lang/catalog.ts";
import type { Dim } from "../../lang/dims.ts";
import type { StorageType } from "../../lang/storage-type.ts";
import type { TensorType } from "../../lang/types.ts";
import type { Node, Value } from "../graph.ts";
import type { HostTensor, TensorData } from "../host-tensor.ts";
import type { OnnxContext } from "../onnx/context.ts";
import type { Lowering } from "./lowering.ts";

export type Role = "activation" | "weight" | "index" | "state";

/** Exact counts before anything is bound. `macs`: multiply-adds; `scalar`: every other scalar operation. */
export interface Cost {
  readonly macs: Dim;
  readonly scalar: Dim;
}

/** Attributes with every dimension bound to a number. */
export type BoundAttributes = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** Counts the multiply-adds that a reference really executes. */
export interface Meter {
  /** acc + a * b, counted. */
  mac(acc: number, a: number, b: number): number;
  /** `count` of them, executed by a loop of arithmetic.ts just now. Nothing else may call this. */
  add(count: number): void;
}

export interface ReferenceContext {
  /** The operands' types as the graph has them, where a dimension may be open; the tensors' own when absent. */
  readonly declared?: readonly TensorType[];
  readonly attributes: BoundAttributes;
  /** The result types with every dimension bound; a reference allocates and fills exactly these. */
  readonly results: readonly { readonly dtype: TensorType["dtype"]; readonly shape: readonly number[] }[];
  readonly meter: Meter;
}

/** Says in words why a target cannot run the op: absence is explicit, never `undefined`. */
export interface Unsupported {
  readonly unsupported: string;
}

/** How far a float32 target may be from the reference: |got - want| <= absolute + relative * |want|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Shapes and attributes to test with; the suite fills operands from a seeded generator. */
export interface Sample {
  readonly operands: readonly SampleOperand[];
  readonly attributes: Attributes;
}

export interface SampleOperand {
  readonly dtype: TensorType["dtype"];
  readonly shape: readonly number[];
  /** Where values are drawn from; `normal` by default. Index operands must state a range. */
  readonly values?:
    | { readonly kind: "normal" }
    | { readonly kind: "uniform"; readonly low: number; readonly high: number }
    | { readonly kind: "integers"; readonly low: number; readonly high: number }
    | { readonly kind: "given"; readonly data: TensorData };
}

export interface CostContext {
  readonly operands: readonly TensorType[];
  readonly results: readonly TensorType[];
  readonly attributes: Attributes;
}

/** A tool's count in place of the op's multiply-adds, or why it counts nothing. */
export type ToolCount = ((context: CostContext) => Dim) | { readonly missed: string };

/** What accounting needs to know of an op besides its cost. */
export interface Accounting {
  /** What people call the op's work, where its lowering does not tell. */
  readonly family?: "convolution" | "scan";
  /** Counts of other tools, where they are not the multiply-adds. */
  readonly torchprofile?: ToolCount;
  readonly fvcore?: ToolCount;
  /** Which of the declared multiply-adds a mask takes away again: counted, because they are executed. */
  readonly masked?: (context: CostContext) => Dim;
  /** Multiply-adds that the standard ONNX lowering executes beyond those declared; none when left out. */
  readonly overhead?: (context: CostContext) => readonly Overhead[];
}

export interface Overhead {
  readonly reason: string;
  readonly macs: Dim;
}

export interface OpDefinition extends OpSignature {
  readonly name: string;
  readonly summary: string;
  /** Paper and equation, or the ONNX op and opset whose meaning it shares. */
  readonly source: string;
  readonly attributes: Readonly<Record<string, AttributeSpec>>;
  readonly roles: readonly Role[];
  infer(operands: readonly TensorType[], attributes: Attributes): Inference;
  cost(context: CostContext): Cost;
  readonly accounting: Accounting;
  reference(operands: readonly HostTensor[], context: ReferenceContext): readonly HostTensor[];
  readonly lowering: Lowering;
  /** Emits standard ONNX nodes and returns the names of the results. */
  readonly onnx: ((context: OnnxContext) => readonly string[]) | Unsupported;
  /** The same with operators that only onnxruntime has, where they are faster there; `onnx` serves where it is absent. */
  readonly ort?: (context: OnnxContext) => readonly string[];
  readonly tolerance: Tolerance;
  readonly samples: readonly Sample[];
  /** What a weight that the op gives can be stored as, without losing more than the op took. */
  readonly stores?: Exclude<StorageType, "f32">;
  /**
   * What a node equals more simply, if anything: an operand passed through, or another node.
   * Each result is replaced by the value at its place. `build` makes a node of any op.
   */
  readonly simplify?: (
    node: Node,
    build: (op: OpDefinition, operands: readonly Value[], attributes: Attributes) => readonly Value[],
  ) => readonly Value[] | undefined;
}
