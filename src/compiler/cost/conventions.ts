/**
 * The conventions of counting: what one number of a report means.
 *
 * Owns: their list, the definition that every output states, and what a tool's convention leaves out,
 * by name. What a tool makes of an op stands in the op's record.
 */
import { Dim, sumDims } from "../../lang/dims.ts";
import type { GraphCost, NodeCost } from "./count.ts";

export const conventions = ["core", "torchprofile", "fvcore", "flops"] as const;
export type Convention = (typeof conventions)[number];

export const definitions: Readonly<Record<Convention, string>> = {
  core: "multiply-accumulates (MACs) of matrix products, convolutions, attention's two products and scans; everything else is a scalar operation",
  torchprofile:
    "MACs, as torchprofile counts them: besides products, the scale of attention (heads·N² a layer), products of tensors, affine norms and means; of a policy, its products alone",
  fvcore:
    "MACs, as fvcore's FlopCountAnalysis counts them with its default handles: products, and 5 for each element of an affine layer norm",
  flops: "floating-point operations: 2 for each MAC, and the scalar operations",
};

export function isConvention(name: string): name is Convention {
  return (conventions as readonly string[]).includes(name);
}

/** The count of one node. */
export function countOf(node: NodeCost, convention: Convention): Dim {
  switch (convention) {
    case "core":
      return node.macs;
    case "flops":
      return node.macs.mul(2).add(node.scalar);
    case "torchprofile":
      // The scores of a policy can be written in many ways, and published counts are of none of them here.
      if (node.kind === "pruning") return node.macs;
      return toolCount(node, convention);
    case "fvcore":
      return toolCount(node, convention);
  }
}

function toolCount(node: NodeCost, tool: "torchprofile" | "fvcore"): Dim {
  const counted = node.tools[tool];
  return "count" in counted ? counted.count : Dim.of(0);
}

export interface Missed {
  readonly op: string;
  readonly nodes: number;
  readonly macs: Dim;
  readonly scalar: Dim;
  readonly reason: string;
}

const noHandle = "scalar operations, for which it has no handle";

/** What the convention counts as nothing although it is work; empty for those that count everything. */
export function missedBy(cost: GraphCost, convention: Convention): readonly Missed[] {
  if (convention !== "torchprofile" && convention !== "fvcore") return [];
  const found = new Map<string, { nodes: NodeCost[]; reason: string }>();
  for (const node of cost.nodes) {
    const counted = node.tools[convention];
    const missed = "missed" in counted;
    if (!missed && (counted.count.constant !== 0 || node.scalar.constant === 0)) continue;
    const entry = found.get(node.op) ?? { nodes: [], reason: missed ? counted.missed : noHandle };
    entry.nodes.push(node);
    found.set(node.op, entry);
  }
  return [...found].map(([op, { nodes, reason }]) => ({
    op,
    nodes: nodes.length,
    macs: sumDims(nodes.map((node) => node.macs)),
    scalar: sumDims(nodes.map((node) => node.scalar)),
    reason,
  }));
}
