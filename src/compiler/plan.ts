/**
 * The kernel plan: what a WebGPU device does for each entry of a model, as plain data.
 *
 * Owns: the types alone, which the compiler writes and the runtime reads. A plan is JSON. Every size
 * in it is an expression in the open dimensions, so that one plan serves any length of sound; its
 * weights lie in a safetensors file beside it, under the names that `weights` gives.
 *
 * Memory. Values live in one buffer, the arena, each in a slot. Which slots lie above which others is
 * part of the plan: those whose lifetimes meet never overlap, whatever the sizes are. All bindings of
 * the arena are read-write, the one usage that WebGPU allows several ranges of a buffer to have in a
 * dispatch.
 */
import type { GenerationPlan } from "./generation-plan.ts";

/** An integer: a number, a symbol, or an operation on sizes. Division rounds toward minus infinity. */
export type Size =
  | number
  | string
  | readonly ["+" | "*" | "/" | "min" | "max", Size, Size]
  /** mode(factor × size), the product in doubles; `round` goes to even. */
  | readonly ["ceil" | "floor" | "round", number, Size];

export type PlanDType = "f32" | "i64" | "i32" | "bool";
/** As the weight file holds it; what a kernel reads is f32. `i8`: codes, to be multiplied by the scales of their rows. */
export type StoredDType = "f32" | "f16" | "i8" | "i32";

export interface KernelPlan {
  readonly format: "ossicle-plan";
  readonly version: 1;
  readonly model: string;
  readonly weights: readonly PlanWeight[];
  readonly kernels: readonly PlanKernel[];
  readonly entries: readonly PlanEntry[];
  /** How two of the entries generate together. */
  readonly generation?: PlanGeneration | undefined;
}

export interface PlanGeneration {
  /** What the model calls it: `caption`. */
  readonly name: string;
  readonly entries: GenerationPlan;
  /** What is asked where a user asks nothing. */
  readonly prompt?: string | undefined;
  /** Texts to stop at: tokens of the vocabulary, or to be found in what is generated. */
  readonly stop: readonly string[];
  /** Ids at most, where a user says nothing. */
  readonly limit?: number | undefined;
  /** The tokenizer's file, beside the plan's. */
  readonly tokenizer?: string | undefined;
  /** What the two entries choose from their scores; absent where the vocabulary is open. */
  readonly selection?: { readonly first: PlanSelection; readonly next: PlanSelection } | undefined;
}

/** Outputs of an entry that are computed from its scores, and only when they are asked for. */
export interface PlanSelection {
  /** [rows]: the id that scores best, the lowest of equals. */
  readonly best: string;
  /** [rows]: log of the sum of e^(score - best score) over the vocabulary. */
  readonly logSum: string;
  /** [rows, count]: the best ids and their scores, the best first, equal ones by id. */
  readonly ids: string;
  readonly scores: string;
  readonly count: number;
  /** Whether that is the whole vocabulary. */
  readonly isAll: boolean;
}

/** One tensor of the weight file. */
export interface PlanWeight {
  readonly name: string;
  /** When it is some of the rows of a tensor that is too large for one binding: which tensor, from where. */
  readonly part?: { readonly of: string; readonly first: number } | undefined;
  readonly stored: StoredDType;
  readonly shape: readonly number[];
  /** On the device: the codes of an `i8` and its scales. */
  readonly bytes: number;
  /** Of an `i8`: another tensor of the file, f32, that lies behind the codes, `start` bytes from where they begin. */
  readonly scales?:
    | { readonly name: string; readonly shape: readonly number[]; readonly start: number }
    | undefined;
  /** The learned tensors that it was made of, for messages. */
  readonly from: readonly string[];
}

export interface PlanKernel {
  /** The same for kernels of one kind and shape: `contract 768x2304 gelu`. */
  readonly label: string;
  /** The entry point is `main`. */
  readonly code: string;
  readonly workgroup: readonly [number, number, number];
  /** One for each binding of group 0, in order. */
  readonly bindings: readonly BindingKind[];
  /** Device features without which the code does not compile. */
  readonly features: readonly ("shader-f16" | "subgroups")[];
  readonly workgroupBytes: number;
}

/** `read`: weights. `read-write`: slots of the arena and states. `sizes`: the dispatch's numbers, a uniform. */
export type BindingKind = "read" | "read-write" | "sizes";

export interface PlanEntry {
  readonly name: string;
  readonly symbols: readonly PlanSymbol[];
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  /** What must hold of the sizes, with the sentence to say when it does not. */
  readonly guards: readonly PlanGuard[];
  readonly slots: readonly PlanSlot[];
  readonly dispatches: readonly PlanDispatch[];
}

export interface PlanSymbol {
  readonly name: string;
  readonly minimum: number;
}

/** An input or an output. i64 is held as i32 and bool as u32, four bytes each. */
export interface PlanPort {
  readonly name: string;
  readonly dtype: PlanDType;
  readonly shape: readonly Size[];
  /** Where it is: absent for an input that nothing reads. */
  readonly at: PlanPlace | undefined;
  readonly sampleRate?: number | undefined;
  /** The recurrent state that it is: an input holds what the last call left, an output what this one leaves. */
  readonly state?: string | undefined;
}

export type PlanPlace =
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "weight"; readonly weight: number }
  /** A buffer that outlives the call; `past` is what the last call left, `present` what this one leaves. */
  | { readonly kind: "state"; readonly state: string; readonly time: "past" | "present" };

export interface PlanGuard {
  readonly relation: "equal" | "at-most" | "divides";
  readonly left: Size;
  readonly right: Size;
  readonly message: string;
}

export interface PlanSlot {
  /** What lives there, for people. */
  readonly label: string;
  readonly bytes: Size;
  /**
   * It begins where the last of these ends (a multiple of 256 bytes), at 0 when there are none. They have
   * smaller numbers.
   */
  readonly above: readonly number[];
  /** The dispatches during which it holds its value: from `first`, which writes it, to `last`. -1: an input. */
  readonly first: number;
  readonly last: number;
}

export interface PlanDispatch {
  readonly kernel: number;
  /** Where in the model: `encoder.layer.3.attention`. */
  readonly path: string;
  /** One for each binding of the kernel that is not `sizes`. */
  readonly places: readonly PlanBinding[];
  /** Integers that the kernel reads from its uniform, in order; none when every size is a number. */
  readonly sizes: readonly Size[];
  readonly workgroups: readonly [Size, Size, Size];
  /** The outputs that it works for; absent when all of them need it, or a state does. */
  readonly only?: readonly string[] | undefined;
  /** Multiply-adds that the kernel's loops execute, and the least that the op needs. */
  readonly executed: Size;
  readonly declared: Size;
  /**
   * Why the one is not the other: `executed` is `declared` and all of these. Negative where a kernel skips
   * what is declared. Absent when there is nothing to say.
   */
  readonly overhead?: readonly PlanOverhead[] | undefined;
  /** Bytes that must move whatever the kernel: operands once, results once. */
  readonly traffic: Size;
  /** Other kernels that do the same, of which a device may choose one by measuring. */
  readonly variants?: readonly PlanVariant[] | undefined;
}

/** Another kernel in the place of a dispatch's. It binds the same places and reads numbers of its own. */
export interface PlanVariant {
  readonly kernel: number;
  /** Which of the dispatch's places each of its bindings is, in order. */
  readonly order: readonly number[];
  readonly sizes: readonly Size[];
  readonly workgroups: readonly [Size, Size, Size];
  readonly executed: Size;
  readonly overhead?: readonly PlanOverhead[] | undefined;
}

export interface PlanOverhead {
  readonly reason: string;
  readonly macs: Size;
}

export interface PlanBinding {
  readonly place: PlanPlace;
  /** The part of a weight that is bound, in bytes from its start; all of it when absent. */
  readonly range?: { readonly start: number; readonly bytes: number } | undefined;
}
