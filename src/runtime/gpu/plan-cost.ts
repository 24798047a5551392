/**
 * What a call of an entry costs, from the plan alone: for people, before anything runs.
 */
import type { KernelPlan } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { evaluateSize, type Symbols } from "./sizes.ts";
import { layOutSlots } from "./slot-layout.ts";

export interface EntryCost {
  /** Multiply-adds that the model's definition has. */
  readonly macs: number;
  readonly dispatches: number;
  /** Bytes of weights that the entry reads, each once. */
  readonly weightBytes: number;
  /** Bytes of the values within the call. */
  readonly arenaBytes: number;
}

/** @param symbols a value for each of the entry's @throws DiagnosticError `no-entry`, `symbol-unbound` */
export function entryCost({ entries, weights }: KernelPlan, name: string, symbols: Symbols): EntryCost {
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) throw failure("no-entry", `The plan has no entry ${name}.`);
  const always = entry.dispatches.filter(({ only }) => only === undefined);
  const read = new Set(
    always.flatMap(({ places }) =>
      places.flatMap(({ place }) => (place.kind === "weight" ? [place.weight] : [])),
    ),
  );
  return {
    macs: always.reduce((sum, { declared }) => sum + evaluateSize(declared, symbols), 0),
    dispatches: always.length,
    weightBytes: [...read].reduce((sum, index) => sum + (weights[index]?.bytes ?? 0), 0),
    arenaBytes: layOutSlots(entry, symbols).bytes,
  };
}
