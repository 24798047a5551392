/**
 * The kernels that a device may choose from in the place of a dispatch's own.
 *
 * Owns: writing them once for dispatches that are alike, layer after layer, and saying what they bind in
 * terms of the dispatch's places.
 */
import type { Dim } from "../../lang/dims.ts";
import type { Overhead } from "../ops/op.ts";
import type { PlanKernel, PlanPlace } from "../plan.ts";
import { executedBy } from "./dispatch-work.ts";
import type { Kernel, WhichOthers } from "./kernels/kernel.ts";

export interface Variant {
  readonly kernel: number;
  readonly order: readonly number[];
  readonly sizes: readonly Dim[];
  readonly workgroups: readonly [Dim, Dim, Dim];
  readonly executed: Dim;
  readonly overhead: readonly Overhead[];
}

/** A dispatch's own kernel, as it was written. */
interface Own {
  readonly kernel: number;
  readonly places: readonly { readonly place: PlanPlace }[];
  readonly sizes: readonly Dim[];
}

export class Variants {
  readonly #number: (kernel: PlanKernel) => number;
  readonly #which: WhichOthers;
  readonly #found = new Map<string, readonly Variant[]>();

  /** @param number that of a kernel in the plan */
  constructor(number: (kernel: PlanKernel) => number, which: WhichOthers) {
    this.#number = number;
    this.#which = which;
  }

  of(kernel: Kernel, own: Own): readonly Variant[] {
    if (kernel.others === undefined) return [];
    // Equal text over equal numbers is equal work.
    const key = [own.kernel, ...own.sizes, ...kernel.workgroups, executedBy(kernel).executed].join(" ");
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const variants = this.#written(kernel.others(this.#which), own);
    this.#found.set(key, variants);
    return variants;
  }

  #written(others: readonly Kernel[], own: Own): readonly Variant[] {
    const places = own.places.map(({ place }) => JSON.stringify(place));
    const seen = new Set([own.kernel]);
    return others.flatMap((other): Variant[] => {
      const written = other.writer.finish(other.label);
      const order = written.places.map(({ place }) => places.indexOf(JSON.stringify(place)));
      if (order.includes(-1)) return [];
      const kernel = this.#number(written.kernel);
      if (seen.has(kernel)) return [];
      seen.add(kernel);
      const { workgroups } = other;
      return [{ kernel, order, sizes: written.sizes, workgroups, ...executedBy(other) }];
    });
  }
}
