/**
 * Kernels that were written before for a group of the same form.
 *
 * Owns: telling that two groups differ in nothing but where their values lie and what their places in the model are
 * called, as the layers of a stack do, and reusing the first one's kernels. Everything that writing a kernel can read of
 * a group is part of its form: ops, attributes, types, what has a buffer and how it lies there. A group whose form can't
 * be told is written anew.
 */
import { Dim } from "../../lang/dims.ts";
import type { TensorType } from "../../lang/types.ts";
import { internalFault } from "../fault.ts";
import type { Node, Value } from "../graph.ts";
import type { OpDefinition } from "../ops/op.ts";
import type { PlanPlace } from "../plan.ts";
import { type Group, nodesOf } from "./groups.ts";
import type { WrittenKernel } from "./kernel-writer.ts";
import type { Kernel, KernelContext } from "./kernels/kernel.ts";

export interface Written {
  readonly kernel: Kernel;
  readonly written: WrittenKernel;
  /** Where this group's values lie, in the order of the kernel's bindings. */
  readonly places: WrittenKernel["places"];
}

interface Remembered {
  readonly path: string;
  readonly kernels: readonly { readonly kernel: Kernel; readonly written: WrittenKernel }[];
  /** What the form names by numbers, in their order. */
  readonly places: readonly PlanPlace[];
  readonly scratch: readonly Scratch[];
}

interface Scratch {
  readonly label: string;
  readonly type: TensorType;
  readonly place: PlanPlace;
}

export class KernelMemory {
  readonly #context: KernelContext;
  readonly #forgets: boolean;
  readonly #known = new Map<string, Remembered>();

  /** @param context of one entry: typical sizes and tuning are the same for all of its groups */
  constructor(context: KernelContext, forgets = false) {
    this.#context = context;
    this.#forgets = forgets;
  }

  write(group: Group, make: (context: KernelContext) => readonly Kernel[]): readonly Written[] {
    const { path } = group.root.provenance;
    const form = this.#forgets ? undefined : formOf(group, this.#context);
    const known = form === undefined ? undefined : this.#known.get(form.text);
    if (known !== undefined && form !== undefined) return this.#again(known, form.places, path);
    const scratch: Scratch[] = [];
    const kernels = make({
      ...this.#context,
      scratch: (label, type) => {
        const located = this.#context.scratch(label, type);
        scratch.push({ label, type, place: located.place });
        return located;
      },
    }).map((kernel) => ({ kernel, written: kernel.writer.finish(kernel.label) }));
    if (form !== undefined) this.#known.set(form.text, { path, kernels, places: form.places, scratch });
    return kernels.map((one) => ({ ...one, places: one.written.places }));
  }

  #again(
    { path: before, kernels, places, scratch }: Remembered,
    now: readonly PlanPlace[],
    path: string,
  ): Written[] {
    const moved = new Map<string, PlanPlace>();
    for (const [number, place] of places.entries()) {
      const other = now[number];
      if (other !== undefined) moved.set(JSON.stringify(place), other);
    }
    for (const { label, type, place } of scratch) {
      const own = before === "" ? label : label.replace(before, path);
      moved.set(JSON.stringify(place), this.#context.scratch(own, type).place);
    }
    return kernels.map(({ kernel, written }) => ({
      kernel,
      written,
      places: written.places.map((binding) => {
        const place = moved.get(JSON.stringify(binding.place));
        if (place === undefined)
          throw internalFault(`a kernel of ${path} binds what its group does not name`);
        return { ...binding, place };
      }),
    }));
  }
}

interface Form {
  readonly text: string;
  readonly places: readonly PlanPlace[];
}

function formOf(group: Group, context: KernelContext): Form | undefined {
  const writer = new FormWriter(context);
  // Also what makes the values that it stores: those have a buffer, where following them ends.
  return writer.write(group) && writer.write(nodesOf(group))
    ? { text: writer.text, places: writer.places }
    : undefined;
}

const opNumbers = new WeakMap<OpDefinition, number>();
let opCount = 0;

function numberOf(op: OpDefinition): number {
  const known = opNumbers.get(op);
  if (known !== undefined) return known;
  opNumbers.set(op, opCount);
  return opCount++;
}

/** Writes a group with numbers for its values, nodes and places, in the order in which they are met. */
class FormWriter {
  readonly places: PlanPlace[] = [];
  readonly #context: KernelContext;
  readonly #parts: string[] = [];
  readonly #values = new Map<Value, number>();
  readonly #nodes = new Map<Node, number>();
  readonly #placeNumbers = new Map<string, number>();

  constructor(context: KernelContext) {
    this.#context = context;
  }

  get text(): string {
    return this.#parts.join(" ");
  }

  /** False for what has no form: a function, or data of which only the identity is known. */
  write(item: unknown): boolean {
    if (typeof item === "function" || typeof item === "symbol") return false;
    if (typeof item !== "object" || item === null) {
      this.#parts.push(typeof item === "string" ? JSON.stringify(item) : String(item));
      return true;
    }
    if (item instanceof Dim) {
      this.#parts.push(`d${item.key}`);
      return true;
    }
    if (Array.isArray(item)) {
      this.#parts.push("[");
      const isWhole = item.every((one) => this.write(one));
      this.#parts.push("]");
      return isWhole;
    }
    if (isNode(item)) return this.#node(item);
    if (isValue(item)) return this.#value(item);
    if (isPlace(item)) return this.#place(item);
    if (ArrayBuffer.isView(item) || item instanceof Map || item instanceof Set) return false;
    this.#parts.push("{");
    for (const [name, value] of Object.entries(item)) {
      // Where in the model a thing is says nothing of how it is computed.
      if (name === "provenance" || name === "span") continue;
      this.#parts.push(name);
      if (!this.write(value)) return false;
    }
    this.#parts.push("}");
    return true;
  }

  #node(node: Node): boolean {
    const known = this.#nodes.get(node);
    this.#parts.push(`n${known ?? this.#nodes.size}`);
    if (known !== undefined) return true;
    this.#nodes.set(node, this.#nodes.size);
    const { op, attributes, operands, results } = node;
    this.#parts.push(`op${numberOf(op)}`);
    // An operand is followed to what has a buffer: that is how far a kernel computes it.
    return (
      this.write(attributes) &&
      this.write(this.#context.folds(node)) &&
      this.write(operands) &&
      this.write(results)
    );
  }

  #value(value: Value): boolean {
    const known = this.#values.get(value);
    this.#parts.push(`v${known ?? this.#values.size}`);
    if (known !== undefined) return true;
    this.#values.set(value, this.#values.size);
    const { type, source } = value;
    this.#parts.push(type.dtype);
    if (!this.write(type.shape)) return false;
    const located = this.#context.buffers.located(value);
    if (located !== undefined) return this.write(located);
    if (source.kind !== "result") return false;
    this.#parts.push(`of${source.index}`);
    return this.#node(source.node);
  }

  #place(place: PlanPlace): boolean {
    const key = JSON.stringify(place);
    const known = this.#placeNumbers.get(key);
    // Which state it is, the kernel does not know; whether it is one, and of when, decides how it is bound.
    const kind = place.kind === "state" ? `state-${place.time}` : place.kind;
    this.#parts.push(`${kind}${known ?? this.#placeNumbers.size}`);
    if (known !== undefined) return true;
    this.#placeNumbers.set(key, this.#placeNumbers.size);
    this.places.push(place);
    return true;
  }
}

function isNode(item: object): item is Node {
  return "op" in item && "operands" in item && "results" in item;
}

function isValue(item: object): item is Value {
  return "source" in item && "type" in item;
}

function isPlace(item: object): item is PlanPlace {
  return "kind" in item && (item.kind === "slot" || item.kind === "weight" || item.kind === "state");
}
