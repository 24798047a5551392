/**
 * Weights and kernels of a plan, one of each for all entries.
 *
 * Owns: their numbers, and where the parts of a weight are.
 */
import type { Value } from "../graph.ts";
import { type StoredWeights, staticShape } from "../onnx/weights.ts";
import type { PlanKernel, PlanWeight } from "../plan.ts";
import type { Located, Part } from "./kernel-writer.ts";
import type { WhichOthers } from "./kernels/kernel.ts";
import { Variants } from "./variants.ts";
import { layOut } from "./weight-layout.ts";

/** Where a stored value is, and which of its codes share a scale. */
export type WeightLocation = Required<Pick<Located, "parts" | "rows">>;

export class PlanTables {
  readonly weights: PlanWeight[] = [];
  readonly kernels: PlanKernel[] = [];
  /** Of dispatches, where they are asked for. */
  readonly variants: Variants | undefined;
  readonly #stored: StoredWeights;
  readonly #largestBinding: number;
  readonly #weightParts = new Map<string, WeightLocation>();
  readonly #kernelNumbers = new Map<string, number>();

  constructor(
    stored: StoredWeights,
    {
      largestBinding,
      variants,
    }: { readonly largestBinding: number; readonly variants: WhichOthers | undefined },
  ) {
    this.#stored = stored;
    if (variants !== undefined) this.variants = new Variants((kernel) => this.kernel(kernel), variants);
    this.#largestBinding = largestBinding;
  }

  /** Where a stored value is: one weight, or several of its rows each. */
  weight(value: Value): WeightLocation {
    const key = this.#stored.key(value);
    const known = this.#weightParts.get(key);
    if (known !== undefined) return known;
    const shape = staticShape(value);
    const layout = layOut(value, shape, this.#stored.form(key), this.#largestBinding);
    const from = learnedIn(value);
    const parts = layout.parts.map(({ first, own, bytes, scales }, at): Part => {
      const weight = this.weights.length;
      const name = layout.parts.length === 1 ? key : `${key}.${at}`;
      this.weights.push({
        name,
        ...(layout.parts.length === 1 ? {} : { part: { of: key, first } }),
        stored: layout.stored,
        shape: own,
        bytes,
        ...(scales && { scales: { name: `${name}.scales`, shape: scales.shape, start: scales.start } }),
        from,
      });
      return {
        place: { kind: "weight", weight },
        first,
        ...(scales && { scales: { start: scales.start, first: scales.first } }),
      };
    });
    const weight = { parts, rows: layout.rows };
    this.#weightParts.set(key, weight);
    return weight;
  }

  kernel(kernel: PlanKernel): number {
    const known = this.#kernelNumbers.get(kernel.code);
    if (known !== undefined) return known;
    const number = this.kernels.length;
    this.kernels.push(kernel);
    this.#kernelNumbers.set(kernel.code, number);
    return number;
  }
}

function learnedIn(value: Value): string[] {
  const paths = new Set<string>();
  const seen = new Set<Value>();
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.source.kind === "parameter") paths.add(next.source.parameter.path);
    if (next.source.kind === "result") pending.push(...next.source.node.operands);
  }
  return [...paths].sort();
}
