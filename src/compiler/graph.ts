/**
 * The graph: what a program computes, with every loop unrolled and every block inlined.
 *
 * Owns: the data. Immutable: a pass makes a new graph (graph-builder.ts). Nodes hold their op's
 * definition itself, not its name, so no pass looks anything up. Legal graphs: verify.ts.
 */
import type { Attributes, Requirement } from "../lang/catalog.ts";
import type { BlockFrame, Initializer } from "../lang/emitter.ts";
import type { Span } from "../lang/source.ts";
import type { TensorType } from "../lang/types.ts";
import type { HostTensor } from "./host-tensor.ts";
import type { OpDefinition } from "./ops/op.ts";

export interface Provenance {
  /** `encoder.layer.3.attention` */
  readonly path: string;
  /** Absent for what a pass made or a text file described. */
  readonly span: Span | undefined;
  /** The blocks at work when it was made, the innermost first; absent where the span is. */
  readonly frame?: BlockFrame | undefined;
}

export type ValueSource =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "parameter"; readonly parameter: Parameter }
  | { readonly kind: "constant"; readonly tensor: HostTensor }
  | { readonly kind: "result"; readonly node: Node; readonly index: number };

/** One tensor in a graph. Compared by identity. */
export interface Value {
  readonly type: TensorType;
  readonly source: ValueSource;
}

/** A learned tensor; `path` is its name in a checkpoint. */
export interface Parameter {
  readonly path: string;
  readonly type: TensorType;
  readonly initial: GraphInitializer;
  readonly provenance: Provenance;
}

/** As the language's, with the value form pointing into a graph. */
export type GraphInitializer =
  | Exclude<Initializer, { readonly kind: "value" }>
  | { readonly kind: "value"; readonly value: Value };

export interface Node {
  readonly op: OpDefinition;
  readonly operands: readonly Value[];
  readonly attributes: Attributes;
  readonly results: readonly Value[];
  readonly provenance: Provenance;
}

export interface GraphInput {
  readonly name: string;
  readonly value: Value;
  /** Samples a second, when the input is a waveform. */
  readonly sampleRate: number | undefined;
  /** The recurrent state that it carries from an earlier call; zeros at the start of a sequence. */
  readonly state?: string | undefined;
}

export interface GraphOutput {
  readonly name: string;
  readonly value: Value;
  /** The recurrent state that it leaves for the next call. */
  readonly state?: string | undefined;
}

/** An open dimension and what is known of it. */
export interface GraphSymbol {
  readonly name: string;
  readonly minimum: number;
}

export interface Guard {
  readonly requirement: Requirement;
  readonly provenance: Provenance;
}

/** One entry of a model. `nodes` is in an order that can be executed. */
export interface Graph {
  readonly name: string;
  readonly symbols: readonly GraphSymbol[];
  readonly inputs: readonly GraphInput[];
  readonly parameters: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  readonly guards: readonly Guard[];
}
