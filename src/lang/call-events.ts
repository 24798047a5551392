/**
 * What happens during a call of a block, besides its result.
 *
 * Owns: the kinds of events, and which tensors each reads and makes.
 */
import type { InstalledAdapter } from "./adapters.ts";
import type { Attributes, OpSignature, Requirement } from "./catalog.ts";
import type { Dim } from "./dims.ts";
import type { Handle, Initializer, Origin } from "./emitter.ts";
import type { Span } from "./source.ts";
import type { StorageRule } from "./storage.ts";
import type { DType, TensorType } from "./types.ts";
import type { TensorValue } from "./value.ts";

export type CallEvent =
  | {
      readonly kind: "parameter";
      readonly type: TensorType;
      readonly initial: Initializer;
      readonly origin: Origin;
      readonly made: Handle;
    }
  | { readonly kind: "require"; readonly requirement: Requirement; readonly origin: Origin }
  | {
      readonly kind: "state";
      readonly name: string;
      readonly type: TensorType;
      readonly span: Span;
      /** Absent where the entry starts from nothing. */
      readonly made: Handle | undefined;
    }
  | { readonly kind: "saved"; readonly name: string; readonly value: TensorValue }
  | { readonly kind: "site"; readonly name: string }
  /** How the weights at a place are stored. */
  | { readonly kind: "stored"; readonly rule: StorageRule }
  /** A part that an adapter may go around. */
  | { readonly kind: "offered"; readonly adapter: InstalledAdapter }
  | {
      readonly kind: "op";
      readonly op: OpSignature;
      readonly operands: readonly Handle[];
      readonly attributes: Attributes;
      readonly results: readonly TensorType[];
      readonly origin: Origin;
      readonly made: readonly Handle[];
    }
  /** The value of a size. */
  | {
      readonly kind: "dimension";
      readonly dim: Dim;
      readonly dtype: DType;
      readonly origin: Origin;
      readonly made: Handle;
    }
  | { readonly kind: "name"; readonly value: TensorValue; readonly replace: "replace" | undefined };

/** At a path. */
export interface PlacedEvent {
  readonly path: string;
  readonly event: CallEvent;
}

/** The tensors that an event reads. */
export function tensorsRead(event: CallEvent): readonly Handle[] {
  switch (event.kind) {
    case "op":
      return event.operands;
    case "parameter":
      return event.initial.kind === "value" ? [event.initial.value] : [];
    case "saved":
    case "name":
      return [event.value.handle];
    default:
      return [];
  }
}

/** The tensors that an event makes. */
export function tensorsMade(event: CallEvent): readonly Handle[] {
  switch (event.kind) {
    case "op":
      return event.made;
    case "parameter":
    case "dimension":
      return [event.made];
    case "state":
      return event.made === undefined ? [] : [event.made];
    default:
      return [];
  }
}

/** The same event, reading other tensors. */
export function withTensorsRead(event: CallEvent, handles: readonly Handle[]): CallEvent {
  const [only] = handles;
  if (only === undefined) return event;
  switch (event.kind) {
    case "op":
      return { ...event, operands: handles };
    case "parameter":
      return { ...event, initial: { kind: "value", value: only } };
    case "saved":
    case "name":
      return { ...event, value: { ...event.value, handle: only } };
    default:
      return event;
  }
}
