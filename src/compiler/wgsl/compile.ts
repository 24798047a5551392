/**
 * Graphs to a kernel plan.
 *
 * Owns: giving every stored value its place, writing each group's kernels, and what they read and write
 * when. The same text is one kernel, whoever runs it.
 */
import { Dim, productDims } from "../../lang/dims.ts";
import { printShape, type TensorType } from "../../lang/types.ts";
import { internalFault } from "../fault.ts";
import type { Graph, Node, Value } from "../graph.ts";
import { StoredWeights, storedValues } from "../onnx/weights.ts";
import type {
  KernelPlan,
  PlanDispatch,
  PlanDType,
  PlanEntry,
  PlanGeneration,
  PlanGuard,
  PlanPlace,
  PlanPort,
  PlanVariant,
  Size,
} from "../plan.ts";
import { type DispatchWork, workOf } from "./dispatch-work.ts";
import { fuse } from "./fusion.ts";
import { withGeneration } from "./generation.ts";
import { type Group, nodesOf, storedBy, whole } from "./groups.ts";
import { KernelMemory, type Written } from "./kernel-memory.ts";
import type { Located } from "./kernel-writer.ts";
import { attentionKernel } from "./kernels/attention.ts";
import { copyKernel } from "./kernels/elements.ts";
import type { Arithmetic } from "./kernels/half-products.ts";
import { kernelMakers } from "./kernels/index.ts";
import type { KernelContext, WhichOthers } from "./kernels/kernel.ts";
import { selectionKernel } from "./kernels/selection.ts";
import { arrange, type SlotRequest } from "./memory.ts";
import { PlanTables, type WeightLocation } from "./plan-tables.ts";
import { Purposes } from "./purposes.ts";
import { contextOf } from "./reader.ts";
import { mergeSiblings } from "./siblings.ts";
import { sizeOf } from "./size.ts";
import { rowMajorDims } from "./strides.ts";
import { defaultTuning, type Tuning } from "./tuning.ts";
import { typicalSizes } from "./typical-sizes.ts";
import type { Variant } from "./variants.ts";

export interface PlanOptions {
  readonly model?: string;
  readonly tuning?: Tuning;
  /** `f16`: products with learned matrices multiply in 16 bits, on devices that have `shader-f16` and no other. */
  readonly arithmetic?: Arithmetic;
  /** Bytes that a kernel may bind at once; what every device allows by default. */
  readonly largestBinding?: number;
  /** How two of the entries generate: they get outputs from which a device chooses. */
  readonly generation?: Omit<PlanGeneration, "selection">;
  /** Sizes in use, by symbol, for choices that no size can make wrong. */
  readonly typical?: ReadonlyMap<string, number>;
  /**
   * Other kernels that dispatches come with: those that are known to suit some driver, or all of which a device may
   * choose by measuring.
   */
  readonly variants?: WhichOthers;
  /** Whether every kernel is written anew, also where one of the same form was written before: to compare. */
  readonly anew?: boolean;
}

export interface PlanArtefact {
  readonly plan: KernelPlan;
  /** What the weight file holds: `key` reads the tensor named by a weight of the plan. */
  readonly stored: StoredWeights;
}

/** What every device lets a kernel bind at once. */
const mostBound = 128 * 2 ** 20;

export function compilePlan(given: readonly Graph[], options: PlanOptions = {}): PlanArtefact {
  const { graphs, generation } = withGeneration(given, options.generation);
  const stored = new StoredWeights();
  const shared = tablesOf(stored, options);
  const entries = mergeSiblings(graphs, options.largestBinding ?? mostBound).map((graph) =>
    new EntryCompiler(graph, shared, options).run(),
  );
  const plan: KernelPlan = {
    format: "ossicle-plan",
    version: 1,
    model: options.model ?? graphs[0]?.name ?? "model",
    weights: shared.weights,
    kernels: shared.kernels,
    entries,
    ...(generation !== undefined && { generation }),
  };
  return { plan, stored };
}

const tablesOf = (stored: StoredWeights, { largestBinding = mostBound, variants }: PlanOptions): PlanTables =>
  new PlanTables(stored, { largestBinding, variants });

/** What the dispatches of every entry do, without a plan: sizes may hold parameters that were left open. */
export function planWork(
  graphs: readonly Graph[],
  options: PlanOptions = {},
): readonly (readonly DispatchWork[])[] {
  const shared = tablesOf(new StoredWeights(), options);
  return mergeSiblings(graphs, options.largestBinding ?? mostBound).map((graph) =>
    new EntryCompiler(graph, shared, options).work(),
  );
}

interface SlotDraft {
  readonly label: string;
  readonly bytes: Dim;
  first: number;
  last: number;
}

interface DispatchDraft {
  readonly kernel: number;
  readonly path: string;
  readonly places: readonly { readonly place: PlanPlace }[];
  readonly sizes: readonly Dim[];
  readonly workgroups: readonly [Dim, Dim, Dim];
  readonly only: readonly string[] | undefined;
  readonly traffic: Dim;
  readonly work: DispatchWork;
  readonly variants: readonly Variant[];
}

class EntryCompiler {
  readonly #context: KernelContext;
  readonly #graph: Graph;
  readonly #shared: PlanTables;
  readonly #typical: ReadonlyMap<string, number>;
  readonly #places = new Map<Value, Located>();
  readonly #folds = new Map<Node, readonly Located[]>();
  readonly #slots: SlotDraft[] = [];
  readonly #dispatches: DispatchDraft[] = [];
  readonly #purposes: Purposes;
  readonly #memory: KernelMemory;
  /** Bytes behind each place, for traffic. */
  readonly #bytes = new Map<string, Dim>();

  constructor(graph: Graph, shared: PlanTables, options: PlanOptions) {
    this.#graph = graph;
    this.#shared = shared;
    this.#purposes = new Purposes(graph);
    this.#context = {
      tuning: options.tuning ?? defaultTuning,
      arithmetic: options.arithmetic ?? "f32",
      buffers: { located: (value) => this.#places.get(value), folds: (row) => this.#folds.get(row) },
      folds: (row) => this.#folds.get(row),
      target: (value) => this.#target(value),
      scratch: (label, type) => this.#locate(this.#newSlot(label, type, this.#dispatches.length), type),
      typical: (dim) => this.#typicalSize(dim),
    };
    this.#typical = typicalSizes(graph, options.typical);
    this.#memory = new KernelMemory(this.#context, options.anew === true);
  }

  #typicalSize(dim: Dim): number {
    return dim.evaluate(this.#typical);
  }

  #target(value: Value): Located {
    const located = this.#places.get(value);
    if (located === undefined)
      throw internalFault(`a kernel of ${this.#graph.name} stores a value that has no place`);
    return located;
  }

  run(): PlanEntry {
    this.#compile();
    return this.#finish();
  }

  work(): readonly DispatchWork[] {
    this.#compile();
    return this.#dispatches.map(({ work }) => work);
  }

  #compile(): void {
    const graph = this.#graph;
    const stored = storedValues(graph);
    for (const value of stored) {
      const weight = this.#shared.weight(value);
      const [first] = weight.parts ?? [];
      if (first === undefined) throw internalFault("a stored value has no weight");
      this.#place(value, first.place, weight);
    }
    for (const { name, value, state } of graph.inputs) {
      this.#place(
        value,
        state === undefined ? this.#newSlot(name, value.type, -1) : { kind: "state", state, time: "past" },
      );
    }
    const given = new Set<Value>([...stored, ...graph.inputs.map(({ value }) => value)]);
    const { groups, kept } = fuse(graph, given, {
      typical: (dim) => this.#typicalSize(dim),
      columns: this.#context.tuning.columns,
      buffers: (value) => this.#places.get(value)?.parts?.length ?? 1,
    });
    const statePlaces = new Map<Value, PlanPlace>();
    for (const { value, state } of graph.outputs) {
      if (state !== undefined && !given.has(value) && !statePlaces.has(value))
        statePlaces.set(value, { kind: "state", state, time: "present" });
    }
    for (const group of groups) this.#group(group, statePlaces, kept);
    this.#copyStates(statePlaces);
  }

  #group(group: Group, statePlaces: ReadonlyMap<Value, PlanPlace>, kept: ReadonlySet<Node>): void {
    const { root, attention, selection } = group;
    for (const { value } of storedBy(group)) {
      this.#place(
        value,
        statePlaces.get(value) ?? this.#newSlot(root.provenance.path, value.type, this.#dispatches.length),
      );
    }
    if (attention !== undefined && kept.has(attention.row)) this.#keepFolds(attention.row);
    const kernels = this.#memory.write(group, (context) =>
      attention !== undefined
        ? attentionKernel(group, attention, context)
        : selection !== undefined
          ? selectionKernel(group, selection, context)
          : kernelMakers[root.op.lowering.kind](group, context),
    );
    const nodes = nodesOf(group);
    const work = workOf(
      root,
      nodes,
      kernels.map(({ kernel }) => kernel),
    );
    const only = this.#purposes.of(nodes);
    kernels.forEach((kernel, at) => {
      const own = work[at];
      if (own !== undefined) this.#write(kernel, root.provenance.path, own, only);
    });
  }

  #keepFolds(row: Node): void {
    const { lowering } = row.op;
    const [given] = row.operands;
    if (lowering.kind !== "row" || given === undefined) throw internalFault(`${row.op.name} is no row`);
    const axis = lowering.axis(contextOf(row));
    const type: TensorType = { dtype: "f32", shape: given.type.shape.filter((_, place) => place !== axis) };
    this.#folds.set(
      row,
      lowering.folds.map((_, at) => this.#context.scratch(`${row.provenance.path} fold ${at}`, type)),
    );
  }

  /** States that are left as they came, or that two names share, are copied. */
  #copyStates(statePlaces: ReadonlyMap<Value, PlanPlace>): void {
    for (const { value, state, name } of this.#graph.outputs) {
      if (state === undefined) continue;
      const known = statePlaces.get(value);
      if (known?.kind === "state" && known.state === state) continue;
      const copy: Value = { type: value.type, source: { kind: "input", name } };
      const place: PlanPlace = { kind: "state", state, time: "present" };
      const target = this.#locate(place, value.type);
      const tail = { ...whole(value), value: copy };
      const context: KernelContext = { ...this.#context, target: () => target };
      const kernels = copyKernel(tail, context);
      const work = workOf(undefined, [], kernels);
      kernels.forEach((kernel, at) => {
        const own = work[at];
        const written = kernel.writer.finish(kernel.label);
        if (own !== undefined) this.#write({ kernel, written, places: written.places }, name, own);
      });
    }
  }

  #write(
    { kernel: own, written, places }: Written,
    path: string,
    work: DispatchWork,
    only?: readonly string[],
  ): void {
    const at = this.#dispatches.length;
    for (const { place } of places) {
      if (place.kind !== "slot") continue;
      const slot = this.#slots[place.slot];
      if (slot === undefined) throw internalFault("a kernel names a slot that does not exist");
      slot.last = Math.max(slot.last, at);
    }
    const traffic = places.reduce(
      (sum, { place }) => sum.add(this.#bytes.get(JSON.stringify(place)) ?? 0),
      Dim.of(0),
    );
    const { sizes } = written;
    const kernel = this.#shared.kernel(written.kernel);
    // In the places of the group that it was written for: a variant says only their order.
    const variants = this.#shared.variants?.of(own, { kernel, places: written.places, sizes }) ?? [];
    const { workgroups } = own;
    this.#dispatches.push({ kernel, path, places, sizes, workgroups, only, traffic, work, variants });
  }

  #newSlot(label: string, type: TensorType, first: number): PlanPlace {
    this.#slots.push({ label, bytes: bytesOf(type), first, last: first });
    return { kind: "slot", slot: this.#slots.length - 1 };
  }

  #place(value: Value, place: PlanPlace, weight?: WeightLocation): void {
    const located = this.#locate(place, value.type);
    this.#places.set(value, weight === undefined ? located : { ...located, ...weight });
    // What is stored in fewer bits moves in as few.
    for (const { place: part } of weight?.parts ?? []) {
      if (part.kind === "weight")
        this.#bytes.set(JSON.stringify(part), Dim.of(this.#shared.weights[part.weight]?.bytes ?? 0));
    }
  }

  #locate(place: PlanPlace, type: TensorType): Located {
    this.#bytes.set(JSON.stringify(place), bytesOf(type));
    const stored = place.kind === "weight" ? (this.#shared.weights[place.weight]?.stored ?? "f32") : "f32";
    return {
      place,
      dtype: type.dtype,
      stored,
      shape: type.shape,
      strides: rowMajorDims(type.shape),
      offset: Dim.of(0),
    };
  }

  // ---------------------------------------------------------------- as plain data

  #finish(): PlanEntry {
    const graph = this.#graph;
    const end = this.#dispatches.length;
    for (const { value } of graph.outputs) {
      const place = this.#places.get(value)?.place;
      const slot = place?.kind === "slot" ? this.#slots[place.slot] : undefined;
      if (slot !== undefined) slot.last = end;
    }
    const requests = this.#slots.map(
      ({ label, bytes, first, last }): SlotRequest => ({
        label,
        bytes: sizeOf(bytes),
        typicalBytes: this.#typicalSize(bytes),
        first,
        last,
      }),
    );
    const { slots, numbers } = arrange(requests);
    const settled = (place: PlanPlace): PlanPlace =>
      place.kind === "slot" ? { kind: "slot", slot: numbers[place.slot] ?? 0 } : place;
    const port = (
      name: string,
      value: Value,
      state: string | undefined,
      time: "past" | "present",
    ): PlanPort => {
      const place: PlanPlace | undefined =
        state !== undefined ? { kind: "state", state, time } : this.#places.get(value)?.place;
      return {
        name,
        dtype: planType(value.type),
        shape: value.type.shape.map(sizeOf),
        at: place === undefined ? undefined : settled(place),
        ...(state === undefined ? {} : { state }),
      };
    };
    return {
      name: graph.name,
      symbols: graph.symbols.map(({ name, minimum }) => ({ name, minimum })),
      inputs: graph.inputs.map(({ name, value, state, sampleRate }) => ({
        ...port(name, value, state, "past"),
        ...(sampleRate === undefined ? {} : { sampleRate }),
      })),
      outputs: graph.outputs.map(({ name, value, state }) => port(name, value, state, "present")),
      guards: guardsOf(graph),
      slots,
      dispatches: this.#dispatches.map(
        (draft): PlanDispatch => ({
          kernel: draft.kernel,
          path: draft.path,
          places: draft.places.map((binding) => ({ ...binding, place: settled(binding.place) })),
          sizes: draft.sizes.map(sizeOf),
          workgroups: workgroupSizes(draft.workgroups),
          ...(draft.only === undefined ? {} : { only: draft.only }),
          executed: sizeOf(draft.work.executed),
          declared: sizeOf(draft.work.declared),
          ...overheadOf(draft.work),
          traffic: sizeOf(draft.traffic),
          ...(draft.variants.length === 0 ? {} : { variants: draft.variants.map(planVariant) }),
        }),
      ),
    };
  }
}

function workgroupSizes([x, y, z]: readonly [Dim, Dim, Dim]): readonly [Size, Size, Size] {
  return [sizeOf(x), sizeOf(y), sizeOf(z)];
}

function planVariant(variant: Variant): PlanVariant {
  return {
    kernel: variant.kernel,
    order: variant.order,
    sizes: variant.sizes.map(sizeOf),
    workgroups: workgroupSizes(variant.workgroups),
    executed: sizeOf(variant.executed),
    ...overheadOf(variant),
  };
}

function overheadOf({ overhead }: Pick<DispatchWork, "overhead">): Pick<PlanDispatch, "overhead"> {
  if (overhead.length === 0) return {};
  return { overhead: overhead.map(({ reason, macs }) => ({ reason, macs: sizeOf(macs) })) };
}

/** Four bytes an element, as a multiple of 16: kernels read four elements at a time. */
function bytesOf({ shape }: TensorType): Dim {
  return productDims([...shape])
    .ceilDivide(4)
    .mul(16);
}

function planType({ dtype, shape }: TensorType): PlanDType {
  if (dtype === "f32" || dtype === "i64" || dtype === "i32" || dtype === "bool") return dtype;
  throw internalFault(`a plan can't pass ${dtype}${printShape(shape)}`);
}

function guardsOf(graph: Graph): PlanGuard[] {
  return graph.guards.map(({ requirement }) => ({
    relation: requirement.kind,
    left: sizeOf(requirement.left),
    right: sizeOf(requirement.right),
    message: requirement.reason,
  }));
}
