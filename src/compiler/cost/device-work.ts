/**
 * What an entry takes on a WebGPU device: its dispatches, and the multiply-adds that they execute.
 *
 * Owns: placing every dispatch of the plan among the rows of a report, and naming what is executed beyond
 * what the report declares. What kernels execute is their own word (wgsl/dispatch-work.ts).
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import type { Node } from "../graph.ts";
import type { Overhead } from "../ops/op.ts";
import { planWork } from "../wgsl/compile.ts";
import { declaredMacs } from "../wgsl/dispatch-work.ts";
import { typicalBindings } from "./bindings.ts";
import { blockOf, componentOf, pathOf, workKind } from "./classify.ts";
import type { NodeCost } from "./count.ts";
import type { EntryCost } from "./model-cost.ts";

/** Targets whose work is known before anything runs. */
export const targets = ["webgpu"] as const;
export type Target = (typeof targets)[number];

export const targetTitles: Readonly<Record<Target, string>> = { webgpu: "WebGPU" };

export type Headings = Pick<NodeCost, "path" | "component" | "block" | "kind" | "op">;

export interface DispatchCost {
  readonly headings: Headings;
  /** What is executed beyond the entry's own MACs; negative: what of those is skipped. */
  readonly overhead: readonly Overhead[];
  readonly executed: Dim;
}

/** One reason, over all dispatches that have it. */
export interface NamedOverhead {
  readonly reason: string;
  readonly macs: Dim;
  readonly dispatches: number;
  /** Where, by path and op; in the order of the plan. */
  readonly parts: readonly { readonly path: string; readonly op: string; readonly macs: Dim }[];
}

const late = "computed from learned tensors at every call, because storing it would take more bytes";
const copied: Headings = {
  path: ["(state)"],
  component: "(state)",
  block: "(state)",
  kind: "movement",
  op: "(copy)",
};

const known = new WeakMap<EntryCost, readonly DispatchCost[]>();

/** Compiles the entry for the device, once; no weight is read. */
export function dispatchesOf(entry: EntryCost): readonly DispatchCost[] {
  const found = known.get(entry) ?? compile(entry);
  known.set(entry, found);
  return found;
}

function compile(entry: EntryCost): readonly DispatchCost[] {
  const { graph, nodes, prepared } = entry.cost;
  const bySymbol = new Set(graph.symbols.map(({ name }) => name));
  // Sizes of inputs are the compiler's to guess; parameters that were left open it has never seen.
  const typical = new Map([...typicalBindings(entry, new Map())].filter(([name]) => !bySymbol.has(name)));
  const places = new Places(nodes, prepared);
  const [work = []] = planWork([graph], { typical });
  return work.map(({ root, nodes: own, overhead, executed }) => {
    const macs = sumDims(own.filter((node) => places.isPrepared(node)).map(declaredMacs));
    return {
      headings: root === undefined ? copied : places.headingsOf(root),
      overhead: macs.constant === 0 ? overhead : [...overhead, { reason: late, macs }],
      executed,
    };
  });
}

/**
 * Where the nodes of a plan stand in the report. The compiler may have made them anew, several as one:
 * then the place and the op tell.
 */
class Places {
  readonly #nodes = new Map<Node, NodeCost>();
  readonly #byPlace = new Map<string, NodeCost>();
  readonly #prepared: ReadonlySet<NodeCost>;

  constructor(nodes: readonly NodeCost[], prepared: readonly NodeCost[]) {
    this.#prepared = new Set(prepared);
    // What is run at every call is said last, and so counts where both have a place.
    for (const one of [...prepared, ...nodes]) {
      this.#nodes.set(one.node, one);
      this.#byPlace.set(placeOf(one.node), one);
    }
  }

  #find(node: Node): NodeCost | undefined {
    return this.#nodes.get(node) ?? this.#byPlace.get(placeOf(node));
  }

  isPrepared(node: Node): boolean {
    const found = this.#find(node);
    return found !== undefined && this.#prepared.has(found);
  }

  headingsOf(node: Node): Headings {
    const { frame, path: place } = node.provenance;
    const path = pathOf(place, frame);
    const here = { path, component: componentOf(frame, path), block: blockOf(frame), op: node.op.name };
    return this.#find(node) ?? { ...here, kind: workKind(node, new Set()) };
  }
}

const placeOf = ({ op, provenance }: Node): string => `${op.name} ${provenance.path}`;

export function executedMacs(dispatches: readonly DispatchCost[]): Dim {
  return sumDims(dispatches.map(({ executed }) => executed));
}

export function overheadMacs({ overhead }: DispatchCost): Dim {
  return overhead.reduce((sum, { macs }) => sum.add(macs), Dim.of(0));
}

export function namedOverheads(dispatches: readonly DispatchCost[]): readonly NamedOverhead[] {
  const byReason = new Map<string, { path: string; op: string; macs: Dim }[]>();
  for (const { headings, overhead } of dispatches) {
    for (const { reason, macs } of overhead) {
      const parts = byReason.get(reason) ?? [];
      parts.push({ path: headings.path.join("."), op: headings.op, macs });
      byReason.set(reason, parts);
    }
  }
  return [...byReason].map(([reason, parts]) => ({
    reason,
    macs: sumDims(parts.map(({ macs }) => macs)),
    dispatches: parts.length,
    parts,
  }));
}
