/**
 * What a call of an entry costs, from the plan alone: for people, before anything runs.
 */
import type { KernelPlan } from "../../compiler/plan.ts";
import { failure } from "../failure.ts";
import { evaluateSize } from "./sizes.ts";
import { layOutSlots } from "./slot-layout.ts";
import { bindSymbols, type Shapes } from "./symbols.ts";

export interface EntryCost {
  /** Multiply-adds that the model's definition has. */
  readonly macs: number;
  readonly dispatches: number;
  /** Bytes of weights that the entry reads, each once. */
  readonly weightBytes: number;
  /** Bytes of the values within the call. */
  readonly arenaBytes: number;
}

/**
 * Of a call whose outputs are read as they are: what a device chooses from scores comes on top.
 * @param shapes of the inputs, by name
 * @throws DiagnosticError `no-entry`, and what is wrong with the shapes
 */
export function entryCost({ entries, weights }: KernelPlan, name: string, shapes: Shapes): EntryCost {
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) throw failure("no-entry", `The plan has no entry ${name}.`);
  const symbols = bindSymbols(entry, shapes);
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
