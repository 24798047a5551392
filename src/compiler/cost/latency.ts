/**
 * How long an entry may take on a device: a roofline estimate.
 *
 * Owns: the profile of a device and the rule. An op takes as long as its arithmetic or its traffic,
 * whichever is longer, and a fixed time to start; ops run one after another. That knows nothing of
 * caches, threads or fusion: it is an estimate, to be held against runs.
 */
import type { Bindings } from "../bind.ts";
import { bindDim } from "./bindings.ts";
import { type GraphCost, isPlainView, type NodeCost } from "./count.ts";

export interface DeviceProfile {
  readonly name: string;
  /** Of large matrix products. */
  readonly macsPerSecond: number;
  /** Of other arithmetic. */
  readonly scalarsPerSecond: number;
  /** Read and written together. */
  readonly bytesPerSecond: number;
  /** To start one op. */
  readonly secondsPerOp: number;
}

export type Limit = "compute" | "bandwidth" | "start";

export interface OpEstimate {
  readonly node: NodeCost;
  readonly seconds: number;
  /** What takes most of its time. */
  readonly limit: Limit;
}

export interface Estimate {
  readonly seconds: number;
  readonly ops: readonly OpEstimate[];
  /** Seconds spent in ops that are limited so. */
  readonly byLimit: Readonly<Record<Limit, number>>;
}

/** @throws DiagnosticError when something is not bound */
export function estimate(cost: GraphCost, bindings: Bindings, profile: DeviceProfile): Estimate {
  const ops = cost.nodes
    .filter(({ node }) => !isPlainView(node))
    .map((n) => estimateOp(n, bindings, profile));
  const byLimit = { compute: 0, bandwidth: 0, start: 0 };
  for (const { limit, seconds } of ops) byLimit[limit] += seconds;
  return { seconds: ops.reduce((total, op) => total + op.seconds, 0), ops, byLimit };
}

function estimateOp(node: NodeCost, bindings: Bindings, profile: DeviceProfile): OpEstimate {
  const value = (dim: NodeCost["macs"]): number => bindDim(dim, bindings).evaluate(bindings);
  const arithmetic = value(node.macs) / profile.macsPerSecond + value(node.scalar) / profile.scalarsPerSecond;
  const bytes = value(node.read) + value(node.written) + value(node.weights);
  const traffic = bytes / profile.bytesPerSecond;
  const longest = Math.max(arithmetic, traffic, profile.secondsPerOp);
  const limit = longest === profile.secondsPerOp ? "start" : longest === arithmetic ? "compute" : "bandwidth";
  return { node, seconds: Math.max(arithmetic, traffic) + profile.secondsPerOp, limit };
}

/** The profile in the text of a file, or what is wrong with it. */
export function readProfile(text: string): DeviceProfile | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  if (typeof value !== "object" || value === null) return { problem: "it holds no object" };
  const fields = new Map<string, unknown>(Object.entries(value));
  const rate = (name: string): number | undefined => {
    const found = fields.get(name);
    return typeof found === "number" && Number.isFinite(found) && found > 0 ? found : undefined;
  };
  const name = fields.get("name");
  const macsPerSecond = rate("macsPerSecond");
  const scalarsPerSecond = rate("scalarsPerSecond");
  const bytesPerSecond = rate("bytesPerSecond");
  const secondsPerOp = rate("secondsPerOp");
  if (typeof name !== "string") return { problem: "it has no `name`" };
  if (macsPerSecond === undefined) return { problem: "`macsPerSecond` is no positive number" };
  if (scalarsPerSecond === undefined) return { problem: "`scalarsPerSecond` is no positive number" };
  if (bytesPerSecond === undefined) return { problem: "`bytesPerSecond` is no positive number" };
  if (secondsPerOp === undefined) return { problem: "`secondsPerOp` is no positive number" };
  return { name, macsPerSecond, scalarsPerSecond, bytesPerSecond, secondsPerOp };
}
