/**
 * A kernel plan as text, for people: what each entry takes and gives, what lies where, and every dispatch
 * in order.
 *
 * Owns: the printed form. Sizes are formulas in the open dimensions, with their values behind them where
 * numbers were given. Nothing reads it back: the plan itself is JSON.
 */
import type { Dim } from "../lang/dims.ts";
import { shortBytes, shortCount } from "./cost/numbers.ts";
import type {
  KernelPlan,
  PlanBinding,
  PlanDispatch,
  PlanEntry,
  PlanKernel,
  PlanPlace,
  PlanPort,
  PlanWeight,
  Size,
} from "./plan.ts";
import { dimOf } from "./wgsl/size.ts";

/** The arena of an entry, at given sizes. */
export interface MeasuredArena {
  readonly at: ReadonlyMap<string, number>;
  readonly bytes: number;
  /** The most that is alive at once. */
  readonly live: number;
}

export interface PlanTextOptions {
  /** By the name of the entry. */
  readonly arenas: ReadonlyMap<string, MeasuredArena>;
  /** Whether formulas are followed by their values, at the sizes of the arenas. */
  readonly values: boolean;
  /** Whether the text of every kernel is printed too. */
  readonly wgsl: boolean;
}

export function printPlan(plan: KernelPlan, options: PlanTextOptions): string {
  const { model, entries, kernels, weights } = plan;
  const total = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  const lines = [
    `plan ${model}: ${counted(entries.length, "entry", "entries")}, ${counted(kernels.length, "kernel")}, ${counted(weights.length, "weight")} of ${shortBytes(total)}`,
  ];
  for (const entry of entries) lines.push("", ...new EntryText(plan, entry, options).lines());
  lines.push("", "kernels");
  const uses = usesOf(plan);
  for (const [index, kernel] of kernels.entries())
    lines.push(kernelLine(index, kernel, uses.get(index) ?? 0));
  if (options.wgsl) {
    for (const index of kernels.keys()) lines.push("", printKernel(plan, index).trimEnd());
  }
  return `${lines.join("\n")}\n`;
}

/** One kernel with its WGSL. */
export function printKernel(plan: KernelPlan, index: number): string {
  const kernel = plan.kernels[index];
  if (kernel === undefined) return "";
  const uses = usesOf(plan).get(index) ?? 0;
  return `kernel ${kernelLine(index, kernel, uses).trimStart()}\n${kernel.code.trimEnd()}\n`;
}

function usesOf({ entries }: KernelPlan): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const { dispatches } of entries) {
    for (const { kernel, variants = [] } of dispatches) {
      for (const each of [kernel, ...variants.map((variant) => variant.kernel)])
        uses.set(each, (uses.get(each) ?? 0) + 1);
    }
  }
  return uses;
}

function kernelLine(index: number, kernel: PlanKernel, uses: number): string {
  const { label, workgroup, bindings, features, workgroupBytes } = kernel;
  const parts = [
    `workgroups of ${workgroup.join(" x ")}`,
    counted(bindings.filter((kind) => kind !== "sizes").length, "storage buffer"),
    ...(workgroupBytes > 0 ? [`${shortBytes(workgroupBytes)} of workgroup memory`] : []),
    ...features.map((feature) => `needs ${feature}`),
    `in ${counted(uses, "dispatch", "dispatches")}`,
  ];
  return `  ${index}: ${label}: ${parts.join(", ")}`;
}

class EntryText {
  readonly #plan: KernelPlan;
  readonly #entry: PlanEntry;
  readonly #arena: MeasuredArena | undefined;
  readonly #values: boolean;
  readonly #dims = new Map<Size, Dim>();

  constructor(plan: KernelPlan, entry: PlanEntry, { arenas, values }: PlanTextOptions) {
    this.#plan = plan;
    this.#entry = entry;
    this.#arena = arenas.get(entry.name);
    this.#values = values;
  }

  lines(): string[] {
    const { name, symbols, inputs, outputs, guards, slots, dispatches } = this.#entry;
    const list = (ports: readonly PlanPort[]): string =>
      ports
        .filter(({ state }) => state === undefined)
        .map((port) => this.#port(port))
        .join(", ");
    const lines = [`entry ${name}(${list(inputs)}) -> ${list(outputs)}`];
    for (const symbol of symbols) lines.push(`  ${symbol.name} >= ${symbol.minimum}`);
    for (const { relation, left, right, message } of guards) {
      const sign = { equal: "==", "at-most": "<=", divides: "divides" }[relation];
      lines.push(`  when run: ${this.#dim(left)} ${sign} ${this.#dim(right)} (${message})`);
    }
    lines.push(...this.#states(), ...this.#totals());
    if (slots.length > 0) lines.push("");
    for (const [index, { label, bytes, above, first, last }] of slots.entries()) {
      const alive = first < 0 ? `an input, until ${last}` : `alive from ${first} to ${last}`;
      const place = above.length === 0 ? "at 0" : `above ${above.join(", ")}`;
      lines.push(`  slot ${index}: ${this.#size(bytes)} bytes ${place}, ${alive}  ${label}`.trimEnd());
    }
    for (const [index, dispatch] of dispatches.entries()) {
      lines.push("", `  dispatch ${index}: ${dispatch.path || name}`, ...this.#dispatch(dispatch, index));
    }
    return lines;
  }

  #port({ name, dtype, shape, sampleRate }: PlanPort): string {
    const sizes = shape.map((size) => `${this.#dim(size)}`).join(", ");
    const rate = sampleRate === undefined ? "" : ` @ ${sampleRate}`;
    return `${name}: ${dtype}[${sizes}]${rate}`;
  }

  #states(): string[] {
    const { inputs, outputs } = this.#entry;
    const written = new Set(outputs.map(({ state }) => state));
    const read = new Set(inputs.map(({ state }) => state));
    const ports = [...inputs, ...outputs.filter(({ state }) => !read.has(state))];
    return ports.flatMap((port) => {
      if (port.state === undefined) return [];
      const sizes = port.shape.map((size) => `${this.#dim(size)}`).join(", ");
      const use = !read.has(port.state) ? "left" : written.has(port.state) ? "read and left" : "read";
      return [`  state ${port.state}: ${port.dtype}[${sizes}], ${use}`];
    });
  }

  /** The arena, and what all dispatches do together. */
  #totals(): string[] {
    const { slots, dispatches } = this.#entry;
    const lines: string[] = [];
    const arena = this.#arena;
    if (arena !== undefined) {
      const times =
        arena.live === 0 ? "" : `, ${(arena.bytes / arena.live).toFixed(2)} times what is alive at once`;
      const sizes = this.#entry.symbols.map(({ name }) => `${name} = ${arena.at.get(name)}`).join(", ");
      const where = sizes === "" ? "" : ` at ${sizes}`;
      lines.push(`  arena: ${shortBytes(arena.bytes)} in ${counted(slots.length, "slot")}${where}${times}`);
      const sum = (of: (dispatch: PlanDispatch) => Size): number =>
        dispatches.reduce((total, dispatch) => total + this.#dim(of(dispatch)).evaluate(arena.at), 0);
      const work = workText(
        shortCount(sum(({ executed }) => executed)),
        shortCount(sum(({ declared }) => declared)),
        shortBytes(sum(({ traffic }) => traffic)),
      );
      lines.push(`  ${counted(dispatches.length, "dispatch", "dispatches")}${where}: ${work}`);
    }
    return lines;
  }

  #dispatch(
    {
      kernel,
      places,
      sizes,
      workgroups,
      executed,
      declared,
      traffic,
      overhead = [],
      variants = [],
    }: PlanDispatch,
    at: number,
  ): string[] {
    const found = this.#plan.kernels[kernel];
    const lines = [
      `    kernel ${kernel} (${found?.label ?? "missing"}), workgroups ${workgroups.map((size) => this.#size(size)).join(" x ")}`,
    ];
    const written = places.filter((binding) => this.#isWritten(binding.place, at));
    const read = places.filter((binding) => !written.includes(binding));
    for (const [verb, bindings] of [
      ["reads", read],
      ["writes", written],
    ] as const) {
      if (bindings.length > 0) {
        lines.push(`    ${verb} ${bindings.map((binding) => this.#binding(binding)).join(", ")}`);
      }
    }
    if (sizes.length > 0) lines.push(`    sizes ${sizes.map((size) => this.#size(size)).join(", ")}`);
    const work = workText(this.#count(executed), this.#count(declared), this.#bytes(traffic));
    const reasons = overhead.map(({ reason, macs }) => `${reason} ${this.#count(macs)}`);
    lines.push(`    ${work}`);
    if (reasons.length > 0) lines.push(`    overhead: ${reasons.join(", ")}`);
    const others = variants.map((variant) => variant.kernel);
    if (others.length > 0)
      lines.push(`    or, when that is measured to be faster: kernel ${others.join(", ")}`);
    return lines;
  }

  /** A value is written by the first dispatch that it is alive in, a state where it is left. */
  #isWritten(place: PlanPlace, at: number): boolean {
    switch (place.kind) {
      case "slot":
        return this.#entry.slots[place.slot]?.first === at;
      case "state":
        return place.time === "present";
      case "weight":
        return false;
    }
  }

  #binding({ place, range }: PlanBinding): string {
    const part = range === undefined ? "" : ` bytes ${range.start} to ${range.start + range.bytes}`;
    switch (place.kind) {
      case "slot":
        return `slot ${place.slot}${part}`;
      case "state":
        return `state ${place.state} (${place.time})${part}`;
      case "weight": {
        const weight = this.#plan.weights[place.weight];
        if (weight === undefined) return `weight ${place.weight}`;
        return `weight ${weightName(weight)} ${weight.stored}[${weight.shape.join(", ")}]${part}`;
      }
    }
  }

  #dim(size: Size): Dim {
    const known = this.#dims.get(size);
    if (known !== undefined) return known;
    const dim = dimOf(size);
    this.#dims.set(size, dim);
    return dim;
  }

  /** The formula, and its value where there is one to show. */
  #size(size: Size): string {
    const dim = this.#dim(size);
    const at = this.#shown(dim);
    return at === undefined ? `${dim}` : `${dim} = ${dim.evaluate(at)}`;
  }

  #count(size: Size): string {
    return this.#short(size, shortCount);
  }

  #bytes(size: Size): string {
    return this.#short(size, shortBytes, " bytes");
  }

  #short(size: Size, write: (value: number) => string, unit = ""): string {
    const dim = this.#dim(size);
    if (dim.constant !== undefined) return write(dim.constant);
    const at = this.#shown(dim);
    return at === undefined ? `${dim}${unit}` : `${dim}${unit} = ${write(dim.evaluate(at))}`;
  }

  #shown(dim: Dim): ReadonlyMap<string, number> | undefined {
    return this.#values && dim.constant === undefined ? this.#arena?.at : undefined;
  }
}

/** A weight that was computed has a number for a name: what it was computed from says more. */
function weightName({ name, from }: PlanWeight): string {
  const [first, ...others] = from;
  if (first === undefined || name.startsWith(first)) return name;
  return `${name} of ${first}${others.length === 0 ? "" : ` and ${others.length} more`}`;
}

/** Executed and declared are one number where nothing is executed beyond what is needed. */
function workText(executed: string, declared: string, traffic: string): string {
  const macs = executed === declared ? `${executed} MACs` : `${executed} MACs executed, ${declared} declared`;
  return `${macs}, at least ${traffic} moved`;
}

function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
